// lwIP as a system under test: a TCP/IP stack that runs in the process of its agent.
#pragma once

#include <memory>
#include <string>

#include "harness/sut/system.h"

namespace sockproof {

// `agent_program` is the path of sockproof-agent-lwip (src/agent_lwip). With `guards_memory` a
// wrong access of lwIP to its memory ends it at once.
std::unique_ptr<System> MakeLwipSystem(std::string agent_program, bool guards_memory);

}  // namespace sockproof
