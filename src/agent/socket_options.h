// getsockopt() and setsockopt() by name.
#pragma once

#include <sys/socket.h>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

using GetOptionCall = int (*)(int fd, int level, int name, void* value, socklen_t* length);
using SetOptionCall = int (*)(int fd, int level, int name, const void* value, socklen_t length);

json GetSocketOption(Parameters& parameters, Call& call, GetOptionCall get_option);
json SetSocketOption(Parameters& parameters, Call& call, SetOptionCall set_option);

}  // namespace sockproof::agent
