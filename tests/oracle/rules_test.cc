// Single sentences of RFC 9293 and the documents beside it: what conforms to them is allowed, what
// does not departs, and the verdict names them. And what the oracle cites is in the catalogue.
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "harness/base/files.h"
#include "harness/claims/catalogue.h"
#include "tests/oracle/conversation.h"

namespace sockproof {
namespace {

TEST(Rules, CiteClaimsOfTheCatalogue) {
  std::set<std::string> cited;
  const std::regex claim("\"([a-z0-9]+:[-A-Za-z0-9._]+)\"");
  for (const char* file : {"calls.cc", "segment_arrives.cc", "sends.cc"}) {
    const std::string text = ReadFile(std::string(SOCKPROOF_ORACLE) + "/" + file);
    for (std::sregex_iterator match(text.begin(), text.end(), claim), end; match != end; ++match) {
      cited.insert((*match)[1]);
    }
  }
  EXPECT_GT(cited.size(), 30U);
  for (const std::string& id : cited) EXPECT_NE(FindClaim(id), nullptr) << id;
}

}  // namespace
}  // namespace sockproof

namespace sockproof::oracle {
namespace {

constexpr Stack kOfRfc5961{Stack::InWindow::kChallenged, Stack::InWindow::kChallenged};

// RFC 5961 section 7: the limiter may be that of a host.
TEST(Rules, ChallengeAcksMayBeRationedOverAllConnections) {
  const auto is_silence_allowed = [](bool shares, Duration after) {
    const auto challenges = std::make_shared<Challenges>();
    const auto reset = [&](const std::shared_ptr<Challenges>& of) {
      Conversation seen({}, Oracle::Start::kClosed, kOfRfc5961, of);
      seen.user().is_known = true;
      seen.user().opens = 1;
      return std::move(seen.Active());
    };
    EXPECT_TRUE(reset(challenges).In(kRst, 11, 0).Out(kAck, 1, 1).IsAllowed());
    Conversation other = reset(shares ? challenges : std::make_shared<Challenges>());
    return other.Later(after).In(kRst, 11, 0).Later(1s).IsAllowed();
  };
  EXPECT_TRUE(is_silence_allowed(true, 1s));
  EXPECT_FALSE(is_silence_allowed(true, 10s));
  EXPECT_FALSE(is_silence_allowed(false, 1s));
}

// MUST-8: between the same endpoints, a clock tells later connections apart.
TEST(Rules, ALaterConnectionDoesNotBeginAtTheSameNumber) {
  const auto opened_again = [](Duration after, std::uint32_t iss) {
    Conversation seen;
    seen.user().is_known = true;
    seen.user().opens = 1;
    seen.Out(kSyn, 0, 0).In(kRst | kAck, static_cast<std::uint32_t>(-kIrs), 1).Later(after);
    ++seen.user().opens;
    return seen.Out(kSyn, iss, 0).departure().claim;
  };
  EXPECT_EQ(opened_again(200ms, 0), "rfc9293:MUST-8");
  EXPECT_EQ(opened_again(200ms, 50'000), "");
  EXPECT_EQ(opened_again(1ms, 0), "");
}

// A window that shrinks while text is on its way (SHLD-14 is a SHOULD): none of it is taken, or
// some.
TEST(Rules, TextBeyondAWindowThatShrinksMayBeDropped) {
  const auto answered = [](std::uint32_t ack, std::uint16_t window, std::uint16_t flags = kAck) {
    Conversation seen;
    seen.Active().In(flags, 1, 1, 10).Later(60ms);
    return seen.OutRaw(AckOf(1, ack, window)).IsAllowed();
  };
  EXPECT_TRUE(answered(1, 0));
  EXPECT_TRUE(answered(6, 0));
  EXPECT_TRUE(answered(1, 9));
  EXPECT_FALSE(answered(1, 10));  // there is room
  EXPECT_FALSE(answered(12, 0));
  EXPECT_TRUE(answered(6, 0, kFin | kAck));
  EXPECT_TRUE(answered(11, 0, kFin | kAck));  // the FIN alone is not taken
  const auto scaled = [](std::uint16_t window) {
    Segment syn = Conversation::Make(kSyn, kIss, 0, 0);
    Segment syn_ack = Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0);
    syn.scale = syn_ack.scale = 2;
    Conversation seen;
    seen.OutRaw(syn).InRaw(syn_ack).Out(kAck, 1, 1).In(kAck, 1, 1, 10).Later(60ms);
    return seen.OutRaw(AckOf(1, 1, window)).IsAllowed();
  };
  EXPECT_FALSE(scaled(0));  // "the receiver MUST honor" what it has offered (RFC 7323 section 2.4)
}

// Section 3.10.4 gives no time; by the user timeout, five minutes, all would be delivered.
TEST(Rules, NoDocumentSaysHowSoonAFinOrDataFollows) {
  const auto closed = [] { return std::move(Known().Finishes()); };
  EXPECT_TRUE(closed().Later(5s).Out(kFin | kAck, 1, 1).IsAllowed());
  EXPECT_TRUE(Known(10).Later(5s).Out(kAck, 1, 1, 10).IsAllowed());
  EXPECT_EQ(closed().Later(301s).departure().claim, "rfc9293:3.6-close-fin");
  EXPECT_EQ(Known(10).Later(301s).departure().claim, "rfc9293:MUST-60");
}

// MUST-27: it is configurable. MUST-26: not while data is outstanding.
TEST(Rules, KeepaliveHasAnyIntervalButOnlyWithNothingOutstanding) {
  const auto probed = [](bool has_keepalive, std::uint32_t outstanding) {
    Conversation seen = Known(outstanding);
    seen.user().has_keepalive = has_keepalive;
    if (outstanding > 0) seen.Out(kAck, 1, 1, outstanding);
    for (int i = 0; i < 3; ++i) seen.Later(500ms).Out(kAck, outstanding, 1);
    return seen.IsAllowed();
  };
  EXPECT_TRUE(probed(true, 0));
  EXPECT_FALSE(probed(false, 0));
  EXPECT_FALSE(probed(true, 5));
}

Segment At(Segment segment, std::uint32_t value) {
  segment.timestamps = {value, 0};
  return segment;
}

// In TIME-WAIT, after a close of its own; with timestamps, of which 100 was the last.
Conversation TimeWait(bool has_timestamps, Stack stack = {}) {
  Conversation seen({}, Oracle::Start::kClosed, stack);
  const auto with = [&](Segment segment) { return has_timestamps ? At(segment, 100) : segment; };
  const auto in = [&](std::uint16_t flags, std::uint32_t seq, std::uint32_t ack) {
    seen.InRaw(with(Conversation::Make(flags, kIrs + seq, kIss + ack, 0)));
  };
  const auto out = [&](std::uint16_t flags, std::uint32_t seq, std::uint32_t ack) {
    seen.OutRaw(with(Conversation::Make(flags, kIss + seq, kIrs + ack, 0)));
  };
  in(kSyn, 0, 0);
  out(kSyn | kAck, 0, 1);
  in(kAck, 1, 1);
  out(kFin | kAck, 1, 1);
  in(kFin | kAck, 1, 2);
  out(kAck, 2, 2);
  return seen;
}

// MAY-2: "larger than the largest sequence number it used on the previous connection".
TEST(Rules, ReopeningFromTimeWaitTakesALargerInitialNumber) {
  const auto reopened = [](std::uint32_t iss) {
    const Segment answer = Conversation::Make(kSyn | kAck, kIss + iss, kIrs + 501, 0);
    return TimeWait(false).In(kSyn, 500, 0).OutRaw(answer).IsAllowed();
  };
  EXPECT_TRUE(reopened(2));
  EXPECT_FALSE(reopened(1));  // its FIN had that
  EXPECT_FALSE(reopened(-5000));
}

// RFC 6191 section 2: by timestamps, by number, and else not at all.
TEST(Rules, ReopeningFromTimeWaitNeedsALaterSyn) {
  const auto opens = [](bool used, std::optional<std::uint32_t> value, std::uint32_t seq) {
    Segment syn = Conversation::Make(kSyn, kIrs + seq, 0, 0);
    Segment answer = Conversation::Make(kSyn | kAck, 90000, kIrs + seq + 1, 0);
    if (value) syn = At(syn, *value);
    return TimeWait(used).InRaw(syn).OutRaw(answer).IsAllowed();
  };
  constexpr std::uint32_t kOld = -50, kLater = 50;
  EXPECT_TRUE(opens(true, 101, kOld));
  EXPECT_FALSE(opens(true, 100, kOld));
  EXPECT_FALSE(opens(true, 99, kOld));
  EXPECT_FALSE(opens(true, std::nullopt, kOld));
  EXPECT_TRUE(opens(true, std::nullopt, kLater));
  EXPECT_TRUE(opens(false, 1, kOld));
  EXPECT_FALSE(opens(false, std::nullopt, kOld));
}

TEST(Rules, ASynThatReopensNothingIsNeverAnsweredAsByAClosedPort) {
  const auto answered = [](Stack stack, std::uint32_t seq) {
    Conversation seen = TimeWait(false, stack);
    seen.user().is_known = true;  // and nobody listens
    return seen.In(kSyn, seq, 0).OutRaw(Conversation::Make(kRst | kAck, 0, kIrs + seq + 1, 0));
  };
  EXPECT_FALSE(answered(kOfRfc5961, 2).IsAllowed());
  EXPECT_FALSE(answered({}, 50000).IsAllowed());
  EXPECT_TRUE(
      answered({}, 2).IsAllowed());  // RFC 793: "if the SYN is in the window it is an error"
}

// "Otherwise, silently drop": of a system that follows RFC 6191, and not section 4 of RFC 5961.
TEST(Rules, ASynWithAnOldTimestampMayBeDroppedInTimeWait) {
  const auto is_silent = [](Stack stack, bool has_timestamp) {
    Segment syn = Conversation::Make(kSyn, kIrs - 50, 0, 0);
    if (has_timestamp) syn = At(syn, 99);
    return TimeWait(has_timestamp, stack).InRaw(syn).Later(1s).IsAllowed();
  };
  EXPECT_TRUE(is_silent({}, true));
  EXPECT_FALSE(is_silent({}, false));
  EXPECT_FALSE(is_silent(kOfRfc5961, true));
}

// MAY-4: "identical to the original" is what was sent.
TEST(Rules, WhatIsSentAgainHasAnAcknowledgmentOfNowOrOfThen) {
  const auto again = [](std::uint32_t ack) {
    Conversation seen;
    seen.Active().In(kAck, 1, 1, 5).Out(kAck, 1, 6).Out(kAck, 1, 6, 10);
    return seen.In(kAck, 6, 1, 5).Out(kAck, 11, 11).Later(1s).Out(kAck, 1, ack, 10).IsAllowed();
  };
  EXPECT_TRUE(again(11));
  EXPECT_TRUE(again(6));
  EXPECT_FALSE(again(1));  // it was never sent with that
  EXPECT_FALSE(again(8));
}

// An ACK is one on data, too; a copy with an old number is none.
TEST(Rules, DataAcknowledgesWhatIsOutsideTheWindowOnlyByRcvNxt) {
  const auto answered = [](std::uint32_t ack) {
    Conversation seen = Known(10);
    seen.Out(kAck, 1, 1, 10).In(kAck, 1, 1, 5).Out(kAck, 11, 6).Later(60ms);
    return seen.In(kAck, 1, 1, 5).Later(60ms).Out(kAck, 1, ack, 10).Later(1s).IsAllowed();
  };
  EXPECT_TRUE(answered(6));
  EXPECT_FALSE(answered(1));
}

// TCP_DEFER_ACCEPT waits for data, and not for ever.
TEST(Rules, AListenerThatDefersTakesTheDataItWaitsFor) {
  const auto deferred = [] {
    Conversation seen;
    seen.user().is_known = seen.user().is_listening = seen.user().defers = true;
    return std::move(seen.Passive());
  };
  EXPECT_TRUE(deferred().Later(1s).Out(kSyn | kAck, 0, 1).IsAllowed());
  EXPECT_FALSE(deferred().In(kAck, 1, 1, 5).Later(1s).IsAllowed());
}

// The eighth check, where the state remains; of CLOSING the fifth may have ignored the segment. Where the
// seventh has ignored text before it, a FIN is not at RCV.NXT.
TEST(Rules, AFinAfterTheFinIsAcknowledged) {
  const auto close_wait = [] {
    return Conversation().Active().In(kFin | kAck, 1, 1).Out(kAck, 1, 2);
  };
  const auto last_ack = [&] { return close_wait().Out(kFin | kAck, 1, 2); };
  const auto closing = [] {
    return Conversation().Active().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 1).Out(kAck, 2, 2);
  };
  for (const std::uint32_t text : {0U, 5U}) {
    EXPECT_EQ(close_wait().In(kFin | kAck, 2, 1, text).Later(1s).IsAllowed(), text > 0);
    EXPECT_TRUE(close_wait().In(kFin | kAck, 2, 1, text).Out(kAck, 1, 2).IsAllowed());
    EXPECT_TRUE(close_wait().In(kFin | kAck, 2, 1, text).Out(kAck, 1, 3 + text).IsAllowed());
    EXPECT_EQ(last_ack().In(kFin | kAck, 2, 1, text).Later(1s).IsAllowed(), text > 0);
    EXPECT_TRUE(closing().In(kFin | kAck, 2, 1, text).Later(1s).IsAllowed());
    EXPECT_EQ(closing().In(kFin | kAck, 2, 2, text).Later(1s).IsAllowed(), text > 0);  // TIME-WAIT
  }
  Conversation silent = std::move(close_wait().In(kFin | kAck, 2, 1).Later(1s));
  EXPECT_EQ(silent.departure().claim, "rfc9293:3.10.7.4-repeated-fin");
  EXPECT_TRUE(close_wait().In(kFin | kAck, 12, 1).Later(1s).IsAllowed());  // behind a gap
}

// MAY-2, whose second condition does not bind where timestamps told that the SYN is new (RFC 6191).
TEST(Rules, ASynThatTurnsOutToBeAnOldDuplicateLeadsBackToTimeWait) {
  const auto reopened = [](bool has_timestamps) {
    Conversation seen = std::move(Conversation()
                                      .Active()
                                      .Out(kFin | kAck, 1, 1)
                                      .In(kAck, 1, 2)
                                      .In(kFin | kAck, 1, 2)
                                      .Out(kAck, 2, 2));
    Segment syn = Conversation::Make(kSyn, kIrs + 100, 0, 0);
    if (has_timestamps) syn.timestamps = {.value = 1, .echo = 0};
    seen.InRaw(syn).Out(kSyn | kAck, 5000, 101).In(kRst, 101, 0).In(kFin | kAck, 1, 2);
    return seen;
  };
  for (const bool has_timestamps : {false, true}) {
    EXPECT_TRUE(reopened(has_timestamps).Out(kAck, 2, 2).IsAllowed());
    EXPECT_EQ(reopened(has_timestamps).Out(kRst, 2, 0).IsAllowed(), has_timestamps);
  }
}

TEST(Rules, TheWindowOfThePeerHoldsWhateverTheInitialNumber) {
  for (const std::uint32_t iss : {5000U, 0xf0000000U}) {
    Conversation seen;
    seen.OutRaw(Conversation::Make(kSyn, iss, 0, 0));
    seen.InRaw(WithWindow(Conversation::Make(kSyn | kAck, kIrs, iss + 1, 0), 100));
    seen.OutRaw(Conversation::Make(kAck, iss + 1, kIrs + 1, 0));
    EXPECT_FALSE(seen.OutRaw(Conversation::Make(kAck, iss + 1, kIrs + 1, 200)).IsAllowed());
  }
}

TEST(Rules, DataAndOptionsFitTheMssOfThePeer) {
  for (const std::uint16_t octets : {std::uint16_t{1448}, std::uint16_t{1449}}) {
    Conversation seen;
    seen.OutRaw(Conversation::Make(kSyn, kIss, 0, 0));
    Segment syn_ack = WithWindow(Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0), 65535);
    syn_ack.mss = 1460;
    seen.InRaw(syn_ack);
    seen.OutRaw(Conversation::Make(kAck, kIss + 1, kIrs + 1, 0));
    Segment data = Conversation::Make(kAck, kIss + 1, kIrs + 1, octets);
    data.options = 12;
    EXPECT_EQ(seen.OutRaw(data).IsAllowed(), octets == 1448) << octets;
  }
}

TEST(Rules, AreNamedByWhatIsWrong) {
  // The text is not acknowledged, whatever has come since.
  EXPECT_EQ(Known().In(kAck, 1, 1, 10).In(kAck, 11, 1).Later(1s).departure().claim,
            "rfc9293:3.10.7.4-segment-text");
  EXPECT_EQ(Known().In(kAck, 1, 1).Out(kAck, 1, 2).departure().claim, "rfc9293:3.1-ack-field");
  EXPECT_EQ(Known().In(kAck, 1, 1).Out(kFin | kAck, 1, 1).departure().claim,
            "rfc9293:3.6-close-fin");
  EXPECT_EQ(Known().In(kAck, 1, 1).Out(kRst, 1, 0).departure().claim, "rfc9293:3.10.5-abort");
  EXPECT_EQ(Known(5).In(kAck, 1, 1).Out(kAck, 1, 1, 6).departure().claim,
            "rfc9293:3.10.2-send-established");
  EXPECT_EQ(Conversation()
                .Out(kSyn, 0, 0)
                .InRaw(WithWindow(Conversation::Make(kSyn | kAck, kIrs, kIss + 1, 0), 100))
                .Out(kAck, 1, 1)
                .Out(kAck, 1, 1, 200)
                .departure()
                .claim,
            "rfc9293:3.8.6-offered");
}

// "Because" is of the number that is wrong, and of the connection, not of the end it might have
// had.
TEST(Rules, ADepartureSaysWhichNumberIsWrong) {
  const auto again = [](std::uint32_t ack, std::uint32_t octets) {
    Conversation seen;
    seen.Active().In(kAck, 1, 1, 5).Out(kAck, 1, 6).Out(kAck, 1, 6, 10).In(kAck, 6, 1, 5);
    return seen.Out(kAck, 11, 11).Later(1s).Out(kAck, 1, ack, octets).departure();
  };
  EXPECT_EQ(again(1, 10).claim, "rfc9293:3.1-ack-field");
  EXPECT_EQ(again(6, 5).claim, "rfc9293:3.1-ack-field");  // in other pieces it is no copy
  EXPECT_THAT(again(6, 5).expected, testing::StartsWith("in ESTABLISHED: "));
  Conversation reopened = TimeWait(false);
  reopened.In(kSyn, 100000, 0).Out(kSyn | kAck, static_cast<std::uint32_t>(-500), 100001);
  EXPECT_EQ(reopened.departure().claim, "rfc9293:MAY-2");
}

// "It is assumed that the segment ... begins at RCV.NXT": SHLD-31, for all that a segment has.
TEST(Rules, WhatBeginsPastRcvNxtMayBeHeldWithItsAcknowledgment) {
  const auto last_ack = [](std::uint32_t seq) {
    Conversation seen;
    seen.Active().In(kFin | kAck, 1, 1).Out(kAck, 1, 2).Finishes().Out(kFin | kAck, 1, 2);
    return std::move(seen.In(kAck, seq, 2, 4).Later(60ms));  // its FIN is acknowledged
  };
  const auto is_closed = [](Conversation seen) {
    return seen.In(kAck, 2, 2).Out(kRst, 2, 0).IsAllowed();
  };
  EXPECT_TRUE(last_ack(6).Out(kFin | kAck, 1, 2).IsAllowed());
  EXPECT_FALSE(last_ack(2).Out(kFin | kAck, 1, 2).IsAllowed());
  EXPECT_TRUE(is_closed(last_ack(6)));
  EXPECT_TRUE(is_closed(last_ack(2)));
  const auto is_silent = [](std::uint32_t seq) {  // to an ACK of what was not sent
    return Conversation().Active().In(kAck, seq, 1000).Later(1s).IsAllowed();
  };
  EXPECT_TRUE(is_silent(2));
  EXPECT_FALSE(is_silent(1));
}

// "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored": or not.
TEST(Rules, AnOldAcknowledgmentMayBeAnsweredInClosingToo) {
  const auto is_answered = [](std::uint32_t ack) {
    Conversation seen;
    seen.Active().Finishes().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 1).Out(kAck, 2, 2);
    return seen.In(kAck, 2, ack).Later(60ms).Out(kAck, 2, 2).IsAllowed();
  };
  EXPECT_TRUE(is_answered(0));
  EXPECT_FALSE(is_answered(1));
}

// SHLD-3: data is pending when it closes.
TEST(Rules, TimeWaitIsResetToShowThatDataWasLost) {
  const auto is_reset = [](std::uint32_t text) {
    Conversation seen;
    seen.user().is_known = true;
    seen.user().opens = 1;
    seen.user().is_gone = seen.user().may_abort = true;
    seen.Active().Finishes().Out(kFin | kAck, 1, 1).In(kFin | kAck, 1, 2, text);
    return seen.Out(kAck, 2, 2 + text).Out(kRst | kAck, 2, 2 + text).IsAllowed();
  };
  EXPECT_TRUE(is_reset(4));
  EXPECT_FALSE(is_reset(0));
}

TEST(Rules, ADepartureKnowsAListenerFromAClosedPort) {
  const auto expected = [](bool is_listening) {
    Conversation seen;
    seen.user().is_known = true;
    seen.user().is_listening = is_listening;
    return seen.In(kAck, 1, 1).Later(1s).departure().expected;
  };
  EXPECT_EQ(expected(true), "in LISTEN: RST seq=5001, within 0.5 s");
  EXPECT_EQ(expected(false), "in CLOSED: RST seq=5001, within 0.5 s");
}

}  // namespace
}  // namespace sockproof::oracle
