// sockproof selfproof.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/base/errors.h"
#include "harness/base/time.h"
#include "harness/mutants/alteration.h"
#include "src/cli/baseline_options.h"
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/report/result.h"
#include "src/run/selection.h"
#include "src/run/selfproof.h"
#include "src/run/usage_error.h"
#include "src/run/variant_table.h"

namespace sockproof {
namespace {

struct SelfproofArguments {
  std::string program;  // as invoked
  std::vector<std::string> patterns;
  std::string sut = "host";
  std::string out = "sockproof-selfproof";
  int jobs = 0;  // 0: as many as the machine carries
  bool every_mutant = false;
  bool variants = false;           // on conforming variants instead of mutants
  bool alone = false;              // each of them by itself
  std::vector<std::string> only;   // globs of ids of mutants or variants; none: all
  std::optional<double> max_wait;  // seconds; tests that wait longer are left out

  Duration MaxWait() const {
    const double seconds = max_wait.value_or(variants ? 5 : 150);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }
};

std::string CaughtMutants(const SelfproofRow& row, const std::vector<Alteration>& mutants) {
  std::string text;
  for (size_t i = 0; i < mutants.size(); ++i) {
    if (row.outcomes[i] == MutantOutcome::kCaught) text += " " + mutants[i].id;
  }
  return text;
}

std::vector<Alteration> Chosen(const std::vector<Alteration>& all,
                               const std::vector<std::string>& globs) {
  if (globs.empty()) return all;
  std::vector<Alteration> chosen;
  for (const Alteration& alteration : all) {
    const bool wanted = std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
      return fnmatch(glob.c_str(), alteration.id.c_str(), 0) == 0;
    });
    if (wanted) chosen.push_back(alteration);
  }
  if (chosen.empty()) throw UsageError("--only: no mutant or variant has such an id");
  return chosen;
}

// Claims that nothing proves one by one, then all in numbers.
void PrintClaims(const std::vector<SelfproofRow>& rows, const std::vector<Alteration>& mutants) {
  std::map<ClaimProof, int> counts;
  int explained = 0;
  for (const ClaimProofRow& claim : ProofByClaim(rows, mutants)) {
    if (claim.proof != ClaimProof::kProven && !claim.why.empty()) {
      ++explained;
      Print("{:12} {}  {}\n", "explained", claim.claim, claim.why);
      continue;
    }
    ++counts[claim.proof];
    if (claim.proof == ClaimProof::kProven) continue;
    Print("{:12} {}  {}\n", ClaimProofName(claim.proof), claim.claim,
          fmt::join(claim.mutants, " "));
  }
  Print(
      "claims: {} proven by a mutant that breaks them, {} explained, {} not caught, {} whose "
      "mutants keep their tests from judging, {} whose mutants find nothing to do, {} that no "
      "mutant breaks, {} whose tests do not pass here\n",
      counts[ClaimProof::kProven], explained, counts[ClaimProof::kNotCaught],
      counts[ClaimProof::kKeptAway], counts[ClaimProof::kNotMet], counts[ClaimProof::kUnbroken],
      counts[ClaimProof::kVoid]);
}

// Claims that a test cites and does not check.
std::size_t PrintUnchecked(const std::vector<SelfproofRow>& rows,
                           const std::vector<Alteration>& mutants) {
  const std::vector<UncheckedClaim> all = UncheckedClaims(rows, mutants);
  for (const UncheckedClaim& unchecked : all) {
    Print("{:12} {}  {}: {}\n", "unchecked", unchecked.test, unchecked.claim,
          fmt::join(unchecked.mutants, " "));
  }
  return all.size();
}

// What is neither caught nor not, because the machine or the harness came between.
int PrintUndecided(const std::vector<SelfproofRow>& rows, const std::vector<Alteration>& mutants) {
  int undecided = 0;
  for (const SelfproofRow& row : rows) {
    for (std::size_t i = 0; i < mutants.size(); ++i) {
      if (row.outcomes[i] != MutantOutcome::kUndecided) continue;
      ++undecided;
      Print("{:12} {}  {}: {}\n", "undecided", row.test->id(), mutants[i].id, row.FailureOn(i).how);
    }
  }
  return undecided;
}

void Write(const std::string& path, const std::string& content) {
  std::ofstream file(path);
  file << content;
  if (!file.flush()) throw HarnessError("cannot write " + path);
}

void SayLine(const std::string& line) {
  Print("{}\n", line);
  fflush(stdout);
}

// Each cell of that outcome, with its claims and how it came.
int PrintCells(const std::vector<VariantRow>& rows, const std::vector<Alteration>& variants,
               VariantOutcome outcome, std::string_view title) {
  int cells = 0;
  for (const VariantRow& row : rows) {
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const VariantCell& cell = row.On(i);
      if (cell.outcome != outcome) continue;
      ++cells;
      Print("{} {} on {}\n", title, row.test->id(), variants[i].id);
      if (!cell.claims.empty()) Print("    {}\n", fmt::join(cell.claims, " "));
      Print("    {}\n", cell.how);
    }
  }
  return cells;
}

int OnVariants(const SelfproofArguments& arguments, Target& target,
               const std::vector<const TestCase*>& tests, const Facts& facts) {
  const auto begin = std::chrono::steady_clock::now();
  VariantOptions options;
  options.sut = target.name();
  options.baseline = Baseline(KnownDepartures({}), facts);
  options.jobs = arguments.jobs != 0 ? arguments.jobs : target.jobs();
  options.max_wait = arguments.MaxWait();
  options.both_versions = arguments.every_mutant;
  options.alone = arguments.alone;
  options.out = arguments.out;
  options.program = arguments.program;
  const std::vector<Alteration> variants = Chosen(AllVariants(), arguments.only);
  const auto body = [&target](const TestCase& test, const Alterations& altered, EventLog& log) {
    target.RunTest(test, altered, log);
  };
  const auto [rows, interrupted] = RunOnVariants(tests, body, facts, variants, options, SayLine);

  Write(arguments.out + "/variants.json", DumpJson(ToJson(rows, variants)) + '\n');
  Write(arguments.out + "/variants.txt", ToText(rows, variants));
  const int own = PrintCells(rows, variants, VariantOutcome::kOwnWord, "own word");
  const int unstable = PrintCells(rows, variants, VariantOutcome::kUnstable, "unstable");
  const int undecided = PrintCells(rows, variants, VariantOutcome::kUndecided, "undecided");
  const int wrong = PrintCells(rows, variants, VariantOutcome::kWrong, "WRONG");
  int held = 0;
  std::int64_t passing = 0;
  for (const VariantRow& row : rows) {
    passing += row.unaltered == "PASS" ? 1 : 0;
    held +=
        static_cast<int>(std::count_if(row.cells.begin(), row.cells.end(), [](const auto& cell) {
          return cell.second.outcome == VariantOutcome::kHeld;
        }));
  }
  Print(
      "{} tests, {} of which pass on the system as it is, on {} variants in {:.0f} s: {} held, {} "
      "wrong, {} of the system's own documentation or known of the variant, {} unstable, {} "
      "undecided; table in {}/variants.txt\n",
      rows.size(), passing, variants.size(),
      ToSeconds(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin)),
      held, wrong, own, unstable, undecided, arguments.out);
  if (interrupted != 0) {
    Print("interrupted: a blank in the table may be a variant that was not tried\n");
    return 128 + interrupted;
  }
  return wrong == 0 ? 0 : 1;
}

int ProveTests(const SelfproofArguments& arguments) {
  const std::unique_ptr<Target> target = MakeTarget(arguments.sut);
  const std::vector<const TestCase*> tests = Select(AllTests(), arguments.patterns);
  const Facts facts = target->Prepare();
  if (arguments.variants) return OnVariants(arguments, *target, tests, facts);
  SelfproofOptions options;
  options.baseline = Baseline(KnownDepartures({}), facts);
  options.sut = target->name();
  options.jobs = arguments.jobs != 0 ? arguments.jobs : target->jobs();
  options.max_wait = arguments.MaxWait();
  options.every_mutant = arguments.every_mutant;
  options.out = arguments.out;
  options.program = arguments.program;
  const std::vector<Alteration> mutants = Chosen(AllMutants(), arguments.only);
  const auto body = [&target](const TestCase& test, const Alterations& altered, EventLog& log) {
    target->RunTest(test, altered, log);
  };
  const auto [rows, interrupted] = Selfproof(tests, body, facts, mutants, options, SayLine);
  const std::string table = arguments.out + "/selfproof.json";
  nlohmann::ordered_json json = ToJson(rows, mutants);
  if (interrupted != 0) {
    const auto able = std::count_if(rows.begin(), rows.end(), [](const SelfproofRow& row) {
      return row.FailsUnmutated() || row.Caught();
    });
    json["interrupted"] = true;
    // Of what was not tried nothing is known.
    json.erase("claims");
    json.erase("unchecked");
    std::erase_if(json["tests"].get_ref<nlohmann::ordered_json::array_t&>(),
                  [](const auto& test) { return !test["caught"] && test["mutants"].empty(); });
    Write(table, DumpJson(json) + '\n');
    Print("interrupted: {} of {} tests able to fail so far; what was tried is in {}\n", able,
          rows.size(), table);
    return 128 + interrupted;
  }

  int caught = 0;
  int survived = 0;
  int unproven = 0;
  for (const SelfproofRow& row : rows) {
    if (row.Void()) {
      ++unproven;
      Print("{:12} {}  ({})\n", row.unmutated, row.test->id(),
            row.decides ? "on the system as it is" : "decides none of its claims");
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
  PrintClaims(rows, mutants);
  const std::size_t unchecked = PrintUnchecked(rows, mutants);
  const int undecided = PrintUndecided(rows, mutants);
  Write(table, DumpJson(json) + '\n');
  Print(
      "{} tests: {} able to fail, {} not, {} that do not pass or decide nothing here, {} claims "
      "cited "
      "and not checked, {} undecided runs; table in {}\n",
      rows.size(), caught, survived, unproven, unchecked, undecided, table);
  return survived == 0 ? 0 : 1;
}

constexpr const char* kSelfproofHelp = R"(Examples:
  sockproof selfproof HalfClose
  sockproof selfproof HalfClose --every-mutant    which of all wrong systems each test finds
  sockproof selfproof HalfClose --variants        which conforming systems a test fails wrongly

Exit code: 0 each test finds fault with one, or with no variant, 1 some do not, 2 wrong usage, 3 could not test, 128 + n
ended by a signal.)";

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
               "The whole table, not only the first mutant that is caught; of variants, on both IP "
               "versions");
  app.add_option("--only", arguments->only, "Only these mutants or variants: 'wire/*'; several")
      ->type_name("GLOB");
  app.add_flag("--variants", arguments->variants,
               "On conforming variants instead, where no test may fail a claim of a standard");
  app.add_flag("--alone", arguments->alone,
               "Each variant by itself from the start, not several in one system")
      ->needs("--variants");
  app.add_option("--max-wait", arguments->max_wait,
                 "Leave out tests that wait longer; default: 150, with --variants 5")
      ->check(NumberFrom(0, 1e9))
      ->type_name("SECONDS");
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
