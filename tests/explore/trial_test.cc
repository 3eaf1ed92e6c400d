// What was seen of a sequence, judged.
#include "src/explore/trial.h"

#include <gmock/gmock.h>

namespace sockproof::explore {
namespace {

using oracle::kAck;
using oracle::kFin;
using oracle::kRst;
using oracle::kSyn;
using testing::HasSubstr;

constexpr std::uint32_t kIss = 5000, kIrs = 1000;  // of the system, of the peer

// What is seen, step by step; numbers are relative.
class Seen {
 public:
  explicit Seen(const std::string& steps) : sequence_(ParseOneLine("ipv4;none;" + steps).front()) {}

  Seen& Step(const std::string& outcome = "") {
    if (!record_.steps.empty()) record_.steps.back().end = now_ += 1ms;
    record_.steps.push_back({now_ += 1ms, {}, outcome, {}});
    return *this;
  }
  Seen& In(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t text = 0) {
    return Add(true, flags, kIrs + seq, kIss + ack, text);
  }
  Seen& Out(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t text = 0) {
    return Add(false, flags, kIss + seq, kIrs + ack, text);
  }
  // An ACK that offers another window.
  Seen& Update(std::uint32_t seq, std::uint32_t ack) {
    Out(kAck, seq, ack);
    record_.steps.back().segments.back().segment.window = 61000;
    return *this;
  }
  Seen& Wait(Duration duration) {
    now_ += duration;
    return *this;
  }
  Judged Judge(Patience patience) {
    Step();
    record_.steps.back().end = now_ += 700ms;
    return explore::Judge(sequence_, record_, patience);
  }

 private:
  Seen& Add(bool is_of_peer, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
            std::uint32_t text) {
    SeenSegment seen{is_of_peer, now_ += 10us, {}};
    seen.segment.flags = flags;
    seen.segment.seq = seq;
    seen.segment.ack = (flags & kAck) != 0 ? ack : 0;
    seen.segment.text = text;
    if (text > 0) seen.segment.flags |= oracle::kPsh;
    seen.segment.window = 60000;
    if ((flags & kSyn) != 0) seen.segment.mss = 1460;
    record_.steps.back().segments.push_back(seen);
    return *this;
  }

  Sequence sequence_;
  Record record_;
  Time now_{std::chrono::hours(1)};
};

Seen Connected(const std::string& then) {
  Seen seen("connect();SYN,ACK seq=ISS;" + then);
  seen.Step("EINPROGRESS").Out(kSyn, 0, 0);
  seen.Step().In(kSyn | kAck, 0, 1).Out(kAck, 1, 1);
  return seen;
}

TEST(Trial, AllowsWhatTheRfcAsksFor) {
  Seen seen = Connected("FIN,ACK;close()");
  seen.Step().In(kFin | kAck, 1, 1).Out(kAck, 1, 2);
  seen.Step("0").Out(kFin | kAck, 1, 2);
  EXPECT_FALSE(seen.Judge(Patience::kNone).finding);
}

TEST(Trial, NamesStatesStepAndReaction) {
  Seen seen = Connected("ACK seq-11");
  seen.Step().In(kAck, static_cast<std::uint32_t>(-10), 1);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: ACK, all old -> nothing");
  EXPECT_EQ(judged.finding->step, 2U);
  EXPECT_EQ(judged.finding->departure.claim, "rfc9293:3.10.7.4-unacceptable-segment");
}

// An ACK of data may come within half a second; a challenge ACK is not put off.
TEST(Trial, HasThePatienceOfTheRfc) {
  Seen late = Connected("ACK len=4;recv(64)");
  late.Step().In(kAck, 1, 1, 4).Step("4").Out(kAck, 1, 5);
  EXPECT_FALSE(late.Judge(Patience::kNone).finding);
  Seen never = Connected("ACK len=4");
  never.Step().In(kAck, 1, 1, 4);
  const Judged judged = never.Judge(Patience::kAll);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: ACK with text -> nothing");
}

TEST(Trial, FindsTheSegmentThatWasNotTaken) {
  Seen seen = Connected("ACK len=4;ACK ack+1000");
  seen.Step().In(kAck, 1, 1, 4);
  seen.Step().In(kAck, 5, 1001).Out(kAck, 1, 1);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: ACK with text -> is dropped silently");
}

TEST(Trial, HoldsCallsToWhatHasArrived) {
  const auto cause_of = [](const std::string& outcome) {
    Seen seen = Connected("ACK len=4;recv(64)");
    seen.Step().In(kAck, 1, 1, 4).Out(kAck, 1, 5).Step(outcome);
    const Judged judged = seen.Judge(Patience::kNone);
    return judged.finding ? judged.finding->Cause() : "";
  };
  EXPECT_EQ(cause_of("4"), "");
  EXPECT_EQ(cause_of("3"), "");
  EXPECT_EQ(cause_of("5"), "ESTABLISHED: recv(64) -> 5");
  EXPECT_EQ(cause_of("0"), "ESTABLISHED: recv(64) -> 0");
  EXPECT_EQ(cause_of("EAGAIN"), "ESTABLISHED: recv(64) -> EAGAIN");
  EXPECT_EQ(cause_of("ECONNRESET"), "ESTABLISHED: recv(64) -> ECONNRESET");
}

TEST(Trial, NamesTheSegmentThatShouldHaveEndedTheConnection) {
  Seen seen = Connected("RST;ACK seq-1");
  seen.Step().In(kRst, 1, 0);
  seen.Step().In(kAck, 0, 1).Out(kAck, 1, 1);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: RST -> does not end the connection");
}

// A closed port that is silent to a FIN is, whether an RST has ended the connection or not.
TEST(Trial, BlamesNoSegmentWithoutWhichItDepartsToo) {
  Seen seen = Connected("RST;FIN,ACK");
  seen.Step().In(kRst, 1, 0);
  seen.Step().In(kFin | kAck, 1, 1);
  const Judged judged = seen.Judge(Patience::kAll);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "CLOSED: FIN,ACK -> nothing");
}

// A challenge ACK says so as well as the ACK that follows.
TEST(Trial, SeesThatAConnectionLivesOnWhenItsEndWasAnswered) {
  Seen seen("listen();SYN seq=ISS;SYN,ACK ack+1000;ACK;ACK seq-1");
  seen.Step("0");
  seen.Step().In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1);
  seen.Step().In(kSyn | kAck, 1, 1001).Out(kRst, 1001, 0);
  seen.Step().In(kAck, 1, 1);
  seen.Step().In(kAck, 0, 1).Out(kAck, 1, 1);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_THAT(judged.finding->Cause(), HasSubstr("SYN,ACK, ACK of what was not sent -> does not"));
}

// The window in the ACK may be a new one, so that only what follows shows what it has not taken.
TEST(Trial, FindsTheSegmentThatWasDroppedWithAnAck) {
  Seen seen = Connected("ACK len=4;ACK len=4");
  seen.Step().In(kAck, 1, 1, 4).Update(1, 1);
  seen.Step().In(kAck, 5, 1, 4).Out(kAck, 1, 1);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: ACK with text -> is dropped with an ACK");
}

TEST(Trial, FindsTheSegmentThatShouldNotHaveBeenTaken) {
  Seen seen = Connected("no-flags len=4;ACK len=4");
  seen.Step().In(0, 1, 0, 4);
  seen.Step().In(kAck, 5, 1, 4).Out(kAck, 1, 9);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "ESTABLISHED: no flags with text -> is taken");
}

// What was acknowledged explains no ACK that follows.
TEST(Trial, BlamesNoSegmentThatWasTakenAsItShould) {
  Seen seen = Connected("shutdown(SHUT_WR);FIN,ACK;FIN");
  seen.Step("0").Out(kFin | kAck, 1, 1);
  seen.Step().In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  seen.Step().In(kFin, 2, 0).Out(kAck, 2, 2);
  const Judged judged = seen.Judge(Patience::kNone);
  ASSERT_TRUE(judged.finding);
  EXPECT_EQ(judged.finding->Cause(), "TIME-WAIT: FIN -> ACK");
}

// MUST-23: a SYN is sent again for three minutes at least.
TEST(Trial, LetsAnAttemptEndAfterThreeMinutes) {
  const auto departs = [](Duration after) {
    Seen seen("connect();wait(61000 ms);SYN,ACK seq=ISS");
    seen.Step("EINPROGRESS").Out(kSyn, 0, 0);
    seen.Step().Wait(after);
    seen.Step().In(kSyn | kAck, 0, 1).Out(kRst, 1, 0);
    return seen.Judge(Patience::kAll).finding.has_value();
  };
  EXPECT_TRUE(departs(170s));
  EXPECT_FALSE(departs(181s));
}

TEST(Trial, KnowsThatAnAbortIsSilentWhenItIsClosing) {
  Seen seen = Connected("FIN,ACK;shutdown(SHUT_WR);abort();ACK seq-1");
  seen.Step().In(kFin | kAck, 1, 1).Out(kAck, 1, 2);
  seen.Step("0").Out(kFin | kAck, 1, 2);
  seen.Step("0");
  seen.Step().In(kAck, 1, 2).Out(kRst, 2, 0);
  EXPECT_FALSE(seen.Judge(Patience::kNone).finding);
}

// So that two systems do not differ by how long a step took.
TEST(Trial, LeavesOutOfReactionsWhatIsSentAgain) {
  const auto segment = [](std::uint16_t flags, std::uint32_t seq, std::uint32_t text) {
    SeenSegment seen{false, Time(), {}};
    seen.segment.flags = flags;
    seen.segment.seq = kIss + seq;
    seen.segment.text = text;
    return seen;
  };
  Record record;
  record.steps.resize(2);
  record.steps[0].segments = {segment(kSyn, 0, 0), segment(kSyn, 0, 0)};
  record.steps[1].segments = {segment(kAck, 1, 5), segment(kAck, 1, 5), segment(kAck, 6, 0),
                              segment(kFin | kAck, 6, 0)};
  EXPECT_EQ(ReactionText(record.steps[0], record), "SYN seq=0");
  record.steps[0].segments.erase(record.steps[0].segments.begin());
  EXPECT_THAT(ReactionText(record.steps[1], record), testing::StartsWith("ACK seq=1"));
  EXPECT_THAT(ReactionText(record.steps[1], record), HasSubstr("FIN,ACK seq=6"));
  record.steps.push_back(record.steps[1]);
  EXPECT_THAT(ReactionText(record.steps[2], record), testing::StartsWith("ACK seq=6"));
  EXPECT_THAT(ReactionText(record.steps[2], record), testing::Not(HasSubstr("FIN")));
}

TEST(Trial, SaysNothingOfARecordThatBrokeOff) {
  EXPECT_TRUE(
      Judge(ParseOneLine("ipv4;none;connect()").front(), Record(), Patience::kAll).is_undecided);
}

}  // namespace
}  // namespace sockproof::explore
