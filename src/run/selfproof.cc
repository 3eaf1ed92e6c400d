#include "src/run/selfproof.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/run/output_directory.h"
#include "src/run/runner.h"

namespace sockproof {
namespace {

// A test that waits longer meets all mutants at once, because rounds would add up.
constexpr Duration kLong = 10s;
constexpr size_t kMutantsPerRound = 6;

struct Pair {
  size_t row;
  size_t mutant;
};

// "wire/rst-lost" as part of a test's name.
std::string AsName(std::string mutant) {
  std::replace(mutant.begin(), mutant.end(), '/', '.');
  return mutant;
}

bool MutantApplied(const std::string& events_file, const std::string& mutant) {
  for (const Event& event : ReadEvents(events_file)) {
    const auto* note = std::get_if<NoteEvent>(&event.what);
    if (note != nullptr && note->text == "mutant " + mutant + " applied") return true;
  }
  return false;
}

std::string FirstLine(const TestResult& result) {
  if (result.failures.empty()) return result.reason;
  std::string text = result.failures.front().text;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, 200);
}

class Proof {
 public:
  Proof(const std::vector<const TestCase*>& tests, System& system, const Facts& facts,
        const std::vector<Mutant>& mutants, const SelfproofOptions& options)
      : system_(system), facts_(facts), mutants_(mutants), options_(options) {
    for (const TestCase* test : tests) {
      SelfproofRow row;
      row.test = test;
      row.outcomes.assign(mutants.size(), MutantOutcome::kNotRun);
      row.how.assign(mutants.size(), "");
      rows.push_back(std::move(row));
    }
    candidates_.resize(rows.size());
    next_candidate_.assign(rows.size(), 0);
  }

  void RunUnmutated() {
    std::vector<const TestCase*> tests;
    for (const SelfproofRow& row : rows) tests.push_back(row.test);
    const RunResult result = RunAll(tests, "unmutated", [&](const TestCase& test, EventLog& log) {
      RunTest(test, system_, log);
    });
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].unmutated = VerdictText(result.tests[i].verdict);
      if (rows[i].unmutated != "PASS") continue;
      const std::vector<Event> events =
          ReadEvents(options_.out + "/unmutated/" + result.tests[i].directory + "/events.jsonl");
      for (size_t mutant = 0; mutant < mutants_.size(); ++mutant) {
        if (MayApply(mutants_[mutant], events)) candidates_[i].push_back(mutant);
      }
    }
  }

  // The pairs of the next round; none when everything is decided.
  std::vector<Pair> NextRound() {
    std::vector<Pair> round;
    for (size_t row = 0; row < rows.size(); ++row) {
      if (rows[row].unmutated != "PASS" || (rows[row].Caught() && !options_.every_mutant)) continue;
      const std::vector<size_t>& candidates = candidates_[row];
      size_t& next = next_candidate_[row];
      const bool all = rows[row].test->LastsOn(facts_) > kLong;
      const size_t end =
          all ? candidates.size() : std::min(candidates.size(), next + kMutantsPerRound);
      for (; next < end; ++next) round.push_back({row, candidates[next]});
    }
    return round;
  }

  void Run(const std::vector<Pair>& round, const std::string& name) {
    std::vector<TestCase> cases;
    for (const Pair& pair : round) {
      cases.push_back(*rows[pair.row].test);
      cases.back().name += "+" + AsName(mutants_[pair.mutant].id);
    }
    std::vector<const TestCase*> tests;
    for (const TestCase& test : cases) tests.push_back(&test);
    const RunResult result = RunAll(tests, name, [&](const TestCase& test, EventLog& log) {
      const Pair& pair = round[static_cast<size_t>(&test - cases.data())];
      const auto wrong = MakeMutantSystem(system_, mutants_[pair.mutant]);
      RunTest(test, *wrong, log);
    });
    for (size_t i = 0; i < round.size(); ++i) Judge(round[i], result.tests[i], name);
  }

  std::vector<SelfproofRow> rows;

 private:
  RunResult RunAll(const std::vector<const TestCase*>& tests, const std::string& name,
                   const RunOneTest& body) {
    RunResult result = NewResult(tests, system_.name(), options_.program);
    OutputDirectory directory(options_.out + "/" + name);
    Reports reports(directory, "");
    reports.Begin(result);
    Progress silent(-1, {});
    RunOptions options;
    options.jobs = options_.jobs;
    options.attempts = 2;
    const int signal_number = RunTests(tests, facts_, body, options, result, reports, silent);
    if (signal_number != 0) throw HarnessError("interrupted");
    return result;
  }

  void Judge(const Pair& pair, const TestResult& result, const std::string& round) {
    MutantOutcome& outcome = rows[pair.row].outcomes[pair.mutant];
    if (result.verdict == Verdict::kFail) {
      const bool in_own_file =
          std::any_of(result.failures.begin(), result.failures.end(),
                      [&](const FailureEvent& failure) { return failure.file == result.file; });
      outcome = in_own_file ? MutantOutcome::kCaught : MutantOutcome::kCaughtInSetUp;
      rows[pair.row].how[pair.mutant] = FirstLine(result);
    } else if (result.verdict != Verdict::kPass) {
      outcome = MutantOutcome::kUndecided;
      rows[pair.row].how[pair.mutant] = FirstLine(result);
    } else {
      const std::string events =
          options_.out + "/" + round + "/" + result.directory + "/events.jsonl";
      outcome = MutantApplied(events, mutants_[pair.mutant].id) ? MutantOutcome::kSurvived
                                                                : MutantOutcome::kNotApplied;
    }
  }

  System& system_;
  const Facts& facts_;
  const std::vector<Mutant>& mutants_;
  const SelfproofOptions& options_;
  std::vector<std::vector<size_t>> candidates_;  // mutants that may apply, for each row
  std::vector<size_t> next_candidate_;
};

}  // namespace

std::string_view MutantOutcomeName(MutantOutcome outcome) {
  switch (outcome) {
    case MutantOutcome::kNotRun:
      return "not-run";
    case MutantOutcome::kCaught:
      return "caught";
    case MutantOutcome::kCaughtInSetUp:
      return "caught-in-set-up";
    case MutantOutcome::kSurvived:
      return "survived";
    case MutantOutcome::kNotApplied:
      return "not-applied";
    case MutantOutcome::kUndecided:
      return "undecided";
  }
  return "?";
}

bool SelfproofRow::Caught() const {
  return std::find(outcomes.begin(), outcomes.end(), MutantOutcome::kCaught) != outcomes.end();
}

std::vector<SelfproofRow> Selfproof(const std::vector<const TestCase*>& tests, System& system,
                                    const Facts& facts, const std::vector<Mutant>& mutants,
                                    const SelfproofOptions& options,
                                    const std::function<void(const std::string&)>& say) {
  Proof proof(tests, system, facts, mutants, options);
  say(fmt::format("{} tests on the system as it is", tests.size()));
  proof.RunUnmutated();
  for (int number = 1;; ++number) {
    const std::vector<Pair> round = proof.NextRound();
    if (round.empty()) break;
    const auto open = std::count_if(proof.rows.begin(), proof.rows.end(), [](const auto& row) {
      return row.unmutated == "PASS" && !row.Caught();
    });
    say(fmt::format("round {}: {} wrong systems, {} tests to be proven", number, round.size(),
                    open));
    proof.Run(round, fmt::format("round-{}", number));
  }
  return std::move(proof.rows);
}

nlohmann::ordered_json ToJson(const std::vector<SelfproofRow>& rows,
                              const std::vector<Mutant>& mutants) {
  nlohmann::ordered_json json;
  json["format"] = "sockproof-selfproof";
  json["version"] = 1;
  json["mutants"] = nlohmann::ordered_json::array();
  for (const Mutant& mutant : mutants) {
    json["mutants"].push_back({{"id", mutant.id}, {"what", mutant.what}});
  }
  json["tests"] = nlohmann::ordered_json::array();
  for (const SelfproofRow& row : rows) {
    nlohmann::ordered_json test;
    test["id"] = row.test->id();
    test["unmutated"] = row.unmutated;
    test["caught"] = row.Caught();
    test["mutants"] = nlohmann::ordered_json::object();
    for (size_t i = 0; i < mutants.size(); ++i) {
      if (row.outcomes[i] == MutantOutcome::kNotRun) continue;
      test["mutants"][mutants[i].id] = {{"outcome", MutantOutcomeName(row.outcomes[i])},
                                        {"how", row.how[i]}};
    }
    json["tests"].push_back(std::move(test));
  }
  return json;
}

}  // namespace sockproof
