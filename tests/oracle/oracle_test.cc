// The oracle against conversations that RFC 9293 decides, and against its own bounds.
#include <gmock/gmock.h>

#include <random>

#include "tests/oracle/conversation.h"

namespace sockproof::oracle {
namespace {

using testing::HasSubstr;

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
  EXPECT_TRUE(Conversation()
                  .Active()
                  .In(kRst, 11, 0)
                  .Later(1s)
                  .In(kAck, 1, 1, 4)
                  .Out(kRst, 1, 0)
                  .IsAllowed());
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
  EXPECT_EQ(Both(of_syn, challenges),
            (Stack{Stack::InWindow::kChallenged, Stack::InWindow::kResets}));
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

// Of an MSL of 15 s, as one system has it: section 3.4.2 leaves it to experience.
TEST(Oracle, KeepsTimeWaitForTwiceTheShortestMsl) {
  const auto closed = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  EXPECT_TRUE(closed().Later(29s).In(kFin | kAck, 1, 2).Out(kAck, 2, 2).IsAllowed());
  EXPECT_FALSE(closed().Later(29s).In(kFin | kAck, 1, 2).Out(kRst, 2, 0).IsAllowed());
  EXPECT_TRUE(closed().Later(120s).In(kFin | kAck, 1, 2).Out(kRst, 2, 0).IsAllowed());
}

TEST(Oracle, ReopensFromTimeWaitOnlyWithALaterSequenceNumber) {
  const auto closed = [] {
    return Conversation().Passive().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  const Segment answer = Conversation::Make(kSyn | kAck, 90000, kIrs + 501, 0);
  EXPECT_TRUE(closed().In(kSyn, 500, 0).OutRaw(answer).IsAllowed());  // MAY-2
  EXPECT_TRUE(closed().In(kSyn, 500, 0).Out(kAck, 2, 2).IsAllowed());
  // "larger than the last sequence number seen": the FIN was the last, at RCV.NXT-1.
  const Segment next = Conversation::Make(kSyn | kAck, 90000, kIrs + 3, 0);
  EXPECT_TRUE(closed().In(kSyn, 2, 0).OutRaw(next).IsAllowed());
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
  EXPECT_EQ(open().Later(301s).departure().claim, "rfc9293:MUST-60");
}

// --- what is left to a stack ---

TEST(Oracle, TellsAShouldThatIsNotFollowedFromADeparture) {
  Segment syn = Conversation::Make(kSyn, kIss, 0, 0);
  syn.mss.reset();
  Conversation plain = std::move(Conversation().OutRaw(syn));
  EXPECT_TRUE(plain.IsAllowed());
  EXPECT_THAT(plain.Unfollowed(), testing::ElementsAre("rfc9293:SHLD-5"));
  Conversation shrinks =
      std::move(Conversation().Active().In(kAck, 1, 1, 10).OutRaw(AckOf(1, 11, 4000)));
  EXPECT_TRUE(shrinks.IsAllowed());
  EXPECT_THAT(shrinks.Unfollowed(), testing::ElementsAre("rfc9293:SHLD-14"));
  EXPECT_THAT(Conversation().Active().In(kAck, 1, 1, 10).Out(kAck, 1, 11).Unfollowed(),
              testing::IsEmpty());
}

// What it has taken back it may still take, or not.
TEST(Oracle, LeavesOpenWhetherTextFitsAWindowThatHasShrunk) {
  const auto shrunk = [] {
    return Conversation().Active().In(kAck, 1, 1, 10).OutRaw(AckOf(1, 11, 0)).In(kAck, 11, 1, 5);
  };
  EXPECT_TRUE(shrunk().Out(kAck, 1, 11).IsAllowed());
  EXPECT_TRUE(shrunk().Out(kAck, 1, 16).IsAllowed());
  EXPECT_FALSE(shrunk().Out(kAck, 1, 17).IsAllowed());
  EXPECT_FALSE(shrunk().Later(1s).IsAllowed());
}

// MAY-8.
TEST(Oracle, LetsAReceiverKeepItsWindowClosed) {
  Conversation closed = Known();
  closed.In(kAck, 1, 1, 10).user().read = 10;
  EXPECT_TRUE(closed.OutRaw(AckOf(1, 11, 0)).IsAllowed());
}

// RFC 6298, rules 2.1 and 2.2.
TEST(Oracle, KnowsTheRetransmissionTimeoutOnceThereIsASample) {
  const auto syn_again = [](Duration after) {
    Conversation opens;
    opens.user().is_known = true;
    opens.user().opens = 1;
    return opens.Out(kSyn, 0, 0).Later(after).Out(kSyn, 0, 0).IsAllowed();
  };
  EXPECT_FALSE(syn_again(0s));
  EXPECT_TRUE(syn_again(50ms));
  EXPECT_TRUE(syn_again(60s));
  // The 3 s that RFC 6298 once began with, by a clock of 0.5 s.
  EXPECT_TRUE(Known(10).Out(kAck, 1, 1, 10).Later(3500ms).IsAllowed());
  const Departure late = Known(10).Out(kAck, 1, 1, 10).Later(7s).departure();
  EXPECT_EQ(late.claim, "rfc9293:3.10.8-retransmission");
  EXPECT_THAT(late.expected, HasSubstr("again from seq=1 ack=1, data or FIN seq=11 ack=1, within 6"));
  // A round trip of 2 s has a timeout of 10 s, and what a coarse clock adds.
  EXPECT_TRUE(Known(20)
                  .Out(kAck, 1, 1, 10)
                  .Later(2s)
                  .In(kAck, 1, 11)
                  .Out(kAck, 11, 1, 10)
                  .Later(8s)
                  .IsAllowed());
}

// "Keeping the backed-off value until a segment with new data has been acknowledged without
// retransmission" (section 3.8.2).
TEST(Oracle, LetsWhatWasBackedOffStaySo) {
  const auto acknowledged = [] {
    Conversation seen = Known(20);
    seen.Out(kAck, 1, 1, 10).Later(1s).Out(kAck, 1, 1, 10).Later(2s).Out(kAck, 1, 1, 10);
    return std::move(seen.In(kAck, 1, 11).Out(kAck, 11, 1, 10));
  };
  EXPECT_TRUE(acknowledged().Later(4s).Out(kAck, 11, 1, 10).IsAllowed());
  EXPECT_FALSE(acknowledged().Later(30s).IsAllowed());
}

TEST(Oracle, TakesASecondShutdownThatFails) {
  const Returned fails{Returned::Call::kShutdown, "ENOTCONN", 0, false};
  const Returned again{Returned::Call::kShutdown, "ENOTCONN", 0, true};
  // Its FIN waits for the window, so that it seems ESTABLISHED.
  EXPECT_TRUE(Known().Finishes().Returns(again).IsAllowed());
  EXPECT_FALSE(Known().Returns(fails).IsAllowed());
}

// Section 3.10.4: "in any case, enter FIN-WAIT-1 state", so that CLOSING follows, not LAST-ACK.
TEST(Oracle, IsClosingWhenItsFinHadToWait) {
  const auto finished = [](bool before) {
    Conversation seen = Known();
    seen.InRaw(WithWindow(Conversation::Make(kAck, kIrs + 1, kIss + 1, 0), 0)).Later(100ms);
    if (before) seen.Finishes();
    seen.Later(100ms).InRaw(WithWindow(Conversation::Make(kFin | kAck, kIrs + 1, kIss + 1, 0), 0));
    seen.Out(kAck, 1, 2).Later(100ms);
    if (!before) seen.Finishes();
    return std::move(seen.In(kAck, 2, 1).Out(kFin | kAck, 1, 2).In(kAck, 2, 2).Later(60ms));
  };
  EXPECT_TRUE(finished(true).Shows(State::kTimeWait).IsAllowed());
  EXPECT_TRUE(finished(true).In(kFin | kAck, 1, 2).Out(kAck, 2, 2).IsAllowed());
  EXPECT_FALSE(finished(false).Shows(State::kTimeWait).IsAllowed());
}

TEST(Oracle, ResetsTextForAProcessThatIsGoneAlsoWhileItsFinWaits) {
  const auto closed = [](bool is_gone) {
    Conversation seen = Known(10);
    seen.Out(kAck, 1, 1, 10);
    if (is_gone) seen.Finishes().user().is_gone = true;
    return std::move(seen.In(kAck, 1, 1, 5).Out(kRst, 1, 0));
  };
  EXPECT_TRUE(closed(true).IsAllowed());
  EXPECT_FALSE(closed(false).IsAllowed());
}

// In each check: the first (a FIN again), the second, the fourth, the fifth and the eighth.
TEST(Oracle, AcknowledgesAFinInTimeWait) {
  const auto closed = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2).Out(kAck, 2, 2);
  };
  EXPECT_FALSE(closed().In(kFin | kAck, 1, 2).Later(1s).IsAllowed());
  EXPECT_FALSE(closed().In(kFin | kAck, 2, 2).Later(1s).IsAllowed());
  EXPECT_TRUE(closed().In(kFin | kAck, 2, 2).Out(kAck, 2, 2).IsAllowed());
  EXPECT_TRUE(closed().In(kFin | kAck, 2, 2).Out(kAck, 2, 3).IsAllowed());
  EXPECT_FALSE(closed().In(kFin | kAck, 2, 2).Out(kAck, 2, 4).IsAllowed());
  EXPECT_FALSE(closed().In(kFin | kAck, 2, 2, 4).Later(1s).IsAllowed());
  EXPECT_TRUE(closed().In(kFin | kAck, 12, 2).Later(1s).IsAllowed());  // behind a gap
  EXPECT_TRUE(closed().In(kFin, 2, 0).Later(1s).IsAllowed());          // without ACK
  EXPECT_FALSE(closed().In(kFin, 2, 0).Out(kAck, 2, 2).IsAllowed());
  for (const std::uint32_t text : {0U, 4U}) {  // what is no FIN: as one, or not at all
    EXPECT_TRUE(closed().In(kAck, 2, 2, text).Later(1s).IsAllowed());
    EXPECT_TRUE(closed().In(kAck, 2, 2, text).Out(kAck, 2, 2).IsAllowed());
    EXPECT_FALSE(closed().In(kAck, 2, 2, text).Out(kRst, 2, 0).IsAllowed());
  }
  EXPECT_FALSE(closed().In(kAck, 1, 2).Later(1s).IsAllowed());  // before the window
}

// RFC 5961 section 3.2 is about synchronized states.
TEST(Oracle, LeavesAnRstInTheWindowOpenInSynReceived) {
  const auto half_open = [] {
    Conversation seen({}, Oracle::Start::kClosed, {.rst = Stack::InWindow::kChallenged});
    return std::move(seen.In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1).In(kRst, 11, 0));
  };
  EXPECT_TRUE(half_open().Out(kAck, 1, 1).IsAllowed());
  EXPECT_TRUE(half_open().In(kAck, 1, 1).Out(kRst, 1, 0).IsAllowed());
  EXPECT_FALSE(half_open().Out(kRst, 7, 0).IsAllowed());
}

// MAY-4: "identical to the original packet", with the acknowledgment of then.
TEST(Oracle, LetsWhatIsSentAgainBeIdentical) {
  const auto data = [](std::uint32_t ack) {
    return Conversation()
        .Active()
        .Out(kAck, 1, 1, 10)
        .In(kAck, 1, 1, 5)
        .Out(kAck, 11, 6)
        .Later(1s)
        .Out(kAck, 1, ack, 10)
        .IsAllowed();
  };
  EXPECT_TRUE(data(6));
  EXPECT_TRUE(data(1));
  EXPECT_FALSE(data(7));
  Conversation is_new = std::move(Conversation().Active().In(kAck, 1, 1, 5).Out(kAck, 1, 6));
  EXPECT_FALSE(is_new.Out(kAck, 1, 1, 10).IsAllowed());
}

// Two segments that were lost, after one acknowledgment; each of them once.
TEST(Oracle, LetsSegmentsBeSentAgainOneAfterTheOther) {
  const auto lost = [] {
    return Conversation()
        .Active()
        .Out(kAck, 1, 1, 100)
        .Out(kAck, 101, 1, 100)
        .Out(kAck, 201, 1, 100)
        .In(kAck, 1, 1)
        .Out(kAck, 1, 1, 100);
  };
  EXPECT_TRUE(lost().Out(kAck, 101, 1, 100).Out(kAck, 201, 1, 100).IsAllowed());
  EXPECT_FALSE(lost().Out(kAck, 1, 1, 100).IsAllowed());
}

// 3.10.8: "in any state ... the segment at the front of the retransmission queue".
TEST(Oracle, LetsTheSynAckBeSentAgainAfterACloseInSynReceived) {
  const auto closed = [] {
    return Conversation().In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1).Out(kFin | kAck, 1, 1).Later(1s);
  };
  EXPECT_TRUE(closed().Out(kSyn | kAck, 0, 1).IsAllowed());
  EXPECT_FALSE(closed().In(kAck, 1, 1).Later(100ms).Out(kSyn | kAck, 0, 1).IsAllowed());
}

// With TCP_DEFER_ACCEPT an ACK may be dropped, so that it is no sample of the round trip.
// Karn's algorithm: what was not sent again is a sample (RFC 6298 section 3).
TEST(Oracle, TakesASampleOfWhatWasNotSentAgain) {
  const auto after = [](std::uint32_t again, std::uint32_t octets) {
    Conversation seen = Known(40);
    seen.Out(kAck, 1, 1, 10).Out(kAck, 11, 1, 10).Later(2s).Out(kAck, again, 1, octets);
    return std::move(seen.Later(5s).In(kAck, 1, 21).Out(kAck, 21, 1, 10).Later(20s));
  };
  EXPECT_TRUE(after(1, 10).IsAllowed());
  EXPECT_TRUE(after(1, 5).IsAllowed());
  EXPECT_TRUE(after(11, 10).IsAllowed());
  EXPECT_FALSE(after(1, 20).IsAllowed());
}

// "... when the TCP timestamp option is employed".
TEST(Oracle, TakesASampleOfWhatWasSentAgainByTimestampsOfBoth) {
  const auto sent_again = [](bool ours, bool theirs) {
    const auto with = [](Segment segment, bool has) {
      if (has) segment.timestamps = {1, 1};
      return segment;
    };
    Conversation seen;
    seen.user().is_known = true;
    seen.user().opens = 1;
    seen.user().written = 20;
    seen.OutRaw(with(Conversation::Make(kSyn, kIss, 0, 0), ours));
    seen.InRaw(with(Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0), theirs));
    const Segment data = with(Conversation::Make(kAck, kIss + 1, kIrs + 1, 10), ours && theirs);
    seen.OutRaw(with(Conversation::Make(kAck, kIss + 1, kIrs + 1, 0), ours && theirs));
    seen.OutRaw(data).Later(2s).OutRaw(data).Later(5s);
    seen.InRaw(with(Conversation::Make(kAck, kIrs + 1, kIss + 11, 0), ours && theirs));
    seen.OutRaw(with(Conversation::Make(kAck, kIss + 11, kIrs + 1, 10), ours && theirs));
    return std::move(seen.Later(20s));
  };
  EXPECT_TRUE(sent_again(true, true).IsAllowed());
  EXPECT_FALSE(sent_again(true, false).IsAllowed());
  EXPECT_FALSE(sent_again(false, false).IsAllowed());
}

TEST(Oracle, LetsATimeoutGrowWithoutEnd) {
  Conversation seen;
  seen.user().is_known = true;
  seen.user().opens = 1;
  seen.user().written = 20;
  seen.Out(kSyn, 0, 0).Later(1s).Out(kSyn, 0, 0).In(kSyn | kAck, 0, 1).Out(kAck, 1, 1);
  seen.Out(kAck, 1, 1, 10).Later(3000s).In(kAck, 1, 11).Out(kAck, 11, 1, 10);
  for (int i = 0; i < 40; ++i) seen.Later(60s).Out(kAck, 11, 1, 10);
  EXPECT_TRUE(seen.Later(2000h).IsAllowed());
}

TEST(Oracle, TakesNoSampleOfAnAckThatWasDropped) {
  Conversation seen;
  seen.user().is_known = seen.user().is_listening = seen.user().may_be_full = true;
  seen.Passive().Later(7s);
  EXPECT_TRUE(seen.Out(kSyn | kAck, 0, 1).IsAllowed());
}

TEST(Oracle, LetsAServerWithFastOpenSendBeforeTheHandshakeEnds) {
  const auto after_syn = [](std::uint32_t ack) {
    return Conversation().In(kSyn, 0, 0, 10).Out(kSyn | kAck, 0, ack).Out(kAck, 1, ack, 20);
  };
  EXPECT_TRUE(after_syn(11).IsAllowed());
  EXPECT_FALSE(after_syn(1).IsAllowed());  // its text was not taken, so that it is no Fast Open
}

// "If the PAWS algorithm is used" (RFC 7323 section 5.3).
TEST(Oracle, AllowsTimestampsWithoutPaws) {
  const auto old = [](bool is_taken) {
    const auto with = [](Segment segment, std::uint32_t value) {
      segment.timestamps = {value, 0};
      return segment;
    };
    Conversation seen;
    seen.OutRaw(with(Conversation::Make(kSyn, kIss, 0, 0), 1));
    seen.InRaw(with(Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0), 100));
    seen.OutRaw(with(Conversation::Make(kAck, kIss + 1, kIrs + 1, 0), 1));
    seen.InRaw(with(Conversation::Make(kAck, kIrs + 1, kIss + 1, 5), 99));
    seen.OutRaw(with(Conversation::Make(kAck, kIss + 1, kIrs + (is_taken ? 6 : 1), 0), 1));
    return seen.IsAllowed();
  };
  EXPECT_TRUE(old(true));
  EXPECT_TRUE(old(false));
}

// MSG_MORE and TCP_CORK: send() without PUSH, so that MUST-60 and MUST-61 do not apply.
TEST(Oracle, LetsDataWaitThatIsNotPushed) {
  Segment data = Conversation::Make(kAck, kIss + 1, kIrs + 1, 10);
  data.flags = kAck;
  for (const bool holds_back : {false, true}) {
    Conversation waits = Known(10), sends = Known(10);
    waits.user().holds_back = sends.user().holds_back = holds_back;
    EXPECT_EQ(waits.Later(301s).IsAllowed(), holds_back);
    EXPECT_EQ(sends.OutRaw(data).IsAllowed(), holds_back);
    EXPECT_EQ(sends.departure().claim, holds_back ? "" : "rfc9293:MUST-61");
  }
}

TEST(Oracle, KnowsWhatIsUrgent) {
  const auto sent = [](std::vector<std::uint64_t> ends, std::uint16_t flags,
                       std::uint16_t pointer) {
    Conversation seen = Known(10);
    seen.user().urgent_ends = std::move(ends);
    Segment data = Conversation::Make(kAck, kIss + 1, kIrs + 1, 10);
    data.flags |= flags;
    data.urgent = pointer;
    return seen.OutRaw(data).departure().claim;
  };
  EXPECT_EQ(sent({}, 0, 0), "");
  EXPECT_EQ(sent({10}, kUrg, 10), "");
  EXPECT_EQ(sent({4, 10}, kUrg, 4), "");
  EXPECT_EQ(sent({10}, kUrg, 9), "rfc9293:MUST-62");
  EXPECT_EQ(sent({10}, 0, 0), "rfc9293:MUST-30");
  EXPECT_EQ(sent({}, kUrg, 10), "rfc9293:MUST-30");
  EXPECT_EQ(sent({20}, 0, 0), "");  // another segment will have it
}

// SEG.WND = RCV.WND >> Rcv.Wind.Shift (RFC 7323 section 2.3).
TEST(Oracle, KnowsAScaledWindowToItsGranularityAlone) {
  const auto text_at = [](std::uint32_t seq, std::uint32_t acknowledged) {
    const auto with = [](Segment segment) {
      segment.scale = 7;
      return segment;
    };
    Conversation seen;
    seen.OutRaw(with(Conversation::Make(kSyn, kIss, 0, 0)));
    seen.InRaw(with(Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0)));
    seen.OutRaw(AckOf(1, 1, 100)).In(kAck, 1, 1, 12800).OutRaw(AckOf(1, 12801, 0));
    seen.In(kAck, seq, 1, 1).OutRaw(AckOf(1, acknowledged, 0));
    return seen.IsAllowed();
  };
  EXPECT_TRUE(text_at(12801, 12801));
  EXPECT_TRUE(text_at(12801, 12802));
  EXPECT_FALSE(text_at(12801, 12803));
}

// As other stacks do what is left to them.
TEST(Oracle, AllowsWhatOtherStacksDo) {
  const auto closing = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 1);
  };
  EXPECT_TRUE(closing().Out(kFin | kAck, 1, 2).IsAllowed());  // BSD: the FIN again is its ACK
  EXPECT_TRUE(closing().Out(kAck, 2, 2).IsAllowed());
  EXPECT_FALSE(closing().Out(kFin | kAck, 2, 2).IsAllowed());
  const auto idle = [] {
    Conversation seen = Known();
    seen.user().has_keepalive = true;
    return std::move(seen.Later(10s));
  };
  EXPECT_TRUE(idle().Out(kAck, 0, 1).IsAllowed());  // keepalive, without and with an octet (MAY-6)
  EXPECT_TRUE(idle().Out(kAck, 0, 1, 1).IsAllowed());
  EXPECT_FALSE(idle().Out(kAck, 0, 1, 2).IsAllowed());
  // A SYN of half of an old connection, a simultaneous open without timestamps, urgent data.
  EXPECT_TRUE(Conversation().Out(kSyn, 0, 0).In(kAck, 90, 80).Out(kRst, 80, 0).IsAllowed());
  EXPECT_TRUE(Conversation().Active().In(kSyn, 500, 0).Out(kAck, 1, 1).IsAllowed());
  EXPECT_TRUE(Conversation().Active().In(kUrg | kAck, 1, 1, 3).Out(kAck, 1, 4).IsAllowed());
  // Two segments under one ACK, a close with unread data (SHLD-3).
  EXPECT_TRUE(
      Conversation().Active().In(kAck, 1, 1, 9).In(kAck, 10, 1, 9).Out(kAck, 1, 19).IsAllowed());
  Conversation unread = Known();
  unread.In(kAck, 1, 1, 9).Out(kAck, 1, 10).Finishes().user().is_gone = true;
  unread.user().may_abort = true;
  EXPECT_TRUE(unread.Out(kRst | kAck, 1, 10).IsAllowed());
}

// Section 3.8.6.1: an octet of new data, or what was sent before.
TEST(Oracle, AllowsProbesOfAClosedWindow) {
  const auto closed = [] {
    return Conversation()
        .Active()
        .InRaw(WithWindow(Conversation::Make(kAck, kIrs + 1, kIss + 1, 0), 0))
        .Later(1s);
  };
  EXPECT_TRUE(closed().Out(kAck, 1, 1, 1).Later(1s).Out(kAck, 1, 1, 1).IsAllowed());
  EXPECT_TRUE(closed().Out(kAck, 0, 1).IsAllowed());
  EXPECT_FALSE(closed().Out(kAck, 1, 1, 20000).IsAllowed());
}

// Section 3.8.6.1: "at least one octet of new data".
TEST(Oracle, AllowsAProbeOfSeveralOctets) {
  Segment closed = Conversation::Make(kAck, kIrs + 1, kIss + 1, 0);
  closed.window = 0;
  EXPECT_TRUE(Conversation().Active().InRaw(closed).Later(300ms).Out(kAck, 1, 1, 10).IsAllowed());
}

// Section 3.5.2, group 2, asks for a reset, section 3.10.7.4 for an ACK.
TEST(Oracle, LetsSynReceivedResetABadAckOutsideItsWindow) {
  const auto half_open = [] { return Conversation().In(kSyn, 0, 0).Out(kSyn | kAck, 0, 1); };
  EXPECT_TRUE(half_open().In(kAck, 200000, 500).Out(kRst, 500, 0).IsAllowed());
  EXPECT_TRUE(half_open().In(kAck, 200000, 500).Out(kAck, 1, 1).IsAllowed());
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

TEST(Oracle, KnowsWhichDeparturesRestOnWhatItAssumed) {
  const auto begun = [] {
    const Distance near{.has_offload = true};
    return std::move(Conversation(near, Oracle::Start::kUnderWay).Out(kAck, 300, 800, 10));
  };
  Conversation beyond = begun();
  beyond.Out(kAck, 400, 800, 10);
  EXPECT_FALSE(beyond.IsAllowed());
  EXPECT_TRUE(beyond.oracle().RestsOnAssumptions());
  Conversation bad = begun();
  bad.Out(kAck | 0x200, 310, 800);
  EXPECT_FALSE(bad.IsAllowed());
  EXPECT_FALSE(bad.oracle().RestsOnAssumptions());
  // A later connection of the same endpoints.
  Conversation later = begun();
  later.In(kRst, 800, 0).Out(kSyn, 90000, 0).In(kSyn | kAck, 70000, 90001).Out(kAck, 90001, 70005);
  EXPECT_FALSE(later.IsAllowed());
  EXPECT_FALSE(later.oracle().RestsOnAssumptions());
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
