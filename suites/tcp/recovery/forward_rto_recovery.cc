// Timeouts that were none, RFC 5682: what follows the first two acknowledgments after one. A system
// that does not look for them sends again what is not acknowledged, and the tests of what is new do
// not get to where they begin.
#include <algorithm>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

struct FrtoVersion {
  const char* name;
  bool sack;
};
constexpr FrtoVersion kFrtoVersions[] = {{"basic", false}, {"sack", true}};

class FrtoTest : public FlightTest {
 protected:
  // The first segment of those in flight has been sent again by a timeout, and there is more to
  // send.
  Connection AfterATimeout(bool sack) {
    Connection connection = OpenSlowly(100ms, sack, ChooseRfc5681);
    Begin(connection);
    WriteMuch(connection);
    if (FlightSize(connection) < 4 * kMss) NotReached("the initial window is smaller");
    connection.peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(20s));
    Answers(connection);
    recover_ = connection.peer.rcv_nxt;
    return connection;
  }

  // The same, once the acknowledgment of that segment has brought new data.
  Connection AfterNewData(bool sack) {
    Connection connection = AfterATimeout(sack);
    Acknowledge(connection, kMss);
    news_ = Answers(connection);
    if (news_.empty() || !IsNew(news_.front())) {
      NotReached("it goes on with what is not acknowledged");
    }
    return connection;
  }

  bool IsNew(const Segment& segment) const {
    return static_cast<std::int32_t>(segment.seq - recover_) >= 0;
  }
  const std::vector<Segment>& news() const { return news_; }
  // It is new: other than in a process that is late, after another timeout.
  void RequireNew(const Segment& segment, SourceLocation where = SourceLocation::Current()) const {
    Require(IsNew(segment), "new data", "the segment at " + std::to_string(segment.seq) + " again",
            where);
  }
  void RequireAtMost(std::uint32_t octets, std::uint32_t most,
                     SourceLocation where = SourceLocation::Current()) const {
    Require(octets <= most, std::to_string(most) + " octets at most", std::to_string(octets),
            where);
  }

  static std::uint32_t Octets(const std::vector<Segment>& segments) {
    std::uint32_t octets = 0;
    for (const Segment& segment : segments) octets += segment.length();
    return octets;
  }

 private:
  std::uint32_t recover_ = 0;  // "recover" of RFC 5682: what was sent before
  std::vector<Segment> news_;
};

}  // namespace

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, TheFirstAcknowledgmentBringsTwoNewSegmentsAtMost,
    .claims = {"rfc5682:2.1-2b"}, .lasts = [](const Facts&) -> Duration { return 1s; },
    .rows = kFrtoVersions) {
  AfterNewData(RowOf(kFrtoVersions).sack);
  RequireAtMost(Octets(news()), 2 * kMss);
  for (const Segment& segment : news()) RequireNew(segment);
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, NothingComesAgainOnceTheTimeoutIsKnownToBeSpurious,
    .claims = {"rfc5682:4-spurious"}, .lasts = [](const Facts&) -> Duration { return 1s; },
    .rows = kFrtoVersions) {
  Connection connection = AfterNewData(RowOf(kFrtoVersions).sack);
  for (int acknowledgments = 0; acknowledgments < 2; ++acknowledgments) {
    Acknowledge(connection, kMss);
    for (const Segment& segment : Answers(connection)) RequireNew(segment);
  }
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, ADuplicateFirstLeadsToTheUsualRecovery,
    .claims = {"rfc5682:2.1-2a-duplicate"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = AfterATimeout(false);
  SendDuplicates(connection, 1);
  Answers(connection);
  Acknowledge(connection, kMss);
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing comes at once");
  // No process that is late brings new data about.
  EXPECT_EQ(answers.front().seq, acknowledged())
      << Describe(answers.front(), connection.peer.irs, connection.peer.iss);
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, AnAcknowledgmentOfAllThatWasSentLeavesTwoSegments,
    .claims = {"rfc5682:2.1-2a-recover"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = AfterATimeout(false);
  Acknowledge(connection, in_flight(connection));
  // No process that is late brings new data about.
  EXPECT_LE(FlightSize(connection), 2 * kMss);
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, ADuplicateAfterNewDataLeadsToTheUsualRecovery,
    .claims = {"rfc5682:2.1-3a"}, .lasts = [](const Facts&) -> Duration { return 1s; },
    .rows = kFrtoVersions) {
  const bool sack = RowOf(kFrtoVersions).sack;
  Connection connection = AfterNewData(sack);
  const Segment& arrived = news().front();
  PartialSegment duplicate = Ack().Ack(acknowledged());
  if (sack) duplicate.Sack({{arrived.seq, arrived.seq + arrived.length()}});
  connection.peer.Send(duplicate);
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing comes at once");
  Require(answers.front().seq == acknowledged(), "what is not acknowledged, again",
          Describe(answers.front(), connection.peer.irs, connection.peer.iss));
  RequireAtMost(Octets(answers), 3 * kMss);
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, AnAcknowledgmentOfAPartLeadsToTheUsualRecovery,
    .claims = {"rfc5682:2.1-2a-partial"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = AfterATimeout(false);
  Acknowledge(connection, kMss / 2);
  Answers(connection);
  Acknowledge(connection, kMss / 2);
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing comes at once");
  // No process that is late brings new data about.
  EXPECT_FALSE(IsNew(answers.front())) << "new data comes";
}

TEST_WITH(
    FrtoTest, ForwardRtoRecovery, AnotherTimeoutBeginsWithTheFirstSegmentAgain,
    .claims = {"rfc5682:2.1-again"}, .lasts = [](const Facts&) -> Duration { return 2s; },
    .rows = kFrtoVersions) {
  Connection connection = AfterNewData(RowOf(kFrtoVersions).sack);
  const Segment again = connection.peer.Expect(AnySegment(), Within(20s));
  EXPECT_EQ(again.seq, acknowledged()) << Describe(again, connection.peer.irs, connection.peer.iss);
}

// What brings data acknowledges nothing by it, and is no duplicate.
TEST_WITH(
    FrtoTest, ForwardRtoRecovery, WhatIsNeitherNewNorADuplicateIsIgnored,
    .claims = {"rfc5682:2.1-ignored"}, .lasts = [](const Facts&) -> Duration { return 2s; },
    .rows = kFrtoVersions) {
  const bool sack = RowOf(kFrtoVersions).sack;
  AfterNewData(sack);  // or it does without
  Connection connection = AfterATimeout(sack);
  connection.peer.Send(Data("data").Ack(acknowledged()));
  Answers(connection);
  Acknowledge(connection, kMss);
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing comes at once");
  for (const Segment& segment : answers) RequireNew(segment);
}

// The first segment is lost, also when it is sent again: the timeout that follows is that of a
// recovery.
TEST_WITH(
    FrtoTest, ForwardRtoRecovery, InARecoveryATimeoutLeadsToTheUsualOne,
    .claims = {"rfc5682:2.1-other-recovery"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  AfterNewData(true);  // or it does without
  Connection connection = OpenSlowly(100ms, true, ChooseRfc5681);
  const std::uint32_t first = Begin(connection);
  WriteMuch(connection, 100 * kMss);
  if (FlightSize(connection) < 8 * kMss) NotReached("the initial window is smaller");
  connection.peer.Send(Ack().Ack(first).Sack({{first + kMss, first + 4 * kMss}}));
  const std::vector<Segment> again = Answers(connection);
  if (std::none_of(again.begin(), again.end(),
                   [&](const Segment& segment) { return segment.seq == first; })) {
    NotReached("a report brings nothing again");
  }
  connection.peer.ExpectEventually(AnyData().Seq(first), Within(20s));
  Answers(connection);
  const std::uint32_t sent = connection.peer.rcv_nxt;
  Acknowledge(connection, 4 * kMss);
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing comes at once");
  // No process that is late brings new data about.
  EXPECT_LT(static_cast<std::int32_t>(answers.front().seq - sent), 0) << "new data comes";
}
