// Buffers made full and empty. However much a system takes or gives, both words end.
#pragma once

#include <cstddef>
#include <string>

#include "harness/sut/socket.h"

namespace sockproof {

struct Filled {
  std::size_t octets = 0;  // what was taken
  Outcome<int> last;       // of the call that took nothing; a success where there was no end of it
};

// Sends `piece` again and again without waiting, until no more is taken, at most 4096 times.
Filled FillUp(const Socket& socket, const std::string& piece);

// Receives without waiting, `size` octets at once, until nothing comes, at most 16384 times. How
// often something came.
int Drain(const Socket& socket, std::size_t size = 65536);

}  // namespace sockproof
