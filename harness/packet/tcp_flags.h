// Control bits of a TCP header, RFC 9293 section 3.1.
#pragma once

#include <cstdint>

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

}  // namespace sockproof
