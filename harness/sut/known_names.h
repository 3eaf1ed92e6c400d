// Names that a test uses are looked up before a request is sent: what no table knows is a mistake
// of the test, and no agent is asked, which could only say that it lacks it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"

namespace sockproof {

// Throws HarnessError, "no table knows the event POLLINN", for the first that is not in `table`.
inline void CheckKnown(std::string_view what, agent_protocol::Constants table,
                       const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (agent_protocol::ValueOf(table, name)) continue;
    throw HarnessError("no table knows the " + std::string(what) + " " + name);
  }
}

}  // namespace sockproof
