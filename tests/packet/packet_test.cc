// Layers to octets and back, against packets that are printed in documents and against libtins.
#include "harness/packet/packet.h"

#include <gmock/gmock.h>
#include <tins/tins.h>

#include <random>

#include "harness/packet/header_sizes.h"
#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Bytes Octets(const std::string& hex) {
  Bytes bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

// RFC 9235 section 4.1.1: a SYN with MSS, window scale, SACK permitted, timestamps and TCP-AO.
const char kSynOfRfc9235[] =
    "45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1de9d700b3fbfbab5a00000000e002ffffcac40000020405b40103"
    "03080402080a00155ab7000000001d103d542ee437c6f8ede6d7c4d602e7";
// Section 6.1.1: the same over IPv6.
const char kIpv6SynOfRfc9235[] =
    "6e0891dc00380640fd000000000000000000000000000001fd000000000000000000000000000002f7e400b3176a"
    "833f00000000e002ffff47210000020405a001030308"
    "0402080a0041d087000000001d103d549033ec3d7334b6"
    "4c5edd039f";

TEST(Packet, ReadsTheSynOfRfc9235) {
  const Packet packet = ReadIp(Octets(kSynOfRfc9235));
  ASSERT_THAT(packet.layers, SizeIs(2));
  const auto& ip = *packet.Find<Ipv4>();
  EXPECT_EQ(ip.source, IpAddress("10.11.12.13"));
  EXPECT_EQ(ip.destination, IpAddress("172.27.28.29"));
  EXPECT_TRUE(ip.dont_fragment);
  EXPECT_EQ(ip.hop_limit, 255);
  EXPECT_EQ(ip.traffic_class, 0xe0);
  const auto& tcp = *packet.Find<Tcp>();
  EXPECT_EQ(tcp.destination_port, 179);
  EXPECT_EQ(tcp.seq, 0xfbfbab5a);
  EXPECT_EQ(tcp.flags, kSyn);
  EXPECT_EQ(tcp.data_offset, 14);
  EXPECT_THAT(tcp.options,
              ElementsAre(tcp_option::Mss(1460), tcp_option::Nop(), tcp_option::WindowScale(8),
                          tcp_option::SackPermitted(), tcp_option::Timestamps(0x00155ab7, 0),
                          tcp_option::Ao(61, 84, Octets("2ee437c6f8ede6d7c4d602e7"))));
}

// Lengths and checksums are those of the document, but for one: the TCP checksum in section 4.1.1
// is not that of the segment that is printed there.
TEST(Packet, WritesTheSynsOfRfc9235WithAllThatCanBeComputed) {
  const Packet packet6 = ReadIp(Octets(kIpv6SynOfRfc9235));
  EXPECT_THAT(Defects(packet6), IsEmpty());
  EXPECT_EQ(Write(Recomputed(packet6)), Octets(kIpv6SynOfRfc9235));

  const Packet packet = ReadIp(Octets(kSynOfRfc9235));
  EXPECT_THAT(Defects(packet), ElementsAre("bad checksum"));
  EXPECT_EQ(Write(packet), Octets(kSynOfRfc9235));
  Packet computed = Recomputed(packet);
  computed.Find<Tcp>()->checksum = packet.Find<Tcp>()->checksum;
  EXPECT_EQ(Write(computed), Octets(kSynOfRfc9235));
}

TEST(Packet, IsReadAsItWasWritten) {
  for (const Example& example : Examples()) {
    const Packet read = ReadFrame(Write(example.packet));
    EXPECT_EQ(Write(read), Write(example.packet)) << example.name;
    EXPECT_EQ(ReadFrame(Write(read)), read) << example.name;
  }
}

// libtins computes lengths and checksums anew when it writes.
TEST(Packet, IsWhatLibtinsWouldWrite) {
  for (const Example& example : Examples()) {
    if (!example.defects.empty() || example.packet.Find<Ipv6Routing>() != nullptr) continue;
    const auto* udp = example.packet.Find<Udp>();
    if (udp != nullptr && (udp->checksum || !udp->surplus.empty())) continue;
    if (udp == nullptr && example.packet.Find<Tcp>() == nullptr) continue;
    if (example.name == "tcp-malformed-options" || example.name == "tcp-source-route") continue;
    if (example.name == "tcp-accecn") continue;  // libtins cannot write its empty cookie option
    const Bytes frame = Write(example.packet);
    SCOPED_TRACE(example.name);
    Tins::EthernetII copy(frame.data(), static_cast<std::uint32_t>(frame.size()));
    Bytes written;
    EXPECT_NO_THROW(written = copy.serialize());
    EXPECT_EQ(written, frame);
  }
}

TEST(Packet, WritesWhatItIsTold) {
  Packet packet{.layers = {ExampleIpv4(), Tcp{.flags = kSyn}}};
  auto& ip = *packet.Find<Ipv4>();
  ip.header_words = 15;
  ip.total_length = 7;
  ip.protocol = 200;
  ip.checksum = 0x1234;
  ip.options = {{ipv4_option::kNop, {}}};
  packet.Find<Tcp>()->data_offset = 1;
  packet.Find<Tcp>()->checksum = 0x4321;
  const Bytes bytes = Write(packet);
  EXPECT_THAT(bytes, SizeIs(24 + 20)) << "options up to 32 bits";
  EXPECT_EQ(bytes[0], 0x4f);
  EXPECT_EQ(Read16(bytes, 2), 7);
  EXPECT_EQ(bytes[9], 200);
  EXPECT_EQ(Read16(bytes, 10), 0x1234);
  EXPECT_EQ(bytes[24 + 12] >> 4, 1);
  EXPECT_EQ(Read16(bytes, 24 + 16), 0x4321);
}

// IEEE 802.3 wants 60 octets before the frame check sequence.
TEST(Packet, IsPaddedToTheShortestFrameUnlessItIsTold) {
  Packet packet{.layers = {ExampleEthernet(), ExampleIpv4(), Udp()}};
  EXPECT_THAT(Write(packet), SizeIs(kShortestFrame));
  packet.trailer = Bytes{1};
  EXPECT_THAT(Write(packet), SizeIs(kEthernetHeader + kIpv4Header + kUdpHeader + 1));
  EXPECT_EQ(ReadFrame(Write(packet)).trailer, Bytes{1});
}

// RFC 768: a checksum that is computed as zero is sent as all ones.
TEST(Packet, WritesNoZeroChecksumOfUdp) {
  Packet packet{.layers = {ExampleIpv4(), Udp{}}, .payload = {0, 0}};
  const auto& read = [&] { return *ReadIp(Write(packet)).Find<Udp>()->checksum; };
  const std::uint16_t without = read();
  packet.payload = {static_cast<std::uint8_t>(without >> 8), static_cast<std::uint8_t>(without)};
  EXPECT_EQ(read(), 0xffff);
}

// The pointer of the route is not behind its end: the sum is over the last address.
TEST(Packet, GoesToTheEndOfItsRouteAfterAll) {
  Ipv4 ip = ExampleIpv4();
  ip.options = {ipv4_option::SourceRoute(ipv4_option::kLooseSourceRoute,
                                         {IpAddress("198.51.100.1"), IpAddress("198.51.100.7")})};
  Packet packet{.layers = {ip, Tcp{}}};
  EXPECT_EQ(FinalDestination(packet), IpAddress("198.51.100.7"));
  const std::uint16_t on_its_way = *ReadIp(Write(packet)).Find<Tcp>()->checksum;
  packet.Find<Ipv4>()->options[0].data[0] = 12;
  EXPECT_EQ(FinalDestination(packet), ip.destination);
  EXPECT_NE(*ReadIp(Write(packet)).Find<Tcp>()->checksum, on_its_way);

  Bytes route(4);
  Append(route, View(IpAddress("2001:db8::7").bytes(), 16));
  Packet packet6{.layers = {ExampleIpv6(), Ipv6Routing{.segments_left = 1, .data = route}, Tcp{}}};
  EXPECT_EQ(FinalDestination(packet6), IpAddress("2001:db8::7"));
  packet6.Find<Ipv6Routing>()->segments_left = 0;
  EXPECT_EQ(FinalDestination(packet6), ExampleIpv6().destination);
}

TEST(Packet, PutsPaddingBehindIpv6Options) {
  for (std::size_t size = 0; size < 16; ++size) {
    const Packet packet{
        .layers = {ExampleIpv6(), Ipv6Options{.options = {{0x1e, Bytes(size)}}}, Udp{}}};
    const Packet read = ReadIp(Write(packet));
    ASSERT_NE(read.Find<Udp>(), nullptr) << size;
    EXPECT_THAT(Defects(read), IsEmpty());
    EXPECT_EQ(read.Find<Ipv6Options>()->options.front().data, Bytes(size));
    EXPECT_THAT(*read.Find<Ipv6Options>()->option_rest, IsEmpty());
  }
}

// Any stack of layers with any values.
TEST(Packet, SurvivesTheWayThroughOctetsWhateverItHolds) {
  std::mt19937 random(791);
  const auto number = [&] { return static_cast<std::uint16_t>(random()); };
  const auto octet = [&] { return static_cast<std::uint8_t>(random()); };
  const auto some = [&](std::size_t most) {
    Bytes bytes(random() % (most + 1));
    for (std::uint8_t& byte : bytes) byte = octet();
    return bytes;
  };
  for (int round = 0; round < 2000; ++round) {
    const bool is_ipv6 = random() % 2 == 0;
    Packet packet{.payload = some(30), .trailer = some(3)};
    if (is_ipv6) {
      Ipv6 ip = ExampleIpv6();
      ip.flow_label = number();
      ip.traffic_class = octet();
      packet.layers.push_back(ip);
      if (random() % 2 == 0) packet.layers.push_back(Ipv6Options{.options = {{0x3e, some(20)}}});
      if (random() % 2 == 0) packet.layers.push_back(Ipv6Fragment{.identification = number()});
    } else {
      Ipv4 ip = ExampleIpv4();
      ip.identification = number();
      ip.options = {{ipv4_option::kRecordRoute, some(20)}};
      packet.layers.push_back(ip);
    }
    switch (random() % 3) {
      case 0:
        packet.layers.push_back(Tcp{.seq = number(),
                                    .reserved = static_cast<std::uint8_t>(octet() & 0xf),
                                    .flags = octet(),
                                    .options = {{tcp_option::kMptcp, some(20)}}});
        break;
      case 1:
        packet.layers.push_back(Udp{.source_port = number(), .surplus = some(5)});
        break;
      default:
        packet.layers.push_back(Icmp{.version = is_ipv6 ? IpVersion::kIpv6 : IpVersion::kIpv4,
                                     .type = octet(),
                                     .rest = number()});
    }
    const Packet read = ReadIp(Write(packet));
    ASSERT_THAT(Defects(read), IsEmpty());
    ASSERT_EQ(read.layers.size(), packet.layers.size());
    ASSERT_EQ(read.payload, packet.payload);
    ASSERT_EQ(read.trailer, packet.trailer);
    ASSERT_EQ(Write(Recomputed(read)), Write(packet));
    ASSERT_EQ(ReadIp(Write(read)), read);
  }
}

}  // namespace
}  // namespace sockproof::packet
