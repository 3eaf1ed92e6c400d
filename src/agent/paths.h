// Files: what sockets of AF_UNIX have for names, and what is sent and passed.
#pragma once

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// One function a method.
json MakeDirectory(Parameters& parameters, Call& call);
json OpenFile(Parameters& parameters, Call& call);
json Unlink(Parameters& parameters, Call& call);
json LinkTo(Parameters& parameters, Call& call);
json ChangeMode(Parameters& parameters, Call& call);
json StatusOf(Parameters& parameters, Call& call);
json Seek(Parameters& parameters, Call& call);

// Whether there can be a directory of the agent's own, which leaves nothing behind.
bool HasPrivateDirectory();

}  // namespace sockproof::agent
