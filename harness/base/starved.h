// Whether the machine kept processes from going on.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/base/time.h"

namespace sockproof {

// Why the processes of this group, who did not end in time, could not: one of their threads waited for
// a processor for `much` or longer altogether, or is in the kernel and cannot be interrupted. Empty:
// neither is known. `group`: as /proc tells it, 0 for processes of a group beyond its PID namespace.
std::string WhyStarved(pid_t group, Duration much);

}  // namespace sockproof
