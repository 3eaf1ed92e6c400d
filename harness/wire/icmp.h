// ICMP error messages (RFC 792, RFC 4443) about a packet, as a router or a host sends them.
#pragma once

#include <cstdint>

#include "harness/net/ip.h"
#include "harness/trace/event.h"
#include "harness/wire/segment.h"

namespace sockproof {

// What an error says. Types and codes are those of ICMP or of ICMPv6, whichever the packet that it
// is about travelled with.
struct IcmpError {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;  // the four octets after the checksum
};

namespace icmp {
// Destination unreachable.
IcmpError NetUnreachable(IpVersion version);   // ICMPv6: no route to destination
IcmpError HostUnreachable(IpVersion version);  // ICMPv6: address unreachable
IcmpError PortUnreachable(IpVersion version);
IcmpError ProtocolUnreachable();  // ICMP only
IcmpError SourceRouteFailed();    // ICMP only
IcmpError AdminProhibited();      // ICMPv6 only: communication administratively prohibited
// The packet did not fit a link of this MTU: fragmentation needed, or packet too big.
IcmpError TooBig(IpVersion version, std::uint16_t mtu);

IcmpError HopLimitExceeded(IpVersion version);
IcmpError ParameterProblem(IpVersion version);
IcmpError SourceQuench();  // ICMP only
}  // namespace icmp

// The frame in which `from` reports `error` to `to`, the sender of the packet whose octets, from
// its IP header on, are `about`: quoting at most `quote_at_most` of them, and no more than such a
// message may hold.
Bytes BuildFrame(const IcmpError& error, const Bytes& about, std::size_t quote_at_most,
                 const IpAddress& from, const IpAddress& to, const MacAddress& source,
                 const MacAddress& destination);

}  // namespace sockproof
