#include "harness/packet/checksum.h"

namespace sockproof::packet {

OnesComplementSum& OnesComplementSum::Add(View part) {
  std::size_t at = 0;
  for (; at + 1 < part.size(); at += 2) sum_ += Read16(part, at);
  if (at < part.size()) sum_ += static_cast<std::uint64_t>(part[at]) << 8;
  return *this;
}

OnesComplementSum& OnesComplementSum::Add(std::uint32_t number) {
  sum_ += (number >> 16) + (number & 0xffff);
  return *this;
}

std::uint16_t OnesComplementSum::Folded() const {
  std::uint64_t sum = sum_;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace sockproof::packet
