// Captures made by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

constexpr std::uint8_t kF = 1, kS = 2, kR = 4, kP = 8, kA = 16;

// A TCP segment in IPv4, of 192.0.2.1:1000 when `by_system`, else of 192.0.2.2:80, with an MSS of
// 1460 in SYNs; checksums are right.
struct MadeUpSegment {
  bool by_system = false;
  std::uint8_t flags = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::size_t text = 0;
  std::uint16_t urgent = 0;
};
Bytes IpPacket(const MadeUpSegment& segment);
Bytes EthernetFrame(const MadeUpSegment& segment);

// A file of packets, 1 ms apart.
std::string PcapOf(const std::vector<Bytes>& packets, std::uint32_t link, bool is_big = false);
std::string PcapngOf(const std::vector<Bytes>& packets, std::uint16_t link);

// A connection of 192.0.2.1 that is opened and closed; the last ACK is of `last_ack`.
std::vector<MadeUpSegment> WholeConnection(std::uint32_t last_ack = 1002);

}  // namespace sockproof
