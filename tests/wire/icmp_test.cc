// ICMP errors about a segment, read back by libtins.
#include "harness/wire/icmp.h"

#include <gmock/gmock.h>
#include <tins/tins.h>

namespace sockproof {
namespace {

const MacAddress kOne{2, 0, 0, 0, 0, 1};
const MacAddress kTwo{2, 0, 0, 0, 0, 2};

Segment Offending(const char* source, const char* destination) {
  Segment segment;
  segment.source = {IpAddress(source), 4321};
  segment.destination = {IpAddress(destination), 80};
  segment.seq = 0xfffffff0;
  segment.flags = kSyn;
  return segment;
}

// As that of a host at the far end of the segment's way.
Bytes FrameAbout(const IcmpError& error, const Segment& segment, std::size_t quote_at_most = 1280) {
  return BuildFrame(error, packet::Write(IpPacketOf(segment)), quote_at_most,
                    segment.destination.address, segment.source.address, kTwo, kOne);
}

Tins::EthernetII Read(const Bytes& frame) {
  return {frame.data(), static_cast<std::uint32_t>(frame.size())};
}

Bytes QuoteIn(const Tins::PDU& message) { return message.rfind_pdu<Tins::RawPDU>().payload(); }

// The ports and the sequence number, by which the receiver finds the connection.
void ExpectOffending(const Tins::TCP& quoted) {
  EXPECT_EQ(quoted.sport(), 4321);
  EXPECT_EQ(quoted.dport(), 80);
  EXPECT_EQ(quoted.seq(), 0xfffffff0);
}

TEST(Icmp, QuotesTheSegment) {
  const Segment segment = Offending("192.0.2.1", "192.0.2.2");
  const auto frame = Read(FrameAbout(icmp::HostUnreachable(IpVersion::kIpv4), segment));
  EXPECT_EQ(frame.rfind_pdu<Tins::IP>().dst_addr(), "192.0.2.1");
  const auto& message = frame.rfind_pdu<Tins::ICMP>();
  EXPECT_EQ(message.type(), Tins::ICMP::DEST_UNREACHABLE);
  EXPECT_EQ(message.code(), 1);
  const Bytes quote = QuoteIn(message);
  const Tins::IP quoted(quote.data(), static_cast<std::uint32_t>(quote.size()));
  EXPECT_EQ(quoted.src_addr(), "192.0.2.1");
  ExpectOffending(quoted.rfind_pdu<Tins::TCP>());
}

TEST(Icmp, QuotesTheSegmentInIpv6) {
  const Segment segment = Offending("2001:db8::1", "2001:db8::2");
  const auto frame = Read(FrameAbout(icmp::PortUnreachable(IpVersion::kIpv6), segment));
  const auto& message = frame.rfind_pdu<Tins::ICMPv6>();
  EXPECT_EQ(message.type(), Tins::ICMPv6::DEST_UNREACHABLE);
  EXPECT_EQ(message.code(), 4);
  const Bytes quote = QuoteIn(message);
  const Tins::IPv6 quoted(quote.data(), static_cast<std::uint32_t>(quote.size()));
  EXPECT_EQ(quoted.src_addr(), "2001:db8::1");
  ExpectOffending(quoted.rfind_pdu<Tins::TCP>());
}

TEST(Icmp, QuotesNoMoreThanFits) {
  Segment segment = Offending("192.0.2.1", "192.0.2.2");
  segment.payload.assign(1400, 'x');
  const Bytes frame = FrameAbout(icmp::TooBig(IpVersion::kIpv4, 1300), segment);
  EXPECT_EQ(frame.size(), 14U + 576U);
  const Bytes brief = FrameAbout(icmp::TooBig(IpVersion::kIpv4, 1300), segment, 28);
  EXPECT_EQ(brief.size(), 14U + 20U + 8U + 28U);
  EXPECT_EQ(Read(frame).rfind_pdu<Tins::ICMP>().mtu(), 1300);
}

}  // namespace
}  // namespace sockproof
