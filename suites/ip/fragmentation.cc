// Datagrams that are too large for a link: RFC 791 section 3.2, RFC 8200 section 4.5; and for the
// path: RFC 1191, RFC 8201, ip(7).
#include <algorithm>
#include <set>

#include "harness/claims/link.h"
#include "suites/ip/ip_test.h"

using namespace sockproof;

namespace {

constexpr int kDont = 0, kWant = 1, kDo = 2;  // IP_PMTUDISC_

class FragmentationTest : public IpTest {
 protected:
  std::size_t link_mtu() const { return LinkMtu(sut.facts()); }
  std::size_t headers() const { return IsIpv4() ? 20 + 8 : 40 + 8; }

  static std::size_t Size(const packet::Packet& packet) { return packet::Write(packet).size(); }
  // Octets of the longest packet in which it came, from the IP header on.
  static std::size_t LongestPart(const IpPacket& packet) {
    std::size_t longest = packet.fragments.empty() ? Size(packet.packet) : 0;
    for (const auto& fragment : packet.fragments) longest = std::max(longest, Size(fragment));
    return longest;
  }
  static std::size_t OffsetOf(const packet::Packet& fragment) {
    const auto* ip = fragment.Find<packet::Ipv4>();
    const auto* header = fragment.Find<packet::Ipv6Fragment>();
    return std::size_t{8} * (ip != nullptr ? ip->fragment_offset : header->offset);
  }
  Outcome<int> SetDiscovery(Socket& socket, int mode) {
    return socket.SetOption(Of("IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER"), mode);
  }

  // Who does not set Don't Fragment any more leaves it to routers.
  bool FitsThePath(const IpPacket& datagram, std::size_t mtu) const {
    const bool leaves_it = IsIpv4() && !datagram.dont_fragment() && datagram.fragments.empty();
    return leaves_it || LongestPart(datagram) <= mtu;
  }

  // A router on the way says that a datagram of `size` octets does not fit.
  void TellMtu(Dialogue& dialogue, std::uint16_t mtu, std::size_t size = 1400) {
    if (size + headers() > link_mtu()) NotReached("its link takes no such datagram");
    dialogue.socket.Send(std::string(size, 'b')).value();
    host.Report(icmp::TooBig(ip, mtu), dialogue.peer.Expect(Datagram(std::string(size, 'b'))));
    Settle();
    dialogue.socket.TakeError();
  }
  IpPacket SentAfterwards(Dialogue& dialogue, std::size_t size = 1400) {
    const std::string text(size, 'a');
    dialogue.socket.Send(text).value();
    return dialogue.peer.Expect(Datagram(text));
  }
  // One that does not fit the link. A host need not cut it: RFC 1122 section 3.3.3, RFC 8200
  // section 4.5.
  IpPacket SentInPieces(Dialogue& dialogue, std::size_t size) {
    const std::string text(size, 'a');
    const Outcome<int> sent = dialogue.socket.Send(text);
    if (sent.error() == EMSGSIZE) NotReached("it refuses datagrams that do not fit the link");
    sent.value();
    return dialogue.peer.Expect(Datagram(text));
  }
};

}  // namespace

TEST_WITH(FragmentationTest, Fragmentation, ADatagramThatDoesNotFitTheLinkIsCut,
          .claims = {"rfc791:3.2-fragmentation", "rfc8200:4.5-fragmentation"}) {
  Dialogue dialogue = Connected();
  for (const std::size_t size : {link_mtu() + 100, 3 * link_mtu() - 500, 6 * link_mtu() + 1}) {
    const IpPacket datagram = SentInPieces(dialogue, size);
    ASSERT_GE(datagram.fragments.size(), 2U);
    EXPECT_LE(LongestPart(datagram), link_mtu());
    // They may leave in any order.
    std::vector<packet::Packet> fragments = datagram.fragments;
    std::sort(fragments.begin(), fragments.end(),
              [](const auto& one, const auto& other) { return OffsetOf(one) < OffsetOf(other); });
    std::size_t next = 0;
    for (const packet::Packet& fragment : fragments) {
      EXPECT_EQ(OffsetOf(fragment), next) << "a gap or an overlap";
      next += fragment.payload.size();
      const bool is_last = &fragment == &fragments.back();
      EXPECT_TRUE(is_last || fragment.payload.size() % 8 == 0);
    }
    EXPECT_EQ(next, 8 + size);
  }
}

TEST_WITH(FragmentationTest, Fragmentation, ADatagramThatFitsIsNotCut,
          .claims = {"rfc791:3.2-fragmentation", "rfc8200:4.5-fragmentation"}) {
  Dialogue dialogue = Connected();
  // Who does not discover the path of IPv6 may send 1280 octets at most: RFC 8200 section 5.
  const std::size_t fits = IsIpv4() ? link_mtu() : std::size_t{1280};
  EXPECT_TRUE(SentAfterwards(dialogue, fits - headers()).fragments.empty());
  EXPECT_FALSE(SentInPieces(dialogue, link_mtu() - headers() + 1).fragments.empty());
}

TEST_WITH(FragmentationTest, Fragmentation, EachDatagramHasAnIdentificationOfItsOwn,
          .claims = {"rfc791:2.3-unique", "rfc8200:4.5-identification"}) {
  Dialogue dialogue = Connected();
  // Of IPv4 also those that routers alone may cut: RFC 6864 section 4.
  const auto whole = [&] { return SentAfterwards(dialogue, 1).dont_fragment(); };
  if (IsIpv4() && whole()) SetDiscovery(dialogue.socket, kDont).value();
  if (IsIpv4() && whole()) NotReached("it lets no router cut a datagram");
  const std::size_t size = IsIpv4() ? 1 : link_mtu() + 500;
  // So many that of 16 bits drawn at random two are the same, all but once in 2000 times. Of the 32
  // bits of IPv6 so many would take too long.
  const std::size_t datagrams = IsIpv4() ? 1000 : 100;
  std::set<std::uint32_t> identifications;
  for (std::size_t number = 0; number < datagrams; ++number) {
    identifications.insert(SentInPieces(dialogue, size).identification().value());
  }
  EXPECT_EQ(identifications.size(), datagrams);
}

TEST_WITH(FragmentationTest, Fragmentation, WithoutDiscoveryRoutersMayCut,
          .claims = {"man:ip(7)-IP_PMTUDISC_DONT", "man:ip(7)-IP_PMTUDISC_WANT"},
          .ipv4_only_because = "no router cuts a packet of IPv6") {
  Dialogue dialogue = Connected();
  Deciding("man:ip(7)-IP_PMTUDISC_DONT");
  ASSERT_THAT(SetDiscovery(dialogue.socket, kDont), Succeeds());
  EXPECT_FALSE(SentAfterwards(dialogue).dont_fragment());
  Deciding("man:ip(7)-IP_PMTUDISC_WANT");
  ASSERT_THAT(SetDiscovery(dialogue.socket, kWant), Succeeds());
  EXPECT_TRUE(SentAfterwards(dialogue).dont_fragment());
  for (const packet::Packet& fragment : SentAfterwards(dialogue, link_mtu() + 500).fragments) {
    EXPECT_FALSE(fragment.Find<packet::Ipv4>()->dont_fragment);
  }
}

TEST_WITH(FragmentationTest, Fragmentation, WithDiscoveryWhatDoesNotFitIsRefused,
          .claims = {"man:ip(7)-IP_PMTUDISC_DO", "rfc791:3.1-dont-fragment"}) {
  Dialogue dialogue = Connected();
  ASSERT_THAT(SetDiscovery(dialogue.socket, kDo), Succeeds());
  const int most = static_cast<int>(link_mtu() - headers());
  EXPECT_THAT(dialogue.socket.Send(std::string(static_cast<std::size_t>(most) + 1, 'x')),
              FailsWith(EMSGSIZE));
  dialogue.socket.TakeError();
  EXPECT_TRUE(SentAfterwards(dialogue, static_cast<std::size_t>(most)).dont_fragment());
}

// --- the path ------------------------------------------------------------------------------------

TEST_WITH(FragmentationTest, PathMtu, DatagramsFitThePathOnceItIsKnown,
          .claims = {"rfc1191:3-reduce", "rfc8201:4-reduce"}) {
  for (const std::uint16_t mtu : {std::uint16_t{1400}, std::uint16_t{1300}}) {
    Dialogue dialogue = Connected();
    TellMtu(dialogue, mtu, 1440);
    const IpPacket afterwards = SentAfterwards(dialogue, 1440);
    EXPECT_TRUE(FitsThePath(afterwards, mtu)) << LongestPart(afterwards) << " octets";
  }
}

TEST_WITH(FragmentationTest, PathMtu, ItIsTold, .claims = {"man:ip(7)-IP_MTU"}) {
  Dialogue dialogue = Connected();
  const char* option = Of("IP_MTU", "IPV6_MTU");
  EXPECT_THAT(dialogue.socket.GetOption(option), Returns(static_cast<int>(link_mtu())));
  TellMtu(dialogue, 1300);
  EXPECT_THAT(dialogue.socket.GetOption(option), Returns(1300));
}

TEST_WITH(FragmentationTest, PathMtu, WhatDoesNotFitThePathIsRefusedWithDiscovery,
          .claims = {"man:ip(7)-IP_PMTUDISC_DO"}) {
  Dialogue dialogue = Connected();
  ASSERT_THAT(SetDiscovery(dialogue.socket, kDo), Succeeds());
  TellMtu(dialogue, 1300);
  EXPECT_THAT(dialogue.socket.Send(std::string(1300, 'x')), FailsWith(EMSGSIZE));
  dialogue.socket.TakeError();
  EXPECT_LE(LongestPart(SentAfterwards(dialogue, 1300 - 48)), 1300U);
}

TEST_WITH(FragmentationTest, PathMtu, AMessageDoesNotMakeItLarger,
          .claims = {"rfc1191:3-no-increase", "rfc8201:4-no-increase"}) {
  Dialogue dialogue = Connected();
  TellMtu(dialogue, 1300);
  if (!FitsThePath(SentAfterwards(dialogue, 1400), 1300)) NotReached("it discovers no path MTU");
  const IpPacket small = SentAfterwards(dialogue, 1000);
  host.Report(icmp::TooBig(ip, 1480), small);
  Settle();
  dialogue.socket.TakeError();
  const IpPacket afterwards = SentAfterwards(dialogue, 1400);
  EXPECT_TRUE(FitsThePath(afterwards, 1300)) << LongestPart(afterwards) << " octets";
}

TEST_WITH(FragmentationTest, PathMtu, ItIsNeverLessThanTheLeastOfAllLinks,
          .claims = {"rfc1191:3-below-68", "rfc8201:4-below-1280"}) {
  const std::size_t least = IsIpv4() ? 68 : 1280;
  const std::size_t fits = least - headers();
  Dialogue dialogue = Connected();
  for (const std::uint16_t mtu : {std::uint16_t{0}, std::uint16_t{20}, std::uint16_t{60}}) {
    TellMtu(dialogue, mtu);
    EXPECT_TRUE(SentAfterwards(dialogue, fits).fragments.empty())
        << least << " octets are cut after an MTU of " << mtu;
  }
}

// RFC 8201 section 5.2 would let a node have one for all.
TEST_WITH(FragmentationTest, PathMtu, ItIsThatOfOneDestination, .claims = {"man:ip(7)-IP_MTU"}) {
  Dialogue dialogue = Connected();
  TellMtu(dialogue, 1300);
  // By way of the same neighbour to somebody else.
  const Endpoint elsewhere{IpAddress(IsIpv4() ? "198.51.100.7" : "2001:db8:7::7"), 4711};
  Socket other = NewUdp();
  ASSERT_THAT(other.Connect(elsewhere), Succeeds());
  EXPECT_THAT(other.GetOption(Of("IP_MTU", "IPV6_MTU")), Returns(static_cast<int>(link_mtu())));
}

// IP_PMTUDISC_PROBE of ip(7). A system that does not probe for itself need not have it.
TEST_WITH(FragmentationTest, PathMtu, AnApplicationMayProbe, .claims = {"rfc4821:9-applications"}) {
  constexpr int kProbe = 3;
  Dialogue dialogue = Connected();
  TellMtu(dialogue, 1300);
  if (!FitsThePath(SentAfterwards(dialogue), 1300)) NotReached("it discovers no path MTU");
  if (!SetDiscovery(dialogue.socket, kProbe).ok()) NotReached("there is no such way");
  const IpPacket probe = SentAfterwards(dialogue);
  EXPECT_GT(LongestPart(probe), 1300U) << "it is cut";
  EXPECT_TRUE(!IsIpv4() || probe.dont_fragment());
}
