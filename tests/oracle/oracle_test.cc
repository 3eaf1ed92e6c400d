// The oracle against conversations that RFC 9293 decides, and against its own bounds.
#include "harness/oracle/oracle.h"

#include <gmock/gmock.h>

#include <random>

namespace sockproof::oracle {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kIss = 5000, kIrs = 1000;  // of the system, of its peer

// One end of a connection and its peer. Numbers are relative; time passes by what is said.
class Conversation {
 public:
  explicit Conversation(Distance distance = {}, Oracle::Start start = Oracle::Start::kClosed,
                        Stack stack = {})
      : oracle_(start, distance, stack) {}

  Application& user() { return oracle_.application(); }
  const Oracle& oracle() const { return oracle_; }

  Conversation& In(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                   std::uint32_t text = 0) {
    now_ += 100us;
    if (!departure_) oracle_.Arrives(Make(flags, kIrs + seq, kIss + ack, text), now_);
    return *this;
  }
  Conversation& Out(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                    std::uint32_t text = 0) {
    return OutRaw(Make(flags, kIss + seq, kIrs + ack, text));
  }
  Conversation& OutRaw(const Segment& segment) {
    now_ += 100us;
    if (!departure_) departure_ = oracle_.Sends(segment, now_);
    return *this;
  }
  Conversation& Later(Duration duration) {
    now_ += duration;
    if (!departure_) departure_ = oracle_.Until(now_);
    return *this;
  }
  // The three segments of an active or passive open.
  Conversation& Active() { return Out(kSyn, 0, 0).In(kSyn | kAck, 0, 1).Out(kAck, 1, 1); }
  Conversation& Passive() { return In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1).In(kAck, 1, 1); }

  bool IsAllowed() const { return !departure_.has_value(); }
  Departure departure() const { return departure_.value_or(Departure()); }

  static Segment Make(std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                      std::uint32_t text) {
    Segment segment;
    segment.flags = flags;
    segment.seq = seq;
    segment.ack = (flags & kAck) != 0 ? ack : 0;
    segment.text = text;
    if (text > 0) segment.flags |= kPsh;
    segment.window = 10000;
    if ((flags & kSyn) != 0) segment.mss = 1460;
    return segment;
  }

 private:
  Oracle oracle_;
  Time now_ = FromNanoseconds(1'000'000'000'000);
  std::optional<Departure> departure_;
};

TEST(Oracle, AllowsAWholeConnection) {
  EXPECT_TRUE(Conversation()
                  .Active()
                  .Out(kAck, 1, 1, 100)
                  .In(kAck, 1, 101)
                  .In(kAck, 1, 101, 50)
                  .Out(kAck, 101, 51)
                  .Out(kFin | kAck, 101, 51)
                  .In(kAck, 51, 102)
                  .In(kFin | kAck, 51, 102)
                  .Out(kAck, 102, 52)
                  .IsAllowed());
}

TEST(Oracle, AllowsASimultaneousOpenAndClose) {
  EXPECT_TRUE(Conversation()
                  .Out(kSyn, 0, 0)
                  .In(kSyn, 0, 0)
                  .Out(kSyn | kAck, 0, 1)
                  .In(kSyn | kAck, 0, 1)
                  .Out(kFin | kAck, 1, 1)
                  .In(kFin | kAck, 1, 1)
                  .Out(kAck, 2, 2)
                  .In(kAck, 2, 2)
                  .IsAllowed());
}

TEST(Oracle, RejectsAnAcknowledgmentOfWhatHasNotCome) {
  const Conversation wrong = std::move(Conversation().Active().In(kAck, 1, 1, 10).Out(kAck, 1, 12));
  ASSERT_FALSE(wrong.IsAllowed());
  EXPECT_EQ(wrong.departure().section, "3.10.7.4, seventh check");
  EXPECT_THAT(wrong.departure().expected, HasSubstr("in ESTABLISHED: ACK seq=1 ack=11"));
}

TEST(Oracle, RejectsASynAckThatAcknowledgesOneTooMany) {
  const Conversation wrong = std::move(Conversation().In(kSyn, 0, 0).Out(kSyn | kAck, 0, 2));
  EXPECT_EQ(wrong.departure().claim, "rfc9293:3.5-second-segment");
}

TEST(Oracle, WantsAnAckWithinHalfASecond) {
  EXPECT_TRUE(Conversation().Active().In(kAck, 1, 1, 10).Later(400ms).Out(kAck, 1, 11).IsAllowed());
  const Conversation late = std::move(Conversation().Active().In(kAck, 1, 1, 10).Later(700ms));
  ASSERT_FALSE(late.IsAllowed());
  EXPECT_THAT(late.departure().expected, HasSubstr("ack=11"));
}

TEST(Oracle, AllowsTextOutOfOrderToBeHeldOrNot) {
  const auto gap = [] { return Conversation().Active().In(kAck, 11, 1, 10).Out(kAck, 1, 1); };
  EXPECT_TRUE(gap().In(kAck, 1, 1, 10).Out(kAck, 1, 21).IsAllowed());  // SHLD-31
  EXPECT_TRUE(gap().In(kAck, 1, 1, 10).Out(kAck, 1, 11).IsAllowed());
  EXPECT_FALSE(gap().In(kAck, 1, 1, 10).Out(kAck, 1, 16).IsAllowed());
}

TEST(Oracle, AllowsAnRstInTheWindowToBeChallengedOrObeyed) {
  const auto reset = [] { return Conversation().Active().In(kRst, 5, 0); };
  EXPECT_TRUE(reset().Out(kAck, 1, 1).IsAllowed());                     // RFC 5961
  EXPECT_TRUE(reset().In(kAck, 1, 1, 10).Out(kRst, 1, 0).IsAllowed());  // RFC 793
  EXPECT_FALSE(reset().In(kAck, 1, 1, 10).Out(kRst, 7, 0).IsAllowed());
  EXPECT_FALSE(reset().Out(kAck, 2, 1).IsAllowed());
}

// RFC 9293 leaves RFC 5961 to a stack, and not to its moods.
TEST(Oracle, HoldsAStackToWhatItHasChosen) {
  const auto is_allowed = [](Stack::InWindow rst, bool is_challenged) {
    Conversation seen({}, Oracle::Start::kClosed, {.rst = rst});
    seen.Active().In(kRst, 11, 0);
    if (is_challenged) seen.Out(kAck, 1, 1);
    return seen.Later(2s).IsAllowed();
  };
  for (const bool is_challenged : {false, true}) {
    EXPECT_TRUE(is_allowed(Stack::InWindow::kEither, is_challenged));
    EXPECT_EQ(is_allowed(Stack::InWindow::kChallenged, is_challenged), is_challenged);
    EXPECT_EQ(is_allowed(Stack::InWindow::kResets, is_challenged), !is_challenged);
  }
  // Within one connection without being told. The second one might be rationed, not obeyed.
  EXPECT_TRUE(
      Conversation().Active().In(kRst, 11, 0).Later(1s).In(kAck, 1, 1, 4).Out(kRst, 1, 0).IsAllowed());
  Conversation moody;
  moody.user().is_known = true;  // it does not abort
  moody.user().opens = 1;
  moody.Active().In(kRst, 11, 0).Out(kAck, 1, 1).In(kRst, 21, 0).Later(600ms);
  EXPECT_FALSE(moody.In(kAck, 1, 1, 4).Out(kRst, 1, 0).IsAllowed());
}

TEST(Oracle, ThatChallengesWantsAChallengeInTimeWaitToo) {
  const auto in_time_wait = [](Stack::InWindow rst) {
    Conversation seen({}, Oracle::Start::kClosed, {.rst = rst});
    seen.Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2).In(kRst, 12, 0);
    return seen.Later(2s).departure().claim;
  };
  EXPECT_EQ(in_time_wait(Stack::InWindow::kEither), "");
  EXPECT_EQ(in_time_wait(Stack::InWindow::kChallenged), "rfc9293:3.10.7.4-reset-in-window");
}

TEST(Stack, OfTwoConnectionsIsThatOfBothUnlessTheyContradict) {
  const Stack challenges{.rst = Stack::InWindow::kChallenged};
  const Stack resets{.rst = Stack::InWindow::kResets}, of_syn{.syn = Stack::InWindow::kResets};
  EXPECT_EQ(Both(challenges, resets), std::nullopt);
  EXPECT_EQ(Both(challenges, Stack()), challenges);
  EXPECT_EQ(Both(of_syn, challenges), (Stack{Stack::InWindow::kChallenged, Stack::InWindow::kResets}));
}

TEST(Oracle, WantsOneAnswerForEachSegmentThatAsksForIt) {
  EXPECT_FALSE(
      Conversation().Active().In(kAck, 1, 1, 9).Out(kAck, 1, 10).Out(kAck, 1, 10).IsAllowed());
}

TEST(Oracle, AnswersForAConnectionThatIsNotThere) {
  EXPECT_TRUE(Conversation().In(kAck, 7, 9).Out(kRst, 9, 0).IsAllowed());
  EXPECT_FALSE(Conversation().In(kAck, 7, 9).Out(kRst | kAck, 9, 7).IsAllowed());
  EXPECT_FALSE(Conversation().In(kRst, 7, 0).Out(kRst, 0, 0).IsAllowed());
}

TEST(Oracle, KeepsTimeWaitForAMinute) {
  const auto closed = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  EXPECT_TRUE(closed().Later(30s).In(kFin | kAck, 1, 2).Out(kAck, 2, 2).IsAllowed());
  EXPECT_FALSE(closed().Later(30s).In(kFin | kAck, 1, 2).Out(kRst, 2, 0).IsAllowed());
  EXPECT_TRUE(closed().Later(120s).In(kFin | kAck, 1, 2).Out(kRst, 2, 0).IsAllowed());
}

TEST(Oracle, ReopensFromTimeWaitOnlyWithALaterSequenceNumber) {
  const auto closed = [] {
    return Conversation().Passive().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  const Segment answer = Conversation::Make(kSyn | kAck, 90000, kIrs + 501, 0);
  EXPECT_TRUE(closed().In(kSyn, 500, 0).OutRaw(answer).IsAllowed());  // MAY-2
  EXPECT_TRUE(closed().In(kSyn, 500, 0).Out(kAck, 2, 2).IsAllowed());
  const Segment old = Conversation::Make(kSyn | kAck, 90000, kIrs - 99, 0);
  EXPECT_FALSE(closed().In(kSyn, static_cast<std::uint32_t>(-100), 0).OutRaw(old).IsAllowed());
}

TEST(Oracle, WithoutRfc5961ASynInTheWindowOfTimeWaitIsAnError) {
  const auto closed = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  const auto reset_of = [](std::uint32_t seq) {
    return Conversation::Make(kRst | kAck, 0, kIrs + seq + 1, 0);
  };
  EXPECT_TRUE(closed().In(kSyn, 2, 0).OutRaw(reset_of(2)).IsAllowed());
  EXPECT_FALSE(closed().In(kSyn, 1, 0).OutRaw(reset_of(1)).IsAllowed());
}

TEST(Oracle, MayTakeAnotherFinForTheFirst) {
  const auto closed = [] {
    return Conversation().Active().In(kFin | kAck, 1, 1).Out(kAck, 1, 2);  // CLOSE-WAIT
  };
  EXPECT_TRUE(closed().In(kFin | kAck, 2, 1).Out(kAck, 1, 3).IsAllowed());
  EXPECT_TRUE(closed().In(kFin | kAck, 2, 1).Out(kAck, 1, 2).IsAllowed());
  EXPECT_FALSE(closed().In(kFin | kAck, 2, 1).Out(kAck, 1, 4).IsAllowed());
}

TEST(Oracle, KnowsWhatTheApplicationHasDone) {
  const auto open = [] {
    Conversation conversation;
    conversation.user().is_known = true;
    conversation.user().opens = 1;
    conversation.user().written = 10;
    return std::move(conversation.Active());
  };
  EXPECT_TRUE(open().Out(kAck, 1, 1, 10).IsAllowed());
  EXPECT_FALSE(open().Out(kAck, 1, 1, 11).IsAllowed());
  EXPECT_FALSE(open().Out(kFin | kAck, 1, 1).IsAllowed());
  EXPECT_FALSE(open().Out(kRst, 1, 0).IsAllowed());
  EXPECT_EQ(open().Later(2s).departure().claim, "rfc9293:MUST-60");
}

TEST(Oracle, TakesAnythingPossibleForTheStartInTheMiddle) {
  const Distance far{.transit = 1s, .may_lose = true, .has_offload = true};
  EXPECT_TRUE(Conversation(far, Oracle::Start::kUnderWay)
                  .In(kAck, 700, 300, 100)
                  .Out(kAck, 300, 800)
                  .Out(kFin | kAck, 300, 800)
                  .In(kAck, 800, 301)
                  .IsAllowed());
}

TEST(Oracle, SaysWhenThereIsTooMuchToDecide) {
  Conversation conversation({.transit = 10s, .may_lose = true, .has_offload = true});
  conversation.Active();
  for (std::uint32_t i = 0; i < 3000; ++i) conversation.In(kAck, 100000 + 20 * i, 1, 10);
  for (std::uint32_t i = 0; i < 3000; ++i) conversation.In(kAck, 1 + 10 * i, 1, 10);
  conversation.Later(60s).Out(kAck, 1, 40000);
  EXPECT_TRUE(!conversation.oracle().undecided().empty() || !conversation.IsAllowed());
}

// Whatever comes, it ends, and within its bounds.
TEST(Oracle, SurvivesNoise) {
  std::mt19937 random(7);
  const auto any = [&] { return static_cast<std::uint32_t>(random()); };
  const auto pick = [&](std::uint32_t most) { return any() % most; };
  for (int round = 0; round < 200; ++round) {
    Conversation conversation({.transit = 1s, .may_lose = round % 2 == 0, .has_offload = true});
    if (round % 3 == 0) conversation.Active();
    for (int i = 0; i < 60; ++i) {
      const auto flags = static_cast<std::uint16_t>(pick(64));
      const std::uint32_t seq = pick(4) == 0 ? any() : pick(40);
      const std::uint32_t ack = pick(4) == 0 ? any() : pick(40);
      if (pick(2) == 0) {
        conversation.In(flags, seq, ack, pick(30));
      } else {
        conversation.Out(flags, seq, ack, pick(30));
      }
      if (pick(5) == 0) conversation.Later(std::chrono::milliseconds(pick(3000)));
    }
    EXPECT_LE(conversation.oracle().readings(), 4096U);
  }
}

}  // namespace
}  // namespace sockproof::oracle
