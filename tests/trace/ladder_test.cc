// The ladder: one whole small one, then each rule by the lines it makes.
#include "harness/trace/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using Tins::TCP;

// The lines below the header, each without the spaces around it.
std::vector<std::string> Lines(const std::vector<Event>& events) {
  std::istringstream text(RenderLadder(events));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    line.erase(0, line.find_first_not_of(' '));
    lines.push_back(line);
  }
  if (!lines.empty()) lines.erase(lines.begin());
  return lines;
}

std::string Header(const std::vector<Event>& events) {
  const std::string text = RenderLadder(events);
  return text.substr(0, text.find('\n'));
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

TCP WithTimestamps(TCP tcp) {
  tcp.add_option(TCP::option(TCP::NOP));
  tcp.add_option(TCP::option(TCP::NOP));
  tcp.timestamp(1, 2);
  return tcp;
}

TEST(Ladder, AHandshakeAndAFailure) {
  const std::vector<Event> events = {
      {At(-10ms), NoteEvent{"net.ipv4.tcp_syn_retries = 2"}},
      {At(-9ms), ReadyEvent{}},
      {At(0s), CallEvent{1, "sut", "connect(3, 192.0.2.2:80)"}},
      FromSut(112us, SynWithOptions()),
      FromPeer(150us, Reply(TCP::SYN | TCP::ACK, 5000, 1001)),
      FromSut(180us, WithTimestamps(Segment(TCP::ACK, 1001, 5001))),
      {At(200us), ReturnEvent{1, "sut", "0", At(10us), {}}},
      {At(300us), StateEvent{"sut", "192.0.2.1:40000", "ESTABLISHED"}},
      {At(301us), ExpectationEvent{"sut", "ACK seq=1", true}},
      {At(400us), CallEvent{2, "sut", "shutdown(3, SHUT_WR)"}},
      {At(450us), ReturnEvent{2, "sut", "0", At(410us), {}}},
      {At(5s), ExpectationEvent{"sut", "FIN seq=1", false}},
      {At(5001ms), FailureEvent{"suites/tcp/half_close.cc", 42, "Expected: FIN\n  Actual: none"}},
      {At(5002ms), VerdictEvent{Verdict::kFail, "", 0s}},
  };
  const std::string expected =
      R"(    seconds  sut 192.0.2.1:40000                                                             peer 192.0.2.2:80
  -0.010010  note: net.ipv4.tcp_syn_retries = 2
   0.000000  connect(3, 192.0.2.2:80)
   0.000102                 ---SYN seq=0 win=1024 <mss 1460,sackOK,TS,nop,wscale 7>---------->
   0.000140                 <--SYN,ACK seq=0 ack=1 win=1024-----------------------------------
   0.000170                 ---ACK seq=1 ack=1----------------------------------------------->
   0.000190  connect(3) returns 0 after 190 us
   0.000290  [sut ESTABLISHED]
   0.000400  shutdown(3, SHUT_WR) = 0
        ...  5.0 s of silence
   4.999990  expected from sut, never seen: FIN seq=1
   5.000990  FAILED half_close.cc:42
                 Expected: FIN
                   Actual: none
   5.001990  verdict FAIL
)";
  EXPECT_EQ(RenderLadder(events), expected);
}

TEST(Ladder, IsEmptyWithoutEvents) { EXPECT_EQ(RenderLadder({}), ""); }

TEST(Ladder, ShowsOneLineForACallWithNothingInBetween) {
  const auto lines = Lines({{At(0s), CallEvent{1, "sut", "send(3, \"x\", 1, 0)"}},
                            {At(1ms), ReturnEvent{1, "sut", "EPIPE", At(0s), {"SIGPIPE"}}}});
  EXPECT_THAT(lines, ElementsAre("0.000000  send(3, \"x\", 1, 0) = EPIPE, SIGPIPE"));
}

TEST(Ladder, ShowsTwoLinesForACallThatTakesTime) {
  const auto lines = Lines({{At(0s), CallEvent{1, "sut", "recv(3, 64, 0)"}},
                            {At(2s), ReturnEvent{1, "sut", "EAGAIN", At(0s), {}}}});
  EXPECT_THAT(lines, ElementsAre("0.000000  recv(3, 64, 0)", "...  2.0 s of silence",
                                 "2.000000  recv(3) returns EAGAIN after 2.000 s"));
}

TEST(Ladder, ShowsCallsThatOverlap) {
  const auto lines = Lines({{At(0ms), CallEvent{1, "client", "connect(3, 192.0.2.2:80)"}},
                            {At(1ms), CallEvent{2, "server", "accept(4)"}},
                            {At(2ms), ReturnEvent{2, "server", "5", std::nullopt, {}}},
                            {At(3ms), ReturnEvent{1, "client", "0", std::nullopt, {}}}});
  EXPECT_THAT(lines, ElementsAre("0.000000  connect(3, 192.0.2.2:80)",
                                 AllOf(HasSubstr("0.001000   "), EndsWith("accept(4) = 5")),
                                 "0.003000  connect(3) returns 0 after 3 ms"));
}

TEST(Ladder, SaysWhenACallDidNotReturn) {
  EXPECT_THAT(Lines({{At(0s), CallEvent{1, "sut", "accept(3)"}}, {At(1s), BlockedEvent{1}}}),
              ElementsAre("0.000000  accept(3) ... did not return"));
  EXPECT_THAT(Lines({{At(0s), CallEvent{1, "sut", "accept(3)"}}}),
              ElementsAre("0.000000  accept(3) ... was not awaited"));
}

TEST(Ladder, SaysWhichClaimIsDecided) {
  EXPECT_THAT(Lines({{At(0s), DecisionEvent{"rfc9293:MUST-1", Decision::kBegins, ""}},
                     {At(1s), DecisionEvent{"rfc9293:MAY-1", Decision::kNotTaken, "it waits"}}}),
              ElementsAre("0.000000  note: deciding rfc9293:MUST-1",
                          "1.000000  note: not taken, rfc9293:MAY-1: it waits"));
}

TEST(Ladder, NumbersAreRelativeInBothDirectionsAndWrapAround) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::SYN, 0xffffffff)),
      FromPeer(1ms, Reply(TCP::SYN | TCP::ACK, 5000, 0)),
      FromSut(2ms, Segment(TCP::PSH | TCP::ACK, 0, 5001), "hello"),
      FromPeer(3ms, Reply(TCP::ACK, 5001, 5)),
      FromPeer(4ms, Reply(TCP::ACK, 5000, 5)),
  });
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("---SYN seq=0 win=1024--"),
                          HasSubstr("<--SYN,ACK seq=0 ack=1 win=1024--"),
                          HasSubstr("---PSH,ACK seq=1 ack=1 len=5 \"hello\"--"),
                          HasSubstr("<--ACK seq=1 ack=6--"), HasSubstr("<--ACK seq=0 ack=6--")));
}

TEST(Ladder, MarksNumbersThatAreAbsolute) {
  const auto lines = Lines({
      FromPeer(0ms, Reply(TCP::ACK, 77, 88)),
      FromSut(1ms, Segment(TCP::RST, 88)),
  });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("<--ACK seq=77(abs) ack=88(abs) win=1024--"),
                                 HasSubstr("---RST seq=88(abs)--")));
}

TEST(Ladder, ANewConnectionOnTheSamePortsHasNewNumbers) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::SYN, 1000)),
      FromPeer(1ms, Reply(TCP::RST | TCP::ACK, 0, 1001)),
      FromSut(2ms, Segment(TCP::SYN, 70000)),
      FromPeer(3ms, Reply(TCP::SYN | TCP::ACK, 5000, 70001)),
  });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("SYN seq=0 "), HasSubstr("RST,ACK seq=0(abs) ack=1"),
                                 AllOf(HasSubstr("SYN seq=0 "), Not(HasSubstr("retransmitted"))),
                                 HasSubstr("SYN,ACK seq=0 ack=1 ")));
}

TEST(Ladder, AStraySynDoesNotDisturbTheNumbers) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::SYN, 1000)),
      FromPeer(1ms, Reply(TCP::SYN | TCP::ACK, 5000, 1001)),
      FromPeer(2ms, Reply(TCP::SYN, 5101)),           // in the window
      FromPeer(3ms, Reply(TCP::SYN, 2'000'000'000)),  // anywhere
      FromSut(4ms, Segment(TCP::ACK, 1001, 5001)),
  });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("SYN seq=0"), HasSubstr("SYN,ACK seq=0 ack=1"),
                                 HasSubstr("SYN seq=101"), HasSubstr("SYN seq=0"),
                                 HasSubstr("ACK seq=1 ack=1")));
}

TEST(Ladder, MarksRetransmissions) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::SYN, 1000)),
      FromSut(500ms, Segment(TCP::SYN, 1000)),
      FromSut(600ms, Segment(TCP::ACK, 1001, 1)),
      FromSut(601ms, Segment(TCP::ACK, 1001, 1)),
  });
  EXPECT_THAT(lines, ElementsAre(EndsWith("-->"), EndsWith("--> retransmitted"), EndsWith("-->"),
                                 EndsWith("-->")));
}

TEST(Ladder, ShowsTheWindowWhenItChanges) {
  TCP closed = Segment(TCP::ACK, 1, 1);
  closed.window(0);
  const auto lines = Lines({FromSut(0ms, Segment(TCP::ACK, 1, 1)),
                            FromSut(1ms, Segment(TCP::ACK, 1, 1)), FromSut(2ms, closed)});
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("win=1024"), Not(HasSubstr("win=")), HasSubstr("win=0")));
}

TEST(Ladder, ShowsOptionsThatMatter) {
  TCP sack = WithTimestamps(Segment(TCP::ACK, 1001, 5001));
  sack.sack({5011, 5021});
  TCP unknown = Segment(TCP::ACK, 1001, 5001);
  const std::uint8_t data[] = {1, 2};
  unknown.add_option(TCP::option(static_cast<TCP::OptionTypes>(254), 2, data));
  const auto lines =
      Lines({FromSut(0ms, SynWithOptions()), FromPeer(1ms, Reply(TCP::SYN | TCP::ACK, 5000, 1001)),
             FromSut(2ms, WithTimestamps(Segment(TCP::ACK, 1001, 5001))), FromSut(3ms, sack),
             FromSut(4ms, unknown)});
  EXPECT_THAT(lines.at(0), HasSubstr(" <mss 1460,sackOK,TS,nop,wscale 7>-"));
  EXPECT_THAT(lines.at(2), HasSubstr("ACK seq=1 ack=1--"));
  EXPECT_THAT(lines.at(3), HasSubstr(" <nop,nop,TS,sack 11:21"));
  EXPECT_THAT(lines.at(4), HasSubstr(" <kind 254 len 4>"));
}

TEST(Ladder, ShowsMalformedSegments) {
  constexpr std::size_t kTcp = 14 + 20;
  Bytes options = Frame(kSutAddress, kPeerAddress, SynWithOptions());
  options[kTcp + 21] = 0;  // the length of the first option
  Bytes offset = Frame(kSutAddress, kPeerAddress, Segment(TCP::SYN, 1000));
  offset[kTcp + 12] = 0x30;
  Bytes reserved = Frame(kSutAddress, kPeerAddress, Segment(TCP::SYN, 1000));
  reserved[kTcp + 12] |= 0x0e;
  const auto lines = Lines({FromSut(0ms, options), FromSut(1ms, offset), FromSut(2ms, reserved),
                            FromSut(3ms, Bytes{1, 2, 3}), FromSut(4ms, Segment(0, 1))});
  EXPECT_THAT(lines.at(0),
              AllOf(HasSubstr(" <malformed 02 00 05 b4 04 02"), EndsWith("bad checksum")));
  EXPECT_THAT(lines.at(1), EndsWith("data offset 3"));
  EXPECT_THAT(lines.at(2), HasSubstr("SYN,reserved=0xe seq=0"));
  EXPECT_THAT(lines.at(3), HasSubstr("---3 bytes: too few for a frame--"));
  EXPECT_THAT(lines.at(4), HasSubstr("---no flags seq=-999--"));
}

TEST(Ladder, QuotesAndShortensPayload) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::ACK, 1), "a\"\\\n\r\x01\xff"),
      FromSut(1ms, Segment(TCP::ACK, 8), std::string(16, 'x')),
      FromSut(2ms, Segment(TCP::ACK, 24), std::string(17, 'y')),
  });
  EXPECT_THAT(lines.at(0), HasSubstr(R"(len=7 "a\"\\\n\r\x01\xff"-)"));
  EXPECT_THAT(lines.at(1), HasSubstr("len=16 \"xxxxxxxxxxxxxxxx\"-"));
  EXPECT_THAT(lines.at(2), HasSubstr("len=17 \"yyyyyyyyyyyyyyyy\"...-"));
}

TEST(Ladder, ShowsWhatTheWireDid) {
  const auto frame = [](Duration time, bool from_client, Fate fate, Duration delay = 0ms) {
    const Bytes bytes = from_client ? Frame("192.0.2.1", "192.0.2.2", Segment(TCP::ACK, 1, 1), "x")
                                    : Frame("192.0.2.2", "192.0.2.1", Reply(TCP::ACK, 1, 1), "x");
    return Event{At(time), FrameEvent{from_client ? "client" : "server",
                                      from_client ? "server" : "client", fate, delay, bytes}};
  };
  const auto lines = Lines({
      frame(0ms, true, Fate::kForwarded),
      frame(1ms, true, Fate::kDuplicated),
      frame(2ms, true, Fate::kDropped),
      frame(3ms, true, Fate::kDelayed, 300ms),
      frame(4ms, true, Fate::kDelayed),
      frame(5ms, false, Fate::kForwarded),
      frame(6ms, false, Fate::kDropped),
      frame(7ms, false, Fate::kDelayed, 2s),
  });
  EXPECT_THAT(lines, ElementsAre(AllOf(HasSubstr("---ACK"), EndsWith("-->")),
                                 AllOf(HasSubstr("---ACK"), EndsWith("--> duplicate")),
                                 AllOf(HasSubstr("---ACK"), EndsWith("--X lost, retransmitted")),
                                 EndsWith("-... delayed 300 ms, retransmitted"),
                                 EndsWith("-... delayed until after the next, retransmitted"),
                                 AllOf(HasSubstr("<--ACK"), EndsWith("--")),
                                 AllOf(HasSubstr("X--ACK"), EndsWith("-- lost, retransmitted")),
                                 AllOf(HasSubstr("...ACK"),
                                       EndsWith("-- delayed 2.000 s, retransmitted"))));
}

TEST(Ladder, SummarisesAddressResolutionAndLeavesNoiseOut) {
  const Bytes request = Tins::ARP::make_arp_request(kPeerAddress, kSutAddress,
                                                    Tins::HWAddress<6>("02:00:00:00:00:01"))
                            .serialize();
  const Bytes solicitation =
      (Tins::EthernetII("33:33:00:00:00:02", "02:00:00:00:00:01") /
       Tins::IPv6("ff02::2", "fe80::1") / Tins::ICMPv6(Tins::ICMPv6::ROUTER_SOLICIT))
          .serialize();
  const auto lines = Lines({FromSut(-1s, solicitation), FromSut(0ms, request)});
  EXPECT_THAT(lines, ElementsAre(ContainsRegex("^0\\.000000 +--> ARP who-has 192\\.0\\.2\\.2$")));
}

TEST(Ladder, ShowsOtherProtocolsAsArrows) {
  const Bytes datagram = (Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") /
                          Tins::IP(kPeerAddress, kSutAddress) / Tins::UDP(53, 40000))
                             .serialize();
  EXPECT_THAT(Lines({FromSut(0ms, datagram)}), ElementsAre(HasSubstr("---UDP 40000>53 len=0---")));
}

TEST(Ladder, ShowsDatagramsWithTheirPayloadAndEnds) {
  Bytes bad = (Tins::EthernetII("02:00:00:00:00:01", "02:00:00:00:00:02") /
               Tins::IP(kSutAddress, kPeerAddress) / Tins::UDP(40000, 53) / Tins::RawPDU("answer"))
                  .serialize();
  bad.back() ^= 1;  // Ethernet has padded it
  bad[14 + 20 + 8] ^= 1;
  const std::vector<Event> events = {
      FromSut(0ms, (Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") /
                    Tins::IP(kPeerAddress, kSutAddress) / Tins::UDP(53, 40000) /
                    Tins::RawPDU("question"))
                       .serialize()),
      FromPeer(1ms, bad)};
  EXPECT_THAT(Lines(events), ElementsAre(HasSubstr("---UDP 40000>53 len=8 \"question\"---"),
                                         AllOf(HasSubstr("<--UDP 53>40000 len=6 \"`nswer\"---"),
                                               EndsWith("--- bad checksum"))));
  EXPECT_THAT(Header(events),
              AllOf(HasSubstr("sut 192.0.2.1:40000  "), EndsWith("peer 192.0.2.2:53")));
}

TEST(Ladder, NamesAddressesThatAreUnusual) {
  const auto from = [](const std::string& source) {
    return (Tins::EthernetII("02:00:00:00:00:01", "02:00:00:00:00:02") /
            Tins::IP(kSutAddress, source) / Tins::UDP(40000, 53))
        .serialize();
  };
  EXPECT_THAT(Lines({FromPeer(0ms, from(kPeerAddress)), FromPeer(1ms, from("192.0.2.99")),
                     FromPeer(2ms, from(kPeerAddress))}),
              ElementsAre(HasSubstr("<--UDP 53>40000 len=0---"),
                          HasSubstr("<--UDP 53>40000 len=0 from 192.0.2.99---"),
                          HasSubstr("<--UDP 53>40000 len=0---")));
}

TEST(Ladder, TellsConnectionsApart) {
  const std::vector<Event> two_ports = {
      FromSut(0ms, Segment(TCP::SYN, 1, 0, 40000)),
      FromSut(1ms, Segment(TCP::SYN, 1, 0, 40001)),
      {At(2ms), StateEvent{"sut", "192.0.2.1:40001", "SYN-SENT"}}};
  EXPECT_THAT(Lines(two_ports),
              ElementsAre(HasSubstr("---40000>80 SYN seq=0"), HasSubstr("---40001>80 SYN seq=0"),
                          HasSubstr("[sut SYN-SENT 192.0.2.1:40001]")));
  EXPECT_THAT(Header(two_ports),
              AllOf(HasSubstr("sut 192.0.2.1  "), EndsWith("peer 192.0.2.2:80")));

  const std::vector<Event> two_addresses = {
      FromPeer(0ms, Frame("192.0.2.2", "192.0.2.1", Segment(TCP::SYN, 1))),
      FromPeer(1ms, Frame("198.51.100.9", "192.0.2.1", Segment(TCP::SYN, 1)))};
  EXPECT_THAT(Lines(two_addresses),
              ElementsAre(HasSubstr("<--192.0.2.2:40000>192.0.2.1:80 SYN seq=0"),
                          HasSubstr("<--198.51.100.9:40000>192.0.2.1:80 SYN seq=0")));
  EXPECT_THAT(Header(two_addresses), AllOf(HasSubstr("sut 192.0.2.1:80  "), EndsWith("  peer")));
}

TEST(Ladder, ShowsIpv6Endpoints) {
  const auto header =
      Header({FromSut(0ms, Frame("2001:db8::1", "2001:db8::2", Segment(TCP::SYN, 1)))});
  EXPECT_THAT(header,
              AllOf(HasSubstr("sut [2001:db8::1]:40000  "), EndsWith("peer [2001:db8::2]:80")));
}

TEST(Ladder, PutsTheSystemUnderTestOrTheClientAtTheLeft) {
  const auto frame = [](const char* from, const char* to) {
    return Event{At(0s), FrameEvent{from, to, Fate::kForwarded, 0s,
                                    Frame(kSutAddress, kPeerAddress, Segment(TCP::SYN, 1))}};
  };
  EXPECT_THAT(Lines({frame("peer", "sut")}).at(0), HasSubstr("<--SYN"));
  EXPECT_THAT(Lines({frame("server", "client")}).at(0), HasSubstr("<--SYN"));
  EXPECT_THAT(Lines({frame("a", "b")}).at(0), HasSubstr("---SYN"));
}

TEST(Ladder, NamesAThirdActor) {
  const auto lines = Lines({
      FromSut(0ms, Segment(TCP::SYN, 1)),
      {At(1ms), FrameEvent{"other", "sut", Fate::kSent, 0s,
                           Frame(kPeerAddress, kSutAddress, Reply(TCP::RST, 1))}},
      {At(2ms), CallEvent{1, "other", "close(3)"}},
      {At(2ms), ReturnEvent{1, "other", "0", std::nullopt, {}}},
  });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("---SYN"), HasSubstr("<--other to sut: RST"),
                                 EndsWith(" other: close(3) = 0")));
}

TEST(Ladder, ShowsAStateOnlyWhenItChanges) {
  const auto lines = Lines({
      {At(0ms), StateEvent{"sut", "192.0.2.1:40000", "FIN-WAIT-2"}},
      {At(1ms), StateEvent{"sut", "192.0.2.1:40000", "FIN-WAIT-2"}},
      {At(2ms), StateEvent{"sut", "192.0.2.1:40000", "TIME-WAIT"}},
  });
  EXPECT_THAT(lines, ElementsAre(HasSubstr("[sut FIN-WAIT-2]"), HasSubstr("[sut TIME-WAIT]")));
}

TEST(Ladder, ShowsObservationsAndVerdicts) {
  EXPECT_THAT(Lines({{At(0ms), ObservationEvent{"TIME-WAIT", "60.412 s"}},
                     {At(1ms), VerdictEvent{Verdict::kInconclusive, "too slow", 0s}}}),
              ElementsAre("0.000000  observed TIME-WAIT: 60.412 s",
                          "0.001000  verdict INCONCLUSIVE: too slow"));
}

TEST(Ladder, SortsByTime) {
  EXPECT_THAT(Lines({{At(2ms), NoteEvent{"second"}}, {At(1ms), NoteEvent{"first"}}}),
              ElementsAre("0.000000  note: first", "0.001000  note: second"));
}

TEST(Ladder, KeepsBothEndsOfALongOne) {
  std::vector<Event> events(500);
  for (int number = 0; number < 500; ++number) {
    events[static_cast<std::size_t>(number)] = {At(number * 1ms),
                                                NoteEvent{std::to_string(number)}};
  }
  const auto lines = Lines(events);
  ASSERT_EQ(lines.size(), 401u);
  EXPECT_THAT(lines[199], EndsWith("note: 199"));
  EXPECT_EQ(lines[200], "...  100 lines left out");
  EXPECT_THAT(lines[201], EndsWith("note: 300"));
  EXPECT_THAT(lines[400], EndsWith("note: 499"));

  events.resize(400);
  EXPECT_EQ(Lines(events).size(), 400u);
}

TEST(Ladder, CallsAndSegmentsKeepWithinTheWidth) {
  const std::string text = "send(3, \"" + std::string(200, 'x') + "\")";
  std::istringstream ladder(RenderLadder({
      FromSut(0ms, SynWithOptions(), std::string(1000, 'x')),
      {At(1ms), CallEvent{1, "sut", text}},
      {At(2ms), CallEvent{2, "peer", text}},
      {At(3ms), CallEvent{3, "peer", "accept(3)"}},
      {At(4ms), ReturnEvent{3, "peer", "4, 192.0.2.1:40000", std::nullopt, {}}},
  }));
  for (std::string line; std::getline(ladder, line);) EXPECT_LE(line.size(), 110u) << line;
}

}  // namespace
}  // namespace sockproof
