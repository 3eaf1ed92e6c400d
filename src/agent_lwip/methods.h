// The methods of the agent in front of lwIP: those of src/agent/README.md that lwIP has.
#pragma once

#include <string_view>

#include "src/agent/method.h"

namespace sockproof::agent_lwip {

// An agent::MethodFinder.
const agent::Method* FindMethod(std::string_view name);

}  // namespace sockproof::agent_lwip
