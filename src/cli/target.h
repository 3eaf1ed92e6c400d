// What --sut names, as the commands use it: something that has facts and runs tests.
#pragma once

#include <memory>
#include <string>

#include "harness/claims/facts.h"
#include "harness/mutants/mutant.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"

namespace sockproof {

struct TargetOptions {
  bool use_cache = true;     // snapshots of virtual machines
  std::string real_time;     // of virtual machines: "kvm", "tcg", or none
  std::string wire;          // of agent:COMMAND: the interface to that system
  std::string second_agent;  // a command as well; with its wire, or none
  std::string second_wire;
};

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string name() const = 0;  // as --sut spells it

  // Makes the system ready, which may take long, and asks it. Before RunTest(). Throws
  // HarnessError.
  virtual Facts Prepare() = 0;

  // A RunOneTestOn (src/run/selfproof.h).
  virtual void RunTest(const TestCase& test, const Mutant* mutant, EventLog& log) = 0;

  // How many tests it carries at once; 0: as many as this machine does.
  virtual int jobs() const { return 0; }

  // Whether it carries no more than jobs(), whatever the user says.
  virtual bool jobs_are_fixed() const { return false; }

  // Whether waiting takes no time.
  virtual bool virtual_time() const { return false; }
};

// Throws UsageError for what names no system, HarnessError for one that cannot be.
std::unique_ptr<Target> MakeTarget(const std::string& sut, const TargetOptions& options = {});

}  // namespace sockproof
