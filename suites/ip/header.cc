// Headers of IP that a host takes, and those that it must not: RFC 1122 section 3.2.1, RFC 4291,
// RFC 8200 section 3.
#include "suites/ip/ip_test.h"

using namespace sockproof;

namespace {

class IpHeaderRulesTest : public IpTest {
 protected:
  // Such a datagram is not delivered, and not answered.
  void ExpectDiscarded(Dialogue& dialogue, const PartialPacket& datagram) {
    dialogue.peer.Send(datagram);
    ExpectNothingButEcho();
    ExpectNothingReceived(dialogue);
  }
};

}  // namespace

TEST_WITH(IpHeaderRulesTest, IpRules, AnotherVersionIsDiscarded,
          .claims = {"rfc1122:3.2.1.1-version"},
          .ipv4_only_because = "RFC 8200 says nothing of it") {
  for (const std::uint8_t version : {std::uint8_t{0}, std::uint8_t{5}, std::uint8_t{15}}) {
    Dialogue dialogue = BoundToAll();
    ExpectDiscarded(dialogue, Datagram("version").Changed([version](packet::Packet& packet) {
      packet.Find<packet::Ipv4>()->version = version;
    }));
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, ABadChecksumIsDiscarded,
          .claims = {"rfc1122:3.2.1.2-checksum"},
          .ipv4_only_because = "the IPv6 header has no checksum") {
  Dialogue dialogue = BoundToAll();
  ExpectDiscarded(dialogue, Datagram("bad checksum").BadIpChecksum());
}

TEST_WITH(IpHeaderRulesTest, IpRules, NoHopsLeftAreNoReasonToDiscard,
          .claims = {"rfc1122:3.2.1.7-received", "rfc8200:3-hop-limit"}) {
  auto [socket, peer] = BoundToAll();
  for (const std::uint8_t hops : {std::uint8_t{0}, std::uint8_t{1}}) {
    peer.Send(Datagram("arrived").HopLimit(hops));
    ExpectReceived(socket, "arrived", peer.local());
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, WhatIsSentHasHopsLeft, .claims = {"rfc1122:3.2.1.7-not-zero"},
          .ipv4_only_because = "RFC 8200 has no such rule") {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("how far?"), Returns(8));
  EXPECT_GT(peer.Expect(Datagram("how far?")).hop_limit(), 0);
  host.Send(ip, EchoRequest("and back?").HopLimit(1));
  EXPECT_GT(host.Expect(EchoReply("and back?")).hop_limit(), 0);
}

// --- addresses -----------------------------------------------------------------------------------

TEST_WITH(IpHeaderRulesTest, IpRules, AnInvalidSourceIsDiscarded,
          .claims = {"rfc1122:3.2.1.3-source", "rfc1122:4.1.3.6-source"},
          .ipv4_only_because = "RFC 4291 forbids to send from a group, and not to take it") {
  for (const char* source :
       {"255.255.255.255", "192.0.2.255", "224.0.0.9", "239.255.255.255", "127.0.0.1"}) {
    SCOPED_TRACE(source);
    Dialogue dialogue = BoundToAll();
    ExpectDiscarded(dialogue, Datagram("from whom?").Source(IpAddress(source)));
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, WhatIsForOthersIsDiscarded,
          .claims = {"rfc1122:3.2.1.3-destination"},
          .ipv4_only_because = "RFC 8200 takes it for granted") {
  for (const char* destination : {"192.0.2.77", "198.51.100.7"}) {
    SCOPED_TRACE(destination);
    Dialogue dialogue = BoundToAll();
    // The echo asks for an address of the other's own, so that this one is surely not its.
    ExpectDiscarded(dialogue, Datagram("for whom?").To(IpAddress(destination)).ToLink(sut.Mac()));
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, TheLoopbackAddressIsNotReachedFromOutside,
          .claims = {"rfc4291:2.5.3-loopback"},
          .ipv6_only_because = "RFC 1122 forbids to send to it, and not to take it") {
  Dialogue dialogue = BoundToAll();
  ExpectDiscarded(dialogue, Datagram("so near").To(IpAddress("::1")));
}

TEST_WITH(IpHeaderRulesTest, IpRules, TheLoopbackAddressDoesNotLeaveTheHost,
          .claims = {"rfc1122:3.2.1.3-loopback"},
          .ipv4_only_because = "the rule of RFC 4291 is another") {
  const IpAddress loopback("127.0.0.1");
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  Socket socket = NewUdp();
  if (!socket.Bind(Name(Endpoint{loopback, sut.At(ip, 5390).port})).ok()) {
    NotReached("no socket can be bound to the loopback address");
  }
  // Refused, or sent from another address.
  const Outcome<int> sent = socket.SendTo(peer.local(), "from inside");
  Settle();
  for (const IpPacket& datagram : peer.TakeArrived()) {
    EXPECT_NE(datagram.source().address, loopback) << sent.call();
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, TheSourceIsOneOfTheHostsOwn,
          .claims = {"rfc1122:3.2.1.3-own-source"},
          .ipv4_only_because = "RFC 6724 chooses of IPv6") {
  auto [socket, peer] = BoundToAll();
  ASSERT_THAT(socket.SendTo(peer.local(), "from me"), Returns(7));
  EXPECT_EQ(peer.Expect(Datagram("from me")).source().address, sut.Address(ip));
}

// --- options of IPv4 -----------------------------------------------------------------------------

TEST_WITH(IpHeaderRulesTest, IpRules, OptionsThatAreNotKnownAreIgnored,
          .claims = {"rfc1122:3.2.1.8-unknown"}, .ipv4_only_because = "the IPv6 header has none") {
  auto [socket, peer] = BoundToAll();
  // Numbers that IANA has given to nobody; the second is to be copied into fragments.
  for (const std::uint8_t kind : {std::uint8_t{0x1a}, std::uint8_t{0x9a}}) {
    peer.Send(Datagram("optional").Option({kind, {0xc0, 0xff}}));
    ExpectReceived(socket, "optional", peer.local());
  }
}

TEST_WITH(IpHeaderRulesTest, IpRules, OptionLengthsThatMakeNoSenseDoNoHarm,
          .claims = {"rfc1122:3.2.1.8-length"}, .ipv4_only_because = "the IPv6 header has none") {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  for (const Bytes& options : {Bytes{7, 0, 0, 0}, Bytes{7, 1, 0, 0}, Bytes{7, 255, 4, 0},
                               Bytes{68, 255, 5, 0}, Bytes{131, 2, 0, 0}, Bytes{1, 1, 1, 7}}) {
    peer.Send(Datagram("what is that?").Changed([&options](packet::Packet& packet) {
      packet.Find<packet::Ipv4>()->option_rest = options;
    }));
  }
  Settle();
  host.TakeArrived(PacketKind::kIcmp);  // a parameter problem may be told
  ExpectNothingButEcho();
}
