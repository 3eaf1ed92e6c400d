// --sut agent:COMMAND, a system of the user's: at the other end of a wire, or without one.
#include "src/cli/target.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct RemoteOptions {
  std::string wire;          // the interface to that system
  std::string second_agent;  // a command as well; with its wire, or none
  std::string second_wire;
};

RemoteOptions& Remote() {
  static RemoteOptions options;
  return options;
}

void AddRemoteOptions(CLI::App& run) {
  run.add_option("--wire", Remote().wire,
                 "For --sut agent:COMMAND, a system of yours: the interface that leads to it; without "
                 "it run the tests that need none")
      ->type_name("IFACE");
  run.add_option("--second-agent", Remote().second_agent,
                 "A second such system, for tests between two, with its --second-wire")
      ->type_name("COMMAND");
  run.add_option("--second-wire", Remote().second_wire, "The interface that leads there")
      ->type_name("IFACE");
}

// A system that is there once and lives on: one test at a time.
class RemoteTarget final : public SystemTarget {
 public:
  RemoteTarget(const std::string& name, std::vector<RemoteStack> stacks)
      : SystemTarget(name, MakeRemoteSystem(name, std::move(stacks))) {}
  int jobs() const override { return 1; }
  bool jobs_are_fixed() const override { return true; }
};

std::unique_ptr<Target> MakeRemote(const Sut& sut) {
  const RemoteOptions& options = Remote();
  if (options.second_agent.empty() != options.second_wire.empty()) {
    throw UsageError("--second-agent and --second-wire belong together");
  }
  std::vector<RemoteStack> stacks = {{sut.what, options.wire}};
  if (!options.second_wire.empty()) {
    if (options.second_wire == options.wire) {
      throw UsageError("--second-wire must be another interface than --wire");
    }
    stacks.push_back({options.second_agent, options.second_wire});
  }
  return std::make_unique<RemoteTarget>(sut.text, std::move(stacks));
}

const SutRegistration kRemote({.name = "agent",
                               .spelling = "agent:COMMAND",
                               .meaning = "a system of yours; with --wire, all tests",
                               .names_something = true,
                               .separator = 0,
                               .make = MakeRemote,
                               .add_run_options = AddRemoteOptions});

}  // namespace
}  // namespace sockproof
