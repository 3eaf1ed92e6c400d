// The address plan of a wire: documentation addresses (RFC 5737, RFC 3849), so that nothing ever
// clashes with a real network. Hosts on a wire are numbered from 1.
#pragma once

#include <string>

#include "harness/net/ip.h"

namespace sockproof {

inline constexpr int kIpv4PrefixLength = 24;
inline constexpr int kIpv6PrefixLength = 64;

// 192.0.2.<host> or 2001:db8::<host>.
inline IpAddress WireAddress(IpVersion version, int host) {
  return IpAddress((version == IpVersion::kIpv4 ? "192.0.2." : "2001:db8::") +
                   std::to_string(host));
}

// A further address of a host, on a network of its own: 203.0.113.<host> or 2001:db8:1::<host>.
inline IpAddress SecondAddress(IpVersion version, int host) {
  return IpAddress((version == IpVersion::kIpv4 ? "203.0.113." : "2001:db8:1::") +
                   std::to_string(host));
}

// Locally administered unicast.
inline MacAddress WireMac(int host) { return {2, 0, 0, 0, 0, static_cast<std::uint8_t>(host)}; }

}  // namespace sockproof
