#include "harness/wire/icmp.h"

#include <tins/tins.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"

namespace sockproof {
namespace {

constexpr size_t kIcmpHeader = 8;
constexpr std::uint8_t kHopLimit = 64;
constexpr size_t kLargestIcmp = 576;     // RFC 1812 section 4.3.2.3
constexpr size_t kLargestIcmpv6 = 1280;  // RFC 4443 section 2.4 (c)

bool IsIpv4(IpVersion version) { return version == IpVersion::kIpv4; }

// The segment as a packet, without the padding that Ethernet may have added, cut to `size`.
Bytes Quote(const Segment& segment, size_t size) {
  const Bytes frame = BuildFrame(segment, MacAddress{}, MacAddress{});
  const std::uint8_t* ip = frame.data() + kEthernetHeader;
  const bool is_ipv4 = IsIpv4(segment.source.address.version());
  const auto length_at = [&](size_t at) { return static_cast<size_t>(ip[at] << 8 | ip[at + 1]); };
  const size_t length = is_ipv4 ? length_at(2) : kIpv6Header + length_at(4);
  return Bytes(ip, ip + std::min(length, size));
}

std::uint16_t High(std::uint32_t value) { return static_cast<std::uint16_t>(value >> 16); }
std::uint16_t Low(std::uint32_t value) { return static_cast<std::uint16_t>(value); }

// libtins names the four octets as they are called in an echo request.
Tins::ICMP LayOutIcmp(const IcmpError& error) {
  Tins::ICMP message;
  message.type(static_cast<Tins::ICMP::Flags>(error.type));
  message.code(error.code);
  message.id(High(error.rest));
  message.sequence(Low(error.rest));
  return message;
}

Tins::ICMPv6 LayOutIcmpv6(const IcmpError& error) {
  Tins::ICMPv6 message;
  message.type(static_cast<Tins::ICMPv6::Types>(error.type));
  message.code(error.code);
  message.identifier(High(error.rest));
  message.sequence(Low(error.rest));
  return message;
}

}  // namespace

namespace icmp {
IcmpError NetUnreachable(IpVersion version) {
  return IsIpv4(version) ? IcmpError{3, 0} : IcmpError{1, 0};
}
IcmpError HostUnreachable(IpVersion version) {
  return IsIpv4(version) ? IcmpError{3, 1} : IcmpError{1, 3};
}
IcmpError PortUnreachable(IpVersion version) {
  return IsIpv4(version) ? IcmpError{3, 3} : IcmpError{1, 4};
}
IcmpError ProtocolUnreachable() { return {3, 2}; }
IcmpError SourceRouteFailed() { return {3, 5}; }
IcmpError AdminProhibited() { return {1, 1}; }
IcmpError TooBig(IpVersion version, std::uint16_t mtu) {
  return IsIpv4(version) ? IcmpError{3, 4, mtu} : IcmpError{2, 0, mtu};
}
IcmpError HopLimitExceeded(IpVersion version) {
  return IsIpv4(version) ? IcmpError{11, 0} : IcmpError{3, 0};
}
IcmpError ParameterProblem(IpVersion version) {
  return IsIpv4(version) ? IcmpError{12, 0} : IcmpError{4, 0};
}
IcmpError SourceQuench() { return {4, 0}; }
}  // namespace icmp

Bytes BuildFrame(const IcmpError& error, const Segment& about, const IpAddress& from,
                 const MacAddress& source, const MacAddress& destination) {
  const IpAddress& to = about.source.address;
  if (from.version() != to.version()) throw HarnessError("ICMP error between two IP versions");
  Tins::EthernetII frame{Tins::HWAddress<6>(destination.data()), Tins::HWAddress<6>(source.data())};
  if (IsIpv4(from.version())) {
    Tins::IP ip(to.ToString(), from.ToString());
    ip.ttl(kHopLimit);
    frame /= ip / LayOutIcmp(error) /
             Tins::RawPDU(Quote(about, kLargestIcmp - kIpv4Header - kIcmpHeader));
  } else {
    Tins::IPv6 ip(to.ToString(), from.ToString());
    ip.hop_limit(kHopLimit);
    frame /= ip / LayOutIcmpv6(error) /
             Tins::RawPDU(Quote(about, kLargestIcmpv6 - kIpv6Header - kIcmpHeader));
  }
  return frame.serialize();
}

}  // namespace sockproof
