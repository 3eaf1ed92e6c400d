// A Linux kernel as a system under test: a virtual machine that is booted once, stopped when it is
// ready, and goes on from there for each test, in virtual time.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/alteration.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/run/company.h"
#include "src/vm/kernel.h"
#include "src/vm/reached.h"

namespace sockproof {

class Qemu;

// The time in which a machine runs.
enum class MachineTime {
  kVirtual,    // jumps to the next timer when the machine idles; the same each time
  kRealByKvm,  // real, on the processor itself
  kRealByTcg,  // real, on an emulated one, which is some ten times slower
};

struct MachineOptions {
  std::filesystem::path program;  // of which the tests are part
  std::filesystem::path agent;
  MachineTime time = MachineTime::kVirtual;
  bool use_cache = true;  // take a snapshot that is there, and leave one
  std::string append;     // parameters of the kernel, behind those that it needs here
  static constexpr int kLeastMemory = 160;
  static constexpr int kMostMemory = 65536;
  int memory = 0;  // MiB; 0: as much as the kernel needs, by its configuration
  // Told what takes long: "booting Linux 6.1.0-50-amd64".
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

// Copies mean the same snapshot.
class Machine {
 public:
  // Boots `kernel` and keeps it as a snapshot, or finds it in the cache. Throws HarnessError, with
  // the last lines of its console when it does not boot.
  static Machine Prepare(const Kernel& kernel, const MachineOptions& options);

  const Facts& facts() const { return facts_; }

  // A RunOneTestOn (src/run/selfproof.h): runs the test in a machine that goes on from the
  // snapshot. What the machine prints on its console goes to standard error. A kernel that crashes
  // is the verdict FAIL; a guest whose test process ends as no test should ends this process alike.
  void RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) const;

  // A RunManyTests (src/run/company.h): the same of at most MostTests() in one machine, one after
  // another. It ends after a test that made the kernel warn or crash.
  void RunTests(const std::vector<const TestCase*>& tests, Company& company) const;
  int MostTests() const;

  // Where the kernel's functions begin, modules included, as it says itself. Throws HarnessError.
  std::map<std::uint64_t, std::string> Symbols() const;

 private:
  // `signal_number`: what ended the process of the last test, if anything did.
  void Run(const std::vector<const TestCase*>& tests, const Alterations& alterations,
           Company& company, int& signal_number) const;

  MachineTime time_ = MachineTime::kVirtual;
  // Starts a machine that goes on from the snapshot, with `tests` as the content of that file.
  std::vector<std::string> ArgumentsToGoOn(const std::string& tests) const;
  void GoOn(Qemu& qemu) const;

  int memory_ = 0;  // MiB
  std::filesystem::path qemu_;
  std::filesystem::path folder_;
  Facts facts_;
};

}  // namespace sockproof
