// The methods of the agent, one per socket call. README.md has them all with their parameters.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

struct Method {
  std::string_view name;
  // Reads its parameters, makes its system call with Call::Run() and returns the value of the
  // result; what it returns for a failed system call is not used. Throws RpcError.
  json (*function)(Parameters&, Call&);
  // Whether the system call can wait for something, so that it needs a thread of its own.
  bool may_block;
};

// nullptr for a name that the agent does not know.
const Method* FindMethod(std::string_view name);

}  // namespace sockproof::agent
