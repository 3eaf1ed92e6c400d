// Partial packets: what is sent, what is expected, and what is said of it.
#include "harness/wire/partial_packet.h"

#include <gmock/gmock.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Endpoint kHere{IpAddress("192.0.2.2"), 53};
const Endpoint kThere{IpAddress("192.0.2.1"), 40000};
const Endpoint kHere6{IpAddress("2001:db8::2"), 53};
const Endpoint kThere6{IpAddress("2001:db8::1"), 40000};

// As the other end sees it.
IpPacket Sent(const PartialPacket& partial, const Endpoint& from = kHere,
              const Endpoint& to = kThere) {
  IpPacket made = partial.Made(from, to, 7);
  made.packet = packet::ReadIp(packet::Write(made.packet));
  for (packet::Packet& fragment : made.fragments) {
    fragment = packet::ReadIp(packet::Write(fragment));
  }
  return made;
}

TEST(PartialPacket, WhatIsUnsetIsNatural) {
  for (const auto& [from, to] : {std::pair(kHere, kThere), std::pair(kHere6, kThere6)}) {
    const IpPacket sent = Sent(Datagram("hello"), from, to);
    EXPECT_EQ(sent.source(), from);
    EXPECT_EQ(sent.destination(), to);
    EXPECT_EQ(sent.hop_limit(), 64);
    EXPECT_EQ(sent.payload_text(), "hello");
    EXPECT_THAT(packet::Defects(sent.packet), IsEmpty());
    EXPECT_TRUE(Datagram("hello").Matches(sent));
    EXPECT_TRUE(AnyDatagram().Matches(sent));
    EXPECT_FALSE(Datagram("hell").Matches(sent));
    EXPECT_FALSE(EchoRequest("hello").Matches(sent));
  }
}

TEST(PartialPacket, WhatIsSetIsSentAndExpected) {
  const auto said = [](PartialPacket packet) {
    return packet.HopLimit(3).TrafficClass(0xb9).SourcePort(0);
  };
  const IpPacket sent = Sent(said(Datagram("x")), kHere6, kThere6);
  EXPECT_TRUE(said(Datagram("x")).Matches(sent));
  EXPECT_FALSE(said(Datagram("x")).FlowLabel(5).Matches(sent));
  EXPECT_FALSE(said(Datagram("x")).To(kHere6).Matches(sent));
  EXPECT_TRUE(said(Datagram("x")).To(kThere6).Source(kHere6.address).Matches(sent));
  EXPECT_EQ(said(Datagram("x")).From("client").Describe(),
            "datagram \"x\" hops=3 class=0xb9 source port 0 from client");
}

TEST(PartialPacket, MakesWhatIsWrong) {
  EXPECT_THAT(packet::Defects(Sent(Datagram("x").BadChecksum()).packet),
              ElementsAre("bad checksum"));
  EXPECT_THAT(packet::Defects(Sent(Datagram("x").BadIpChecksum()).packet),
              ElementsAre("bad IP checksum"));
  EXPECT_THAT(packet::Defects(Sent(Datagram("x").Length(7)).packet),
              testing::Contains("UDP length 7"));
  EXPECT_THAT(packet::Defects(Sent(EchoRequest("x").BadChecksum()).packet),
              ElementsAre("bad checksum"));
  EXPECT_EQ(Sent(Datagram("x").NoChecksum()).checksum(), 0);
  EXPECT_THROW(Sent(EchoRequest("x").SourcePort(1)), HarnessError);
  EXPECT_THROW(Sent(Datagram("x").DontFragment(true), kHere6, kThere6), HarnessError);
  EXPECT_THROW(Sent(AnyError()), HarnessError);
  EXPECT_THROW(Sent(Datagram("x"), kHere, kThere6), HarnessError);
}

TEST(PartialPacket, GoesInFragments) {
  const std::string text(100, 'x');
  const IpPacket sent = Sent(Datagram(text).InFragments({{64, 1000, {}, {}}, {0, 64, {}, {}}}));
  ASSERT_THAT(sent.fragments, SizeIs(2));
  EXPECT_EQ(sent.identification(), 7U);
  EXPECT_TRUE(Fragment(64).Matches(sent.fragments[0]));
  EXPECT_TRUE(Fragment().Matches(sent.fragments[1]));
  EXPECT_FALSE(Fragment().Matches(sent));
  EXPECT_EQ(sent.payload_text(), text);
  EXPECT_THAT(Describe(sent), HasSubstr("in 2 fragments"));
  EXPECT_EQ(Sent(Datagram(text).Identification(9).InFragmentsOfMtu(68)).identification(), 9U);
}

TEST(PartialPacket, HasHeadersBetween) {
  const packet::Ipv6Options options{.header = packet::ip_protocol::kDestinationOptions,
                                    .next_header = {},
                                    .length = {},
                                    .options = {{0x1e, {1, 2}}},
                                    .option_rest = {}};
  const IpPacket sent = Sent(Datagram("x").With(options), kHere6, kThere6);
  ASSERT_THAT(sent.packet.layers, SizeIs(3));
  EXPECT_NE(sent.packet.Find<packet::Ipv6Options>(), nullptr);
  EXPECT_EQ(sent.payload_text(), "x");
  EXPECT_EQ(Sent(Protocol(253, "x")).packet.Find<packet::Ipv4>()->protocol, 253);
  EXPECT_TRUE(Protocol(253, "x").Matches(Sent(Protocol(253, "x"))));
}

TEST(PartialPacket, KnowsWhatAnErrorIsAbout) {
  const IpPacket datagram = Sent(Datagram("x"));
  const IpPacket other = Sent(Datagram("x").SourcePort(54));
  for (const std::size_t quoted : {28, 20}) {
    packet::Packet error = Sent(Icmp(icmp::PortUnreachable(IpVersion::kIpv4))).packet;
    error.payload = datagram.octets();
    error.payload.resize(quoted);
    EXPECT_TRUE(PortUnreachable().About(datagram).Matches(error));
    EXPECT_TRUE(Unreachable().Matches(error));
    EXPECT_TRUE(AnyError().Matches(error));
    EXPECT_FALSE(TimeExceeded().Matches(error));
    EXPECT_EQ(PortUnreachable().About(other).Matches(error), quoted < 28);
  }
  EXPECT_FALSE(PortUnreachable().About(datagram).Matches(datagram));
}

TEST(PartialPacket, ReadsGroupMembership) {
  using packet::GroupRecord;
  using packet::GroupRecordType;
  for (const char* address : {"232.1.2.3", "ff12::1234"}) {
    const IpAddress group(address);
    const GroupRecord join{GroupRecordType::kChangeToExclude, group, {}, {}};
    packet::Packet report = packet::GroupReport({join});
    report.layers.insert(report.layers.begin(), group.version() == IpVersion::kIpv4
                                                    ? packet::Layer(packet::Ipv4())
                                                    : packet::Layer(packet::Ipv6()));
    EXPECT_EQ(KindOf(report), PacketKind::kGroups);
    EXPECT_TRUE(Joins(group).Matches(report));
    EXPECT_TRUE(Reports(join).Matches(report));
    EXPECT_FALSE(Leaves(group).Matches(report));
  }
}

TEST(LinkAddressFor, IsThatOfTheGroup) {
  const MacAddress neighbour{2, 0, 0, 0, 0, 1};
  EXPECT_EQ(LinkAddressFor(IpAddress("192.0.2.1"), neighbour), neighbour);
  EXPECT_EQ(ToString(LinkAddressFor(IpAddress("224.129.2.3"), neighbour)), "01:00:5e:01:02:03");
  EXPECT_EQ(ToString(LinkAddressFor(IpAddress("192.0.2.255"), neighbour)), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(ToString(LinkAddressFor(IpAddress("ff02::1:2"), neighbour)), "33:33:00:01:00:02");
  EXPECT_EQ(LinkAddressFor(IpAddress("2001:db8::1"), neighbour), neighbour);
}

}  // namespace
}  // namespace sockproof
