// sockproof baseline.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/errors.h"
#include "harness/test/registry.h"
#include "src/cli/commands.h"
#include "src/report/read_result.h"
#include "src/report/text.h"
#include "src/run/baseline_update.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"
#include "src/run/user_file.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

// Returns whether there is nothing to say against the file.
bool CheckBaseline(const std::string& file) {
  const std::vector<KnownDeparture> entries = ReadBaseline(file);
  int to_do = 0;
  bool good = true;
  for (const KnownDeparture& entry : entries) {
    if (std::none_of(AllTests().begin(), AllTests().end(),
                     [&entry](const TestCase& test) { return MeansTest(entry.test, test.id()); })) {
      good = false;
      fmt::print("{}: there is no test '{}'\n", entry.place(), entry.test);
    }
    if (entry.why.starts_with(kToDo)) {
      ++to_do;
      fmt::print("{}: nobody has said yet why {} departs\n", entry.place(), entry.test);
    }
  }
  fmt::print("{}: entries: {}, without a reason: {}\n", file, entries.size(), to_do);
  return good;
}

}  // namespace

std::vector<KnownDeparture> KnownDepartures(const BaselineArguments& arguments) {
  std::vector<KnownDeparture> known;
  if (!arguments.no_shipped) known = ShippedBaseline();
  for (const std::string& file : arguments.files) {
    const std::vector<KnownDeparture> entries = ReadBaseline(file);
    known.insert(known.end(), entries.begin(), entries.end());
  }
  return known;
}

int BaselineCheckCommand(const std::vector<std::string>& files) {
  bool good = true;
  for (const std::string& file : files) good = CheckBaseline(file) && good;
  return good ? 0 : 1;
}

int BaselineUpdateCommand(const BaselineUpdateArguments& arguments) {
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
  const std::vector<KnownDeparture> before = KnownDepartures({{}, arguments.no_shipped});
  const BaselineUpdate update = UpdateBaseline(text, from, run, before, IdsOf(AllTests()));
  for (const std::string& change : update.changes) fmt::print("{}\n", CleanText(change));
  if (from == to && update.text == text) {
    fmt::print("{} is up to date\n", to);
    return 0;
  }
  try {
    ReplaceFile(to, update.text);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  fmt::print("{} entries changed, {} written\n", update.changes.size(), to);
  return 0;
}

}  // namespace sockproof
