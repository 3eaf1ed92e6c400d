// The kernel's stamps on received packets (socket(7), SO_TIMESTAMPNS).
#pragma once

#include "harness/base/unique_fd.h"

namespace sockproof {

// The kernel stamps packets as they arrive only while some socket, anywhere, asks for it, and takes
// a moment to begin; a packet that comes earlier is stamped when it is read, which on a busy
// machine is much later. Whoever starts tests holds one of these meanwhile, so that the stamps are
// there from the first packet on. Changes nothing else. Move-only.
class KernelTimestamps {
 public:
  // Throws HarnessError.
  KernelTimestamps();

 private:
  UniqueFd socket_;
};

}  // namespace sockproof
