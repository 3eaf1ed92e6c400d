// The parts of Checks(), in the order in which they are run.
#pragma once

#include <vector>

#include "src/agent_check/checks.h"

namespace sockproof::agent_check {

std::vector<Check> ProtocolChecks();
std::vector<Check> CallChecks();
// What is declared, and at last what ends the agent.
std::vector<Check> ClosingChecks();

}  // namespace sockproof::agent_check
