// What a TCP tells the layer below and hears from it: TTL, Differentiated Services, IP options and
// source routes. RFC 9293 sections 3.9.1.9 and 3.9.2.
#include <string>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

// AF21, and AF11: bits 2 to 7; the lower two are those of ECN.
constexpr std::uint8_t kOneClass = 18 << 2;
constexpr std::uint8_t kOtherClass = 10 << 2;
constexpr std::uint8_t kClassBits = 0xfc;

class IpHeaderTest : public PeerTest {
 protected:
  std::string HopLimitOption() const {
    return ip == IpVersion::kIpv4 ? "IP_TTL" : "IPV6_UNICAST_HOPS";
  }
  std::string ClassOption() const { return ip == IpVersion::kIpv4 ? "IP_TOS" : "IPV6_TCLASS"; }
};

int ClassOf(const Segment& segment) { return segment.traffic_class & kClassBits; }

}  // namespace

TEST_WITH(IpHeaderTest, IpHeader, TheHopLimitIsWhatTheApplicationSets,
          .claims = {"rfc9293:MUST-49", "man:ip(7)-IP_TTL", "man:ipv6(7)-IPV6_UNICAST_HOPS"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption(HopLimitOption(), 17), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn().HopLimit(17));
  peer.Send(SynAck());
  peer.Expect(Ack().HopLimit(17));
  connecting.Await().value();
  ASSERT_THAT(socket.Send("near"), Returns(4));
  peer.Expect(Data("near").HopLimit(17));

  // Also of a connection that stands.
  peer.Send(Ack());
  ASSERT_THAT(socket.SetOption(HopLimitOption(), 71), Succeeds());
  ASSERT_THAT(socket.Send("far"), Returns(3));
  peer.Expect(Data("far").HopLimit(71));
}

TEST_WITH(IpHeaderTest, IpHeader, TheClassIsWhatTheApplicationSets,
          .claims = {"rfc9293:MUST-48", "rfc9293:SHLD-22", "man:ip(7)-IP_TOS"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption(ClassOption(), kOneClass), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  EXPECT_EQ(ClassOf(peer.Expect(Syn())), kOneClass);
  peer.Send(SynAck());
  EXPECT_EQ(ClassOf(peer.Expect(Ack())), kOneClass);
  connecting.Await().value();
  ASSERT_THAT(socket.Send("classy"), Returns(6));
  EXPECT_EQ(ClassOf(peer.Expect(Data("classy"))), kOneClass);
  peer.Send(Ack());
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  EXPECT_EQ(ClassOf(peer.Expect(Fin())), kOneClass);
}

TEST_WITH(IpHeaderTest, IpHeader, TheClassMayChangeDuringAConnection,
          .claims = {"rfc9293:SHLD-21", "rfc9293:SHLD-22"}) {
  auto [socket, peer] = Connected();
  for (const std::uint8_t traffic_class : {kOneClass, kOtherClass, std::uint8_t{0}}) {
    ASSERT_THAT(socket.SetOption(ClassOption(), traffic_class), Succeeds());
    ASSERT_THAT(socket.Send("data"), Returns(4));
    EXPECT_EQ(ClassOf(peer.Expect(Data("data"))), traffic_class);
    peer.Send(Ack());
  }
}

TEST_WITH(IpHeaderTest, IpHeader, TheClassIsThatOfEachConnection, .claims = {"rfc9293:MUST-48"}) {
  auto [classy, classy_peer] = Connected();
  auto [plain, plain_peer] = ConnectedByAccept();
  ASSERT_THAT(classy.SetOption(ClassOption(), kOneClass), Succeeds());
  ASSERT_THAT(plain.Send("plain"), Returns(5));
  EXPECT_EQ(ClassOf(plain_peer.Expect(Data("plain"))), 0);
  ASSERT_THAT(classy.Send("classy"), Returns(6));
  EXPECT_EQ(ClassOf(classy_peer.Expect(Data("classy"))), kOneClass);
}

// --- Options of IPv4 -----------------------------------------------------------------------------

TEST_WITH_PEER(IpHeader, AnIpOptionThatNobodyKnowsIsIgnored, .claims = {"rfc9293:MUST-50"},
               .ipv4_only_because = "the IPv6 header has no options") {
  // Option numbers that IANA has given to nobody; the second is to be copied into fragments.
  for (const std::uint8_t number : {std::uint8_t{0x1a}, std::uint8_t{0x9a}}) {
    SCOPED_TRACE(static_cast<int>(number));
    const Bytes unknown = {number, 4, 0xc0, 0xff};
    auto [listener, peer] = InState(TcpState::kListen);
    peer.Send(Syn().IpOptions(unknown));
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack().IpOptions(unknown));
    Socket socket = listener.Accept().value().socket;
    peer.Send(Data("data").IpOptions(unknown));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("data"));
  }
}

// Supported or not: they are no obstacle. RFC 791 section 3.1 gives their formats. Who supports one
// sends it back (RFC 1122 section 3.2.1.8).
TEST_WITH_PEER(IpHeader, ARecordRouteOrTimestampOptionIsNoObstacle,
               .claims = {"rfc9293:MUST-50", "rfc9293:MAY-10", "rfc9293:MAY-11"},
               .ipv4_only_because = "the IPv6 header has no options") {
  const std::pair<const char*, Bytes> kinds[] = {{"rfc9293:MAY-11", {7, 7, 4, 0, 0, 0, 0, 0}},
                                                 {"rfc9293:MAY-10", {68, 8, 5, 0, 0, 0, 0, 0}}};
  for (const auto& [may, option] : kinds) {
    auto [listener, peer] = InState(TcpState::kListen);
    Deciding("rfc9293:MUST-50");
    peer.Send(Syn().IpOptions(option));
    const Segment syn_ack = peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack().IpOptions(option));
    EXPECT_THAT(listener.Accept(), Succeeds());
    if (syn_ack.ip_options.empty()) {
      NotTaken(may, "the option does not come back");
    } else {
      Deciding(may);
      EXPECT_EQ(syn_ack.ip_options.front(), option.front());
    }
  }
}

// --- Source routes -------------------------------------------------------------------------------

namespace {

// Hosts beyond the peer, who passes on what is for them.
const char* const kFar = "198.51.100.7";
const char* const kFurther = "198.51.100.99";

class SourceRoute : public PeerTest {
 protected:
  // RFC 791 section 3.1: loose source routing is option 131. Its pointer, counted from 1, is to the
  // next address to go to: the first one, or past the last of a route that was gone to its end. On
  // the wire the header has the next stop and the option those after it, with the end of the way as
  // the last; IP_OPTIONS of Linux has the stops before that end, which connect() names.
  static Bytes Option(const std::vector<IpAddress>& route, bool completed) {
    const size_t length = 3 + 4 * route.size();
    Bytes option = {131, static_cast<std::uint8_t>(length),
                    static_cast<std::uint8_t>(completed ? length + 1 : 4)};
    for (const IpAddress& address : route) {
      option.insert(option.end(), address.bytes(), address.bytes() + address.size());
    }
    while (option.size() % 4 != 0) option.push_back(0);
    return option;
  }
  static Bytes ToGo(const std::vector<IpAddress>& route) { return Option(route, false); }
  static Bytes Completed(const std::vector<IpAddress>& route) { return Option(route, true); }

  void AcceptSourceRoutes() {
    for (const std::string scope : {"all", "eth0"}) {
      sut.SetSysctl("net.ipv4.conf." + scope + ".accept_source_route", 1);
      sut.SetSysctl("net.ipv4.conf." + scope + ".rp_filter", 0);
    }
  }

  IpAddress gateway() const { return host.Address(ip); }

  // A connection from kFar by way of the gateway. Two endpoints of the peer stand for its one other
  // end: `far` sends in the name of kFar, `gateway` receives what is sent back by that way. What
  // one of them takes in the other is told by hand (RCV.NXT).
  struct RoutedConnection {
    Socket socket;
    ScriptedTcp& far;
    ScriptedTcp& gateway;
  };
  RoutedConnection ConnectedByRoute() {
    auto [listener, plain] = InState(TcpState::kListen);
    ScriptedTcp& receiving = host.Listen(ip, NextPort());
    const Endpoint from{IpAddress(kFar), receiving.local().port};
    ScriptedTcp& far = host.Towards(*plain.remote(), from);
    far.Send(Syn().IpOptions(Completed({gateway()})));
    const Segment syn_ack = receiving.Expect(SynAck().Ack(far.snd_nxt));
    EXPECT_EQ(syn_ack.ip_options, ToGo({IpAddress(kFar)}));
    far.rcv_nxt = syn_ack.seq + 1;
    far.Send(Ack().IpOptions(Completed({gateway()})));
    return {listener.Accept().value().socket, far, receiving};
  }
};

}  // namespace

TEST_WITH(SourceRoute, IpHeader, AnApplicationMayGiveASourceRoute,
          .claims = {"rfc9293:MUST-51", "man:ip(7)-IP_OPTIONS"},
          .ipv4_only_because = "IPv6 has no source routes in its header") {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  ASSERT_THAT(socket.SetOption("IP_OPTIONS", ToGo({gateway()})), Succeeds());
  socket.Connect({IpAddress(kFar), peer.local().port});  // EINPROGRESS
  Deciding("rfc9293:MUST-51");
  const Segment syn = peer.Expect(Syn());
  ASSERT_FALSE(syn.ip_options.empty()) << "no source route";
  // How an application gives one, and so what becomes of it, only ip(7) tells.
  Deciding("man:ip(7)-IP_OPTIONS");
  EXPECT_EQ(syn.ip_options, ToGo({IpAddress(kFar)}));
}

TEST_WITH(SourceRoute, IpHeader, TheSourceRouteOfAnApplicationTakesPrecedence,
          .claims = {"rfc9293:MUST-52"}, .needs = {"sysctl"},
          .ipv4_only_because = "IPv6 has no source routes in its header") {
  AcceptSourceRoutes();
  ScriptedTcp& peer = host.Listen(ip, 80);
  const Endpoint destination{IpAddress(kFar), peer.local().port};
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  ASSERT_THAT(socket.SetOption("IP_OPTIONS", ToGo({gateway()})), Succeeds());
  socket.Connect(destination);  // EINPROGRESS
  const Segment syn = peer.Expect(Syn());

  ScriptedTcp& far = host.Towards(syn.source, destination);
  far.rcv_nxt = syn.seq + 1;
  far.Send(SynAck().IpOptions(Completed({IpAddress(kFurther), gateway()})));
  const Segment ack = peer.Expect(Ack().Ack(far.snd_nxt));
  EXPECT_EQ(ack.ip_options, ToGo({IpAddress(kFar)}));
}

TEST_WITH(SourceRoute, IpHeader, ASourceRouteThatWasReceivedLeadsBack,
          .claims = {"rfc9293:MUST-53", "man:ip(7)-IP_OPTIONS-received"}, .needs = {"sysctl"},
          .ipv4_only_because = "IPv6 has no source routes in its header") {
  AcceptSourceRoutes();
  auto [socket, far, receiving] = ConnectedByRoute();
  ASSERT_THAT(socket.Send("back"), Returns(4));
  EXPECT_EQ(receiving.Expect(Data("back")).ip_options, ToGo({IpAddress(kFar)}));
  far.rcv_nxt += 4;
  far.Send(Ack().IpOptions(Completed({gateway()})));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  EXPECT_EQ(receiving.Expect(Fin()).ip_options, ToGo({IpAddress(kFar)}));
}

TEST_WITH(SourceRoute, IpHeader, AsTheRfcSaysALaterSourceRouteReplacesTheEarlier,
          .claims = {"rfc9293:SHLD-24"}, .needs = {"sysctl"},
          .ipv4_only_because = "IPv6 has no source routes in its header") {
  AcceptSourceRoutes();
  auto [socket, far, receiving] = ConnectedByRoute();
  far.Send(Data("this way").IpOptions(Completed({IpAddress(kFurther), gateway()})));
  receiving.Expect(Ack().Ack(far.snd_nxt));
  ASSERT_THAT(socket.Send("that way"), Returns(8));
  EXPECT_EQ(receiving.Expect(Data("that way")).ip_options,
            ToGo({IpAddress(kFurther), IpAddress(kFar)}));
}

TEST_WITH(SourceRoute, IpHeader, SourceRoutesAreNotAcceptedByDefault,
          .claims = {"man:ip(7)-accept_source_route"},
          .ipv4_only_because = "IPv6 has no source routes in its header") {
  auto [listener, peer] = InState(TcpState::kListen);
  const std::uint32_t iss = peer.iss;
  peer.Send(Syn().IpOptions(Completed({IpAddress(kFurther)})));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  peer.Send(Syn().Seq(iss));
  peer.Expect(SynAck().Ack(iss + 1));
}
