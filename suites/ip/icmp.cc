// ICMP messages that a host answers, and those that it does not: RFC 792, RFC 1122 section 3.2.2,
// RFC 4443.
#include "suites/ip/ip_test.h"

using namespace sockproof;

// --- echo ----------------------------------------------------------------------------------------

TEST_WITH(IpTest, Icmp, AnEchoIsAnswered,
          .claims = {"rfc1122:3.2.2.6-echo", "rfc4443:4.2-echo", "rfc792:echo"}) {
  const IpPacket request = host.Send(ip, EchoRequest("are you there?"));
  const IpPacket reply = host.Expect(EchoReply("are you there?"));
  EXPECT_EQ(reply.packet.Find<packet::Icmp>()->rest, request.packet.Find<packet::Icmp>()->rest);
  EXPECT_TRUE(reply.checksum_valid());
}

TEST_WITH(IpTest, Icmp, AnEchoReturnsAllData,
          .claims = {"rfc1122:3.2.2.6-data", "rfc4443:4.2-data"}) {
  // Together with the headers what every host takes: 576 octets (RFC 791 section 3.1).
  for (const std::size_t size : {0, 1, 576 - 20 - 8}) {
    const std::string text(size, 'x');
    host.Send(ip, EchoRequest(text));
    host.Expect(EchoReply(text));
  }
}

TEST_WITH(IpTest, Icmp, AnEchoThatCameInFragmentsReturnsAllData,
          .claims = {"rfc1122:3.2.2.6-data", "rfc4443:4.2-data"}) {
  // What every host must be able to reassemble: 576 octets, or 1500 of IPv6.
  const std::string text(IsIpv4() ? 576 - 20 - 8 : 1500 - 40 - 8, 'x');
  host.Send(ip, EchoRequest(text).InFragmentsOfMtu(IsIpv4() ? 296 : 1280));
  host.Expect(EchoReply(text));
}

TEST_WITH(IpTest, Icmp, AnEchoComesFromTheAddressThatWasAsked,
          .claims = {"rfc1122:3.2.2.6-source", "rfc4443:4.2-source"}, .needs = {"second-address"}) {
  for (const IpAddress& address : {sut.Address(ip), sut.SecondAddress(ip)}) {
    host.Send(ip, EchoRequest("who are you?").To(address));
    EXPECT_EQ(host.Expect(EchoReply("who are you?")).source().address, address);
  }
}

TEST_WITH(IpTest, Icmp, AnEchoToAllNodesIsAnsweredByOne, .claims = {"rfc4443:4.2-multicast"},
          .ipv6_only_because = "RFC 1122 lets a host discard it") {
  host.Send(ip, EchoRequest("anybody?").To(IpAddress("ff02::1")));
  EXPECT_NE(host.Expect(EchoReply("anybody?")).source().address.bytes()[0], 0xff);
}

TEST_WITH(IpTest, Icmp, ATimestampMayBeAnswered, .claims = {"rfc1122:3.2.2.8-timestamp"},
          .ipv4_only_because = "ICMPv6 has none") {
  const IcmpError request{packet::icmp_type::kTimestamp, 0, 0x12340001};
  host.Send(ip, Icmp(request).Payload(Bytes(12, 0)));
  Settle();
  const std::vector<IpPacket> answers = host.TakeArrived(PacketKind::kIcmp);
  if (answers.empty()) return NotTaken("rfc1122:3.2.2.8-timestamp", "it is not answered");
  const auto* reply = answers.front().packet.Find<packet::Icmp>();
  EXPECT_EQ(reply->type, packet::icmp_type::kTimestampReply);
  EXPECT_EQ(reply->rest, request.rest);
}

// --- silence -------------------------------------------------------------------------------------

TEST_WITH(IpTest, Icmp, AMessageOfUnknownTypeIsDiscardedSilently,
          .claims = {"rfc1122:3.2.2-unknown", "rfc4443:2.4-b"}) {
  // Numbers that IANA has given to nobody; of ICMPv6 informational ones.
  for (const std::uint8_t type :
       {std::uint8_t{IsIpv4() ? std::uint8_t{44} : std::uint8_t{210}}, std::uint8_t{254}}) {
    host.Send(ip, Icmp({type, 0}).Payload("what is this?"));
  }
  ExpectNothingButEcho();
}

TEST_WITH(IpTest, Icmp, AnErrorIsNotAnsweredByAnError,
          .claims = {"rfc1122:3.2.2-about-error", "rfc4443:2.4-e.1"}) {
  const Bytes garbage(40, 0x45);
  host.Send(ip, Icmp(icmp::PortUnreachable(ip)).Payload(garbage));
  host.Send(ip, Icmp(icmp::ParameterProblem(ip)).Payload(garbage));
  host.Send(ip, Icmp(icmp::HopLimitExceeded(ip)));
  ExpectNothingButEcho();
}

// --- what cannot be delivered --------------------------------------------------------------------

TEST_WITH(IpTest, Icmp, AProtocolThatIsNotSupportedIsToldUnreachable,
          .claims = {"rfc1122:3.2.2.1-protocol"}, .ipv4_only_because = "IPv6 tells it otherwise") {
  const IpPacket sent = host.Send(ip, Protocol(253, "an experiment"));
  host.Expect(Unreachable().Code(icmp::ProtocolUnreachable().code).About(sent));
}

TEST_WITH(IpTest, Icmp, ANextHeaderThatIsNotKnownIsAParameterProblem,
          .claims = {"rfc8200:4-unrecognized"}, .ipv6_only_because = "IPv4 tells it otherwise") {
  constexpr std::uint32_t kNextHeader = 6;  // where that field is in the IPv6 header
  const IpPacket sent = host.Send(ip, Protocol(253, "an experiment"));
  host.Expect(ParameterProblem().Code(1).Pointer(kNextHeader).About(sent));
}
