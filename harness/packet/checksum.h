// The Internet checksum, RFC 1071.
#pragma once

#include <cstdint>

#include "harness/packet/bytes.h"

namespace sockproof::packet {

// Parts may be added in any order but must be added whole: each is padded to 16 bits with a zero.
class OnesComplementSum {
 public:
  OnesComplementSum& Add(View part);
  OnesComplementSum& Add(std::uint32_t number);

  // What to write where zero stood.
  std::uint16_t Checksum() const { return static_cast<std::uint16_t>(~Folded()); }
  // Whether it was summed over a right checksum.
  bool IsRight() const { return Folded() == 0xffff; }

 private:
  std::uint16_t Folded() const;

  std::uint64_t sum_ = 0;
};

}  // namespace sockproof::packet
