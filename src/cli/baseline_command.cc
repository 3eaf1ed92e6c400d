// sockproof baseline.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/errors.h"
#include "harness/test/registry.h"
#include "src/cli/baseline_options.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/report/read_result.h"
#include "src/report/text.h"
#include "src/run/baseline_update.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"
#include "src/run/user_file.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct UpdateArguments {
  std::string result;    // folder with a result.json, or such a file
  std::string baseline;  // the file to bring up to date; may be missing when it is to be written
  std::string output;    // where to; empty: the same file
  bool no_shipped = false;
};

// Returns whether there is nothing to say against the file.
bool CheckBaseline(const std::string& file) {
  const std::vector<KnownDeparture> entries = ReadBaseline(file);
  int to_do = 0;
  bool good = true;
  for (const KnownDeparture& entry : entries) {
    for (const std::string& pattern : entry.tests) {
      if (std::none_of(AllTests().begin(), AllTests().end(), [&pattern](const TestCase& test) {
            return MeansTest(pattern, test.id());
          })) {
        good = false;
        Print("{}: there is no test '{}'\n", entry.place(), pattern);
      }
    }
    if (entry.why.starts_with(kToDo)) {
      ++to_do;
      Print("{}: nobody has said yet why {} departs\n", entry.place(), entry.named());
    }
  }
  Print("{}: entries: {}, without a reason: {}\n", file, entries.size(), to_do);
  return good;
}

int CheckBaselines(const std::vector<std::string>& files) {
  bool good = true;
  for (const std::string& file : files) good = CheckBaseline(file) && good;
  return good ? 0 : 1;
}

int UpdateOf(const UpdateArguments& arguments) {
  const std::string& from = arguments.baseline;
  const std::string& to = arguments.output.empty() ? from : arguments.output;
  if (to.empty()) throw UsageError("which file? There are --baseline FILE and --output FILE");
  if (fs::exists(to) && !fs::is_regular_file(to)) {
    throw UsageError("cannot write " + to + ": it is not a regular file");
  }
  const RunResult run = ReadResult(arguments.result);
  if (!run.setup_error.empty()) {
    throw HarnessError(arguments.result + ": nothing was tested: " + run.setup_error);
  }
  // A file that is to be written need not be there yet.
  const bool begin = from.empty() || (from == to && !fs::exists(from));
  const std::string text = begin ? "" : ReadUserFile(from);
  // As in the run itself.
  const bool shipped = !arguments.no_shipped && HadShippedBaseline(run);
  const std::vector<KnownDeparture> before = KnownDepartures({{}, !shipped});
  const BaselineUpdate update = UpdateBaseline(text, from, run, before, IdsOf(AllTests()));
  for (const std::string& change : update.changes) Print("{}\n", change);
  if (from == to && update.text == text && fs::exists(to)) {
    Print("{} is up to date\n", to);
    return 0;
  }
  try {
    ReplaceFile(to, update.text);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  if (update.changes.empty() && begin) {
    Print("{} written, without entries: the run departed in no way that is not known{}\n", to,
          shipped ? " to the shipped baseline" : "");
    return 0;
  }
  Print("{} entries changed, {} written\n", update.changes.size(), to);
  return 0;
}

constexpr const char* kBaselineHelp = R"(Examples:
  sockproof baseline update sockproof-out --baseline ours.toml   record what that run observed
  sockproof baseline check ours.toml                             is it a baseline?

Exit code: 0 done, 1 a baseline names tests that there are not, 2 wrong usage, or no baseline.)";

Action AddBaseline(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* check = app.add_subcommand("check", "Are these files baselines?");
  auto files = std::make_shared<std::vector<std::string>>();
  check->add_option("FILE", *files, "Baselines")->required()->type_name("");
  CLI::App* update = app.add_subcommand(
      "update", "Bring a baseline to what a run observed, and keep the rest of the file as it is");
  auto arguments = std::make_shared<UpdateArguments>();
  update->add_option("RESULT", arguments->result, "Folder of the run's results")
      ->required()
      ->type_name("");
  update->add_option("--baseline", arguments->baseline, "The file; made when it is not there")
      ->type_name("FILE");
  update->add_option("--output", arguments->output, "Write to another file")->type_name("FILE");
  update->add_flag("--no-shipped-baseline", arguments->no_shipped,
                   "As if no departures came with sockproof; so it is for a run with that option");
  return [=](const std::string&) {
    return check->parsed() ? CheckBaselines(*files) : UpdateOf(*arguments);
  };
}

const CommandRegistration kBaseline({"baseline", CommandGroup::kSystems,
                                     "Record how a system departs, and check such records",
                                     kBaselineHelp, AddBaseline});

}  // namespace
}  // namespace sockproof
