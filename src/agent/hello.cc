#include "src/agent/hello.h"

#include <unistd.h>

#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent {

json Hello(Parameters& parameters, Call& call, About (*look)()) {
  using agent_protocol::kVersion;
  const int asked = parameters.Integer("protocol");
  if (asked != kVersion) {
    parameters.Unsupported("protocol " + std::to_string(asked) + " (this agent speaks " +
                           std::to_string(kVersion) + ")");
  }
  About about;
  call.Run([&] {
    about = look();
    return 0;
  });
  json value = {{"protocol", kVersion},
                {"name", about.name},
                {"version", SOCKPROOF_VERSION},
                {"os", about.os},
                {"release", about.release},
                {"machine", about.machine},
                {"clock", "CLOCK_REALTIME"},
                {"capabilities", about.capabilities},
                {"pid", getpid()}};
  if (!about.facts.empty()) value["facts"] = about.facts;
  return value;
}

json Ping(Parameters&, Call& call) {
  call.Run([] { return 0; });
  return "pong";
}

}  // namespace sockproof::agent
