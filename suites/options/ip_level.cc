// What options of IP, IPv6 and UDP do that no other suite is about: ip(7), ipv6(7), udp(7) and
// udplite(7) of the Linux man-pages, RFC 3493, RFC 3542, RFC 3678, RFC 5014, ip-sysctl.rst of
// Linux.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <variant>

#include "harness/claims/link.h"
#include "suites/options/headers.h"
#include "suites/options/privilege.h"
#include "suites/udp/udp_test.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Ge;
using testing::Le;
using testing::Not;

std::string TextOf(const Bytes& octets) { return {octets.begin(), octets.end()}; }

class IpLevelTest : public SocketsTest {};

// --- IPv4 ----------------------------------------------------------------------------------------

TEST_WITH(IpLevelTest, IpLevel, ThePortIsChosenWhenItConnects,
          .claims = {"man:ip(7)-IP_BIND_ADDRESS_NO_PORT"}, .over = kOptionKindsOfIpv4) {
  Socket other = family.type == "SOCK_STREAM" ? Listening() : Bound();
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption("IP_BIND_ADDRESS_NO_PORT", 1), Succeeds());
  ASSERT_THAT(socket.Bind(Loopback()), Succeeds());
  EXPECT_EQ(socket.LocalEndpoint().port, 0);
  ASSERT_THAT(socket.Connect(other.LocalName().value()), Succeeds());
  EXPECT_NE(socket.LocalEndpoint().port, 0);
}

constexpr int PortRange(int low, int high) { return high << 16 | low; }

class PortRangeTest : public IpLevelTest {
 protected:
  // Ports of the system's range: others have no effect.
  std::pair<int, int> TwoPorts() {
    Socket chosen = Bound();
    const int port = chosen.LocalEndpoint().port;
    chosen.Close().value();
    return {port, port + 1};
  }
  Outcome<int> Narrow(Socket& socket, int low, int high) {
    const Outcome<int> set = socket.SetOption("IP_LOCAL_PORT_RANGE", PortRange(low, high));
    if (set.error() == ENOPROTOOPT) throw Skip("IP_LOCAL_PORT_RANGE is newer than this system");
    return set;
  }
};

TEST_WITH(PortRangeTest, IpLevel, APortComesFromTheRangeOfTheSocket,
          .claims = {"man:ip(7)-IP_LOCAL_PORT_RANGE"}, .over = kOptionKindsOfIpv4) {
  const auto [low, high] = TwoPorts();
  for (int time = 0; time < 8; ++time) {
    Socket socket = NewSocket();
    ASSERT_THAT(Narrow(socket, low, high), Succeeds());
    EXPECT_THAT(socket.GetOption("IP_LOCAL_PORT_RANGE"), Returns(PortRange(low, high)));
    ASSERT_THAT(socket.Bind(Loopback()), Succeeds());
    EXPECT_THAT(socket.LocalEndpoint().port, AllOf(Ge(low), Le(high)));
    socket.Close().value();
  }
}

TEST_WITH(PortRangeTest, IpLevel, ARangeThatIsUpsideDownIsInvalid,
          .claims = {"man:ip(7)-IP_LOCAL_PORT_RANGE-EINVAL"}, .over = kOptionKindsOfIpv4) {
  Socket socket = NewSocket();
  EXPECT_THAT(Narrow(socket, 40'001, 40'000), FailsWith(EINVAL));
}

TEST_WITH(IpLevelTest, IpLevel, IpTransparentAdmitsAForeignAddress,
          .claims = {"man:ip(7)-IP_TRANSPARENT"}, .over = kOptionKindsOfIpv4) {
  Socket socket = NewSocket();
  const Endpoint foreign{IpAddress("203.0.113.250"), 0};
  if (NewSocket().Bind(foreign).ok()) NotReached("any address may be bound: ip_nonlocal_bind");
  const Outcome<int> set = socket.SetOption("IP_TRANSPARENT", 1);
  RequirePrivilege(set);
  ASSERT_THAT(set, Succeeds());
  EXPECT_THAT(socket.Bind(foreign), Succeeds());
}

TEST_WITH(IpLevelTest, IpLevel, IpTransparentNeedsACapability,
          .claims = {"man:ip(7)-IP_TRANSPARENT-capability"}, .needs = {"processes"},
          .over = kOptionKindsOfIpv4) {
  Process ordinary =
      sut.process().Fork({.without_capabilities = {"CAP_NET_ADMIN", "CAP_NET_RAW"}}).value();
  EXPECT_THAT(ordinary.Of(NewSocket()).SetOption("IP_TRANSPARENT", 1), Not(Succeeds()));
}

TEST_WITH(IpLevelTest, IpLevel, IpHdrinclIsForRawSockets, .claims = {"man:ip(7)-IP_HDRINCL-raw"},
          .over = kOptionKindsOfIpv4) {
  EXPECT_THAT(NewSocket().SetOption("IP_HDRINCL", 1), Not(Succeeds()));
}

TEST_WITH(IpLevelTest, IpLevel, TheDeviceOfMulticastIsReadByItsAddress,
          .claims = {"man:ip(7)-IP_MULTICAST_IF"}, .over = kUdpOverIpv4) {
  Socket socket = NewSocket();
  for (const Bytes& address : {Bytes{127, 0, 0, 1}, Bytes{0, 0, 0, 0}}) {
    ASSERT_THAT(socket.SetOption("IP_MULTICAST_IF", address), Succeeds());
    EXPECT_THAT(socket.GetOctets("IP_MULTICAST_IF", 4), Returns(TextOf(address)));
  }
}

constexpr std::uint8_t kRecordRoute = 7;

class IpOptionTest : public UdpTest {};

struct IncomingOptions {
  const char* name;
  const char* option;
  const char* claim;
  bool filled_in;  // for this host
};
constexpr IncomingOptions kIncomingOptions[] = {
    {"processed", "IP_RECVOPTS", "man:ip(7)-IP_RECVOPTS", true},
    {"raw", "IP_RETOPTS", "man:ip(7)-IP_RETOPTS", false}};

TEST_WITH(IpOptionTest, IpLevel, OptionsOfTheHeaderAreTold,
          .claims = {"man:ip(7)-IP_RECVOPTS", "man:ip(7)-IP_RETOPTS"}, .needs = {"messages"},
          .ipv4_only_because = "IPv6 has no options in its header", .rows = kIncomingOptions) {
  const IncomingOptions& row = RowOf(kIncomingOptions);
  Deciding(row.claim);
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption(row.option, 1), Succeeds());
  // Record Route of RFC 791 with room for one address, at which its pointer points.
  peer.Send(Datagram("by which way?").Option({kRecordRoute, {4, 0, 0, 0, 0}}));
  const Received received = socket.ReceiveMessage(64, ControlRoom::Octets(512)).value();
  Bytes route = {kRecordRoute, 7, 4, 0, 0, 0, 0};
  if (row.filled_in) {
    route[2] = 8;
    const IpAddress here = sut.Address(ip);
    std::copy_n(here.bytes(), here.size(), route.begin() + 3);
  }
  // By which type it is told, the page and Linux do not agree on.
  bool told = false;
  for (const ControlItem& item : received.control) {
    const auto* octets = std::get_if<std::string>(&item.value);
    told = told || (octets != nullptr && octets->find(TextOf(route)) != std::string::npos);
  }
  EXPECT_TRUE(told) << "no item of control data has the option";
}

// --- sources of groups ---------------------------------------------------------------------------

class SourceTest : public UdpTest {
 protected:
  IpAddress group() const { return IpAddress(IsIpv4() ? "239.1.2.3" : "ff08::1234"); }
  IpAddress here() const { return sut.Address(ip); }
  IpAddress other_source() const { return IpAddress(IsIpv4() ? "192.0.2.77" : "2001:db8::77"); }

  static void Add(Bytes& request, const IpAddress& address) {
    request.insert(request.end(), address.bytes(), address.bytes() + address.size());
  }
  // struct ip_mreq, struct ip_mreq_source.
  Bytes Membership() const {
    Bytes request;
    Add(request, group());
    Add(request, here());
    return request;
  }
  Bytes Source(const IpAddress& source) const {
    Bytes request = Membership();
    Add(request, source);
    return request;
  }
  // struct group_req and struct group_source_req of systems with 64 bits: the number of an
  // interface, 0 for the system's choice, and one or two of struct sockaddr_storage.
  Bytes GroupRequest(const std::vector<IpAddress>& addresses) const {
    constexpr std::size_t kStorage = 128;
    Bytes request(8, 0);
    for (const IpAddress& address : addresses) {
      Bytes storage;
      const int family = IsIpv4() ? AF_INET : AF_INET6;
      storage.push_back(static_cast<std::uint8_t>(family));
      storage.resize(IsIpv4() ? 4 : 8, 0);
      Add(storage, address);
      storage.resize(kStorage, 0);
      request.insert(request.end(), storage.begin(), storage.end());
    }
    return request;
  }
  // Options of RFC 3678 have one number at both levels.
  Outcome<int> SetGroup(Socket& socket, const std::string& option,
                        const std::vector<IpAddress>& addresses) {
    const std::string level = IsIpv4() ? "IPPROTO_IP/" : "IPPROTO_IPV6/";
    return socket.SetOption(level + option, GroupRequest(addresses));
  }
  // What is sent to the group from there is received, or not: what is sent to the socket behind it
  // is.
  bool Receives(Dialogue& dialogue, const IpAddress& source) {
    dialogue.peer.Send(Datagram("to the group").To(group()).Source(source));
    dialogue.peer.Send(Datagram("to you"));
    Settle();
    // Nothing says in which order they are received.
    const std::string first = dialogue.socket.Receive(64).value();
    const Outcome<std::string> second = dialogue.socket.Receive(64, {"MSG_DONTWAIT"});
    return first == "to the group" || (second.ok() && second.value() == "to the group");
  }
};

TEST_WITH(SourceTest, GroupSources, ASourceIsBlockedAndUnblocked,
          .claims = {"man:ip(7)-IP_BLOCK_SOURCE", "man:ip(7)-IP_UNBLOCK_SOURCE"},
          .ipv4_only_because = "ipv6(7) has no such options") {
  Dialogue dialogue = BoundToAll();
  dialogue.socket.SetOption("IP_ADD_MEMBERSHIP", Membership()).value();
  Deciding("man:ip(7)-IP_BLOCK_SOURCE");
  ASSERT_THAT(dialogue.socket.SetOption("IP_BLOCK_SOURCE", Source(other_source())), Succeeds());
  EXPECT_FALSE(Receives(dialogue, other_source()));
  EXPECT_TRUE(Receives(dialogue, host.Address(ip)));
  Deciding("man:ip(7)-IP_UNBLOCK_SOURCE");
  ASSERT_THAT(dialogue.socket.SetOption("IP_UNBLOCK_SOURCE", Source(other_source())), Succeeds());
  EXPECT_TRUE(Receives(dialogue, other_source()));
}

TEST_WITH(SourceTest, GroupSources, ASourceThatIsNotBlockedCannotBeUnblocked,
          .claims = {"man:ip(7)-IP_UNBLOCK_SOURCE-EADDRNOTAVAIL"},
          .ipv4_only_because = "ipv6(7) has no such option") {
  Dialogue dialogue = BoundToAll();
  dialogue.socket.SetOption("IP_ADD_MEMBERSHIP", Membership()).value();
  EXPECT_THAT(dialogue.socket.SetOption("IP_UNBLOCK_SOURCE", Source(other_source())),
              FailsWith(EADDRNOTAVAIL));
}

TEST_WITH(SourceTest, GroupSources, ASourceIsLeftAndOthersStay,
          .claims = {"man:ip(7)-IP_DROP_SOURCE_MEMBERSHIP"},
          .ipv4_only_because = "ipv6(7) has no such option") {
  Dialogue dialogue = BoundToAll();
  for (const IpAddress& source : {host.Address(ip), other_source()}) {
    dialogue.socket.SetOption("IP_ADD_SOURCE_MEMBERSHIP", Source(source)).value();
  }
  ASSERT_TRUE(Receives(dialogue, other_source()));
  const Bytes left = Source(other_source());
  ASSERT_THAT(dialogue.socket.SetOption("IP_DROP_SOURCE_MEMBERSHIP", left), Succeeds());
  EXPECT_FALSE(Receives(dialogue, other_source()));
  EXPECT_TRUE(Receives(dialogue, host.Address(ip)));
}

TEST_WITH(SourceTest, GroupSources, TheFilterIsSetAsAWhole, .claims = {"man:ip(7)-IP_MSFILTER"},
          .ipv4_only_because = "it is an option of IPv4") {
  Dialogue dialogue = BoundToAll();
  dialogue.socket.SetOption("IP_ADD_MEMBERSHIP", Membership()).value();
  // struct ip_msfilter: MCAST_INCLUDE is 1, and one source follows.
  Bytes filter = Membership();
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{1}}) {
    filter.insert(filter.end(), {number, 0, 0, 0});
  }
  Add(filter, other_source());
  ASSERT_THAT(dialogue.socket.SetOption("IP_MSFILTER", filter), Succeeds());
  EXPECT_TRUE(Receives(dialogue, other_source()));
  EXPECT_FALSE(Receives(dialogue, host.Address(ip)));
}

TEST_WITH(SourceTest, GroupSources, AGroupIsJoinedAndLeft,
          .claims = {"rfc3678:5.1.1-MCAST_JOIN_GROUP"}) {
  Dialogue dialogue = BoundToAll();
  // Who gets datagrams of groups that others have joined is another option's.
  dialogue.socket.SetOption(Of("IP_MULTICAST_ALL", "IPPROTO_IPV6/0x1d"), 0);
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_JOIN_GROUP", {group()}), Succeeds());
  EXPECT_TRUE(Receives(dialogue, host.Address(ip)));
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_LEAVE_GROUP", {group()}), Succeeds());
  EXPECT_FALSE(Receives(dialogue, host.Address(ip)));
}

TEST_WITH(SourceTest, GroupSources, ASourceOfAGroupIsMutedAndUnmuted,
          .claims = {"rfc3678:5.1.1-MCAST_BLOCK_SOURCE"}) {
  Dialogue dialogue = BoundToAll();
  SetGroup(dialogue.socket, "MCAST_JOIN_GROUP", {group()}).value();
  const std::vector<IpAddress> muted = {group(), other_source()};
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_BLOCK_SOURCE", muted), Succeeds());
  EXPECT_FALSE(Receives(dialogue, other_source()));
  EXPECT_TRUE(Receives(dialogue, host.Address(ip)));
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_UNBLOCK_SOURCE", muted), Succeeds());
  EXPECT_TRUE(Receives(dialogue, other_source()));
}

TEST_WITH(SourceTest, GroupSources, ASourceSpecificGroupIsJoinedAndLeft,
          .claims = {"rfc3678:5.1.2-MCAST_JOIN_SOURCE_GROUP"}) {
  Dialogue dialogue = BoundToAll();
  dialogue.socket.SetOption(Of("IP_MULTICAST_ALL", "IPPROTO_IPV6/0x1d"), 0);
  const std::vector<IpAddress> one = {group(), other_source()};
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_JOIN_SOURCE_GROUP", one), Succeeds());
  EXPECT_TRUE(Receives(dialogue, other_source()));
  EXPECT_FALSE(Receives(dialogue, host.Address(ip)));
  ASSERT_THAT(SetGroup(dialogue.socket, "MCAST_LEAVE_SOURCE_GROUP", one), Succeeds());
  EXPECT_FALSE(Receives(dialogue, other_source()));
}

// --- IPv6 ----------------------------------------------------------------------------------------

constexpr Family kOfIpv6Alone[] = {kIpv6Family};
constexpr Family kMappedAlone[] = {kMappedFamily};

TEST_WITH(IpLevelTest, Ipv6Level, AMappedConnectionBecomesOneOfIpv4,
          .claims = {"man:ipv6(7)-IPV6_ADDRFORM"}, .over = kMappedAlone) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("IPV6_ADDRFORM", AF_INET), Succeeds());
  EXPECT_THAT(near.GetOption("SO_DOMAIN"), Returns(AF_INET));
  EXPECT_EQ(near.PeerName().value().endpoint()->address, IpAddress("127.0.0.1"));
  ASSERT_THAT(far.Send("still there"), Returns(11));
  EXPECT_THAT(near.Receive(64), Returns("still there"));
}

TEST_WITH(IpLevelTest, Ipv6Level, AConnectionOfIpv6DoesNot,
          .claims = {"man:ipv6(7)-IPV6_ADDRFORM-mapped"}, .over = kOfIpv6Alone) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(near.SetOption("IPV6_ADDRFORM", AF_INET), Not(Succeeds()));
  EXPECT_THAT(NewSocket().SetOption("IPV6_ADDRFORM", AF_INET), Not(Succeeds()));
}

// Of RFC 5014 section 3, as netinet/in.h of Linux numbers them.
constexpr int kPreferTemporary = 0x1;
constexpr int kPreferPublic = 0x2;

TEST_WITH(IpLevelTest, Ipv6Level, OppositePreferencesAreInvalid, .claims = {"rfc5014:5-EINVAL"},
          .over = kOptionKindsOfIpv6) {
  Socket socket = NewSocket();
  EXPECT_THAT(socket.SetOption("IPV6_ADDR_PREFERENCES", kPreferTemporary | kPreferPublic),
              FailsWith(EINVAL));
  ASSERT_THAT(socket.SetOption("IPV6_ADDR_PREFERENCES", kPreferPublic), Succeeds());
  EXPECT_EQ(socket.GetOption("IPV6_ADDR_PREFERENCES").value() & kPreferPublic, kPreferPublic);
}

TEST_WITH(IpLevelTest, Ipv6Level, TheChecksumOptionIsForRawSockets,
          .claims = {"rfc3542:3.1-not-raw"}, .over = kUdpOverIpv6) {
  Socket socket = NewSocket();
  EXPECT_THAT(socket.SetOption("IPV6_CHECKSUM", 2), Not(Succeeds()));
  EXPECT_THAT(socket.GetOption("IPV6_CHECKSUM"), Not(Succeeds()));
}

TEST_WITH(IpLevelTest, Ipv6Level, TheInterfaceOfMulticastIsReadAsItWasSet,
          .claims = {"rfc3493:5.2-IPV6_MULTICAST_IF"}, .needs = {"messages"},
          .over = kUdpOverIpv6) {
  // The number of the loopback interface.
  auto [near, far] = ConnectedPair();
  near.SetOption("IPV6_RECVPKTINFO", 1).value();
  far.Send("by which?").value();
  const Received received = near.ReceiveMessage(64, ControlRoom::Octets(256)).value();
  const ControlItem* item = received.Find("IPV6_PKTINFO");
  if (item == nullptr) NotReached("it does not tell the number of its loopback interface");
  const int loopback = std::get<PacketInfo>(item->value).ifindex;
  Socket socket = NewSocket();
  for (const int number : {loopback, 0}) {
    ASSERT_THAT(socket.SetOption("IPV6_MULTICAST_IF", number), Succeeds());
    EXPECT_THAT(socket.GetOption("IPV6_MULTICAST_IF"), Returns(number));
  }
}

class Ipv6LevelTest : public UdpTest {
 protected:
  // A header of 8 octets with an option that is padding, as the API has it: RFC 3542 section 8.
  static Bytes PaddingHeader() { return {0, 0, 1, 4, 0, 0, 0, 0}; }

  // For the link of the system.
  std::string TooLong() { return std::string(LinkMtu(sut.facts()) + 100, 'x'); }

  static packet::Ipv6Options Header(std::uint8_t header) {
    return {.header = header, .next_header = {}, .length = {}, .options = {}, .option_rest = {}};
  }
};

#define OF_IPV6 .ipv6_only_because = "it is an option of IPv6"

TEST_WITH(Ipv6LevelTest, Ipv6Level, WithIpv6DontfragNothingIsFragmented,
          .claims = {"rfc3542:11.2-IPV6_DONTFRAG"}, OF_IPV6) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("IPV6_DONTFRAG", 1), Succeeds());
  const Outcome<int> sent = socket.Send(TooLong());
  EXPECT_THAT(sent, AnyOf(Succeeds(), FailsWith(EMSGSIZE)));
  // It is discarded: what follows it comes first.
  ASSERT_THAT(socket.Send("small"), Returns(5));
  peer.Expect(Datagram("small"));
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, ThePathMtuOfAConnectedSocketIsRead,
          .claims = {"rfc3542:11.4-IPV6_PATHMTU"}, OF_IPV6) {
  // struct ip6_mtuinfo: a sockaddr_in6 of 28 octets, and the MTU.
  EXPECT_THAT(NewUdp().GetOctets("IPV6_PATHMTU", 32), Not(Succeeds()));
  auto [socket, peer] = Connected();
  const std::string info = socket.GetOctets("IPV6_PATHMTU", 32).value();
  ASSERT_EQ(info.size(), 32U);
  const auto octet = [&](std::size_t at) { return static_cast<std::uint8_t>(info[at]); };
  const int mtu = octet(28) | octet(29) << 8 | octet(30) << 16 | octet(31) << 24;
  EXPECT_EQ(mtu, socket.GetOption("IPV6_MTU").value());
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, APacketThatIsTooBigForThePathIsTold,
          .claims = {"rfc3542:11.3-IPV6_RECVPATHMTU"}, .needs = {"messages"}, OF_IPV6) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("IPV6_RECVPATHMTU", 1), Succeeds());
  ASSERT_THAT(socket.SetOption("IPV6_DONTFRAG", 1), Succeeds());
  socket.Send(TooLong());
  // No data, and an item of the type IPV6_PATHMTU.
  const Outcome<Received> told =
      socket.ReceiveMessage(64, ControlRoom::Octets(256), {"MSG_DONTWAIT"});
  ASSERT_THAT(told, Succeeds());
  EXPECT_EQ(told.value().data, "");
  EXPECT_EQ(told.value().control.size(), 1U);
}

struct Sticky {
  const char* name;
  const char* option;
  std::uint8_t header;
};
constexpr Sticky kSticky[] = {
    {"destination", "IPV6_DSTOPTS", packet::ip_protocol::kDestinationOptions},
    {"hop-by-hop", "IPV6_HOPOPTS", packet::ip_protocol::kHopByHop},
};

TEST_WITH(Ipv6LevelTest, Ipv6Level, AHeaderThatIsSetGoesWithEachDatagram,
          .claims = {"rfc3542:4-sticky"}, OF_IPV6, .rows = kSticky) {
  const Sticky& sticky = RowOf(kSticky);
  auto [socket, peer] = Connected();
  const Outcome<int> set = socket.SetOption(sticky.option, PaddingHeader());
  RequirePrivilege(set);
  ASSERT_THAT(set, Succeeds());
  for (int time = 0; time < 2; ++time) {
    ASSERT_THAT(socket.Send("with a header"), Returns(13));
    const Bytes octets = peer.Expect(Datagram("with a header")).octets();
    EXPECT_EQ(octets.at(6), sticky.header) << "Next Header of the IPv6 header";
  }
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, AHeaderIsReadAsItWasSetAndIsNoneAtFirst,
          .claims = {"rfc3542:4-sticky-read"}, OF_IPV6) {
  for (const char* option : {"IPV6_DSTOPTS", "IPV6_HOPOPTS", "IPV6_RTHDRDSTOPTS", "IPV6_RTHDR"}) {
    EXPECT_THAT(NewUdp().GetOctets(option, 64), Returns("")) << option;
  }
  Socket socket = NewUdp();
  const Outcome<int> set = socket.SetOption("IPV6_DSTOPTS", PaddingHeader());
  RequirePrivilege(set);
  ASSERT_THAT(set, Succeeds());
  // The header that is to follow is filled in when it is sent.
  const std::string read = socket.GetOctets("IPV6_DSTOPTS", 64).value();
  ASSERT_EQ(read.size(), PaddingHeader().size());
  EXPECT_EQ(read.substr(1), TextOf(PaddingHeader()).substr(1));
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, TheNextHopIsSet, .claims = {"rfc3542:6.4-IPV6_NEXTHOP"},
          OF_IPV6) {
  Bytes neighbour = {AF_INET6, 0, 0, 0, 0, 0, 0, 0};
  const IpAddress address = host.Address(ip);
  neighbour.insert(neighbour.end(), address.bytes(), address.bytes() + address.size());
  neighbour.resize(28, 0);
  const Outcome<int> set = NewUdp().SetOption("IPV6_NEXTHOP", neighbour);
  RequirePrivilege(set);
  EXPECT_THAT(set, Succeeds());
}

struct IncomingHeader {
  const char* name;
  const char* option;
  std::uint8_t header;
};
constexpr IncomingHeader kIncomingHeaders[] = {
    {"destination", "IPV6_RECVDSTOPTS", packet::ip_protocol::kDestinationOptions},
    {"hop-by-hop", "IPV6_RECVHOPOPTS", packet::ip_protocol::kHopByHop},
};

TEST_WITH(Ipv6LevelTest, Ipv6Level, AHeaderThatCameIsToldWhenItIsAskedFor,
          .claims = {"rfc3542:4.2-received"}, .needs = {"messages"}, OF_IPV6,
          .rows = kIncomingHeaders) {
  const IncomingHeader& row = RowOf(kIncomingHeaders);
  auto [socket, peer] = Bound();
  const auto items = [&peer = peer, &socket = socket](const PartialPacket& datagram) {
    peer.Send(datagram);
    return socket.ReceiveMessage(64, ControlRoom::Octets(512)).value().control.size();
  };
  EXPECT_EQ(items(Datagram("not asked for").With(Header(row.header))), 0U);
  ASSERT_THAT(socket.SetOption(row.option, 1), Succeeds());
  EXPECT_EQ(items(Datagram("asked for").With(Header(row.header))), 1U);
  EXPECT_EQ(items(Datagram("without")), 0U);
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, ARoutingHeaderThatCameIsToldWhenItIsAskedFor,
          .claims = {"rfc3542:4.2-received"}, .needs = {"messages"}, OF_IPV6) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption("IPV6_RECVRTHDR", 1), Succeeds());
  // Of a type that nobody knows, and with no segments left: RFC 8200 section 4.4 has it ignored.
  const packet::Ipv6Routing routing{
      .next_header = {}, .length = {}, .type = 253, .segments_left = 0, .data = Bytes(4, 0)};
  peer.Send(Datagram("by a way").With(routing));
  const Received received = socket.ReceiveMessage(64, ControlRoom::Octets(512)).value();
  EXPECT_EQ(received.control.size(), 1U);
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, TheFlowIsTold, .claims = {"man:ipv6(7)-IPV6_FLOWINFO"},
          .needs = {"messages"}, OF_IPV6) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption("IPV6_FLOWINFO", 1), Succeeds());
  peer.Send(Datagram("of a flow").FlowLabel(0x12345));
  const Received received = socket.ReceiveMessage(64, ControlRoom::Octets(256)).value();
  ASSERT_EQ(received.control.size(), 1U);
  const auto* octets = std::get_if<std::string>(&received.control[0].value);
  ASSERT_NE(octets, nullptr);
  EXPECT_TRUE(octets->ends_with(std::string("\x01\x23\x45", 3)));
}

TEST_WITH(Ipv6LevelTest, Ipv6Level, FlowLabelsAreTurnedOffForASocket,
          .claims = {"linux:auto_flowlabels"}, OF_IPV6) {
  const int automatic = sut.facts().SysctlOr("net.ipv6.auto_flowlabels", 1);
  if (automatic == 0 || automatic == 3) NotReached("the option is not allowed to decide");
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("IPV6_AUTOFLOWLABEL", 0), Succeeds());
  ASSERT_THAT(socket.Send("without"), Returns(7));
  peer.Expect(Datagram("without").FlowLabel(0));
  ASSERT_THAT(socket.SetOption("IPV6_AUTOFLOWLABEL", 1), Succeeds());
  ASSERT_THAT(socket.Send("with"), Returns(4));
  EXPECT_NE(peer.Expect(Datagram("with")).flow_label(), 0U);
}

// --- UDP -----------------------------------------------------------------------------------------

class UdpLevelTest : public UdpTest {};

TEST_WITH(UdpLevelTest, UdpLevel, OneSendBecomesDatagramsOfTheSegmentSize,
          .claims = {"man:udp(7)-UDP_SEGMENT"}) {
  auto [socket, peer] = Connected();
  const Outcome<int> set = socket.SetOption("UDP_SEGMENT", 100);
  if (set.error() == ENOPROTOOPT) throw Skip("UDP_SEGMENT is newer than this system");
  ASSERT_THAT(set, Succeeds());
  const std::string data = std::string(100, 'a') + std::string(100, 'b') + "and less";
  ASSERT_THAT(socket.Send(data), Returns(static_cast<int>(data.size())));
  for (const std::string& part : {data.substr(0, 100), data.substr(100, 100), data.substr(200)}) {
    peer.Expect(Datagram(part));
  }
}

TEST_WITH(UdpLevelTest, UdpLevel, TheSizeOfSegmentsIsReadAndHasBounds,
          .claims = {"man:udp(7)-UDP_SEGMENT-range"}) {
  Socket socket = NewUdp();
  if (socket.SetOption("UDP_SEGMENT", 1400).error() == ENOPROTOOPT) {
    throw Skip("UDP_SEGMENT is newer than this system");
  }
  for (const int inside : {1, 1400, 0xffff}) {
    EXPECT_THAT(socket.SetOption("UDP_SEGMENT", inside), Succeeds());
    EXPECT_THAT(socket.GetOption("UDP_SEGMENT"), Returns(inside));
  }
  for (const int outside : {-1, 0x10000}) {
    EXPECT_THAT(socket.SetOption("UDP_SEGMENT", outside), FailsWith(EINVAL));
  }
  EXPECT_THAT(socket.SetOption("UDP_SEGMENT", 0), Succeeds());
}

class UdpGroTest : public SocketsTest {};

TEST_WITH(UdpGroTest, UdpLevel, OfDatagramsThatAreGivenTogetherTheSizeIsTold,
          .claims = {"man:udp(7)-UDP_GRO"}, .needs = {"messages"}, .over = kOptionKindsOfUdp) {
  auto [near, far] = ConnectedPair();
  if (!near.SetOption("UDP_GRO", 1).ok() || !far.SetOption("UDP_SEGMENT", 100).ok()) {
    throw Skip("UDP_GRO is newer than this system");
  }
  const std::string data = std::string(100, 'a') + std::string(100, 'b') + "and less";
  ASSERT_THAT(far.Send(data), Returns(static_cast<int>(data.size())));
  const Received received = near.ReceiveMessage(2048, ControlRoom::Octets(256)).value();
  if (received.data.size() <= 100) return NotTaken("man:udp(7)-UDP_GRO", "they come one by one");
  EXPECT_EQ(received.data, data.substr(0, received.data.size()));
  EXPECT_EQ(received.Number("UDP_GRO"), 100);
}

class UdpLiteTest : public SocketsTest {};

TEST_WITH(UdpLiteTest, UdpLevel, AChecksumCoversAtLeastTheHeader,
          .claims = {"man:udplite(7)-coverage"}, .over = kOptionKindsOfUdp) {
  Outcome<Socket> opened =
      sut.OpenSocket(std::string(family.domain), "SOCK_DGRAM", {}, "IPPROTO_UDPLITE");
  if (!opened.ok()) throw Skip("the system has no UDP-Lite");
  Socket socket = opened.value();
  for (const char* option : {"UDPLITE_SEND_CSCOV", "UDPLITE_RECV_CSCOV"}) {
    for (const auto& [set, read] : {std::pair(0, 0), {1, 8}, {7, 8}, {8, 8}, {65535, 65535}}) {
      ASSERT_THAT(socket.SetOption(option, set), Succeeds());
      EXPECT_THAT(socket.GetOption(option), Returns(read)) << option << " " << set;
    }
  }
}

}  // namespace
}  // namespace sockproof
