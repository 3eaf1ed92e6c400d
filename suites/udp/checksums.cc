// The checksum: RFC 768, RFC 1122 section 4.1.3.4, RFC 8200 section 8.1.
#include "suites/udp/udp_test.h"

using namespace sockproof;

namespace {

class UdpChecksumTest : public UdpTest {
 protected:
  static std::string TwoOctets(std::uint16_t word) {
    return {static_cast<char>(word >> 8), static_cast<char>(word & 0xff)};
  }
  // Data that make the sum over this datagram all ones, so that the checksum computed is zero: in
  // the place of two octets of zero the checksum that these have.
  static std::string MakingZero(const Endpoint& from, const Endpoint& to) {
    const packet::Packet zeros = Datagram(TwoOctets(0)).Made(from, to, 0).packet;
    const packet::Packet read = packet::ReadIp(packet::Write(zeros));
    return TwoOctets(read.Find<packet::Udp>()->checksum.value());
  }
};

}  // namespace

TEST_WITH(UdpChecksumTest, UdpChecksum, EveryDatagramHasTheRightOne,
          .claims = {"rfc1122:4.1.3.4-generate", "rfc8200:8.1-checksum", "rfc768:checksum"}) {
  auto [socket, peer] = Connected();
  for (const std::string text : {"", "odd", "even"}) {
    ASSERT_THAT(socket.Send(text), Returns(static_cast<int>(text.size())));
    const IpPacket datagram = peer.Expect(Datagram(text));
    EXPECT_NE(datagram.checksum(), 0) << "no checksum";
    EXPECT_TRUE(datagram.checksum_valid());
  }
}

TEST_WITH(UdpChecksumTest, UdpChecksum, OneOverFragmentsIsRightToo,
          .claims = {"rfc1122:4.1.3.4-generate", "rfc8200:8.1-checksum", "rfc768:checksum"}) {
  auto [socket, peer] = Connected();
  const std::string text(4001, 'x');
  const Outcome<int> sent = socket.Send(text);
  // RFC 1122 section 3.3.3 and RFC 8200 section 4.5 leave it to the host.
  if (sent.error() == EMSGSIZE) NotReached("it does not send in fragments");
  ASSERT_THAT(sent, Returns(4001));
  const IpPacket datagram = peer.Expect(Datagram(text));
  EXPECT_NE(datagram.checksum(), 0) << "no checksum";
  EXPECT_TRUE(datagram.checksum_valid());
}

TEST_WITH(UdpChecksumTest, UdpChecksum, AWrongOneIsDiscardedSilently,
          .claims = {"rfc1122:4.1.3.4-discard"}) {
  Dialogue dialogue = Bound();
  dialogue.peer.Send(Datagram("wrong").BadChecksum());
  dialogue.peer.Send(Datagram("wrong, and long enough for two").BadChecksum().InFragmentsOfMtu(72));
  ExpectNoError();
  ExpectNothingReceived(dialogue);
}

TEST_WITH(UdpChecksumTest, UdpChecksum, AWrongOneToNobodyIsDiscardedSilentlyToo,
          .claims = {"rfc1122:4.1.3.4-discard"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  peer.Send(Datagram("wrong").BadChecksum());
  ExpectNoError();
}

TEST_WITH(UdpChecksumTest, UdpChecksum, NoneIsTakenOnIpv4, .claims = {"rfc768:no-checksum"},
          .ipv4_only_because = "IPv6 demands one") {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("unchecked").NoChecksum());
  ExpectReceived(socket, "unchecked", peer.local());
}

TEST_WITH(UdpChecksumTest, UdpChecksum, NoneIsDiscardedOnIpv6,
          .claims = {"rfc8200:8.1-zero-checksum"},
          .ipv6_only_because = "on IPv4 zero means that there is none") {
  Dialogue dialogue = Bound();
  dialogue.peer.Send(Datagram("unchecked").NoChecksum());
  ExpectNothingReceived(dialogue);
}

TEST_WITH(UdpChecksumTest, UdpChecksum, AComputedZeroIsSentAsAllOnes,
          .claims = {"rfc768:checksum-zero", "rfc8200:8.1-checksum"}) {
  auto [socket, peer] = Connected();
  const std::string text = MakingZero(*peer.remote(), peer.local());
  ASSERT_THAT(socket.Send(text), Returns(2));
  EXPECT_EQ(peer.Expect(Datagram(text)).checksum(), 0xffff);
}

TEST_WITH(UdpChecksumTest, UdpChecksum, AllOnesAreTakenWhereZeroIsRight,
          .claims = {"rfc768:checksum-zero"}) {
  auto [socket, peer] = Bound();
  const std::string text = MakingZero(peer.local(), *peer.remote());
  ASSERT_EQ(peer.Send(Datagram(text)).checksum(), 0xffff);
  ExpectReceived(socket, text, peer.local());
}

TEST_WITH(UdpChecksumTest, UdpChecksum, AnApplicationMayDoWithout,
          .claims = {"rfc1122:4.1.3.4-sender-option"}, .ipv4_only_because = "IPv6 demands one") {
  auto [socket, peer] = Connected();
  if (!socket.SetOption("SO_NO_CHECK", 1).ok()) {
    return NotTaken("rfc1122:4.1.3.4-sender-option", "an application cannot turn it off");
  }
  ASSERT_THAT(socket.Send("unchecked"), Returns(9));
  EXPECT_EQ(peer.Expect(Datagram("unchecked")).checksum(), 0);
}
