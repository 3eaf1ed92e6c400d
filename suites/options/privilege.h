// What options ask of who sets them.
#pragma once

#include <errno.h>

#include "harness/test/test.h"

namespace sockproof {

// NotReached() where the call failed for want of a capability.
inline void RequirePrivilege(const Outcome<int>& called) {
  if (called.error() == EPERM || called.error() == EACCES) {
    NotReached("the agent is no privileged process");
  }
}

}  // namespace sockproof
