// What must hold for any octets: they are read and described within bounds, and what was read is
// written again as it was.
#pragma once

#include <string>

#include "harness/packet/bytes.h"

namespace sockproof::packet {

// What does not hold; empty when all does.
std::string FlawOfRoundTrip(View frame);

}  // namespace sockproof::packet
