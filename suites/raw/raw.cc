// Raw sockets: raw(7) of the Linux man-pages, RFC 3542 section 3.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::Not;

constexpr std::size_t kIpv4Header = 20;
constexpr const char* kExperimental = "0xfd";  // protocol 253, which RFC 3692 leaves to all

// -1 where there are not so many.
int OctetAt(const std::string& octets, std::size_t at) {
  return at < octets.size() ? static_cast<std::uint8_t>(octets[at]) : -1;
}

// The sum of RFC 1071 over an even number of octets.
std::uint16_t InternetChecksum(std::string_view octets) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at + 1 < octets.size(); at += 2) {
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(octets[at]) << 8 |
                                      static_cast<std::uint8_t>(octets[at + 1]));
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

class RawTest : public SocketsTest {
 protected:
  Socket Raw(const std::string& protocol = kExperimental) {
    Outcome<Socket> opened = sut.OpenSocket(std::string(family.domain), "SOCK_RAW", {}, protocol);
    if (opened.error() == EPERM) NotReached("the agent may open no raw sockets");
    return opened.value();
  }
  std::string IcmpProtocol() const {
    return family.ip == IpVersion::kIpv4 ? "IPPROTO_ICMP" : "IPPROTO_ICMPV6";
  }
  // An echo request of ICMP, which the system answers to itself.
  static std::string EchoRequestOfIpv4() {
    std::string message("\x08\0\0\0\x12\x34\0\x01", 8);
    const std::uint16_t sum = InternetChecksum(message);
    message[2] = static_cast<char>(sum >> 8);
    message[3] = static_cast<char>(sum & 0xff);
    return message;
  }
};

inline constexpr Family kRawIpv4[] = {kIpv4Family};
inline constexpr Family kRawIpv6[] = {kIpv6Family};

TEST_WITH(RawTest, Raw, OfIpv4TheHeaderIsReceived, .claims = {"man:raw(7)-header-received"},
          .over = kRawIpv4) {
  Socket receiver = Raw();
  ASSERT_THAT(Raw().SendTo(Loopback(), "payload"), Returns(7));
  const std::string packet = receiver.Receive(256).value();
  ASSERT_EQ(packet.size(), kIpv4Header + 7);
  EXPECT_EQ(OctetAt(packet, 0) >> 4, 4);
  EXPECT_EQ(OctetAt(packet, 9), 253) << "its protocol";
  EXPECT_EQ(packet.substr(kIpv4Header), "payload");
}

TEST_WITH(RawTest, Raw, OfIpv6TheHeaderIsNotReceived, .claims = {"rfc3542:3-no-header"},
          .over = kRawIpv6) {
  Socket receiver = Raw();
  ASSERT_THAT(Raw().SendTo(Loopback(), "payload"), Returns(7));
  EXPECT_THAT(receiver.Receive(256), Returns("payload"));
}

TEST_WITH(RawTest, Raw, PacketsOfAnotherProtocolAreNotReceived, .claims = {"man:raw(7)-protocol"}) {
  Socket receiver = Raw();
  ASSERT_THAT(Raw("0xfe").SendTo(Loopback(), "of 254"), Returns(6));
  ASSERT_THAT(Raw().SendTo(Loopback(), "of 253"), Returns(6));
  EXPECT_TRUE(receiver.Receive(256).value().ends_with("of 253"));
}

TEST_WITH(RawTest, Raw, ThePortOfWhoSentIsZero, .claims = {"man:raw(7)-port-zero"},
          .over = kRawIpv4) {
  Socket receiver = Raw();
  ASSERT_THAT(Raw().SendTo(Loopback(), "payload"), Returns(7));
  EXPECT_EQ(receiver.ReceiveFrom(256).value().from, Loopback(0));
}

TEST_WITH(RawTest, Raw, WhatAProtocolHandlesIsReceivedToo,
          .claims = {"man:raw(7)-before-protocols"}, .over = kRawIpv4) {
  Socket raw = Raw("IPPROTO_UDP");
  Socket udp = sut.NewSocket(std::string(family.domain), "SOCK_DGRAM");
  udp.Bind(Loopback()).value();
  ASSERT_THAT(udp.SendTo(udp.LocalName().value(), "for both"), Returns(8));
  EXPECT_TRUE(raw.Receive(256).value().ends_with("for both"));
  EXPECT_THAT(udp.Receive(64), Returns("for both"));
}

TEST_WITH(RawTest, Raw, WithIpHdrinclTheHeaderIsCompleted, .claims = {"man:raw(7)-IP_HDRINCL"},
          .over = kRawIpv4) {
  Socket receiver = Raw();
  Socket sender = Raw();
  ASSERT_THAT(sender.SetOption("IP_HDRINCL", 1), Succeeds());
  // No length, no checksum and no source; a TTL of 7.
  std::string packet("\x45\0\0\0\x12\x34\0\0\x07\xfd\0\0\0\0\0\0\x7f\0\0\x01", kIpv4Header);
  packet += "payload";
  ASSERT_THAT(sender.SendTo(Loopback(), packet), Returns(static_cast<int>(packet.size())));
  const std::string received = receiver.Receive(256).value();
  ASSERT_EQ(received.size(), packet.size());
  EXPECT_EQ(OctetAt(received, 8), 7) << "its TTL";
  EXPECT_EQ(OctetAt(received, 2) << 8 | OctetAt(received, 3), static_cast<int>(packet.size()));
  EXPECT_EQ(received.substr(12, 4), std::string("\x7f\0\0\x01", 4)) << "its source";
  EXPECT_EQ(InternetChecksum(std::string_view(received).substr(0, kIpv4Header)), 0);
}

TEST_WITH(RawTest, Raw, IcmpFilterKeepsTypesOut, .claims = {"man:raw(7)-ICMP_FILTER"},
          .over = kRawIpv4) {
  constexpr int kEchoRequest = 8;
  Socket all = Raw("IPPROTO_ICMP");
  Socket filtered = Raw("IPPROTO_ICMP");
  ASSERT_THAT(filtered.SetOption("ICMP_FILTER", 1 << kEchoRequest), Succeeds());
  ASSERT_THAT(Raw("IPPROTO_ICMP").SendTo(Loopback(), EchoRequestOfIpv4()), Returns(8));
  const auto type_received = [](const Socket& socket) {
    return OctetAt(socket.Receive(256).value(), kIpv4Header);
  };
  EXPECT_EQ(type_received(all), kEchoRequest);
  EXPECT_EQ(type_received(all), 0) << "the reply";
  EXPECT_EQ(type_received(filtered), 0) << "the reply alone";
}

TEST_WITH(RawTest, Raw, Icmp6FilterPassesAllAtFirst, .claims = {"rfc3542:3.2-default"},
          .over = kRawIpv6) {
  constexpr int kEchoRequest = 128;
  Socket all = Raw(IcmpProtocol());
  Socket blocked = Raw(IcmpProtocol());
  // ICMP6_FILTER_SETBLOCKALL of netinet/icmp6.h sets each bit.
  ASSERT_THAT(blocked.SetOption("ICMP6_FILTER", Bytes(32, 0xff)), Succeeds());
  // The checksum is calculated by the system.
  const std::string request("\x80\0\0\0\x12\x34\0\x01", 8);
  ASSERT_THAT(Raw(IcmpProtocol()).SendTo(Loopback(), request), Returns(8));
  EXPECT_EQ(OctetAt(all.Receive(256).value(), 0), kEchoRequest);
  EXPECT_THAT(blocked.Receive(256, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(RawTest, Raw, Ipv6ChecksumIsStoredAndVerified, .claims = {"rfc3542:3.1-IPV6_CHECKSUM"},
          .over = kRawIpv6) {
  Socket plain = Raw();
  Socket summing = Raw();
  ASSERT_THAT(summing.SetOption("IPV6_CHECKSUM", 2), Succeeds());
  const std::string data("ab\0\0cd", 6);
  // One without a checksum reaches who does not verify it, and one with both.
  ASSERT_THAT(Raw().SendTo(Loopback(), data), Returns(6));
  ASSERT_THAT(summing.SendTo(Loopback(), data), Returns(6));
  EXPECT_THAT(plain.Receive(256), Returns(data));
  const std::string stored = plain.Receive(256).value();
  EXPECT_NE(stored.substr(2, 2), data.substr(2, 2));
  EXPECT_THAT(summing.Receive(256), Returns(stored));
}

TEST_WITH(RawTest, Raw, Ipv6ChecksumTakesNoOddOffset, .claims = {"rfc3542:3.1-odd"},
          .over = kRawIpv6) {
  EXPECT_THAT(Raw().SetOption("IPV6_CHECKSUM", 3), Not(Succeeds()));
}

TEST_WITH(RawTest, Raw, Ipv6ChecksumIsNotForIcmpv6, .claims = {"rfc3542:3.1-ICMPv6"},
          .over = kRawIpv6) {
  EXPECT_THAT(Raw(IcmpProtocol()).SetOption("IPV6_CHECKSUM", 2), Not(Succeeds()));
}

}  // namespace
}  // namespace sockproof
