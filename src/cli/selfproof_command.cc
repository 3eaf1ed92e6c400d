// sockproof selfproof.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/mutants/mutant.h"
#include "src/cli/commands.h"
#include "src/cli/target.h"
#include "src/report/result.h"
#include "src/run/selection.h"
#include "src/run/selfproof.h"

namespace sockproof {
namespace {

std::string CaughtMutants(const SelfproofRow& row, const std::vector<Mutant>& mutants) {
  std::string text;
  for (size_t i = 0; i < mutants.size(); ++i) {
    if (row.outcomes[i] == MutantOutcome::kCaught) text += " " + mutants[i].id;
  }
  return text;
}

}  // namespace

int SelfproofCommand(const SelfproofArguments& arguments) {
  const std::unique_ptr<Target> target = MakeTarget(arguments.sut);
  const std::vector<const TestCase*> tests = Select(AllTests(), arguments.patterns);
  const Facts facts = target->Prepare();
  SelfproofOptions options;
  options.baseline = Baseline(KnownDepartures({}), facts);
  options.sut = target->name();
  options.jobs = arguments.jobs != 0 ? arguments.jobs : target->jobs();
  options.every_mutant = arguments.every_mutant;
  options.out = arguments.out;
  options.program = arguments.program;
  const std::vector<Mutant>& mutants = AllMutants();
  const auto body = [&target](const TestCase& test, const Mutant* mutant, EventLog& log) {
    target->RunTest(test, mutant, log);
  };
  const std::vector<SelfproofRow> rows =
      Selfproof(tests, body, facts, mutants, options, [](const std::string& line) {
        fmt::print("{}\n", line);
        fflush(stdout);
      });

  int caught = 0;
  int survived = 0;
  int unproven = 0;
  for (const SelfproofRow& row : rows) {
    if (row.Void()) {
      ++unproven;
      fmt::print("{:12} {}  (on the system as it is)\n", row.unmutated, row.test->id());
    } else if (row.FailsUnmutated()) {
      ++caught;
      fmt::print("{:12} {}  the system as it is\n", "caught", row.test->id());
    } else if (row.Caught()) {
      ++caught;
      fmt::print("{:12} {} {}\n", "caught", row.test->id(), CaughtMutants(row, mutants));
    } else {
      ++survived;
      fmt::print("{:12} {}  finds fault with none of {} wrong systems\n", "SURVIVED",
                 row.test->id(), mutants.size());
    }
  }
  const std::string table = arguments.out + "/selfproof.json";
  std::ofstream file(table);
  file << DumpJson(ToJson(rows, mutants)) << '\n';
  if (!file.flush()) throw HarnessError("cannot write " + table);
  fmt::print("{} tests: {} proven able to fail, {} not, {} that do not pass here; table in {}\n",
             rows.size(), caught, survived, unproven, table);
  return survived == 0 ? 0 : 1;
}

}  // namespace sockproof
