// What is wrong with a packet that was made wrong on purpose.
#include <gmock/gmock.h>

#include "harness/packet/packet.h"
#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Packet TcpExample(const Layer& ip) {
  return {.layers = {ip, Tcp{.source_port = 1, .destination_port = 2, .flags = kAck}},
          .payload = Text("odd")};
}

// Unset fields are right, and read as such.
TEST(Defects, AreNoneOfWhatIsComputed) {
  for (const Layer& ip : {Layer(ExampleIpv4()), Layer(ExampleIpv6())}) {
    const Packet packet = TcpExample(ip);
    EXPECT_THAT(Defects(packet), IsEmpty());
    EXPECT_THAT(Defects(ReadIp(Write(packet))), IsEmpty());
  }
}

TEST(Defects, AreToldTheGravestFirst) {
  Packet packet = ReadIp(Write(TcpExample(ExampleIpv4())));
  auto& ip = *packet.Find<Ipv4>();
  auto& tcp = *packet.Find<Tcp>();
  ip.checksum = static_cast<std::uint16_t>(*ip.checksum ^ 1);
  EXPECT_THAT(Defects(packet), ElementsAre("bad IP checksum"));
  EXPECT_TRUE(IsChecksumRight(packet)) << "of the segment";
  tcp.checksum = static_cast<std::uint16_t>(*tcp.checksum ^ 1);
  EXPECT_THAT(Defects(packet), ElementsAre("bad checksum", "bad IP checksum"));
  EXPECT_FALSE(IsChecksumRight(packet));
  tcp.data_offset = 4;
  EXPECT_THAT(Defects(packet), ElementsAre("data offset 4", "bad checksum", "bad IP checksum"));
  packet.payload.pop_back();
  EXPECT_TRUE(IsCutShort(packet));
  EXPECT_EQ(Defects(packet).front(), "cut short");
  EXPECT_THAT(Defects(Recomputed(packet)), IsEmpty());
}

TEST(Defects, NameALengthOrVersionThatIsWrong) {
  Packet packet = TcpExample(ExampleIpv4());
  packet.Find<Ipv4>()->version = 5;
  packet.Find<Ipv4>()->total_length = 19;
  EXPECT_THAT(Defects(packet), ElementsAre("IP version 5", "IP total length 19"));
  packet = TcpExample(ExampleIpv6());
  packet.Find<Ipv6>()->payload_length = 2000;
  EXPECT_THAT(Defects(packet), ElementsAre("cut short"));
}

// RFC 768: an all zero checksum means that the sender made none. RFC 8200 section 8.1: not in IPv6.
TEST(Defects, ZeroIsNoChecksumOfUdp) {
  Packet packet{.layers = {ExampleIpv4(), Udp{.checksum = 0}}};
  EXPECT_THAT(Defects(packet), IsEmpty());
  EXPECT_TRUE(IsChecksumRight(packet));
  packet.layers[0] = ExampleIpv6();
  EXPECT_THAT(Defects(packet), ElementsAre("no checksum"));
  EXPECT_FALSE(IsChecksumRight(packet));
}

}  // namespace
}  // namespace sockproof::packet
