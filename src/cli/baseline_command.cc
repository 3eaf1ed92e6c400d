// sockproof baseline.
#include <fmt/format.h>

#include <algorithm>

#include "harness/test/registry.h"
#include "src/cli/commands.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

// Begins the reason of an entry that nobody has looked into yet.
constexpr std::string_view kToDo = "TODO";

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

int BaselineCommand(const BaselineCommandArguments& arguments) {
  bool good = true;
  for (const std::string& file : arguments.files) good = CheckBaseline(file) && good;
  return good ? 0 : 1;
}

}  // namespace sockproof
