// What --sut names, as the commands use it: something that has facts and runs tests.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/alteration.h"
#include "harness/sut/system.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/run/company.h"

namespace sockproof {

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string name() const = 0;  // as --sut spells it

  // Makes the system ready, which may take long, and asks it. Before RunTest(). Throws
  // HarnessError.
  virtual Facts Prepare() = 0;

  // A RunOneTestOn (src/run/selfproof.h).
  virtual void RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) = 0;

  // At most so many tests can be run in one process, one after another, by RunManyTests() (a
  // RunManyTests of src/run/company.h). What a test did in company counts only if it is as
  // expected.
  virtual int most_in_company() const { return 1; }
  virtual void RunManyTests(const std::vector<const TestCase*>& /*tests*/, Company& /*company*/) {}

  // How many tests it carries at once; 0: as many as this machine does.
  virtual int jobs() const { return 0; }

  // Whether it carries no more than jobs(), whatever the user says.
  virtual bool jobs_are_fixed() const { return false; }

  // Whether waiting takes no time.
  virtual bool virtual_time() const { return false; }
};

// A kernel whose functions have names.
class KernelTarget : public Target {
 public:
  // Where they begin, by the kernel's own word. After Prepare(). Throws HarnessError.
  virtual std::map<std::uint64_t, std::string> Symbols() const = 0;
};

// A target of a System that runs beside this program.
class SystemTarget : public Target {
 public:
  SystemTarget(std::string name, std::unique_ptr<System> system)
      : name_(std::move(name)), system_(std::move(system)) {}
  std::string name() const override { return name_; }
  Facts Prepare() override;  // in a child process
  void RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) override;

 private:
  std::string name_;
  std::unique_ptr<System> system_;
};

// --sut, taken apart: KIND, KIND:WHAT, and options, "vm:bzImage,modules=DIR".
struct Sut {
  std::string text;  // all of it
  std::string kind;
  std::string what;
  std::map<std::string, std::string> options;

  std::string option(const std::string& name) const;  // empty when it is not there
};

// A kind of system. Each registers itself, as commands do: a program knows those that are linked
// into it.
struct SutKind {
  std::string name;                  // before ':' or ','
  std::string spelling;              // "rootfs:DIR[,runtime=NAME]"
  std::string meaning;               // for help
  bool names_something = false;      // whether a WHAT follows
  bool may_name_something = false;   // whether one may
  char separator = ',';              // before an option; 0: the rest is WHAT, whatever is in it
  std::vector<std::string> options;  // names
  std::vector<std::string> switches;  // of options without a value: "yes" when they are there
  std::string of_free_text;          // the one of them in whose value the separator may be; or none

  // Throws UsageError for what names no system, HarnessError for one that cannot be.
  std::unique_ptr<Target> (*make)(const Sut& sut) = nullptr;
  // The systems that such a name stands for, if it is a name for several; null: none is. Throws HarnessError where
  // there are none.
  std::vector<std::string> (*stands_for)(const Sut& sut) = nullptr;
  // Declares options of `run` for this kind alone; null: it has none. Their values are to be kept
  // where `make` finds them.
  void (*add_run_options)(CLI::App& run) = nullptr;
};

class SutRegistration {
 public:
  explicit SutRegistration(SutKind kind);
};

// Those that are linked: host first, the others by name.
const std::vector<SutKind>& AllSutKinds();

// For help: "host (this kernel), lwip, ...".
std::string SutSpellings();

// Throws UsageError.
Sut ParseSut(const std::string& text);

// Throws UsageError for what names no system, HarnessError for one that cannot be.
std::unique_ptr<Target> MakeTarget(const std::string& sut);

// Each system that is meant, in place of names for several. Throws UsageError, HarnessError.
std::vector<std::string> SystemsMeant(const std::vector<std::string>& suts);

// The paths of this program, of another that is installed beside it, and of sockproof-agent. Throw
// HarnessError.
std::string OwnProgram();
std::string ProgramBeside(const std::string& name);
std::string AgentProgram();

}  // namespace sockproof
