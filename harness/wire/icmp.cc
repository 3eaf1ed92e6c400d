#include "harness/wire/icmp.h"

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/packet/header_sizes.h"
#include "harness/packet/packet.h"

namespace sockproof {
namespace {

constexpr size_t kLargestIcmp = 576;     // RFC 1812 section 4.3.2.3
constexpr size_t kLargestIcmpv6 = 1280;  // RFC 4443 section 2.4 (c)

bool IsIpv4(IpVersion version) { return version == IpVersion::kIpv4; }

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

Bytes BuildFrame(const IcmpError& error, const Bytes& about, std::size_t quote_at_most,
                 const IpAddress& from, const IpAddress& to, const MacAddress& source,
                 const MacAddress& destination) {
  if (from.version() != to.version()) throw HarnessError("ICMP error between two IP versions");
  const packet::Icmp message{
      .version = to.version(), .type = error.type, .code = error.code, .rest = error.rest};
  packet::Packet built{.layers = {packet::Ethernet{destination, source}}};
  std::size_t room = 0;
  if (IsIpv4(to.version())) {
    built.layers.push_back(packet::Ipv4{.source = from, .destination = to});
    room = kLargestIcmp - kIpv4Header - kIcmpHeader;
  } else {
    built.layers.push_back(packet::Ipv6{.source = from, .destination = to});
    room = kLargestIcmpv6 - kIpv6Header - kIcmpHeader;
  }
  built.layers.push_back(message);
  built.payload = about;
  built.payload.resize(std::min({about.size(), quote_at_most, room}));
  return packet::Write(built);
}

}  // namespace sockproof
