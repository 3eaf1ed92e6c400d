// Pictures of ladders: what is in them, and that nothing is over anything else.
#include "src/picture/ladder_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/picture/drawn.h"
#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;
using Tins::TCP;

Drawn Draw(const std::vector<Event>& events, const std::string& title = "Suite.Name/ipv4") {
  Drawn drawn(LadderSvg(events, title));
  ExpectSound(drawn);
  return drawn;
}

TCP SynWithOptions() {
  TCP syn = Segment(TCP::SYN, 1000);
  syn.mss(1460);
  syn.sack_permitted();
  syn.timestamp(1, 0);
  syn.add_option(TCP::option(TCP::NOP));
  syn.winscale(7);
  return syn;
}

std::vector<Event> Handshake() {
  return {
      {At(-10ms), NoteEvent{"net.ipv4.tcp_syn_retries = 2"}},
      {At(0s), CallEvent{1, "sut", "connect(3, 192.0.2.2:80)"}},
      FromSut(112us, SynWithOptions()),
      FromPeer(150us, Reply(TCP::SYN | TCP::ACK, 5000, 1001)),
      FromSut(180us, Segment(TCP::ACK, 1001, 5001)),
      {At(200us), ReturnEvent{1, "sut", "0", At(10us), {}}},
      {At(300us), StateEvent{"sut", "192.0.2.1:40000", "ESTABLISHED"}},
  };
}

std::vector<Event> With(std::vector<Event> events, const std::vector<Event>& more) {
  events.insert(events.end(), more.begin(), more.end());
  return events;
}

TEST(LadderPicture, HasCallsAtTheEdgeSegmentsInTheMiddleAndTimes) {
  const Drawn drawn = Draw(Handshake());
  EXPECT_THAT(drawn.Texts("sp-title"), ElementsAre("Suite.Name/ipv4"));
  EXPECT_THAT(drawn.Texts("sp-heading"),
              ElementsAre("sut", "192.0.2.1:40000", "peer", "192.0.2.2:80"));
  EXPECT_THAT(drawn.Texts("sp-callleft"),
              ElementsAre("connect(3, 192.0.2.2:80)", "= 0, after 190 us"));
  EXPECT_THAT(
      drawn.Texts("sp-fromleft"),
      ElementsAre("SYN seq=0 win=1024", "mss 1460,sackOK,TS,nop,wscale 7", "ACK seq=1 ack=1"));
  EXPECT_THAT(drawn.Texts("sp-fromright"), ElementsAre("SYN,ACK seq=0 ack=1 win=1024"));
  EXPECT_THAT(drawn.Texts("sp-remark"), ElementsAre("net.ipv4.tcp_syn_retries = 2"));
  EXPECT_THAT(drawn.Texts("sp-time"), IsSupersetOf({"0.000000", "0.000102", "0.000140"}));
  EXPECT_EQ(drawn.Shapes("sp-arrow"), 3U);
  EXPECT_EQ(drawn.Shapes("sp-head"), 3U);
  EXPECT_EQ(drawn.Shapes("sp-call"), 1U);
}

TEST(LadderPicture, IsTypicallySmall) { EXPECT_LT(Draw(Handshake()).size(), 10'000U); }

TEST(LadderPicture, SaysWhenNothingHappened) {
  EXPECT_THAT(Draw({}).Texts("sp-remark"), ElementsAre("nothing happened"));
}

TEST(LadderPicture, ShowsStatesOfBothSides) {
  const Drawn drawn = Draw(Handshake());
  EXPECT_THAT(drawn.Texts("sp-state"), ElementsAre("ESTABLISHED"));
  EXPECT_THAT(drawn.Texts("sp-inferred"), ElementsAre("SYN-RECEIVED", "ESTABLISHED"));
}

TEST(LadderPicture, CutsLongWaitsOutAndSaysHowLongTheyWere) {
  const Drawn drawn =
      Draw(With(Handshake(), {
                                 FromSut(60s, Segment(TCP::FIN | TCP::ACK, 1001, 5001)),
                                 FromPeer(61s, Reply(TCP::ACK, 5001, 1002)),
                                 FromPeer(2h + 61s, Reply(TCP::FIN | TCP::ACK, 5001, 1002)),
                             }));
  EXPECT_THAT(drawn.Texts("sp-middle"),
              ElementsAre("60.0 s later", "1.0 s later", "2 h 0 min 0 s later"));
  EXPECT_LT(drawn.height(), 600);
}

TEST(LadderPicture, ShowsWhatTheWireDid) {
  const auto frame = [](Duration time, std::uint32_t seq, Fate fate, Duration delay = 0ms) {
    return Event{At(time),
                 FrameEvent{"client", "server", fate, delay,
                            Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, seq, 1), "x")}};
  };
  const Drawn drawn = Draw({
      frame(0ms, 1, Fate::kForwarded),
      frame(1ms, 1, Fate::kDuplicated),
      frame(2ms, 2, Fate::kDropped),
      frame(3ms, 3, Fate::kDelayed, 300ms),
      frame(5ms, 4, Fate::kDelayed),
      frame(6ms, 5, Fate::kForwarded),
      frame(7ms, 2, Fate::kForwarded),
      frame(400ms, 6, Fate::kForwarded),
  });
  EXPECT_EQ(drawn.Shapes("sp-lost"), 1U);
  EXPECT_EQ(drawn.Shapes("sp-held"), 2U);
  EXPECT_THAT(drawn.Texts("sp-fromleft"),
              AllOf(Contains(HasSubstr("duplicate")), Contains(HasSubstr("lost")),
                    Contains(HasSubstr("delayed 300 ms")), Contains(HasSubstr("retransmitted"))));
}

TEST(LadderPicture, ShowsWhatWasExpectedAndNeverSeenAndWhatFailed) {
  const Drawn drawn =
      Draw(With(Handshake(), {
                                 {At(5s), ExpectationEvent{"sut", "FIN seq=1", false}},
                                 {At(5001ms), FailureEvent{"suites/tcp/half_close.cc", 42,
                                                           "Expected: FIN\n  Actual: none"}},
                                 {At(5002ms), VerdictEvent{Verdict::kFail, "no FIN", 0s}},
                             }));
  EXPECT_THAT(drawn.Texts("sp-missingtext"), ElementsAre("expected, never seen: FIN seq=1"));
  EXPECT_EQ(drawn.Shapes("sp-missing"), 1U);
  EXPECT_THAT(drawn.Texts("sp-failure"),
              ElementsAre("FAILED half_close.cc:42", "Expected: FIN", "  Actual: none"));
  EXPECT_THAT(drawn.Texts("sp-failed"), ElementsAre("FAIL: no FIN"));
  EXPECT_THAT(drawn.root().child("desc").text().get(), HasSubstr("verdict FAIL"));
}

TEST(LadderPicture, ShowsCallsThatOverlapAndThoseThatDidNotReturn) {
  const Drawn drawn = Draw({
      {At(0ms), CallEvent{1, "client", "connect(3, 192.0.2.2:80)"}},
      {At(1ms), CallEvent{2, "client", "accept(4)"}},
      {At(2ms), CallEvent{3, "server", "accept(4)"}},
      {At(3ms), ReturnEvent{3, "server", "5", std::nullopt, {}}},
      {At(3ms), BlockedEvent{2}},
      {At(4ms), ReturnEvent{1, "client", "0", std::nullopt, {}}},
  });
  EXPECT_EQ(drawn.Shapes("sp-call"), 3U);
  EXPECT_THAT(drawn.Texts("sp-callleft"), Contains(HasSubstr("did not return")));
  EXPECT_THAT(drawn.Texts("sp-callright"), ElementsAre("accept(4) = 5"));
}

TEST(LadderPicture, TakesAnyFrame) {
  const Bytes datagram = (Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") /
                          Tins::IP(kPeerAddress, kSutAddress) / Tins::UDP(53, 40000))
                             .serialize();
  const Bytes request = Tins::ARP::make_arp_request(kPeerAddress, kSutAddress,
                                                    Tins::HWAddress<6>("02:00:00:00:00:01"))
                            .serialize();
  Bytes options = Frame(kSutAddress, kPeerAddress, SynWithOptions());
  options[14 + 20 + 21] = 0;  // the length of the first option
  const Drawn drawn = Draw({
      FromSut(0ms, datagram),
      FromSut(1ms, request),
      FromSut(2ms, Bytes{1, 2, 3}),
      FromSut(3ms, options),
      FromSut(4ms, Frame("2001:db8:aaaa:bbbb:cccc:dddd:eeee:1",
                         "2001:db8:aaaa:bbbb:cccc:dddd:eeee:2", Segment(TCP::SYN, 1))),
  });
  EXPECT_THAT(
      drawn.Texts("sp-fromleft"),
      AllOf(Contains("ARP who-has 192.0.2.2"), Contains("UDP 40000>53 len=0"),
            Contains(HasSubstr("too few for a frame")), Contains(HasSubstr("bad checksum"))));
}

TEST(LadderPicture, LeavesOutAddressResolutionBeforeAnythingElse) {
  const Bytes request = Tins::ARP::make_arp_request(kPeerAddress, kSutAddress,
                                                    Tins::HWAddress<6>("02:00:00:00:00:01"))
                            .serialize();
  EXPECT_THAT(
      Draw({FromSut(0ms, request), FromSut(1ms, Segment(TCP::SYN, 1)), FromSut(2ms, request)})
          .Texts("sp-fromleft"),
      ElementsAre("SYN seq=0 win=1024", "ARP who-has 192.0.2.2"));
}

// Of every kind of event, with every text hostile.
std::vector<Event> Hostile(const std::string& text) {
  std::vector<Event> events;
  Duration time{0};
  const auto add = [&](auto what) { events.push_back({At(time += 1ms), std::move(what)}); };
  for (int id = 1; id < 12; id += 2) {
    add(CallEvent{id, "sut", text});
    add(CallEvent{id + 1, "peer", text});
    add(FrameEvent{text, "sut", Fate::kReceived, 0s,
                   Frame(kSutAddress, kPeerAddress, SynWithOptions(), text)});
    add(FrameEvent{"sut", "peer", Fate::kDelayed, 5ms,
                   Frame(kSutAddress, kPeerAddress, SynWithOptions(), text)});
    add(FrameEvent{"peer", "sut", Fate::kDropped, 0s, Bytes(text.begin(), text.end())});
    add(StateEvent{"sut", text, text});
    add(StateEvent{text, text, text + "x"});
    add(ExpectationEvent{text, text, false});
    add(FailureEvent{text, 1, text});
    add(NoteEvent{text});
    add(ObservationEvent{text, text});
    add(ReturnEvent{id + 1, "peer", text, std::nullopt, {text}});
    if (id > 3) add(ReturnEvent{id, "sut", text, std::nullopt, {text}});
    time += id * 1s;
  }
  add(VerdictEvent{Verdict::kError, text, 0s});
  return events;
}

TEST(LadderPicture, ShowsHostileTextAsText) {
  for (const std::string& text :
       {std::string("</text><script>alert(1)</script>"), std::string("\" onload=\"x"),
        std::string("]]>&#0;&lt;"), std::string("\x00\x01\x1b[31m\xff\xfe", 9),
        std::string(3000, 'x'), std::string("a b ") + std::string(300, '\n'),
        std::string("世界 \u202e abc "
                    "🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂"
                    "🙂🙂🙂"),
        std::string("")}) {
    const std::vector<Event> events = Hostile(text);
    const Drawn drawn = Draw(events, text + "t");
    EXPECT_LT(drawn.size(), 60'000U);
    ExpectSound(Drawn(LadderPairSvg({text, events}, {text, Handshake()}, text + "t")));
  }
}

TEST(LadderPicture, LeavesTheMiddleOfALongOneOut) {
  std::vector<Event> events;
  for (std::uint32_t number = 0; number < 5000; ++number) {
    events.push_back(FromSut(number * 1ms, Segment(TCP::ACK, number), "x"));
  }
  const Drawn drawn = Draw(events);
  EXPECT_THAT(drawn.Texts("sp-middle"), ElementsAre("4895 more, left out here"));
  EXPECT_LT(drawn.size(), 40'000U);
}

TEST(LadderPicture, BringsItsStyleOnlyWhenAsked) {
  EXPECT_THAT(LadderSvg(Handshake(), "x"), HasSubstr("<style>"));
  EXPECT_THAT(LadderSvg(Handshake(), "x", {.style = false}), Not(HasSubstr("<style>")));
}

Drawn DrawPair(const std::vector<Event>& left, const std::vector<Event>& right) {
  Drawn drawn(LadderPairSvg({"Linux 6.1", left}, {"lwIP", right}, "Suite.Name/ipv4"));
  ExpectSound(drawn);
  return drawn;
}

TEST(LadderPair, MarksTheFirstDifference) {
  const Drawn drawn =
      DrawPair(With(Handshake(), {FromSut(1ms, Segment(TCP::FIN | TCP::ACK, 1001, 5001))}),
               With(Handshake(), {FromSut(1ms, Segment(TCP::RST, 1001, 5001))}));
  EXPECT_THAT(drawn.Texts("sp-title"), ElementsAre("Suite.Name/ipv4", "Linux 6.1", "lwIP"));
  EXPECT_THAT(drawn.Texts("sp-undecided"), ElementsAre("first difference"));
  EXPECT_EQ(drawn.Shapes("sp-mark"), 1U);
}

TEST(LadderPair, MarksTheFirstDifferenceInTime) {
  const auto run = [](Duration wait) {
    return With(Handshake(), {FromSut(wait, Segment(TCP::FIN | TCP::ACK, 1001, 5001))});
  };
  EXPECT_THAT(DrawPair(run(1s), run(3s)).Texts("sp-undecided"),
              ElementsAre("first difference in time"));
}

TEST(LadderPair, RunsInStepUpToThere) {
  std::vector<Event> busy = Handshake();
  busy.insert(busy.begin() + 2, {At(1us), NoteEvent{std::string(200, 'x')}});
  const Drawn drawn = DrawPair(Handshake(), busy);
  std::vector<double> baselines;
  for (const DrawnText& text : drawn.texts()) {
    if (text.text.starts_with("SYN,ACK")) baselines.push_back(text.bottom);
  }
  ASSERT_EQ(baselines.size(), 2U);
  EXPECT_EQ(baselines[0], baselines[1]);
  EXPECT_THAT(drawn.Texts("sp-undecided"), IsEmpty());
}

TEST(LadderPair, WorksWhenOneSideIsEmpty) {
  EXPECT_THAT(DrawPair(Handshake(), {}).Texts("sp-undecided"), ElementsAre("first difference"));
  DrawPair({}, {});
}

}  // namespace
}  // namespace sockproof
