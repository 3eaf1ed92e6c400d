// Multicast and broadcast: ip(7), ipv6(7), RFC 1112, RFC 1122 section 3.3.6, RFC 3376, RFC 3810.
#include "suites/udp/udp_test.h"

using namespace sockproof;

namespace {

using packet::GroupRecord;
using packet::GroupRecordType;

// RFC 3376 section 8.11, RFC 3810 section 9.11.
constexpr Duration kUnsolicitedReportInterval = 1s;

class GroupTest : public UdpTest {
 protected:
  // Of organisation-local scope, so that nobody joins it by himself.
  IpAddress group() const { return IpAddress(IsIpv4() ? "239.1.2.3" : "ff08::1234"); }
  IpAddress other_group() const { return IpAddress(IsIpv4() ? "239.129.2.4" : "ff08::5678"); }

  // struct ip_mreq with the address of the interface, struct ipv6_mreq without a number of one.
  Bytes Membership(const IpAddress& address) const {
    Bytes request(address.bytes(), address.bytes() + address.size());
    const IpAddress here = sut.Address(IpVersion::kIpv4);
    if (IsIpv4()) {
      request.insert(request.end(), here.bytes(), here.bytes() + here.size());
    } else {
      request.insert(request.end(), 4, 0);
    }
    return request;
  }
  Outcome<int> Join(Socket& socket, const IpAddress& address) {
    return socket.SetOption(Of("IP_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"), Membership(address));
  }
  Outcome<int> Leave(Socket& socket, const IpAddress& address) {
    return socket.SetOption(Of("IP_DROP_MEMBERSHIP", "IPV6_LEAVE_GROUP"), Membership(address));
  }

  // A member of group(), bound to every address. Whether it is reported is open: RFC 1122 section
  // 3.3.7 leaves IGMP to the host.
  Dialogue Member() {
    Dialogue dialogue = BoundToAll();
    Join(dialogue.socket, group()).value();
    return dialogue;
  }
  // One whose report has been seen.
  Dialogue ReportedMember() {
    Dialogue dialogue = Member();
    ExpectJoins();
    return dialogue;
  }
  // What is claimed of reports is claimed of IGMPv3 and MLDv2: who has an earlier version, or heard
  // a router that has, is not judged.
  IpPacket ExpectJoins() {
    const IpPacket report = host.Expect(Joins(group()));
    if (!packet::ReadGroupReport(report.packet)) {
      NotReached("it tells of groups by an earlier version of IGMP or MLD");
    }
    return report;
  }

  void ThereIsAMember() { Member(); }
  void ThereIsAReportedMember() { ReportedMember(); }

  // A query of a router.
  void Query(const packet::GroupQuery& query) {
    PartialPacket packet = GroupQuery(query).HopLimit(1);
    const bool is_general = query.group == IpAddress(IsIpv4() ? "0.0.0.0" : "::");
    if (IsIpv4()) {
      packet.To(is_general ? IpAddress("224.0.0.1") : query.group)
          .Option(ipv4_option::RouterAlert());
    } else {
      packet.To(is_general ? IpAddress("ff02::1") : query.group).Source(IpAddress("fe80::2"));
    }
    host.Send(ip, packet);
  }
  packet::GroupQuery About(const IpAddress& address) const {
    // At most 0.1 s later: tenths of a second in IGMP, milliseconds in MLD.
    return {.group = address, .max_response = static_cast<std::uint16_t>(IsIpv4() ? 1 : 100)};
  }
  packet::GroupQuery General() const { return About(IpAddress(IsIpv4() ? "0.0.0.0" : "::")); }
  GroupRecord Record(GroupRecordType type, const IpAddress& address) const {
    return {type, address, {}, {}};
  }
};

}  // namespace

// --- broadcast -----------------------------------------------------------------------------------

TEST_WITH(GroupTest, UdpBroadcast, NeedsTheFlag,
          .claims = {"man:send(2)-EACCES-broadcast", "man:socket(7)-SO_BROADCAST"},
          .ipv4_only_because = "IPv6 has no broadcast") {
  ScriptedUdp& peer = host.Udp(ip, 4711);
  Socket socket = NewUdp();
  for (const char* address : {"192.0.2.255", "255.255.255.255"}) {
    const Endpoint everybody{IpAddress(address), peer.local().port};
    EXPECT_THAT(socket.SendTo(everybody, "no"), FailsWith(EACCES));
  }
  ASSERT_THAT(socket.SetOption("SO_BROADCAST", 1), Succeeds());
  const Endpoint everybody{IpAddress("192.0.2.255"), peer.local().port};
  ASSERT_THAT(socket.SendTo(everybody, "to all"), Returns(6));
  peer.Expect(Datagram("to all").To(everybody));
}

TEST_WITH(GroupTest, UdpBroadcast, GoesToAllOnTheLink,
          .claims = {"rfc1122:3.3.6-link-destination", "rfc894:broadcast",
                     "rfc1122:3.2.1.3-own-source"},
          .ipv4_only_because = "IPv6 has no broadcast") {
  ScriptedUdp& peer = host.Udp(ip, 4711);
  Socket socket = NewUdp();
  ASSERT_THAT(socket.SetOption("SO_BROADCAST", 1), Succeeds());
  for (const char* address : {"192.0.2.255", "255.255.255.255"}) {
    ASSERT_THAT(socket.SendTo(Endpoint{IpAddress(address), peer.local().port}, "all"), Returns(3));
    Deciding("rfc1122:3.3.6-link-destination");
    const IpPacket datagram = peer.Expect(Datagram("all").To(IpAddress(address)));
    Deciding("rfc894:broadcast");
    EXPECT_EQ(ToString(datagram.to_link), "ff:ff:ff:ff:ff:ff");
    Deciding("rfc1122:3.2.1.3-own-source");
    EXPECT_EQ(datagram.source().address, sut.Address(ip));
  }
}

TEST_WITH(GroupTest, UdpBroadcast, OfEachFormIsReceived, .claims = {"rfc1122:3.3.6-recognize"},
          .ipv4_only_because = "IPv6 has no broadcast") {
  auto [socket, peer] = BoundToAll();
  for (const char* address : {"192.0.2.255", "255.255.255.255"}) {
    peer.Send(Datagram(address).To(IpAddress(address)));
    ExpectReceived(socket, address, peer.local());
  }
}

TEST_WITH(GroupTest, UdpBroadcast, OfTheLinkAloneIsNotTaken,
          .claims = {"rfc1122:3.3.6-link-broadcast"},
          .ipv4_only_because = "IPv6 has no broadcast") {
  Dialogue dialogue = BoundToAll();
  dialogue.peer.Send(Datagram("to all of you").ToLink({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  ExpectNothingReceived(dialogue);
}

// --- membership ----------------------------------------------------------------------------------

TEST_WITH(GroupTest, UdpGroups, WhoHasJoinedReceives,
          .claims = {"rfc1112:7.2-destination", "man:ip(7)-IP_ADD_MEMBERSHIP",
                     "man:ipv6(7)-IPV6_ADD_MEMBERSHIP"}) {
  auto [socket, peer] = Member();
  peer.Send(Datagram("to the group").To(group()));
  ExpectReceived(socket, "to the group", peer.local());
}

TEST_WITH(GroupTest, UdpGroups, WhatNobodyHasJoinedIsNotTaken,
          .claims = {"rfc1122:3.2.1.3-destination", "man:ipv6(7)-IPV6_ADD_MEMBERSHIP"}) {
  Deciding(Of("rfc1122:3.2.1.3-destination", "man:ipv6(7)-IPV6_ADD_MEMBERSHIP"));
  Dialogue dialogue = BoundToAll();
  dialogue.peer.Send(Datagram("to the group").To(group()));
  ExpectNothingReceived(dialogue);
}

TEST_WITH(GroupTest, UdpGroups, WhoHasLeftReceivesNoMore,
          .claims = {"man:ip(7)-IP_ADD_MEMBERSHIP", "man:ipv6(7)-IPV6_ADD_MEMBERSHIP"}) {
  Deciding(Of("man:ip(7)-IP_ADD_MEMBERSHIP", "man:ipv6(7)-IPV6_ADD_MEMBERSHIP"));
  Dialogue dialogue = Member();
  ASSERT_THAT(Leave(dialogue.socket, group()), Succeeds());
  dialogue.peer.Send(Datagram("to the group").To(group()));
  ExpectNothingReceived(dialogue);
}

TEST_WITH(GroupTest, UdpGroups, EachOfSeveralMembersReceivesACopy,
          .claims = {"rfc1112:7.2-destination"}) {
  auto [one, peer] = Member();
  Socket other = NewUdp();
  ASSERT_THAT(other.SetOption("SO_REUSEADDR", 1), Succeeds());
  ASSERT_THAT(one.SetOption("SO_REUSEADDR", 1), Succeeds());
  // Of one that is bound already POSIX does not say what the option does.
  if (!other.Bind(Everywhere(peer.remote()->port)).ok()) NotReached("they cannot share a port");
  ASSERT_THAT(Join(other, group()), Succeeds());
  peer.Send(Datagram("to both").To(group()));
  ExpectReceived(one, "to both", peer.local());
  ExpectReceived(other, "to both", peer.local());
}

TEST_WITH(GroupTest, UdpGroups, WhoHasNotJoinedReceivesUnlessItSaysNo,
          .claims = {"man:ip(7)-IP_MULTICAST_ALL"},
          .ipv4_only_because = "ipv6(7) says nothing of it") {
  ThereIsAMember();
  Dialogue other = BoundToAll();
  other.peer.Send(Datagram("by default").To(group()));
  ExpectReceived(other.socket, "by default", other.peer.local());
  ASSERT_THAT(other.socket.SetOption("IP_MULTICAST_ALL", 0), Succeeds());
  other.peer.Send(Datagram("no more").To(group()));
  ExpectNothingReceived(other);
}

TEST_WITH(GroupTest, UdpGroups, WhatIsNoGroupCannotBeJoined,
          .claims = {"man:ip(7)-IP_ADD_MEMBERSHIP-EINVAL"},
          .ipv4_only_because = "ipv6(7) names no error") {
  Socket socket = NewUdp();
  EXPECT_THAT(Join(socket, host.Address(ip)), FailsWith(EINVAL));
}

TEST_WITH(GroupTest, UdpGroups, ASourceIsLetInAlone,
          .claims = {"man:ip(7)-IP_ADD_SOURCE_MEMBERSHIP", "rfc3376:5.1-sources"},
          .ipv4_only_because = "ipv6(7) has no such option") {
  Dialogue dialogue = BoundToAll();
  Bytes request = Membership(group());
  const IpAddress source = host.Address(ip);
  request.insert(request.end(), source.bytes(), source.bytes() + source.size());
  ASSERT_THAT(dialogue.socket.SetOption("IP_ADD_SOURCE_MEMBERSHIP", request), Succeeds());
  Deciding("man:ip(7)-IP_ADD_SOURCE_MEMBERSHIP");
  dialogue.peer.Send(Datagram("not from here").To(group()).Source(IpAddress("192.0.2.77")));
  dialogue.peer.Send(Datagram("from here").To(group()));
  ExpectReceived(dialogue.socket, "from here", dialogue.peer.local());
  Deciding("rfc3376:5.1-sources");
  host.Expect(Reports({GroupRecordType::kAllowNewSources, group(), {source}, {}}));
}

// --- reports -------------------------------------------------------------------------------------

TEST_WITH(GroupTest, UdpGroups, JoiningIsReportedAtOnce,
          .claims = {"rfc3376:5.1-join", "rfc3810:6.1-join"}) {
  Socket socket = NewUdp();
  ASSERT_THAT(Join(socket, group()), Succeeds());
  ExpectJoins();
}

TEST_WITH(GroupTest, UdpGroups, JoiningIsReportedAgainWithinASecond,
          .claims = {"rfc3376:5.1-repeated", "rfc3810:6.1-repeated"},
          .lasts = kUnsolicitedReportInterval) {
  Socket socket = NewUdp();
  ASSERT_THAT(Join(socket, group()), Succeeds());
  const IpPacket first = ExpectJoins();
  const IpPacket again = host.ExpectAgain(Joins(group()));
  // As much later as a timer may be; see FiresAfter.
  EXPECT_THAT(again.time - first.time,
              LastsAtMost(kUnsolicitedReportInterval + kUnsolicitedReportInterval / 8));
}

TEST_WITH(GroupTest, UdpGroups, LeavingIsReportedAtOnce,
          .claims = {"rfc3376:5.1-leave", "rfc3810:6.1-leave"}) {
  Dialogue dialogue = ReportedMember();
  ASSERT_THAT(Leave(dialogue.socket, group()), Succeeds());
  host.Expect(Leaves(group()));
}

TEST_WITH(GroupTest, UdpGroups, ClosingTheSocketLeavesToo,
          .claims = {"rfc3376:5.1-leave", "rfc3810:6.1-leave"}) {
  Dialogue dialogue = ReportedMember();
  ASSERT_THAT(dialogue.socket.Close(), Succeeds());
  host.Expect(Leaves(group()));
}

TEST_WITH(GroupTest, UdpGroups, ASecondMemberIsNotReported,
          .claims = {"rfc3376:5.1-leave", "rfc3810:6.1-leave"}) {
  ThereIsAReportedMember();
  Socket other = NewUdp();
  ASSERT_THAT(Join(other, group()), Succeeds());
  ASSERT_THAT(Leave(other, group()), Succeeds());
  ASSERT_THAT(Join(other, other_group()), Succeeds());
  host.Expect(Joins(other_group()));
}

TEST_WITH(GroupTest, UdpGroups, AReportHasItsHeaderAndDestination,
          .claims = {"rfc3376:4-header", "rfc3376:4.2.14-destination", "rfc3810:5-header",
                     "rfc3810:5.2.14-destination"}) {
  Socket socket = NewUdp();
  ASSERT_THAT(Join(socket, group()), Succeeds());
  const IpPacket report = ExpectJoins();
  Deciding(IsIpv4() ? "rfc3376:4-header" : "rfc3810:5-header");
  EXPECT_EQ(report.hop_limit(), 1);
  EXPECT_TRUE(report.checksum_valid());
  if (IsIpv4()) {
    const auto& options = report.packet.Find<packet::Ipv4>()->options;
    EXPECT_NE(packet::FindOption(options, ipv4_option::kRouterAlert), nullptr) << "no Router Alert";
    constexpr int kInternetworkControl = 6;
    EXPECT_EQ(report.traffic_class() >> 5, kInternetworkControl) << "another precedence";
  } else {
    const auto* options = report.packet.Find<packet::Ipv6Options>();
    ASSERT_NE(options, nullptr) << "no Hop-by-Hop Options";
    EXPECT_NE(packet::FindOption(options->options, ipv6_option::kRouterAlert), nullptr);
    // Unspecified as long as the interface has no such address.
    const IpAddress source = report.source().address;
    EXPECT_TRUE(source == IpAddress("::") || source.bytes()[0] == 0xfe) << "no link-local source";
  }
  Deciding(IsIpv4() ? "rfc3376:4.2.14-destination" : "rfc3810:5.2.14-destination");
  EXPECT_EQ(report.destination().address, IpAddress(IsIpv4() ? "224.0.0.22" : "ff02::16"));
}

TEST_WITH(GroupTest, UdpGroups, AGeneralQueryIsAnswered,
          .claims = {"rfc3376:5.2-general", "rfc3810:6.2-general"}) {
  ThereIsAReportedMember();
  Query(General());
  host.Expect(Reports(Record(GroupRecordType::kModeIsExclude, group())));
}

TEST_WITH(GroupTest, UdpGroups, AQueryOfTheGroupIsAnswered,
          .claims = {"rfc3376:5.2-specific", "rfc3810:6.2-specific"}) {
  ThereIsAReportedMember();
  Query(About(group()));
  host.Expect(Reports(Record(GroupRecordType::kModeIsExclude, group())));
}

TEST_WITH(GroupTest, UdpGroups, AQueryFromNoNeighbourIsIgnored, .claims = {"rfc3810:6.2-source"},
          .ipv6_only_because = "RFC 3376 demands nothing of the source") {
  ThereIsAReportedMember();
  host.Send(ip, GroupQuery(About(group())).HopLimit(1).To(group()));
  host.ExpectSilence(PacketKind::kGroups, 200ms);
}

TEST_WITH(GroupTest, UdpGroups, AllHostsAreNotReported, .claims = {"rfc3376:5-all-hosts"},
          .ipv4_only_because = "of IPv6 such reports are left out of what is looked at") {
  ThereIsAReportedMember();
  Query(General());
  const IpPacket report = host.Expect(Reports(Record(GroupRecordType::kModeIsExclude, group())));
  for (const GroupRecord& record : *packet::ReadGroupReport(report.packet)) {
    EXPECT_NE(record.group, IpAddress("224.0.0.1"));
  }
}

// --- sending to a group --------------------------------------------------------------------------

TEST_WITH(GroupTest, UdpGroups, ADatagramGoesToTheAddressOfTheGroupOnTheLink,
          .claims = {"rfc1112:6.4-ethernet", "rfc2464:7-multicast"}) {
  Deciding(Of("rfc1112:6.4-ethernet", "rfc2464:7-multicast"));
  Socket socket = NewUdp();
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  for (const IpAddress& to : {group(), other_group()}) {
    ASSERT_THAT(socket.SendTo(Endpoint{to, peer.local().port}, "to the group"), Returns(12));
    const IpPacket datagram = peer.Expect(Datagram("to the group").To(to));
    EXPECT_EQ(ToString(datagram.to_link), ToString(LinkAddressFor(to, {})));
  }
}

TEST_WITH(GroupTest, UdpGroups, AGroupIsNotTheSourceOfADatagram,
          .claims = {"rfc1122:3.2.1.3-own-source", "rfc4291:2.7-source"}) {
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  Socket socket = NewUdp();
  if (!socket.Bind(Name(Endpoint{group(), sut.At(ip, 5390).port})).ok()) {
    NotReached("no socket can be bound to a group");
  }
  // Refused, or sent from an address of the host.
  const Outcome<int> sent = socket.SendTo(peer.local(), "from all of us");
  Settle();
  Deciding(IsIpv4() ? "rfc1122:3.2.1.3-own-source" : "rfc4291:2.7-source");
  for (const IpPacket& datagram : peer.TakeArrived()) {
    EXPECT_NE(datagram.source().address, group()) << sent.call();
  }
}

TEST_WITH(GroupTest, UdpGroups, ADatagramDoesNotLeaveTheLinkByDefault,
          .claims = {"rfc1112:6.1-ttl", "man:ip(7)-IP_MULTICAST_TTL"},
          .ipv4_only_because = "ipv6(7) names no default") {
  Socket socket = NewUdp();
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  ASSERT_THAT(socket.SendTo(Endpoint{group(), peer.local().port}, "near"), Returns(4));
  peer.Expect(Datagram("near").HopLimit(1));
}

TEST_WITH(GroupTest, UdpGroups, TheHopLimitIsSet,
          .claims = {"man:ip(7)-IP_MULTICAST_TTL", "man:ipv6(7)-IPV6_MULTICAST_HOPS"}) {
  Socket socket = NewUdp();
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  ASSERT_THAT(socket.SetOption(Of("IP_MULTICAST_TTL", "IPV6_MULTICAST_HOPS"), 9), Succeeds());
  ASSERT_THAT(socket.SendTo(Endpoint{group(), peer.local().port}, "far"), Returns(3));
  peer.Expect(Datagram("far").HopLimit(9));
  ASSERT_THAT(socket.SendTo(peer.local(), "to one"), Returns(6));
  EXPECT_NE(peer.Expect(Datagram("to one")).hop_limit(), 9);
}

TEST_WITH(GroupTest, UdpGroups, ADatagramComesBackUnlessTheSenderSaysNo,
          .claims = {"man:ip(7)-IP_MULTICAST_LOOP", "man:ipv6(7)-IPV6_MULTICAST_LOOP"}) {
  auto [socket, peer] = Member();
  const Endpoint to_group{group(), peer.remote()->port};
  const char* option = Of("IP_MULTICAST_LOOP", "IPV6_MULTICAST_LOOP");
  ASSERT_THAT(socket.SetOption(option, 1), Succeeds());
  ASSERT_THAT(socket.SendTo(to_group, "to us too"), Returns(9));
  EXPECT_THAT(socket.Receive(64), Returns("to us too"));
  ASSERT_THAT(socket.SetOption(option, 0), Succeeds());
  ASSERT_THAT(socket.SendTo(to_group, "to others"), Returns(9));
  peer.Send(Datagram("next"));
  EXPECT_THAT(socket.Receive(64), Returns("next"));
}
