// How large segments are, RFC 9293 section 3.7.1: what the peer and the link allow, and what a TCP
// says of itself.
#include <algorithm>

#include "harness/claims/link.h"
#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

using namespace sockproof;

namespace {

constexpr size_t kTcpHeader = 20;

size_t IpHeader(IpVersion ip) { return ip == IpVersion::kIpv4 ? 20 : 40; }

// RFC 9293 section 3.7.1, MUST-15.
size_t DefaultMss(IpVersion ip) { return ip == IpVersion::kIpv4 ? 536 : 1220; }

class SegmentSizeTest : public PeerTest {
 protected:
  using Options = std::vector<TcpOption>;

  // Sends as many octets as the test wants to look at; the peer acknowledges each segment.
  static std::vector<Segment> SegmentsOf(Connection connection, size_t octets) {
    auto& [socket, peer] = connection;
    socket.Send(std::string(octets, 'x')).value();
    std::vector<Segment> segments;
    for (size_t seen = 0; seen < octets; seen += segments.back().payload.size()) {
      segments.push_back(peer.Expect(AnyData().Seq(peer.rcv_nxt)));
      peer.Send(Ack());
    }
    return segments;
  }

  static size_t LargestOf(Connection connection, size_t octets = 6000) {
    size_t largest = 0;
    for (const Segment& segment : SegmentsOf(connection, octets)) {
      largest = std::max(largest, segment.payload.size());
    }
    return largest;
  }
};

// The data of a segment without options that fills the link of the system, MTU less both headers.
size_t LargestData(IpVersion ip, const Facts& facts) {
  return LinkMtu(facts) - IpHeader(ip) - kTcpHeader;
}

size_t MssOf(const Segment& syn) {
  const TcpOption* option = syn.FindOption(tcp_option::kMss);
  if (option == nullptr || option->data.size() != 2) return 0;
  return static_cast<size_t>(option->data[0] << 8 | option->data[1]);
}

}  // namespace

TEST_WITH(SegmentSizeTest, SegmentSize, TheMssOfThePeerLimitsIt,
          .claims = {"rfc9293:MUST-14", "rfc9293:MUST-16"}) {
  const Offer offer{.options = Options{tcp_option::Mss(600)}};
  EXPECT_LE(LargestOf(Connected(offer)), 600U);
  EXPECT_LE(LargestOf(ConnectedByAccept(offer)), 600U);
}

TEST_WITH(SegmentSizeTest, SegmentSize, WithoutAnMssItIsTheDefault, .claims = {"rfc9293:MUST-15"}) {
  const Offer silent{.options = Options{}};
  EXPECT_LE(LargestOf(Connected(silent)), DefaultMss(ip));
  EXPECT_LE(LargestOf(ConnectedByAccept(silent)), DefaultMss(ip));
}

TEST_WITH(SegmentSizeTest, SegmentSize, TheLinkLimitsItWhereThePeerDoesNot,
          .claims = {"rfc9293:MUST-16"}) {
  const Offer offer{.options = Options{tcp_option::Mss(9000)}};
  EXPECT_LE(LargestOf(Connected(offer), 20'000), LargestData(ip, sut.facts()));
  EXPECT_LE(LargestOf(ConnectedByAccept(offer), 20'000), LargestData(ip, sut.facts()));
}

TEST_WITH(
    SegmentSizeTest, SegmentSize, ARouterWithASmallerLinkMakesItSmaller,
    .claims = {"rfc9293:3.7.2-path-mtu-discovery"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  constexpr std::uint16_t kPathMtu = 1280;
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  // As much as this peer takes in a segment, if the link does.
  const size_t taken = 1500 - IpHeader(ip) - kTcpHeader;
  socket.Send(std::string(std::min(LargestData(ip, sut.facts()), taken), 'x')).value();
  const Segment too_big = peer.Expect(AnyData().Seq(peer.rcv_nxt));
  host.Report(icmp::TooBig(ip, kPathMtu), too_big);
  Settle();
  // At once, or when the retransmission timer expires.
  std::vector<Segment> again = AllArrived(peer);
  if (again.empty()) again = {peer.Expect(AnyData().Seq(too_big.seq), Within(10s))};
  const std::size_t fits = kPathMtu - IpHeader(ip) - kTcpHeader;
  for (const Segment& segment : again) ASSERT_LE(segment.payload.size(), fits);
  peer.Send(Ack());
  Settle();
  AllArrived(peer);
  EXPECT_LE(LargestOf(connection), fits);
}

TEST_WITH(SegmentSizeTest, SegmentSize, OptionsMakeTheDataShorter,
          .claims = {"rfc9293:3.7.1-without-options", "rfc9293:MUST-16"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.syn_options = {tcp_option::Mss(600), tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0)};
  peer.Send(Syn());
  if (!peer.Expect(SynAck()).timestamps()) throw Skip("the system under test has no timestamps");
  peer.Send(Ack());
  for (const Segment& segment : SegmentsOf({listener.Accept().value().socket, peer}, 3000)) {
    EXPECT_TRUE(segment.timestamps());
    EXPECT_LE(segment.payload.size() + segment.option_area.size(), 600U);
  }
}

TEST_WITH(SegmentSizeTest, SegmentSize, AllSegmentsButTheLastAreAsLargeAsTheyMayBe,
          .claims = {"rfc9293:SHLD-28", "rfc9293:MUST-16"}) {
  constexpr size_t kMss = 500;
  const Offer offer{.options = Options{tcp_option::Mss(kMss)}};
  const std::vector<Segment> segments = SegmentsOf(Connected(offer), 5 * kMss + 1);
  Deciding("rfc9293:MUST-16");
  for (const Segment& segment : segments) EXPECT_LE(segment.payload.size(), kMss);
  Deciding("rfc9293:SHLD-28");
  ASSERT_EQ(segments.size(), 6U);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(segments[i].payload.size(), kMss) << "segment " << i;
}

TEST_WITH_PEER(SegmentSize, ASegmentOfTheMssThatIsSentIsTaken,
               .claims = {"rfc9293:MUST-14", "rfc9293:MUST-67"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn());
  const size_t mss = MssOf(peer.Expect(SynAck()));
  Deciding("rfc9293:MUST-14");
  ASSERT_GT(mss, 0U) << "no MSS option";
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;

  // More would not fit this link in one piece; the claim leaves room for reassembly.
  Deciding("rfc9293:MUST-67");
  const std::string full(std::min(mss, LargestData(ip, sut.facts())), 'x');
  peer.Send(Data(full));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(full.size()), Returns(full));
}

TEST_WITH(SegmentSizeTest, SegmentSize, TheMssThatIsSentIsTheMtuLessTheFixedHeaders,
          .claims = {"rfc9293:SHLD-5", "rfc9293:3.7.1-mss-value",
                     "rfc9293:3.7.1-without-options"}) {
  const Options few = {tcp_option::Mss(1400)};
  const Options many = {tcp_option::Mss(1400), tcp_option::SackPermitted(),
                        tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0)};
  std::vector<size_t> said;
  for (const Options& options : {few, many}) {
    auto [listener, peer] = InState(TcpState::kListen);
    peer.syn_options = options;
    peer.Send(Syn());
    const Segment syn_ack = peer.Expect(SynAck());
    Deciding("rfc9293:SHLD-5");
    ASSERT_NE(syn_ack.FindOption(tcp_option::kMss), nullptr);
    said.push_back(MssOf(syn_ack));
  }
  Deciding("rfc9293:3.7.1-mss-value");
  EXPECT_EQ(said.front(), LargestData(ip, sut.facts()));
  Deciding("rfc9293:3.7.1-without-options");
  EXPECT_EQ(said.back(), said.front()) << "options of the segment are counted";
}

TEST_WITH(SegmentSizeTest, SegmentSize, TcpMaxsegLimitsWhatIsSentAndWhatIsSaid,
          .claims = {"man:tcp(7)-TCP_MAXSEG"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption("TCP_MAXSEG", 700), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  EXPECT_EQ(MssOf(peer.Expect(Syn())), 700U);
  peer.Send(SynAck());
  peer.Expect(Ack());
  connecting.Await().value();
  EXPECT_LE(LargestOf({socket, peer}), 700U);
}
