// Neighbour discovery (RFC 4861): solicitations, advertisements and redirects.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/net/ip.h"
#include "harness/packet/packet.h"

namespace sockproof::packet {

struct NeighbourMessage {
  static constexpr std::uint32_t kRouter = 1U << 31, kSolicited = 1U << 30, kOverride = 1U << 29;
  static constexpr std::uint8_t kSourceLinkAddress = 1, kTargetLinkAddress = 2;
  static constexpr std::uint8_t kNeverForwarded = 255;  // the hop limit that section 7.1 demands

  std::uint8_t type = icmpv6_type::kNeighbourSolicitation;
  std::uint32_t flags = 0;  // of an advertisement
  IpAddress target;
  std::optional<MacAddress> source_mac, target_mac;  // the options

  // To be put behind IPv6.
  Packet Message() const;
};

// Nothing of another packet, or of one that is too short for a target.
std::optional<NeighbourMessage> ReadNeighbourMessage(const Packet& packet);

}  // namespace sockproof::packet
