// All of lwIP that is not a socket call is called with its lock held.
#pragma once

// Declares C functions without saying so.
extern "C" {
#include <lwipopts.h>
}
#include <lwip/tcpip.h>

namespace sockproof::agent_lwip {

class CoreLock {
 public:
  CoreLock() { LOCK_TCPIP_CORE(); }
  ~CoreLock() { UNLOCK_TCPIP_CORE(); }
  CoreLock(const CoreLock&) = delete;
  CoreLock& operator=(const CoreLock&) = delete;
};

}  // namespace sockproof::agent_lwip
