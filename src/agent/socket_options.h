// getsockopt() and setsockopt() by name.
#pragma once

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

json GetSocketOption(Parameters& parameters, Call& call);
json SetSocketOption(Parameters& parameters, Call& call);

}  // namespace sockproof::agent
