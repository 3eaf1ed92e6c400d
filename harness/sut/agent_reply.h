// What one call on an agent gave, as the agent told it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/base/time.h"

namespace sockproof {

// What one call on the agent gave.
struct AgentReply {
  nlohmann::json value;  // null when the call failed
  int error = 0;         // errno of this system, 0 when the call succeeded
  Time begin;            // entry and return of the call, by the agent's clock
  Time end;
  std::vector<std::string> signals;  // raised in the calling thread meanwhile: "SIGPIPE"
};

// The reply as a ladder shows it: ECONNREFUSED, 0, 5: "hello", 4 from 192.0.2.2:40000.
std::string Describe(const AgentReply& reply);

}  // namespace sockproof
