#include "src/cli/target.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "src/cli/commands.h"
#include "src/run/usage_error.h"
#include "src/vm/machine.h"

namespace sockproof {
namespace {

class SystemTarget : public Target {
 public:
  SystemTarget(std::string name, std::unique_ptr<System> system)
      : name_(std::move(name)), system_(std::move(system)) {}
  std::string name() const override { return name_; }
  Facts Prepare() override { return ProbeFacts(*system_); }
  void RunTest(const TestCase& test, const Mutant* mutant, EventLog& log) override {
    if (mutant == nullptr) {
      sockproof::RunTest(test, *system_, log);
    } else {
      sockproof::RunTest(test, *MakeMutantSystem(*system_, *mutant), log);
    }
  }

 private:
  std::string name_;
  std::unique_ptr<System> system_;
};

// A system that is there once and lives on: one test at a time.
class RemoteTarget final : public SystemTarget {
 public:
  RemoteTarget(const std::string& name, std::vector<RemoteStack> stacks)
      : SystemTarget(name, MakeRemoteSystem(name, std::move(stacks))) {}
  int jobs() const override { return 1; }
  bool jobs_are_fixed() const override { return true; }
};

std::unique_ptr<Target> MakeRemoteTarget(const std::string& sut, const std::string& command,
                                         const TargetOptions& options) {
  if (command.empty()) throw UsageError("--sut agent:COMMAND: the command is missing");
  if (options.wire.empty()) {
    throw UsageError(
        "--sut agent:COMMAND needs run's --wire, the interface that leads to that system");
  }
  if (options.second_agent.empty() != options.second_wire.empty()) {
    throw UsageError("--second-agent and --second-wire belong together");
  }
  std::vector<RemoteStack> stacks = {{command, options.wire}};
  if (!options.second_wire.empty()) {
    if (options.second_wire == options.wire) {
      throw UsageError("--second-wire must be another interface than --wire");
    }
    stacks.push_back({options.second_agent, options.second_wire});
  }
  return std::make_unique<RemoteTarget>(sut, std::move(stacks));
}

class MachineTarget final : public Target {
 public:
  MachineTarget(std::string name, Kernel kernel, const TargetOptions& options)
      : name_(std::move(name)), kernel_(std::move(kernel)) {
    options_.program = std::filesystem::read_symlink("/proc/self/exe");
    options_.agent = AgentProgram();
    options_.use_cache = options.use_cache;
    if (options.real_time == "kvm") options_.time = MachineTime::kRealByKvm;
    if (options.real_time == "tcg") options_.time = MachineTime::kRealByTcg;
    options_.say = [](const std::string& text) { fmt::print(stderr, "sockproof: {}\n", text); };
  }
  std::string name() const override { return name_; }
  Facts Prepare() override {
    machine_ = Machine::Prepare(kernel_, options_);
    return machine_->facts();
  }
  void RunTest(const TestCase& test, const Mutant* mutant, EventLog& log) override {
    machine_->RunTest(test, mutant, log);
  }
  bool virtual_time() const override { return options_.time == MachineTime::kVirtual; }
  int jobs() const override { return static_cast<int>(std::thread::hardware_concurrency()); }

 private:
  std::string name_;
  Kernel kernel_;
  MachineOptions options_;
  std::optional<Machine> machine_;
};

}  // namespace

std::unique_ptr<Target> MakeTarget(const std::string& sut, const TargetOptions& options) {
  constexpr std::string_view kMachine = "vm:";
  if (sut.starts_with(kMachine)) {
    return std::make_unique<MachineTarget>(sut, FindKernel(sut.substr(kMachine.size())), options);
  }
  constexpr std::string_view kAgent = "agent:";
  if (sut.starts_with(kAgent)) return MakeRemoteTarget(sut, sut.substr(kAgent.size()), options);
  return std::make_unique<SystemTarget>(sut, MakeSystem(sut));
}

}  // namespace sockproof
