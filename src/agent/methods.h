// The methods of the agent, one per socket call. README.md has them all with their parameters.
#pragma once

#include <string_view>

#include "src/agent/method.h"

namespace sockproof::agent {

// A MethodFinder: the calls of this system.
const Method* FindMethod(std::string_view name);

}  // namespace sockproof::agent
