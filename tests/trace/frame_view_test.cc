// Frames, well-formed and not, against what libtins made.
#include "harness/trace/frame_view.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using Tins::TCP;

constexpr std::size_t kIpStart = 14;              // where the IP header starts
constexpr std::size_t kTcpStart = kIpStart + 20;  // where the TCP header starts, without IP options

TEST(DecodeFrame, TcpOverIpv4) {
  const FrameView view = DecodeFrame(
      Frame(kSutAddress, kPeerAddress, Segment(TCP::PSH | TCP::ACK, 4'000'000'000, 7), "hello"));
  ASSERT_TRUE(view.tcp.has_value());
  EXPECT_EQ(view.tcp->source, "192.0.2.1");
  EXPECT_EQ(view.tcp->destination, "192.0.2.2");
  EXPECT_EQ(view.tcp->source_port, 40000);
  EXPECT_EQ(view.tcp->destination_port, 80);
  EXPECT_EQ(view.tcp->seq, 4'000'000'000);
  EXPECT_EQ(view.tcp->ack, 7u);
  EXPECT_EQ(view.tcp->flags, TCP::PSH | TCP::ACK);
  EXPECT_EQ(view.tcp->window, 1024);
  EXPECT_EQ(view.tcp->payload, (Bytes{'h', 'e', 'l', 'l', 'o'}));
  EXPECT_EQ(view.tcp->defect, "");
  EXPECT_FALSE(view.is_noise);
}

TEST(DecodeFrame, TcpOverIpv6) {
  TCP syn = Segment(TCP::SYN, 1);
  syn.mss(1440);
  const FrameView view = DecodeFrame(Frame("2001:db8::1", "2001:db8::2", syn));
  ASSERT_TRUE(view.tcp.has_value());
  EXPECT_EQ(view.tcp->source, "2001:db8::1");
  EXPECT_EQ(view.tcp->destination, "2001:db8::2");
  EXPECT_EQ(view.tcp->options, (Bytes{2, 4, 0x05, 0xa0}));
  EXPECT_EQ(view.tcp->defect, "");
}

TEST(DecodeFrame, IgnoresEthernetPadding) {
  Bytes frame = Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, 1, 1));
  frame.resize(60);
  const FrameView view = DecodeFrame(frame);
  ASSERT_TRUE(view.tcp.has_value());
  EXPECT_TRUE(view.tcp->payload.empty());
  EXPECT_EQ(view.tcp->defect, "");
}

// A loose source route (RFC 791 section 3.1) with one address to go to: the sum is over that one.
TEST(DecodeFrame, KnowsWhereASourceRouteLeads) {
  Bytes frame = Frame(kSutAddress, "198.51.100.7", Segment(TCP::SYN, 1));
  const Bytes route = {131, 7, 4, 198, 51, 100, 7, 0};
  frame.insert(frame.begin() + kTcpStart, route.begin(), route.end());
  frame[kIpStart] += 2;        // words of header
  frame[kIpStart + 3] += 8;    // octets
  frame[kIpStart + 16] = 192;  // to the gateway
  frame[kIpStart + 17] = 0;
  frame[kIpStart + 18] = 2;
  frame[kIpStart + 19] = 2;
  frame[kIpStart + 10] = frame[kIpStart + 11] = 0;
  std::uint32_t sum = Tins::Utils::do_checksum(&frame[kIpStart], &frame[kTcpStart + 8]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  sum = ~sum;
  frame[kIpStart + 10] = static_cast<std::uint8_t>(sum >> 8);
  frame[kIpStart + 11] = static_cast<std::uint8_t>(sum);
  const FrameView view = DecodeFrame(frame);
  ASSERT_TRUE(view.tcp.has_value());
  EXPECT_EQ(view.tcp->destination, "192.0.2.2");
  EXPECT_EQ(view.tcp->defect, "");

  frame[kTcpStart + 2] = 8;  // the route has been gone to its end: the sum is over the destination
  frame[kIpStart + 11] = static_cast<std::uint8_t>(frame[kIpStart + 11] - 4);
  EXPECT_EQ(DecodeFrame(frame).tcp->defect, "bad checksum");
}

TEST(DecodeFrame, SeesABadChecksum) {
  Bytes frame = Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, 1, 1), "x");
  frame[kTcpStart + 16] ^= 1;
  EXPECT_EQ(DecodeFrame(frame).tcp->defect, "bad checksum");
  frame[kTcpStart + 16] ^= 1;
  frame[kIpStart + 10] ^= 1;
  EXPECT_EQ(DecodeFrame(frame).tcp->defect, "bad IP checksum");
}

TEST(DecodeFrame, SeesAWrongDataOffset) {
  for (const int words : {0, 4, 15}) {
    Bytes frame = Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, 1, 1), "x");
    frame[kTcpStart + 12] = static_cast<std::uint8_t>(words << 4);
    const FrameView view = DecodeFrame(frame);
    ASSERT_TRUE(view.tcp.has_value());
    EXPECT_EQ(view.tcp->defect, "data offset " + std::to_string(words));
    EXPECT_TRUE(view.tcp->options.empty());
    EXPECT_EQ(view.tcp->seq, 1u);
  }
}

TEST(DecodeFrame, SaysSomethingOfEveryPartOfAFrame) {
  for (const Bytes& frame :
       {Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, 1, 1), "payload"),
        Frame("2001:db8::1", "2001:db8::2", Segment(TCP::ACK, 1, 1), "payload")}) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const FrameView view =
          DecodeFrame(Bytes(frame.begin(), frame.begin() + static_cast<long>(size)));
      if (view.tcp) {
        EXPECT_NE(view.tcp->defect, "") << size;
      } else {
        EXPECT_NE(view.other, "") << size;
      }
    }
  }
}

TEST(DecodeFrame, SurvivesEverySingleWrongByte) {
  for (const Bytes& whole :
       {Frame(kSutAddress, kPeerAddress, Segment(TCP::ACK, 1, 1), "payload"),
        Frame("2001:db8::1", "2001:db8::2", Segment(TCP::ACK, 1, 1), "payload")}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
        Bytes frame = whole;
        frame[at] = static_cast<std::uint8_t>(value);
        DecodeFrame(frame);
      }
    }
  }
}

TEST(DecodeFrame, Arp) {
  Tins::EthernetII request = Tins::ARP::make_arp_request(kPeerAddress, kSutAddress,
                                                         Tins::HWAddress<6>("02:00:00:00:00:01"));
  FrameView view = DecodeFrame(request.serialize());
  EXPECT_EQ(view.other, "ARP who-has 192.0.2.2");
  EXPECT_TRUE(view.is_resolution);
  EXPECT_FALSE(view.is_noise);
  Tins::EthernetII reply =
      Tins::ARP::make_arp_reply(kSutAddress, kPeerAddress, Tins::HWAddress<6>("02:00:00:00:00:01"),
                                Tins::HWAddress<6>("02:00:00:00:00:02"));
  view = DecodeFrame(reply.serialize());
  EXPECT_EQ(view.other, "ARP 192.0.2.2 is-at 02:00:00:00:00:02");
}

FrameView DecodeIcmp6(const std::string& source, Tins::ICMPv6::Types type) {
  Tins::ICMPv6 message(type);
  message.target_addr("2001:db8::2");
  Tins::EthernetII frame = Tins::EthernetII("33:33:00:00:00:02", "02:00:00:00:00:01") /
                           Tins::IPv6("ff02::2", source) / message;
  return DecodeFrame(frame.serialize());
}

TEST(DecodeFrame, NeighbourDiscovery) {
  FrameView view = DecodeIcmp6("2001:db8::1", Tins::ICMPv6::NEIGHBOUR_SOLICIT);
  EXPECT_EQ(view.other, "ND who-has 2001:db8::2");
  EXPECT_TRUE(view.is_resolution);
  EXPECT_FALSE(view.is_noise);
  view = DecodeIcmp6("2001:db8::2", Tins::ICMPv6::NEIGHBOUR_ADVERT);
  EXPECT_EQ(view.other, "ND 2001:db8::2 is here");
  EXPECT_FALSE(view.is_noise);
}

TEST(DecodeFrame, HousekeepingOfIpv6IsNoise) {
  EXPECT_TRUE(DecodeIcmp6("fe80::1", Tins::ICMPv6::ROUTER_SOLICIT).is_noise);
  EXPECT_TRUE(DecodeIcmp6("fe80::1", Tins::ICMPv6::MGM_REDUCTION).is_noise);
  EXPECT_TRUE(DecodeIcmp6("::", Tins::ICMPv6::NEIGHBOUR_SOLICIT).is_noise);  // is the address free?
}

// The report of multicast listener discovery comes behind a hop-by-hop header (RFC 3810).
TEST(DecodeFrame, FindsWhatIsBehindAnOptionHeader) {
  constexpr std::size_t kPayload = 14 + 40;
  Bytes frame(kPayload + 16);
  frame[12] = 0x86;  // IPv6, payload length 16, hop-by-hop options next
  frame[13] = 0xdd;
  frame[14 + 5] = 16;
  frame[kPayload] = 58;  // ICMPv6 next
  frame[kPayload + 8] = 143;
  const FrameView view = DecodeFrame(frame);
  EXPECT_EQ(view.other, "MLDv2 report");
  EXPECT_TRUE(view.is_noise);
}

TEST(DecodeFrame, NamesOtherProtocols) {
  const auto decode = [](const auto& transport) {
    Tins::EthernetII frame = Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") /
                             Tins::IP(kPeerAddress, kSutAddress) / transport;
    return DecodeFrame(frame.serialize()).other;
  };
  EXPECT_EQ(decode(Tins::UDP(53, 40000) / Tins::RawPDU("x")), "UDP 40000>53 len=1 \"x\"");
  Tins::ICMP unreachable(Tins::ICMP::DEST_UNREACHABLE);
  unreachable.code(3);
  EXPECT_EQ(decode(unreachable), "ICMP port unreachable");
  EXPECT_EQ(decode(Tins::ICMP(Tins::ICMP::ECHO_REQUEST)), "ICMP echo request id=0 seq=0 len=0");
  EXPECT_EQ(DecodeFrame({2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xcc, 1}).other,
            "Ethernet type 0x88cc, 1 bytes");
}

// What differs from run to run is no part of the kind.
TEST(DecodeFrame, KnowsTheKindOfADatagramAndItsEnds) {
  Bytes frame = (Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") /
                 Tins::IP(kPeerAddress, kSutAddress) / Tins::UDP(53, 40000) / Tins::RawPDU("hello"))
                    .serialize();
  FrameView view = DecodeFrame(frame);
  EXPECT_EQ(view.kind, "UDP len=5");
  ASSERT_TRUE(view.udp.has_value());
  EXPECT_EQ(view.udp->source, kSutAddress);
  EXPECT_EQ(view.udp->destination_port, 53);
  EXPECT_EQ(view.defect, "");
  frame[kTcpStart + 8] ^= 1;  // the first octet behind the header
  EXPECT_EQ(DecodeFrame(frame).defect, "bad checksum");
}

// Groups that every node joins by itself are housekeeping; one that somebody joined is not.
TEST(DecodeFrame, AGroupThatATestJoinedIsNoNoise) {
  for (const auto& [group, is_noise] :
       {std::pair("ff02::1:ff00:1", true), std::pair("ff02::6a", true),
        std::pair("ff02::1:3", false), std::pair("ff3e::4321", false)}) {
    Tins::ICMPv6 report(Tins::ICMPv6::MLD2_REPORT);
    Tins::ICMPv6::multicast_address_record record(4);
    record.multicast_address = group;
    report.multicast_address_records({record});
    const Bytes frame = (Tins::EthernetII("33:33:00:00:00:16", "02:00:00:00:00:01") /
                         Tins::IPv6("ff02::16", "fe80::1") / report)
                            .serialize();
    const FrameView view = DecodeFrame(frame);
    EXPECT_EQ(view.is_noise, is_noise) << group;
    EXPECT_EQ(view.other, std::string("MLDv2 report ") + group + " to_ex {}");
  }
}

TEST(DecodeFrame, NamesFragments) {
  Tins::IP ip(kPeerAddress, kSutAddress);
  ip.flags(Tins::IP::MORE_FRAGMENTS);
  Tins::EthernetII frame =
      Tins::EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01") / ip / Segment(TCP::ACK, 1, 1);
  EXPECT_EQ(DecodeFrame(frame.serialize()).other, "IPv4 fragment 1:20@0+ TCP 40000>80");
}

}  // namespace
}  // namespace sockproof
