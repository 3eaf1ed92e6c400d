// The commands of the program. Each declares itself, in a file of its own:
//
//   Action AddDiff(CLI::App& app) {
//     auto arguments = std::make_shared<DiffArguments>();
//     app.add_option("BASE", arguments->base, "Folder of the older results")->required();
//     return [arguments](const std::string&) { return Diff(*arguments); };
//   }
//   const CommandRegistration kDiff({"diff", CommandGroup::kResults, "What is different ...",
//                                    kHelp, AddDiff});
//
// A program has the commands that are linked into it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "src/run/selection.h"

namespace sockproof {

// Does what the command line asks for and returns the exit code: 0 as expected, 1 a surprise,
// 3 could not test, 128 and the number for a signal. `program` is the program as invoked. Throws
// UsageError (exit code 2).
using Action = std::function<int(const std::string& program)>;

// Help shows the groups in this order.
enum class CommandGroup { kTests, kResults, kSystems, kProgram };

struct Command {
  std::string name;
  CommandGroup group;
  std::string summary;                     // one line
  std::string help;                        // examples and exit codes, below the options
  Action (*add)(CLI::App& app) = nullptr;  // declares the options
};

// Makes the command known for as long as the program runs; to be a constant at namespace scope.
class CommandRegistration {
 public:
  explicit CommandRegistration(Command command);
};

// All that are linked, by group and name.
std::vector<Command> AllCommands();

// What other parts of the program add to `run`: options, and what follows the run.
class RunAddition {
 public:
  virtual ~RunAddition() = default;
  // Before anything runs. Throws UsageError for options that cannot be.
  virtual void Check() const {}
  // Those of the tests that are to be run on a system, named as for --sut. Throws UsageError.
  virtual Tests Choose(const std::string& /*sut*/, Tests tests) const { return tests; }
  // Paths and options without which `run` does not know tests of a user's own that it was given. They are kept in
  // the results, and taken again for --rerun-failed.
  virtual std::vector<std::string> ArgumentsOfOwn() const { return {}; }
  virtual void TakeAgain(const std::vector<std::string>& /*arguments*/) const {}
  // After the last test: `results` are the folders of the results, one for each system. Not called
  // when a signal ended the run.
  virtual void AtEnd(const std::vector<std::string>& /*results*/) const {}
};
using MakeRunAddition = std::unique_ptr<RunAddition> (*)(CLI::App& run);  // declares options

class RunAdditionRegistration {
 public:
  explicit RunAdditionRegistration(MakeRunAddition make);
};
const std::vector<MakeRunAddition>& RunAdditions();

// What an argument of `run` or `list` means that is no pattern but a path: files with tests of a
// user's own. Adds them to the registry, and the patterns that mean them to `patterns`; false: it is
// nothing of that kind. Throws UsageError.
using TakeArgument = bool (*)(const std::string& argument, std::vector<std::string>& patterns);

class ArgumentRegistration {
 public:
  explicit ArgumentRegistration(TakeArgument take);
};

// The patterns that arguments stand for: paths for all of their tests, unless another argument means some of these.
// To be asked once, before AllTests().
std::vector<std::string> PatternsOf(const std::vector<std::string>& arguments);

// What surrounds this process, for parts of the program that know of it.
struct Surroundings {
  // The very first thing; may take the process over and not return.
  void (*take_over)(int argc, char** argv) = nullptr;
  // Before commands; may fork and return in the child alone.
  void (*begin)() = nullptr;
  // What would let tests run here, in one line; empty when it knows nothing.
  std::string (*advice)() = nullptr;
};

class SurroundingsRegistration {
 public:
  explicit SurroundingsRegistration(Surroundings surroundings);
};
const std::vector<Surroundings>& AllSurroundings();

// The first advice that there is; empty: none.
std::string AdviceOfSurroundings();

}  // namespace sockproof
