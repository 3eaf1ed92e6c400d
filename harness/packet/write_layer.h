// One layer as octets, for those who look at layers one by one.
#pragma once

#include <cstddef>

#include "harness/packet/packet.h"

namespace sockproof::packet {

struct LayerBytes {
  Bytes bytes;  // header and body
  bool is_checksum_right = true;
};

// `body`: what follows the header of layers[index].
LayerBytes WriteLayer(const Packet& packet, std::size_t index, View body);

}  // namespace sockproof::packet
