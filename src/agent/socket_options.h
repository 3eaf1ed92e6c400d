// getsockopt() and setsockopt() by name.
#pragma once

#include <sys/socket.h>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

using GetOptionCall = int (*)(int fd, int level, int name, void* value, socklen_t* length);
using SetOptionCall = int (*)(int fd, int level, int name, const void* value, socklen_t length);

// `checks_pointers`: whether the system answers a bad pointer with an error.
json GetSocketOption(Parameters& parameters, Call& call, GetOptionCall get_option,
                     bool checks_pointers);
json SetSocketOption(Parameters& parameters, Call& call, SetOptionCall set_option,
                     bool checks_pointers);

}  // namespace sockproof::agent
