// A segment as RFC 9293 sees it: the variables of section 3.3.1, "Current Segment Variables", and
// the options that decide what follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sockproof::oracle {

constexpr std::uint16_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32;

// Section 3.4: all arithmetic is modulo 2^32.
inline bool Before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}
inline bool AtMost(std::uint32_t a, std::uint32_t b) { return !Before(b, a); }
inline std::uint32_t Later(std::uint32_t a, std::uint32_t b) { return Before(a, b) ? b : a; }

struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
};

struct Segment {
  std::uint16_t flags = 0;  // the twelve bits after the data offset
  std::uint32_t seq = 0;    // SEG.SEQ
  std::uint32_t ack = 0;    // SEG.ACK, with kAck only
  std::uint32_t text = 0;   // octets of data
  std::uint16_t window = 0;
  std::uint16_t urgent = 0;  // SEG.UP, with kUrg only
  std::uint16_t options = 0;  // octets of options, padding included
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> scale;  // RFC 7323 section 2
  std::optional<Timestamps> timestamps;
  bool has_bad_options = false;  // one without its length, or more than zeros after their end
  bool is_ipv6 = false;
  bool is_copy = false;  // of a segment that was sent before, with the same acknowledgment
  std::string defect;    // why no receiver may take it, "bad checksum"; empty: it is whole

  bool Has(std::uint16_t flag) const { return (flags & flag) != 0; }
  // SEG.LEN: SYN and FIN count (section 3.4).
  std::uint32_t Length() const { return text + (Has(kSyn) ? 1 : 0) + (Has(kFin) ? 1 : 0); }
};

// "SYN,ACK".
std::string FlagNames(std::uint16_t flags);

}  // namespace sockproof::oracle
