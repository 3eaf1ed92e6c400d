#include "harness/packet/fragments.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Packet Long(const Layer& ip) {
  Packet packet{.layers = {ip, Udp{.source_port = 1, .destination_port = 2}}};
  for (int octet = 0; octet < 100; ++octet)
    packet.payload.push_back(static_cast<std::uint8_t>(octet));
  return packet;
}

// What a receiver makes of fragments that do not overlap.
Bytes Together(const std::vector<Packet>& fragments) {
  Bytes body;
  for (const Packet& fragment : fragments) Append(body, fragment.payload);
  return body;
}

Bytes BodyOf(const Packet& packet, std::size_t header) {
  const Bytes bytes = Write(packet);
  return {bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end()};
}

TEST(Fragments, CarryThePacketInPieces) {
  for (const bool is_ipv6 : {false, true}) {
    const Packet whole = Long(is_ipv6 ? Layer(ExampleIpv6()) : Layer(ExampleIpv4()));
    const auto fragments = FragmentsOfMtu(whole, 7, is_ipv6 ? 40 + 8 + 50 : 20 + 50);
    ASSERT_THAT(fragments, SizeIs(3));
    EXPECT_EQ(Together(fragments), BodyOf(whole, is_ipv6 ? 40 : 20));
    for (std::size_t index = 0; index < fragments.size(); ++index) {
      const Packet read = ReadIp(Write(fragments[index]));
      EXPECT_THAT(Defects(read), IsEmpty());
      EXPECT_TRUE(IsFragment(read));
      EXPECT_EQ(read.payload, fragments[index].payload);
      const bool more = index + 1 < fragments.size();
      if (is_ipv6) {
        const auto& header = *read.Find<Ipv6Fragment>();
        EXPECT_EQ(header.offset, index * 6);
        EXPECT_EQ(header.more_fragments, more);
        EXPECT_EQ(header.identification, 7U);
        EXPECT_EQ(header.next_header, ip_protocol::kUdp);
      } else {
        const auto& ip = *read.Find<Ipv4>();
        EXPECT_EQ(ip.fragment_offset, index * 6);
        EXPECT_EQ(ip.more_fragments, more);
        EXPECT_EQ(ip.identification, 7);
        EXPECT_EQ(ip.protocol, ip_protocol::kUdp);
      }
    }
  }
}

// The checksum is that of the whole, whatever the pieces are.
TEST(Fragments, CanComeInAnyOrderOverlapAndLie) {
  const Packet whole = Long(ExampleIpv4());
  const auto fragments = Fragments(whole, 7,
                                   {{.offset = 64, .size = 1000},
                                    {.offset = 0, .size = 80},
                                    {.offset = 0, .size = 8, .more_fragments = false},
                                    {.offset = 16, .octets = Text("other")},
                                    {.offset = 65528, .size = 8}});
  ASSERT_THAT(fragments, SizeIs(5));
  EXPECT_THAT(fragments[0].payload, SizeIs(44));
  EXPECT_FALSE(fragments[0].Find<Ipv4>()->more_fragments);
  EXPECT_THAT(fragments[1].payload, SizeIs(80));
  EXPECT_FALSE(fragments[2].Find<Ipv4>()->more_fragments);
  EXPECT_EQ(fragments[3].payload, Text("other"));
  EXPECT_EQ(fragments[4].Find<Ipv4>()->fragment_offset, 8191);
  EXPECT_THAT(fragments[4].payload, IsEmpty());
}

// RFC 791 section 3.1: an option is in each fragment when its copied flag is set.
TEST(Fragments, CopyTheOptionsThatSaySo) {
  Ipv4 ip = ExampleIpv4();
  const HeaderOption record{ipv4_option::kRecordRoute, {4, 0, 0, 0, 0}};
  ip.options = {record, ipv4_option::RouterAlert()};
  const auto fragments = Fragments(Long(ip), 7, {{0, 8, {}, {}}, {8, 8, {}, {}}});
  EXPECT_THAT(fragments[0].Find<Ipv4>()->options, ElementsAre(record, ipv4_option::RouterAlert()));
  EXPECT_THAT(fragments[1].Find<Ipv4>()->options, ElementsAre(ipv4_option::RouterAlert()));
}

// RFC 8200 section 4.5: what routers on the way look at is in each fragment, the rest is cut.
TEST(Fragments, RepeatTheHeadersForRouters) {
  Packet whole = Long(ExampleIpv6());
  const Ipv6Options hop_by_hop{.options = {ipv6_option::RouterAlert()}};
  const Ipv6Options destination{.header = ip_protocol::kDestinationOptions};
  whole.layers.insert(whole.layers.begin() + 1, {hop_by_hop, destination});
  const auto fragments = Fragments(whole, 7, {{0, 8, {}, {}}, {8, 1000, {}, {}}});
  for (const Packet& fragment : fragments) {
    ASSERT_THAT(fragment.layers, SizeIs(3));
    EXPECT_EQ(std::get<Ipv6Options>(fragment.layers[1]).header, ip_protocol::kHopByHop);
    EXPECT_EQ(fragment.Find<Ipv6Fragment>()->next_header, ip_protocol::kDestinationOptions);
    EXPECT_THAT(Defects(ReadIp(Write(fragment))), IsEmpty());
  }
  EXPECT_EQ(Together(fragments), BodyOf(whole, 40 + 8));
}

TEST(Fragments, MustHaveAnOffsetThatCanBeWritten) {
  EXPECT_THROW(Fragments(Long(ExampleIpv4()), 7, {{.offset = 4}}), HarnessError);
  EXPECT_THROW(Fragments(Long(ExampleIpv4()), 7, {{.offset = 65536}}), HarnessError);
  EXPECT_THROW(Fragments({.layers = {Udp{}}}, 7, {}), HarnessError);
  EXPECT_THROW(FragmentsOfMtu(Long(ExampleIpv4()), 7, 27), HarnessError);
}

// --- put together ---

TEST(Reassembly, GivesThePacketWhateverTheOrder) {
  for (const Layer& ip : {Layer(ExampleIpv4()), Layer(ExampleIpv6())}) {
    const Packet whole = ReadIp(Write(Long(ip)));
    std::vector<Packet> fragments = FragmentsOfMtu(whole, 7, 72);
    ASSERT_GT(fragments.size(), 2U);
    std::rotate(fragments.begin(), fragments.begin() + 1, fragments.end());
    Reassembly reassembly;
    for (std::size_t index = 0; index + 1 < fragments.size(); ++index) {
      EXPECT_FALSE(reassembly.Take(ReadIp(Write(fragments[index]))));
      EXPECT_FALSE(reassembly.Take(ReadIp(Write(fragments[index])))) << "the same once more";
    }
    const auto made = reassembly.Take(ReadIp(Write(fragments.back())));
    ASSERT_TRUE(made);
    EXPECT_THAT(made->fragments, SizeIs(fragments.size()));
    EXPECT_EQ(made->packet.payload, whole.payload);
    EXPECT_THAT(Defects(made->packet), IsEmpty());
    EXPECT_NE(made->packet.Find<Udp>(), nullptr);
  }
}

TEST(Reassembly, KeepsPacketsApart) {
  const Packet whole = Long(ExampleIpv4());
  const auto one = FragmentsOfMtu(whole, 7, 72);
  const auto other = FragmentsOfMtu(whole, 8, 80);
  Reassembly reassembly;
  EXPECT_FALSE(reassembly.Take(one[0]));
  EXPECT_FALSE(reassembly.Take(other[1]));
  EXPECT_FALSE(reassembly.Take(whole));
}

TEST(Reassembly, TakesNothingThatOverlaps) {
  const Packet whole = Long(ExampleIpv6());
  Reassembly reassembly;
  for (const Packet& fragment : Fragments(whole, 7, {{0, 64, {}, {}}, {56, 1000, {}, {}}})) {
    EXPECT_FALSE(reassembly.Take(ReadIp(Write(fragment))));
  }
}

}  // namespace
}  // namespace sockproof::packet
