// Network interfaces as ioctl() has them: netdevice(7).
#pragma once

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// One function a method.
json InterfaceControl(Parameters& parameters, Call& call);
json ListInterfaces(Parameters& parameters, Call& call);

}  // namespace sockproof::agent
