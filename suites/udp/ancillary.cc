// What comes and goes with a datagram beside its data: ip(7), ipv6(7), socket(7), RFC 1122 section
// 4.1.3.5.
#include "suites/udp/udp_test.h"

using namespace sockproof;

namespace {

class AncillaryTest : public UdpTest {
 protected:
  static Received ReceiveWithControl(Socket& socket) {
    return socket.ReceiveMessage(64, ControlRoom::Octets(512)).value();
  }
  static PacketInfo InfoIn(const Received& received, const char* type) {
    const ControlItem* item = received.Find(type);
    if (item == nullptr) {
      throw Departure(std::string("  Expected: ") + type + " in the control data\n  Observed: none",
                      SourceLocation::Current());
    }
    return std::get<PacketInfo>(item->value);
  }
};

}  // namespace

TEST_WITH(AncillaryTest, UdpAncillary, TheDestinationIsTold,
          .claims = {"rfc1122:4.1.3.5-destination", "man:ip(7)-IP_PKTINFO",
                     "man:ipv6(7)-IPV6_RECVPKTINFO"},
          .needs = {"messages", "second-address"}) {
  auto [socket, peer] = BoundToAll();
  ASSERT_THAT(socket.SetOption(Of("IP_PKTINFO", "IPV6_RECVPKTINFO"), 1), Succeeds());
  for (const IpAddress& destination : {sut.Address(ip), sut.SecondAddress(ip)}) {
    peer.Send(Datagram("to which?").To(destination));
    const PacketInfo info = InfoIn(ReceiveWithControl(socket), Of("IP_PKTINFO", "IPV6_PKTINFO"));
    EXPECT_EQ(info.destination, destination);
    EXPECT_NE(info.ifindex, 0);
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheSourceIsChosen,
          .claims = {"rfc1122:4.1.3.5-source", "man:ip(7)-IP_PKTINFO"},
          .needs = {"messages", "second-address"}) {
  auto [socket, peer] = BoundToAll();
  for (const IpAddress& source : {sut.SecondAddress(ip), sut.Address(ip)}) {
    PacketInfo info;
    (IsIpv4() ? info.local : info.destination) = source;
    const Message message = Message("from here").To(peer.local()).With(ArrivedAt(ip, info));
    ASSERT_THAT(socket.SendMessage(message), Returns(9));
    EXPECT_EQ(peer.Expect(Datagram("from here")).source().address, source);
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheSourceIsTheAddressThatASocketIsBoundTo,
          .claims = {"rfc1122:4.1.3.5-source"}, .needs = {"second-address"}) {
  const Endpoint second{sut.SecondAddress(ip), sut.At(ip, 5353).port};
  Socket socket = NewUdp();
  ASSERT_THAT(socket.Bind(Name(second)), Succeeds());
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  ASSERT_THAT(socket.SendTo(peer.local(), "from the second"), Returns(15));
  EXPECT_EQ(peer.Expect(Datagram("from the second")).source(), second);
}

TEST_WITH(AncillaryTest, UdpAncillary, TheOriginalDestinationIsToldWithItsPort,
          .claims = {"man:ip(7)-IP_RECVORIGDSTADDR"}, .needs = {"messages"},
          .ipv4_only_because = "ipv6(7) says nothing of it") {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption("IP_RECVORIGDSTADDR", 1), Succeeds());
  peer.Send(Datagram("hello"));
  const Received received = ReceiveWithControl(socket);
  const ControlItem* item = received.Find("IP_ORIGDSTADDR");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(std::get<Name>(item->value), Name(*peer.remote()));
}

TEST_WITH(AncillaryTest, UdpAncillary, TheHopLimitIsTold,
          .claims = {"man:ip(7)-IP_RECVTTL", "man:ipv6(7)-IPV6_HOPLIMIT"}, .needs = {"messages"}) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption(Of("IP_RECVTTL", "IPV6_RECVHOPLIMIT"), 1), Succeeds());
  for (const std::uint8_t hops : {std::uint8_t{1}, std::uint8_t{77}, std::uint8_t{255}}) {
    peer.Send(Datagram("how far?").HopLimit(hops));
    EXPECT_EQ(ReceiveWithControl(socket).Number(Of("IP_TTL", "IPV6_HOPLIMIT")), hops);
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheHopLimitOfOneDatagramIsSet,
          .claims = {"linux:ip_cmsg_send-IP_TTL", "man:ipv6(7)-IPV6_HOPLIMIT-sent"},
          .needs = {"messages"}) {
  Deciding(Of("linux:ip_cmsg_send-IP_TTL", "man:ipv6(7)-IPV6_HOPLIMIT-sent"));
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("first"), Returns(5));
  const std::uint8_t usual = peer.Expect(Datagram("first")).hop_limit();
  ASSERT_THAT(socket.SendMessage(Message("near").With(HopLimit(ip, 3))), Returns(4));
  peer.Expect(Datagram("near").HopLimit(3));
  ASSERT_THAT(socket.Send("as before"), Returns(9));
  peer.Expect(Datagram("as before").HopLimit(usual));
}

TEST_WITH(AncillaryTest, UdpAncillary, TheHopLimitOfASocketIsSet,
          .claims = {"rfc1122:3.2.1.7-set", "man:ip(7)-IP_TTL", "man:ipv6(7)-IPV6_UNICAST_HOPS"}) {
  auto [socket, peer] = Connected();
  for (const std::uint8_t hops : {std::uint8_t{1}, std::uint8_t{255}}) {
    ASSERT_THAT(socket.SetOption(Of("IP_TTL", "IPV6_UNICAST_HOPS"), hops), Succeeds());
    ASSERT_THAT(socket.Send("so far"), Returns(6));
    peer.Expect(Datagram("so far").HopLimit(hops));
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheTrafficClassIsTold,
          .claims = {"man:ip(7)-IP_RECVTOS", "rfc1122:4.1.4-tos-received"}, .needs = {"messages"}) {
  auto [socket, peer] = Bound();
  const Outcome<int> asked = socket.SetOption(Of("IP_RECVTOS", "IPV6_RECVTCLASS"), 1);
  if (!asked.ok()) NotTaken("rfc1122:4.1.4-tos-received", "it is not told");
  Deciding("man:ip(7)-IP_RECVTOS");
  ASSERT_THAT(asked, Succeeds());
  // AF41 with each of the codepoints of ECN.
  for (const std::uint8_t octet : std::initializer_list<std::uint8_t>{0x88, 0x89, 0x8a, 0x8b}) {
    peer.Send(Datagram("which class?").TrafficClass(octet));
    const auto told = ReceiveWithControl(socket).Number(Of("IP_TOS", "IPV6_TCLASS"));
    for (const char* claim : {"man:ip(7)-IP_RECVTOS", "rfc1122:4.1.4-tos-received"}) {
      Deciding(claim);
      EXPECT_EQ(told, octet);
    }
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheTrafficClassOfASocketIsSet,
          .claims = {"rfc1122:4.1.4-tos", "man:ip(7)-IP_TOS"}) {
  auto [socket, peer] = Connected();
  for (const std::uint8_t octet : std::initializer_list<std::uint8_t>{0x20, 0x88}) {
    ASSERT_THAT(socket.SetOption(Of("IP_TOS", "IPV6_TCLASS"), octet), Succeeds());
    ASSERT_THAT(socket.Send("classy"), Returns(6));
    peer.Expect(Datagram("classy").TrafficClass(octet));
  }
}

TEST_WITH(AncillaryTest, UdpAncillary, TheTimeOfArrivalIsTold,
          .claims = {"man:socket(7)-SO_TIMESTAMPNS"}, .needs = {"messages"}) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption("SO_TIMESTAMPNS", 1), Succeeds());
  // Not before it was sent, and not after the call that got it returned.
  const Time sent = peer.Send(Datagram("now")).time;
  Settle();
  const Outcome<Received> received = socket.ReceiveMessage(64, ControlRoom::Octets(512));
  const ControlItem* item = received.value().Find("SO_TIMESTAMPNS");
  if (item == nullptr) item = received.value().Find("SCM_TIMESTAMPNS");
  ASSERT_NE(item, nullptr) << "no time in the control data";
  const Duration since_epoch = std::get<std::vector<Duration>>(item->value).at(0);
  EXPECT_GE(since_epoch, sent.time_since_epoch());
  EXPECT_LE(since_epoch, received.end.time_since_epoch());
}

TEST_WITH(AncillaryTest, UdpAncillary, AnApplicationSpecifiesIpOptions,
          .claims = {"rfc1122:4.1.3.2-options", "man:ip(7)-IP_OPTIONS"},
          .ipv4_only_because = "the IPv6 header has no options") {
  auto [socket, peer] = Connected();
  const HeaderOption record_route{ipv4_option::kRecordRoute, {4, 0, 0, 0, 0}};
  ASSERT_THAT(socket.SetOption("IP_OPTIONS", Bytes{7, 7, 4, 0, 0, 0, 0, 0}), Succeeds());
  ASSERT_THAT(socket.Send("this way"), Returns(8));
  const IpPacket datagram = peer.Expect(Datagram("this way"));
  const auto& options = datagram.packet.Find<packet::Ipv4>()->options;
  ASSERT_FALSE(options.empty()) << "no option";
  EXPECT_EQ(options.front().kind, record_route.kind);
  EXPECT_EQ(options.front().data.size(), record_route.data.size());
}
