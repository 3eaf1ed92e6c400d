// Any system call of Linux, as it is: for scripts that make calls no other method has.
#pragma once

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// The method "system_call" (README.md).
json SystemCall(Parameters& parameters, Call& call);

}  // namespace sockproof::agent
