// --sut vm:..., a Linux kernel in a virtual machine.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/run/usage_error.h"
#include "src/vm/guest.h"
#include "src/vm/kernel_store.h"
#include "src/vm/luggage.h"
#include "src/vm/machine.h"

namespace sockproof {
namespace {

struct MachineRunOptions {
  bool no_cache = false;  // boot anew
  bool alone = false;     // each test in a machine of its own
  std::string real_time;  // "kvm", "tcg", or none
};

MachineRunOptions& OfMachines() {
  static MachineRunOptions options;
  return options;
}

void AddMachineOptions(CLI::App& run) {
  run.add_flag("--no-cache", OfMachines().no_cache,
               "Boot kernels anew, whatever snapshots there are");
  run.add_flag("--alone", OfMachines().alone, "Each test in a machine of its own, not in company");
  run.add_option("--real-time", OfMachines().real_time,
                 "Kernels in real time, by kvm or (emulated, slow) tcg; default: virtual time")
      ->check(OneOf({"kvm", "tcg"}))
      ->type_name("HOW");
}

class MachineTarget final : public KernelTarget {
 public:
  explicit MachineTarget(const Sut& sut) : name_(sut.text) {
    options_.append = sut.option("append");
    if (sut.options.contains("memory")) options_.memory = MemoryOf(sut);
    if (!options_.append.empty()) CheckParameters(sut);
    if (sut.what == kAllKernels) {
      throw UsageError("--sut " + sut.text + " is several systems: name one of 'sockproof kernels list'");
    }
    kernel_ = FindKernel(sut.what, sut.option("modules"));
    options_.program = OwnProgram();
    options_.agent = AgentProgram();
    options_.use_cache = !OfMachines().no_cache;
    if (OfMachines().real_time == "kvm") options_.time = MachineTime::kRealByKvm;
    if (OfMachines().real_time == "tcg") options_.time = MachineTime::kRealByTcg;
    options_.say = Say;
  }
  std::string name() const override { return name_; }
  Facts Prepare() override {
    machine_ = Machine::Prepare(kernel_, options_);
    return machine_->facts();
  }
  void RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) override {
    machine_->RunTest(test, alterations, log);
  }
  int most_in_company() const override {
    // What users' own tests bring along and write lies in one file system.
    const bool alone = OfMachines().alone || !LuggageOfRun().empty();
    return alone ? 1 : machine_->MostTests();
  }
  void RunManyTests(const std::vector<const TestCase*>& tests, Company& company) override {
    machine_->RunTests(tests, company);
  }
  std::map<std::uint64_t, std::string> Symbols() const override { return machine_->Symbols(); }
  bool virtual_time() const override { return options_.time == MachineTime::kVirtual; }
  int jobs() const override { return static_cast<int>(std::thread::hardware_concurrency()); }

 private:
  static int MemoryOf(const Sut& sut) {
    const std::string text = sut.option("memory");
    int memory = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), memory);
    if (error != std::errc() || end != text.data() + text.size() ||
        memory < MachineOptions::kLeastMemory || memory > MachineOptions::kMostMemory) {
      throw UsageError(fmt::format("--sut {}: memory is {} to {} MiB, a whole number", sut.text,
                                   MachineOptions::kLeastMemory, MachineOptions::kMostMemory));
    }
    return memory;
  }

  // What comes behind "--" the kernel passes on to the guest's first process.
  static void CheckParameters(const Sut& sut) {
    std::istringstream words(sut.option("append"));
    for (std::string word; words >> word;) {
      if (word == "--") throw UsageError("--sut " + sut.text + ": '--' is no boot parameter");
    }
  }

  std::string name_;
  Kernel kernel_;
  MachineOptions options_;
  std::optional<Machine> machine_;
};

std::unique_ptr<Target> MakeMachine(const Sut& sut) { return std::make_unique<MachineTarget>(sut); }

// vm:debian:all, with whatever options, is each kernel that is here.
std::vector<std::string> MachinesOfAll(const Sut& sut) {
  if (sut.what != kAllKernels) return {};
  const std::vector<std::string> names = FetchedNames();
  if (names.empty()) {
    throw HarnessError("no kernels of Debian are here; 'sockproof kernels fetch debian:all' brings them");
  }
  const std::string begin = "vm:" + sut.what;
  std::vector<std::string> machines;
  for (const std::string& name : names) machines.push_back("vm:" + name + sut.text.substr(begin.size()));
  Say(fmt::format("vm:{} is {}, which are here ('sockproof kernels fetch {}' brings what else Debian has)", sut.what,
                  Joined(names), sut.what));
  return machines;
}

// As the first process of a virtual machine (src/vm/machine.h).
void BecomeTheGuest(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == "guest" && getpid() == 1) RunAsGuest(argc == 2);
}

const SutRegistration kMachine(
    {.name = "vm",
     .spelling = "vm:KERNEL[,modules=DIR][,memory=MIB][,append=PARAMETERS]",
     .meaning = "an image, a built tree, or debian:6.1 or debian:all after 'sockproof kernels fetch'",
     .names_something = true,
     .options = {"modules", "memory", "append"},
     .of_free_text = "append",
     .make = MakeMachine,
     .stands_for = MachinesOfAll,
     .add_run_options = AddMachineOptions});
const SurroundingsRegistration kGuest({.take_over = BecomeTheGuest});

}  // namespace
}  // namespace sockproof
