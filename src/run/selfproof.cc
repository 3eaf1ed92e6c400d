#include "src/run/selfproof.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/run/output_directory.h"
#include "src/run/runner.h"

namespace sockproof {
namespace {

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
  Proof(const std::vector<const TestCase*>& tests, const RunOneTestOn& body, const Facts& facts,
        const std::vector<Mutant>& mutants, const SelfproofOptions& options,
        const std::function<void(const std::string&)>& say)
      : tests_(tests), body_(body), facts_(facts), mutants_(mutants), options_(options), say_(say) {
    for (const TestCase* test : tests) {
      row_of_[test->id()] = rows_.size();
      rows_.push_back({test, "", {}, {}});
      rows_.back().outcomes.assign(mutants.size(), MutantOutcome::kNotRun);
      rows_.back().how.assign(mutants.size(), "");
    }
    candidates_.resize(rows_.size());
    under_way_.resize(rows_.size());
  }

  std::vector<SelfproofRow> Run() {
    RunResult result = NewResult(tests_, options_.sut, options_.program);
    OutputDirectory directory(options_.out);
    Reports reports(directory, {}, kBetweenReports);
    reports.Begin(result);
    Progress silent(-1, {});
    RunOptions options;
    options.baseline = options_.baseline;
    options.jobs = options_.jobs;
    options.attempts = 2;
    options.follow_up = [this](const TestResult& ended) { return Next(ended); };
    const auto body = [this](const TestCase& test, EventLog& log) {
      const auto pair = pair_of_.find(test.id());
      if (pair == pair_of_.end()) {
        body_(test, nullptr, log);
      } else {
        body_(*rows_[pair->second.row].test, &mutants_[pair->second.mutant], log);
      }
    };
    const int signal_number = RunTests(tests_, facts_, body, options, result, reports, silent);
    if (signal_number != 0) throw HarnessError("interrupted");
    return std::move(rows_);
  }

 private:
  // What to run once this has ended.
  std::vector<const TestCase*> Next(const TestResult& ended) {
    const auto pair = pair_of_.find(ended.id);
    const std::size_t row = pair != pair_of_.end() ? pair->second.row : row_of_.at(ended.id);
    if (pair == pair_of_.end()) {
      Unmutated(row, ended);
    } else {
      Judge(pair->second, ended);
      --under_way_[row];
    }
    SayHowFar();
    if (under_way_[row] != 0 || (rows_[row].Caught() && !options_.every_mutant)) return {};
    return NextMutants(row);
  }

  void Unmutated(std::size_t row, const TestResult& ended) {
    rows_[row].unmutated = VerdictText(ended.verdict);
    if (ended.verdict != Verdict::kPass) return;
    const std::vector<Event> events =
        ReadEvents(options_.out + "/" + ended.directory + "/events.jsonl");
    for (std::size_t mutant = 0; mutant < mutants_.size(); ++mutant) {
      if (MayApply(mutants_[mutant], events)) candidates_[row].push_back(mutant);
    }
  }

  // A test that waits long meets many at once, because its waits would add up.
  std::size_t AtOnce(std::size_t row) const {
    const Duration lasts = rows_[row].test->LastsOn(facts_);
    if (options_.every_mutant) return mutants_.size();
    return lasts > 20s ? 10 : lasts > 2s ? 5 : 1;
  }

  std::vector<const TestCase*> NextMutants(std::size_t row) {
    std::vector<const TestCase*> next;
    for (std::size_t room = AtOnce(row); room > 0 && !candidates_[row].empty(); --room) {
      const std::size_t mutant = TakeLikeliest(row);
      TestCase& test = cases_.emplace_back(*rows_[row].test);
      test.name += "+" + AsName(mutants_[mutant].id);
      pair_of_[test.id()] = {row, mutant};
      next.push_back(&test);
    }
    under_way_[row] += next.size();
    return next;
  }

  // What the same test on the other IP version caught, or else most of the suite; among equals the
  // first of the list.
  std::size_t TakeLikeliest(std::size_t row) {
    const TestCase& test = *rows_[row].test;
    const std::map<std::size_t, int>& by_test = catches_[test.suite + "." + test.name];
    const std::map<std::size_t, int>& by_suite = catches_[test.suite];
    const auto count = [](const std::map<std::size_t, int>& catches, std::size_t mutant) {
      const auto found = catches.find(mutant);
      return found != catches.end() ? found->second : 0;
    };
    std::vector<std::size_t>& candidates = candidates_[row];
    const auto likeliest =
        std::max_element(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
          return std::pair(count(by_test, a), count(by_suite, a)) <
                 std::pair(count(by_test, b), count(by_suite, b));
        });
    const std::size_t mutant = *likeliest;
    candidates.erase(likeliest);
    return mutant;
  }

  void Judge(const Pair& pair, const TestResult& result) {
    MutantOutcome& outcome = rows_[pair.row].outcomes[pair.mutant];
    if (result.verdict == Verdict::kFail) {
      const bool in_suite = std::any_of(
          result.failures.begin(), result.failures.end(),
          [](const FailureEvent& failure) { return !failure.file.starts_with("harness/"); });
      outcome = in_suite ? MutantOutcome::kCaught : MutantOutcome::kCaughtInSetUp;
      if (in_suite) {
        const TestCase& test = *rows_[pair.row].test;
        ++catches_[test.suite][pair.mutant];
        ++catches_[test.suite + "." + test.name][pair.mutant];
      }
      rows_[pair.row].how[pair.mutant] = FirstLine(result);
    } else if (result.verdict != Verdict::kPass) {
      outcome = MutantOutcome::kUndecided;
      rows_[pair.row].how[pair.mutant] = FirstLine(result);
    } else {
      const std::string events = options_.out + "/" + result.directory + "/events.jsonl";
      outcome = MutantApplied(events, mutants_[pair.mutant].id) ? MutantOutcome::kSurvived
                                                                : MutantOutcome::kNotApplied;
    }
  }

  void SayHowFar() {
    if (Clock::now() < said_ + kBetweenLines) return;
    said_ = Clock::now();
    const auto proven = std::count_if(rows_.begin(), rows_.end(),
                                      [](const SelfproofRow& row) { return row.Caught(); });
    say_(fmt::format("{} of {} tests proven, on {} wrong systems", proven, rows_.size(),
                     cases_.size()));
  }

  static constexpr Duration kBetweenReports = 20s;
  static constexpr Duration kBetweenLines = 5s;

  const std::vector<const TestCase*>& tests_;
  const RunOneTestOn& body_;
  const Facts& facts_;
  const std::vector<Mutant>& mutants_;
  const SelfproofOptions& options_;
  const std::function<void(const std::string&)>& say_;
  std::vector<SelfproofRow> rows_;
  std::map<std::string, std::size_t> row_of_;         // by test id
  std::deque<TestCase> cases_;                        // each a test on a mutant
  std::map<std::string, Pair> pair_of_;               // by id of those
  std::vector<std::vector<std::size_t>> candidates_;  // mutants that may apply and were not run yet
  // How often a mutant was caught, by suite and by test without IP version.
  std::map<std::string, std::map<std::size_t, int>> catches_;
  std::vector<std::size_t> under_way_;  // how many of cases_, for each row
  Time said_ = Clock::now();
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

std::vector<SelfproofRow> Selfproof(const std::vector<const TestCase*>& tests,
                                    const RunOneTestOn& body, const Facts& facts,
                                    const std::vector<Mutant>& mutants,
                                    const SelfproofOptions& options,
                                    const std::function<void(const std::string&)>& say) {
  return Proof(tests, body, facts, mutants, options, say).Run();
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
