// Loss recovery by what is reported, RFC 6675: what is sent again and what anew, in which order,
// and how much; RFC 6937, how fast. Another algorithm is as good (RFC 5681 section 4.3), as long as
// it does not make use of reports otherwise: where it makes none, the tests do not get to where
// they begin.
#include <algorithm>
#include <utility>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

class SackRecoveryTest : public FlightTest {
 protected:
  static constexpr std::uint32_t kSegments = 10;  // in flight, or more: the window of RFC 6928
  // So long that no timer fires before what is reported at once has been answered.
  static constexpr Duration kRoundTrip = 160ms;
  using Range = std::pair<std::uint32_t, std::uint32_t>;  // of segments, by their places in flight

  // A connection with just so many segments in flight and nothing more to send; the first one is of
  // 'a', the second of 'b'.
  Connection WithAllInFlight() {
    Connection connection = OpenSlowly(kRoundTrip, true, ChooseRfc5681);
    std::string text;
    for (std::uint32_t i = 0; i < kSegments; ++i) {
      text += std::string(kMss, static_cast<char>('a' + i));
    }
    Begin(connection);
    for (int round_trips = 0; round_trips < 6; ++round_trips) {
      connection.socket.Send(text).value();
      if (FlightSize(connection) == kSegments * kMss) {
        CountFlight(connection);
        return connection;
      }
      while (in_flight(connection) > 0) {
        Pass(kRoundTrip);
        RoundTrip(connection);
      }
    }
    NotReached("so much is never in flight");
  }

  // One with as many segments in flight, or more, and more to send.
  Connection WithMoreToSend(std::uint32_t segments = kSegments) {
    Connection connection = OpenSlowly(kRoundTrip, true, ChooseRfc5681);
    Begin(connection);
    WriteMuch(connection, 200 * kMss);
    for (int round_trips = 0; FlightSize(connection) < segments * kMss; ++round_trips) {
      if (round_trips == 6) NotReached("so much is never in flight");
      Pass(kRoundTrip);
      RoundTrip(connection);
    }
    CountFlight(connection);
    return connection;
  }

  // From here on places are those of what is in flight now.
  void CountFlight(const Connection& connection) {
    first_ = acknowledged();
    flight_ = in_flight(connection) / kMss;
  }

  // The peer has got these segments and all before `acknowledged`, and says so.
  Segment Report(Connection& connection, std::uint32_t acknowledged,
                 const std::vector<Range>& ranges) {
    return connection.peer.Send(Reports(Ack(), acknowledged, ranges));
  }
  PartialSegment Reports(PartialSegment segment, std::uint32_t acknowledged,
                         const std::vector<Range>& ranges) const {
    std::vector<tcp_option::SackBlock> blocks;
    for (const auto& [from, to] : ranges) {
      blocks.emplace_back(first_ + from * kMss, first_ + to * kMss);
    }
    return segment.Ack(first_ + acknowledged * kMss).Sack(blocks);
  }

  // As FlightTest::Answers(), where segments are as large as they may be.
  std::vector<Segment> Answers(Connection& connection) {
    std::vector<Segment> segments = FlightTest::Answers(connection);
    for (const Segment& segment : segments) {
      if (segment.length() < kMss) NotReached("its segments are smaller");
    }
    return segments;
  }

  // Which segment of those in flight at first it is; from flight() on, new ones.
  std::uint32_t PlaceOf(const Segment& segment) const { return (segment.seq - first_) / kMss; }
  std::uint32_t flight() const { return flight_; }
  // This one is at that place: other than in a process that is late, after a timeout.
  void RequirePlace(const Segment& segment, std::uint32_t place,
                    SourceLocation where = SourceLocation::Current()) const {
    Require(segment.seq == first_ + place * kMss, "segment " + std::to_string(place),
            "segment " + std::to_string(PlaceOf(segment)), where);
  }
  std::uint32_t first() const { return first_; }

  static std::uint32_t OctetsOf(const std::vector<Segment>& segments) {
    std::uint32_t octets = 0;
    for (const Segment& segment : segments) octets += segment.length();
    return octets;
  }
  std::ptrdiff_t TimesOf(std::uint32_t place, const std::vector<Segment>& segments) const {
    return std::count_if(segments.begin(), segments.end(),
                         [&](const Segment& segment) { return PlaceOf(segment) == place; });
  }

 private:
  std::uint32_t first_ = 0;
  std::uint32_t flight_ = 0;
};

}  // namespace

// --- How it begins -------------------------------------------------------------------------------

TEST_WITH(SackRecoveryTest, SackRecovery, OneReportOfThreeSegmentsBringsTheFirstAgain,
          .claims = {"rfc6675:5-first"}) {
  Connection connection = WithAllInFlight();
  Report(connection, 0, {{1, 4}});
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("a single report brings nothing");
  RequirePlace(answers.front(), 0);
  EXPECT_LE(answers.front().length(), kMss);
}

TEST_WITH(SackRecoveryTest, SackRecovery, ReportsCountWhateverElseTheyCarry,
          .claims = {"rfc6675:2-duplicate"}) {
  Connection connection = WithAllInFlight();
  for (std::uint32_t i = 1; i <= 3; ++i) {
    connection.peer.Send(
        Reports(Data("data"), 0, {{1, 1 + i}}).Window(static_cast<std::uint16_t>(60000 + i)));
  }
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("these reports bring nothing");
  RequirePlace(answers.front(), 0);
}

// Segments that are small, so that three of them are less than two of full size (IsLost() of
// section 4), after a report of three full ones has brought the first again.
TEST_WITH(SackRecoveryTest, SackRecovery, AThirdDuplicateBringsItHoweverLittleIsReported,
          .claims = {"rfc6675:5-dupacks"}) {
  Connection large = WithAllInFlight();
  Report(large, 0, {{1, 4}});
  if (TimesOf(0, Answers(large)) == 0) NotReached("a single report brings nothing");

  constexpr std::uint32_t kOctets = 50;
  Connection connection = OpenSlowly(kRoundTrip, true, ChooseRfc5681);
  ASSERT_THAT(connection.socket.SetOption("TCP_NODELAY", 1), Succeeds());
  const std::uint32_t start = Begin(connection);
  for (std::uint32_t i = 0; i < 5; ++i) {
    connection.socket.Send(std::string(kOctets, static_cast<char>('a' + i))).value();
    Settle();
    if (connection.peer.TakeArrived().size() != 1) NotReached("it does not send each at once");
  }
  for (std::uint32_t i = 1; i <= 3; ++i) {
    connection.peer.Send(Ack().Ack(start).Sack({{start + kOctets, start + (1 + i) * kOctets}}));
  }
  // Far from any timeout, and longer than who looks at time alone would wait.
  Pass(kRoundTrip);
  const std::vector<Segment> answers = FlightTest::Answers(connection);
  Require(!answers.empty() && answers.front().seq == start, "the first segment again",
          answers.empty() ? "nothing" : "segment " + std::to_string(answers.front().seq - start));
}

// --- What is sent --------------------------------------------------------------------------------

TEST_WITH(SackRecoveryTest, SackRecovery, WhatIsLostComesInOrderAndThenNewData,
          .claims = {"rfc6675:4-lost-first", "rfc6675:4-then-new"}) {
  Connection connection = WithMoreToSend();
  // The first, the third and the fifth are lost.
  Report(connection, 0, {{5, flight()}, {3, 4}, {1, 2}});
  const std::vector<Segment> answers = Answers(connection);
  if (TimesOf(2, answers) == 0) NotReached("holes that are reported are not filled");
  Deciding("rfc6675:4-lost-first");
  for (std::uint32_t i = 0; i < std::min<std::size_t>(answers.size(), 3); ++i) {
    RequirePlace(answers[i], 2 * i);
  }
  if (answers.size() <= 3) NotReached("no more than that comes");
  Deciding("rfc6675:4-then-new");
  for (std::uint32_t i = 3; i < answers.size(); ++i) {
    RequirePlace(answers[i], flight() + i - 3);
  }
}

TEST_WITH(SackRecoveryTest, SackRecovery, AHoleIsFilledOnce, .claims = {"rfc6675:4-high-rxt"}) {
  Connection connection = WithAllInFlight();
  std::vector<Segment> answers;
  for (std::uint32_t end = 7; end <= kSegments; ++end) {
    Report(connection, 0, {{5, end}, {3, 4}, {1, 2}});
    for (const Segment& segment : Answers(connection)) answers.push_back(segment);
  }
  if (TimesOf(2, answers) == 0) NotReached("holes that are reported are not filled");
  for (const std::uint32_t hole : {0U, 2U, 4U}) {
    Require(TimesOf(hole, answers) <= 1, "segment " + std::to_string(hole) + " again once at most",
            std::to_string(TimesOf(hole, answers)) + " times");
  }
}

TEST_WITH(SackRecoveryTest, SackRecovery, WithoutNewDataAHoleBelowOneReportIsFilledToo,
          .claims = {"rfc6675:4-not-lost"}) {
  Connection connection = WithAllInFlight();
  // The first, the third and the sixth are lost; beyond the sixth too little has come to say so.
  Report(connection, 0, {{6, 7}, {3, 5}, {1, 2}});
  std::vector<Segment> answers = Answers(connection);
  Report(connection, 0, {{6, 8}, {3, 5}, {1, 2}});
  for (const Segment& segment : Answers(connection)) answers.push_back(segment);
  if (TimesOf(2, answers) == 0) NotReached("holes that are reported are not filled");
  Report(connection, 2, {{6, 8}, {3, 5}});
  for (const Segment& segment : Answers(connection)) answers.push_back(segment);
  Require(TimesOf(5, answers) > 0, "segment 5 again", "nothing of it");
}

TEST_WITH(
    SackRecoveryTest, SackRecovery, WhatItsReceiverHasDiscardedComesAgain,
    .claims = {"rfc6675:4-keep"}, .lasts = [](const Facts&) -> Duration { return 2s; }) {
  Connection connection = WithAllInFlight();
  Report(connection, 0, {{1, kSegments}});
  Answers(connection);
  Report(connection, 1, {});
  const Segment again =
      connection.peer.ExpectEventually(AnyData().Seq(first() + kMss), Within(20s));
  EXPECT_EQ(again.payload, Bytes(again.payload.size(), 'b'));
}

// The first of ten segments is lost, and the last two; there is nothing new. Who goes on with the
// first of those two has taken them for lost, by time.
TEST_WITH(SackRecoveryTest, SackRecovery, ARescueIsTheLastSegmentAndOnlyOne,
          .claims = {"rfc6675:4-rescue"}) {
  Connection connection = WithAllInFlight();
  Report(connection, 0, {{1, 4}});
  if (TimesOf(0, Answers(connection)) == 0) NotReached("a single report brings nothing");
  Report(connection, 0, {{1, kSegments - 2}});
  Answers(connection);
  Report(connection, kSegments - 2, {});
  const std::vector<Segment> answers = Answers(connection);
  if (answers.empty()) NotReached("nothing is sent again without a timeout");
  if (PlaceOf(answers.front()) == kSegments - 2) NotReached("what is missing is taken for lost");
  RequirePlace(answers.front(), kSegments - 1);
  EXPECT_EQ(answers.size(), 1U) << "more than one";
}

// --- How much ------------------------------------------------------------------------------------

TEST_WITH(SackRecoveryTest, SackRecovery, HalfOfTheFlightIsInTheNetworkAtMost,
          .claims = {"rfc6675:5-pipe"}) {
  Connection connection = WithMoreToSend();
  std::vector<Segment> answers;
  for (std::uint32_t end = 2; end <= flight(); ++end) {
    Report(connection, 0, {{1, end}});
    for (const Segment& segment : Answers(connection)) answers.push_back(segment);
  }
  if (TimesOf(0, answers) == 0) NotReached("there is no recovery");
  // All else has come: what is in the network is what was sent meanwhile.
  const std::uint32_t most = std::max(flight() * kMss / 2, 2 * kMss);
  Require(OctetsOf(answers) <= most, std::to_string(most) + " octets at most",
          std::to_string(OctetsOf(answers)));
}

// Who waits until half of it has left the network, as RFC 6675 has it, is slower in the beginning.
TEST_WITH(SackRecoveryTest, SackRecovery, WhatIsSentKeepsToTheShareOfWhatHasCome,
          .claims = {"rfc6937:3-proportional"}) {
  Connection connection = WithMoreToSend();
  const std::uint32_t recover_fs = flight() * kMss;
  const std::uint32_t threshold = recover_fs / 2;
  std::uint32_t sent = 0;
  for (std::uint32_t end = 4; end <= flight(); ++end) {
    Report(connection, 0, {{1, end}});
    sent += OctetsOf(Answers(connection));
    const std::uint32_t delivered = (end - 1) * kMss;
    const std::uint32_t share = (delivered * threshold + recover_fs - 1) / recover_fs;
    // Of what was in flight, the first is lost.
    const std::uint32_t pipe = recover_fs - kMss - delivered + sent;
    // A segment may be the one that the share has a part of.
    if (pipe <= threshold) continue;
    Require(sent < share + kMss,
            std::to_string(share) + " octets, when " + std::to_string(delivered) + " have come",
            std::to_string(sent));
  }
  if (sent == 0) NotReached("there is no recovery");
}

// Most of what was in flight is lost at once, so that less is in the network than the threshold.
// Who sends nothing before half of the flight has come does it by RFC 6675, and may send a burst.
TEST_WITH(SackRecoveryTest, SackRecovery, WhereLittleIsLeftEachReportLetsOutOneMoreThanCame,
          .claims = {"rfc6937:3-reduction-bound"}) {
  {
    Connection connection = WithMoreToSend(2 * kSegments);
    std::uint32_t sent = 0;
    for (std::uint32_t end = 4; end < flight() / 2 - 2; ++end) {
      Report(connection, 0, {{1, end}});
      sent += OctetsOf(Answers(connection));
    }
    if (sent <= kMss) NotReached("what is sent does not keep to what comes");
  }
  Connection connection = WithMoreToSend(2 * kSegments);
  const std::uint32_t threshold = flight() * kMss / 2;
  std::uint32_t delivered = 0, out = 0;  // prr_delivered, prr_out
  const std::uint32_t from = flight() - 6;
  for (std::uint32_t end = from + 3; end <= flight(); ++end) {
    Report(connection, 0, {{from, end}});
    const std::uint32_t came = (end - from) * kMss - delivered;
    delivered += came;
    // What was in flight is lost or has come, or will.
    const std::uint32_t pipe = out + (flight() - end) * kMss;
    const std::uint32_t limit = std::max(delivered > out ? delivered - out : 0, came) + kMss;
    const std::uint32_t most = std::min(limit, threshold > pipe ? threshold - pipe : 0);
    const std::uint32_t sent = OctetsOf(Answers(connection));
    Require(sent <= most, std::to_string(most) + " octets at most", std::to_string(sent));
    out += sent;
  }
  if (out == 0) NotReached("there is no recovery");
}

// The first segment is lost twice. Who sends before half of the flight has come has PRR, or
// something like it (RFC 8985 section 9.3 asks others).
TEST_WITH(
    SackRecoveryTest, SackRecovery, ARetransmissionThatIsLostReducesTheWindowAgain,
    .claims = {"rfc8985:9.3-lost-retransmission"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  {
    Connection connection = WithMoreToSend(2 * kSegments);
    std::uint32_t sent = 0;
    for (std::uint32_t end = 4; end < flight() / 2 - 2; ++end) {
      Report(connection, 0, {{1, end}});
      sent += OctetsOf(Answers(connection));
    }
    if (sent > kMss) NotReached("what is sent keeps to what comes, as that of PRR");
  }
  Connection connection = WithMoreToSend(2 * kSegments);
  const std::uint32_t before = flight() * kMss;
  Report(connection, 0, {{1, flight()}});
  if (TimesOf(0, Answers(connection)) == 0) NotReached("a single report brings nothing");
  // No sooner than the shortest round trip, else it could be an answer to what was sent first.
  Pass(sample() + kRoundTrip / 8);
  Report(connection, 0, {{1, (connection.peer.rcv_nxt - first()) / kMss}});
  Pass(sample() / 2);
  if (TimesOf(0, Answers(connection)) == 0) NotReached("it waits for its timeout");
  Acknowledge(connection, in_flight(connection));
  const std::uint32_t now = FlightSize(connection);
  // Twice halved, or as near to that as to once.
  Require(now <= before * 3 / 8 + kMss, std::to_string(before * 3 / 8 + kMss) + " octets at most",
          std::to_string(now));
}

// --- How it ends ---------------------------------------------------------------------------------

TEST_WITH(SackRecoveryTest, SackRecovery, TheNextLossIsMendedOnceAllOfTheFirstIsAcknowledged,
          .claims = {"rfc6675:5-end"}) {
  Connection connection = WithMoreToSend();
  Report(connection, 0, {{1, flight()}});
  if (TimesOf(0, Answers(connection)) == 0) NotReached("a single report brings nothing");
  Acknowledge(connection, in_flight(connection));
  if (FlightSize(connection) < 4 * kMss) NotReached("no more is in flight");
  CountFlight(connection);
  Report(connection, 0, {{1, 4}});
  Require(TimesOf(0, Answers(connection)) > 0, "the first segment again", "nothing of it");
}

TEST_WITH(
    SackRecoveryTest, SackRecovery, AfterATimeoutOnlyWhatIsMissingComesAgain,
    .claims = {"rfc6675:5.1-utilize"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = WithAllInFlight();
  connection.peer.ExpectEventually(AnyData().Seq(first()), Within(20s));
  Answers(connection);
  for (const std::uint32_t acknowledged : {1U, 2U}) {
    Report(connection, acknowledged, {{3, kSegments}});
    for (const Segment& segment : Answers(connection)) {
      Require(PlaceOf(segment) < 3, "what was not reported",
              "segment " + std::to_string(PlaceOf(segment)));
    }
  }
}

// The segment that the recovery has sent again is lost too. Duplicates that come after the timeout
// are of segments sent before it, and no reason to send it once more.
TEST_WITH(
    SackRecoveryTest, SackRecovery, AfterATimeoutDuplicatesBeginNoOther,
    .claims = {"rfc6675:5.1-no-recovery"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = WithAllInFlight();
  Report(connection, 0, {{1, 4}});
  if (TimesOf(0, Answers(connection)) == 0) NotReached("a single report brings nothing");
  connection.peer.ExpectEventually(AnyData().Seq(first()), Within(20s));
  FlightTest::Answers(connection);
  std::vector<Segment> answers;
  for (std::uint32_t end = 5; end <= 8; ++end) {
    connection.peer.Send(Reports(Data("data"), 0, {{1, end}}));
    for (const Segment& segment : FlightTest::Answers(connection)) answers.push_back(segment);
  }
  Require(TimesOf(0, answers) == 0, "nothing of the first segment", "it is sent again");
}

// What is reported of new data, sent during the recovery, is known after it.
TEST_WITH(SackRecoveryTest, SackRecovery, WhatWasReportedBeyondTheRecoveryIsNotForgotten,
          .claims = {"rfc6675:5-scoreboard-after"}) {
  Connection connection = WithMoreToSend(2 * kSegments);
  const std::uint32_t end = flight();
  Report(connection, 0, {{1, end}});
  if (TimesOf(0, Answers(connection)) == 0) NotReached("a single report brings nothing");
  Report(connection, 0, {{end + 1, end + 2}, {1, end}});
  Answers(connection);
  Report(connection, end, {{end + 1, end + 2}});
  Answers(connection);
  if (connection.peer.rcv_nxt - first() < (end + 6) * kMss) NotReached("too little new data comes");
  std::vector<Segment> answers;
  for (std::uint32_t to = end + 6; to <= end + 10; ++to) {
    if (connection.peer.rcv_nxt - first() < to * kMss) break;
    Report(connection, end, {{end + 3, to}});
    for (const Segment& segment : Answers(connection)) answers.push_back(segment);
  }
  if (TimesOf(end, answers) == 0) NotReached("holes that are reported are not filled");
  Require(TimesOf(end + 1, answers) == 0, "what was not reported", "what was, again");
}

// A receiver that has discarded all that it had reported, and does not report it any longer.
TEST_WITH(
    SackRecoveryTest, SackRecovery, AfterATimeoutWhatWasReportedBeforeComesAgain,
    .claims = {"rfc2018:5.1-forgotten"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  Connection connection = WithAllInFlight();
  Report(connection, 0, {{2, kSegments}});
  Answers(connection);
  connection.peer.ExpectEventually(AnyData().Seq(first()), Within(20s));
  for (std::uint32_t place = 2; place < 5; ++place) {
    Report(connection, place, {});
    const Segment again =
        connection.peer.ExpectEventually(AnyData().Seq(first() + place * kMss), Within(20s));
    EXPECT_EQ(again.payload, Bytes(again.payload.size(), static_cast<std::uint8_t>('a' + place)));
  }
}
