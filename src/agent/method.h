// What a request asks for: one method of the protocol.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

struct Method {
  std::string_view name;
  // Reads its parameters, makes its call with Call::Run() and returns the value of the result; what
  // it returns for a failed call is not used. Throws RpcError.
  json (*function)(Parameters&, Call&);
  // Whether the call can wait for something, so that it needs a thread of its own.
  bool may_block;
};

// Gives nullptr for a name that the agent does not know.
using MethodFinder = const Method* (*)(std::string_view name);

}  // namespace sockproof::agent
