// sockproof selfproof.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/mutants/mutant.h"
#include "src/cli/baseline_options.h"
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/report/result.h"
#include "src/run/selection.h"
#include "src/run/selfproof.h"

namespace sockproof {
namespace {

struct SelfproofArguments {
  std::string program;  // as invoked
  std::vector<std::string> patterns;
  std::string sut = "host";
  std::string out = "sockproof-selfproof";
  int jobs = 0;  // 0: as many as the machine carries
  bool every_mutant = false;
};

std::string CaughtMutants(const SelfproofRow& row, const std::vector<Mutant>& mutants) {
  std::string text;
  for (size_t i = 0; i < mutants.size(); ++i) {
    if (row.outcomes[i] == MutantOutcome::kCaught) text += " " + mutants[i].id;
  }
  return text;
}

int ProveTests(const SelfproofArguments& arguments) {
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
        Print("{}\n", line);
        fflush(stdout);
      });

  int caught = 0;
  int survived = 0;
  int unproven = 0;
  for (const SelfproofRow& row : rows) {
    if (row.Void()) {
      ++unproven;
      Print("{:12} {}  (on the system as it is)\n", row.unmutated, row.test->id());
    } else if (row.FailsUnmutated()) {
      ++caught;
      Print("{:12} {}  the system as it is\n", "caught", row.test->id());
    } else if (row.Caught()) {
      ++caught;
      Print("{:12} {} {}\n", "caught", row.test->id(), CaughtMutants(row, mutants));
    } else {
      ++survived;
      Print("{:12} {}  finds fault with none of {} wrong systems\n", "SURVIVED", row.test->id(),
            mutants.size());
    }
  }
  const std::string table = arguments.out + "/selfproof.json";
  std::ofstream file(table);
  file << DumpJson(ToJson(rows, mutants)) << '\n';
  if (!file.flush()) throw HarnessError("cannot write " + table);
  Print("{} tests: {} proven able to fail, {} not, {} that do not pass here; table in {}\n",
        rows.size(), caught, survived, unproven, table);
  return survived == 0 ? 0 : 1;
}

constexpr const char* kSelfproofHelp = R"(Examples:
  sockproof selfproof HalfClose
  sockproof selfproof HalfClose --every-mutant    which of all wrong systems each test finds

Exit code: 0 each test finds fault with one, 1 some do not, 2 wrong usage, 3 could not test.)";

Action AddSelfproof(CLI::App& app) {
  auto arguments = std::make_shared<SelfproofArguments>();
  app.add_option("PATTERN", arguments->patterns, "As for run");
  app.add_option("--jobs", arguments->jobs,
                 "Tests at once; default: as many as the machine carries")
      ->check(WholeNumber(1, 4096))
      ->type_name("N");
  app.add_option("--out", arguments->out, "Folder for the evidence; default: sockproof-selfproof")
      ->type_name("DIR");
  app.add_flag("--every-mutant", arguments->every_mutant,
               "The whole table, not only the first mutant that is caught");
  AddSut(app, arguments->sut);
  return [arguments](const std::string& program) {
    arguments->program = program;
    return ProveTests(*arguments);
  };
}

const CommandRegistration kSelfproof(
    {"selfproof", CommandGroup::kTests,
     "Run tests against systems made wrong on purpose: each must find fault with one",
     kSelfproofHelp, AddSelfproof});

}  // namespace
}  // namespace sockproof
