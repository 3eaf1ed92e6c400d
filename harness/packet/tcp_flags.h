// Control bits of a TCP header, RFC 9293 section 3.1.
#pragma once

#include <cstdint>
#include <string>

namespace sockproof {

enum TcpFlag : std::uint8_t {
  kFin = 1,
  kSyn = 2,
  kRst = 4,
  kPsh = 8,
  kAck = 16,
  kUrg = 32,
  kEce = 64,
  kCwr = 128,
};
using TcpFlags = std::uint8_t;

// The ninth bit: AE of RFC 9768, NS before it, reserved in RFC 9293.
constexpr std::uint16_t kAccurateEcn = 256;

// "SYN,ACK"; "none" when no bit is set. `flags`: up to the twelve bits after the data offset; the
// three that have no name are shown as "reserved=0xe".
std::string TcpFlagsName(std::uint16_t flags);

}  // namespace sockproof
