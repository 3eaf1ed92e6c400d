// Octets in network order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sockproof {

using Bytes = std::vector<std::uint8_t>;

namespace packet {

using View = std::span<const std::uint8_t>;

// The octets from `at` on must be there.
inline std::uint16_t Read16(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline std::uint32_t Read32(View bytes, std::size_t at) {
  return static_cast<std::uint32_t>(Read16(bytes, at)) << 16 | Read16(bytes, at + 2);
}

inline void Append8(Bytes& bytes, std::uint64_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value));
}
inline void Append16(Bytes& bytes, std::uint64_t value) {
  Append8(bytes, value >> 8);
  Append8(bytes, value);
}
inline void Append32(Bytes& bytes, std::uint64_t value) {
  Append16(bytes, value >> 16);
  Append16(bytes, value);
}
inline void Append(Bytes& bytes, View more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

inline Bytes ToBytes(View view) { return {view.begin(), view.end()}; }

}  // namespace packet
}  // namespace sockproof
