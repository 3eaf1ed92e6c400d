// Structures of C as octets, as system calls take and give them.
#pragma once

#include <string.h>

#include <algorithm>
#include <cstdint>

#include "harness/packet/bytes.h"

namespace sockproof::packetdrill {

template <typename Object>
Bytes BytesOf(const Object& object) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(&object);
  return {octets, octets + sizeof object};
}

template <typename Object>
Object ObjectIn(const Bytes& octets, std::size_t at = 0) {
  Object object{};
  if (at <= octets.size()) {
    memcpy(&object, octets.data() + at, std::min(sizeof object, octets.size() - at));
  }
  return object;
}

}  // namespace sockproof::packetdrill
