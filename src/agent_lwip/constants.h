// What lwIP's sockets know by name: lwip/sockets.h of lwIP without those that it calls
// unimplemented. Debian's build takes the numbers from the headers of the system.
#pragma once

#include <string_view>

#include "harness/agent_protocol/names.h"

namespace sockproof::agent_lwip {

using agent_protocol::Constants;

Constants AddressFamilies();
Constants SocketTypes();
Constants Protocols();
Constants MessageFlags();
Constants PollEvents();
Constants ControlCommands();
Constants FileStatusFlags();
Constants ControlRequests();
Constants None();  // flags of socket() and accept(), flags of descriptors

bool HasOption(std::string_view name);

}  // namespace sockproof::agent_lwip
