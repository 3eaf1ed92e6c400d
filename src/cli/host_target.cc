// --sut host and host,agent=PATH.
#include <filesystem>

#include "src/cli/target.h"

namespace sockproof {
namespace {

std::unique_ptr<Target> MakeHost(const Sut& sut) {
  const std::string agent = sut.option("agent");
  return std::make_unique<SystemTarget>(
      sut.text,
      MakeHostSystem(agent.empty() ? AgentProgram() : std::filesystem::absolute(agent).string()));
}

const SutRegistration kHost({.name = "host",
                             .spelling = "host[,agent=PATH]",
                             .meaning = "this kernel; with another agent",
                             .options = {"agent"},
                             .make = MakeHost});

}  // namespace
}  // namespace sockproof
