// Fragments that arrive: RFC 791 section 3.2, RFC 1122 section 3.3.2, RFC 5722, RFC 8200
// section 4.5.
#include <algorithm>

#include "harness/claims/link.h"
#include "suites/ip/ip_test.h"

using namespace sockproof;

namespace {

const std::string kText(100, 'x');

class ReassemblyTest : public IpTest {
 protected:
  // Not delivered, and not answered by ICMP.
  void ExpectDiscardedSilently(Dialogue& dialogue) {
    ExpectNothingButEcho();
    ExpectNothingReceived(dialogue);
  }
};

// What a packet of IPv6 carries behind its header.
Bytes BehindIp(const packet::Packet& packet) {
  constexpr std::ptrdiff_t kHeader = 40;
  const Bytes octets = packet::Write(packet);
  return {octets.begin() + kHeader, octets.end()};
}

// Of those that wait: RFC 8200 says 60 s; of IPv4 most is 120 s, and systems have less.
Duration SixtySeconds(const Facts&) { return 60s; }

}  // namespace

// --- what is put together ------------------------------------------------------------------------

TEST_WITH(ReassemblyTest, Reassembly, FragmentsMayComeInAnyOrder,
          .claims = {"rfc1122:3.3.2-reassembly", "rfc791:3.2-reassembly",
                     "rfc8200:4.5-reassembly"}) {
  auto [socket, peer] = Bound();
  auto pieces = PiecesOf(SizeOf(kText), 40);
  const auto earlier = [](const auto& one, const auto& other) { return one.offset < other.offset; };
  do {
    peer.Send(Datagram(kText).InFragments(pieces));
    ExpectReceived(socket, kText, peer.local());
  } while (std::next_permutation(pieces.begin(), pieces.end(), earlier));
}

TEST_WITH(ReassemblyTest, Reassembly, FragmentsMayBeAsSmallAsEightOctets,
          .claims = {"rfc1122:3.3.2-reassembly", "rfc791:3.2-reassembly",
                     "rfc8200:4.5-reassembly"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram(kText).InFragments(PiecesOf(SizeOf(kText), 8)));
  ExpectReceived(socket, kText, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, DatagramsOf576OctetsAreTaken,
          .claims = {"rfc1122:3.3.2-576", "rfc791:3.1-total-length"},
          .ipv4_only_because = "RFC 8200 demands more") {
  auto [socket, peer] = Bound();
  const std::string text(576 - 20 - 8, 'x');
  peer.Send(Datagram(text).InFragmentsOfMtu(68));
  ExpectReceived(socket, text, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, DatagramsAsLargeAsTheMtuAreTaken,
          .claims = {"rfc1122:3.3.2-mtu", "rfc8200:5-minimum"}) {
  auto [socket, peer] = Bound();
  const std::size_t mtu = IsIpv4() ? LinkMtu(sut.facts()) : std::size_t{1500};
  const std::string text(mtu - (IsIpv4() ? 20 : 40) - 8, 'x');
  peer.Send(Datagram(text).InFragmentsOfMtu(IsIpv4() ? 576 : 1280));
  ExpectReceived(socket, text, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, FragmentsOfOthersAreKeptApart,
          .claims = {"rfc791:3.2-identification", "rfc8200:4.5-reassembly"}) {
  auto [socket, peer] = Bound();
  const std::string other(100, 'o');
  const IpAddress elsewhere(IsIpv4() ? "192.0.2.77" : "2001:db8::77");
  const packet::FragmentPiece first{.offset = 0, .size = 64}, last{.offset = 64, .size = 64};
  peer.Send(Datagram(kText).Identification(1).InFragments({first}));
  peer.Send(Datagram(other).Identification(2).InFragments({last}));
  peer.Send(Datagram(other).Identification(1).Source(elsewhere).InFragments({last}));
  peer.Send(Datagram(kText).Identification(1).InFragments({last}));
  ExpectReceived(socket, kText, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, FragmentsOfAnotherProtocolAreKeptApart,
          .claims = {"rfc791:3.2-identification"},
          .ipv4_only_because = "IPv6 does not tell them apart by it") {
  auto [socket, peer] = Bound();
  const packet::FragmentPiece first{.offset = 0, .size = 64}, last{.offset = 64, .size = 64};
  peer.Send(Datagram(kText).Identification(1).InFragments({first}));
  peer.Send(Datagram(std::string(100, 'o')).Identification(1).NextHeader(253).InFragments({last}));
  peer.Send(Datagram(kText).Identification(1).InFragments({last}));
  ExpectReceived(socket, kText, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, TheNextHeaderOfTheFirstFragmentCounts,
          .claims = {"rfc8200:4.5-next-header"},
          .ipv6_only_because = "of IPv4 the protocol tells datagrams apart") {
  auto [socket, peer] = Bound();
  peer.Send(Datagram(kText).Identification(1).NextHeader(253).InFragments({{64, 64, {}, {}}}));
  peer.Send(Datagram(kText).Identification(1).InFragments({{0, 64, {}, {}}}));
  ExpectReceived(socket, kText, peer.local());
}

TEST_WITH(ReassemblyTest, Reassembly, AFragmentThatIsAWholeDatagramIsTakenAsOne,
          .claims = {"rfc8200:4.5-whole"}, .ipv6_only_because = "IPv4 has no fragment header") {
  auto [socket, peer] = Bound();
  const packet::Ipv6Fragment whole{.next_header = packet::ip_protocol::kUdp, .identification = 9};
  peer.Send(Datagram(kText).Identification(9).InFragments({{0, 64, {}, {}}}));
  peer.Send(Datagram("atomic").With(whole));
  ExpectReceived(socket, "atomic", peer.local());
  peer.Send(Datagram(kText).Identification(9).InFragments({{64, 64, {}, {}}}));
  ExpectReceived(socket, kText, peer.local());
}

// --- what overlaps -------------------------------------------------------------------------------

TEST_WITH(ReassemblyTest, Reassembly, FragmentsThatOverlapAreDiscardedWithAllOthers,
          .claims = {"rfc8200:4.5-overlap", "rfc5722:4-overlap"},
          .ipv6_only_because = "RFC 791 lets them overlap") {
  for (const auto& pieces : std::vector<std::vector<packet::FragmentPiece>>{
           {{0, 64, {}, {}}, {56, 64, {}, {}}},
           {{56, 64, {}, {}}, {0, 64, {}, {}}},
           {{16, 8, {}, {}}, {0, 64, {}, {}}, {64, 64, {}, {}}}}) {
    Dialogue dialogue = Bound();
    dialogue.peer.Send(Datagram(kText).InFragments(pieces));
    ExpectDiscardedSilently(dialogue);
  }
}

TEST_WITH(ReassemblyTest, Reassembly, OneThatLiesWithinAnotherIsNoDuplicateOfIt,
          .claims = {"rfc8200:4.5-overlap", "rfc5722:4-overlap"},
          .ipv6_only_because = "RFC 791 lets them overlap") {
  // A part of it, and the same place with other octets: neither is an exact duplicate.
  for (const auto& pieces : std::vector<std::vector<packet::FragmentPiece>>{
           {{0, 64, {}, {}}, {16, 8, {}, {}}, {64, 64, {}, {}}},
           {{0, 64, {}, {}}, {0, 64, {}, Bytes(64, 'y')}, {64, 64, {}, {}}}}) {
    Dialogue dialogue = Bound();
    dialogue.peer.Send(Datagram(kText).InFragments(pieces));
    ExpectDiscardedSilently(dialogue);
  }
}

TEST_WITH(ReassemblyTest, Reassembly, OfOctetsThatComeTwiceTheLaterMayCount,
          .claims = {"rfc791:3.2-overlap"},
          .ipv4_only_because = "RFC 8200 demands that such a packet is discarded") {
  auto [socket, peer] = Bound();
  // The middle comes twice; the checksum fits the later copy.
  peer.Send(Datagram(kText).InFragments(
      {{0, 40, {}, {}}, {40, 40, {}, Bytes(40, 'y')}, {40, 40, {}, {}}, {80, 64, {}, {}}}));
  Settle();
  const Outcome<std::string> received = socket.Receive(2048, {"MSG_DONTWAIT"});
  if (!received.ok()) return NotTaken("rfc791:3.2-overlap", "the datagram is discarded");
  EXPECT_THAT(received, Returns(kText));
}

TEST_WITH(ReassemblyTest, Reassembly, AFragmentThatComesTwiceDoesNoHarm,
          .claims = {"rfc791:3.2-reassembly"}, .ipv4_only_because = "RFC 8200 leaves it open") {
  auto [socket, peer] = Bound();
  const packet::FragmentPiece first{.offset = 0, .size = 64}, last{.offset = 64, .size = 64};
  peer.Send(Datagram(kText).InFragments({first, first, last}));
  ExpectReceived(socket, kText, peer.local());
}

// --- what makes no sense -------------------------------------------------------------------------

TEST_WITH(ReassemblyTest, Reassembly, AFragmentOfOddLengthThatIsNotTheLastIsDiscarded,
          .claims = {"rfc8200:4.5-odd-length", "rfc8200:4.5-odd-length-told", "rfc4443:2.4-c"},
          .ipv6_only_because = "RFC 791 does not say what becomes of it") {
  constexpr std::uint32_t kPayloadLength = 4;  // where that field is
  Dialogue dialogue = Bound();
  const IpPacket sent = dialogue.peer.Send(Datagram(kText).InFragments(
      {{.offset = 0, .size = 61, .more_fragments = true}, {.offset = 64, .size = 64}}));
  Deciding("rfc8200:4.5-odd-length");
  ExpectNothingReceived(dialogue);
  Deciding("rfc8200:4.5-odd-length-told");
  const IpPacket told = host.Expect(ParameterProblem().Code(0).Pointer(kPayloadLength));
  Deciding("rfc4443:2.4-c");
  EXPECT_TRUE(ParameterProblem().About(sent).Matches(told)) << Describe(told);
}

TEST_WITH(ReassemblyTest, Reassembly, AFragmentThatMakesAPacketTooLongIsDiscarded,
          .claims = {"rfc8200:4.5-too-long", "rfc8200:4.5-too-long-told"},
          .ipv6_only_because = "RFC 791 does not say what becomes of it") {
  constexpr std::uint32_t kFragmentOffset = 40 + 2;  // where that field is
  Dialogue dialogue = Bound();
  // What a receiver that counts on from 0 would take for a whole datagram.
  const ScriptedUdp& peer = dialogue.peer;
  const packet::Packet whole = Datagram("too long").Made(peer.local(), *peer.remote(), 0).packet;
  const IpPacket sent = dialogue.peer.Send(Datagram(kText).InFragments(
      {{.offset = 65528, .more_fragments = false, .octets = BehindIp(whole)}}));
  Deciding("rfc8200:4.5-too-long");
  ExpectNothingReceived(dialogue);
  Deciding("rfc8200:4.5-too-long-told");
  host.Expect(ParameterProblem().Code(0).Pointer(kFragmentOffset).About(sent));
}

TEST_WITH(ReassemblyTest, Reassembly, ADatagramThatBecomesTooLongDoesNoHarm,
          .claims = {"rfc1122:3.3.2-reassembly"}, .ipv4_only_because = "RFC 8200 says more of it") {
  Dialogue dialogue = Bound();
  const std::size_t size = (LinkMtu(sut.facts()) - 20) / 8 * 8;
  constexpr std::size_t kLastOffset = 65528;
  std::vector<packet::FragmentPiece> pieces;
  for (std::size_t at = 0; at < kLastOffset; at += size) {
    pieces.push_back({.offset = at, .size = size, .more_fragments = true});
    if (at > 0) pieces.back().octets = Bytes(std::min(size, kLastOffset - at), 'x');
  }
  pieces.push_back({.offset = kLastOffset, .more_fragments = false, .octets = Bytes(512, 'x')});
  dialogue.peer.Send(Datagram(std::string(size, 'x')).InFragments(pieces));
  ExpectNothingButEcho();
  ExpectNothingReceived(dialogue);
}

TEST_WITH(ReassemblyTest, Reassembly, AFirstFragmentWithoutAllHeadersIsDiscarded,
          .claims = {"rfc8200:4.5-headers-in-first"},
          .ipv6_only_because = "IPv4 has no extension headers") {
  Dialogue dialogue = Bound();
  const packet::Ipv6Options padding{.header = packet::ip_protocol::kDestinationOptions,
                                    .next_header = {},
                                    .length = {},
                                    .options = {},
                                    .option_rest = Bytes{1, 4, 0, 0, 0, 0}};
  // The first fragment ends with the extension header.
  const IpPacket sent = dialogue.peer.Send(
      Datagram(kText).With(padding).InFragments({{0, 8, {}, {}}, {8, 200, {}, {}}}));
  host.Expect(ParameterProblem().Code(3).Pointer(0).About(sent));
  ExpectNothingReceived(dialogue);
}

// --- what never becomes whole --------------------------------------------------------------------

TEST_WITH(ReassemblyTest, Reassembly, WhenItsTimeIsOverTheSourceIsTold,
          .claims = {"rfc1122:3.3.2-timeout", "rfc1122:3.3.2-60-seconds",
                     "rfc8200:4.5-time-exceeded", "rfc8200:4.5-timeout",
                     "rfc792:time-exceeded-first"},
          .lasts = &SixtySeconds) {
  auto [socket, peer] = Bound();
  // Of this one the first fragment never comes, so that nobody is told; of IPv6 that is left open.
  if (IsIpv4()) peer.Send(Datagram(kText).InFragments({{32, 32, {}, {}}}));
  const IpPacket begun = peer.Send(Datagram(kText).InFragments({{0, 64, {}, {}}}));
  Deciding(IsIpv4() ? "rfc1122:3.3.2-timeout" : "rfc8200:4.5-time-exceeded");
  // Both have at most 120 s (RFC 1122), and a tenth for the machine.
  const IpPacket told = host.Expect(TimeExceeded().Code(1), Within(132s));
  if (IsIpv4()) Deciding("rfc792:time-exceeded-first");
  EXPECT_TRUE(TimeExceeded().About(begun).Matches(told)) << Describe(told);
  if (IsIpv4()) {
    const packet::Packet quoted = told.quoted();
    const auto* header = quoted.Find<packet::Ipv4>();
    ASSERT_NE(header, nullptr) << "no IP header is quoted";
    EXPECT_EQ(header->fragment_offset, 0) << "about a later fragment";
  }
  Deciding(IsIpv4() ? "rfc1122:3.3.2-60-seconds" : "rfc8200:4.5-timeout");
  if (IsIpv4()) {
    EXPECT_THAT(told.time - begun.time, LastsAtLeast(60s));
  } else {
    EXPECT_THAT(told.time - begun.time, FiresAfter(60s, "reassembly timeout"));
  }
}
