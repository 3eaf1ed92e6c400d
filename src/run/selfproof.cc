#include "src/run/selfproof.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "harness/base/errors.h"
#include "src/run/mutant_plan.h"
#include "src/run/output_directory.h"
#include "src/run/runner.h"

namespace sockproof {
namespace {

// "wire/rst-lost" as part of a test's name.
std::string AsName(std::string mutant) {
  std::replace(mutant.begin(), mutant.end(), '/', '.');
  return mutant;
}

class Proof {
 public:
  Proof(const std::vector<const TestCase*>& tests, const RunOneTestOn& body, const Facts& facts,
        const std::vector<Alteration>& mutants, const SelfproofOptions& options,
        const std::function<void(const std::string&)>& say)
      : tests_(tests),
        body_(body),
        facts_(facts),
        mutants_(mutants),
        options_(options),
        say_(say),
        plan_(tests, facts, mutants, options.every_mutant) {
    for (const TestCase* test : tests) {
      row_of_[test->id()] = rows_.size();
      rows_.emplace_back().test = test;
      rows_.back().outcomes.assign(mutants.size(), MutantOutcome::kNotRun);
    }
  }

  Selfproven Run() {
    RunResult result = NewResult(tests_, options_.sut, options_.program);
    OutputDirectory directory(options_.out);
    Reports reports(directory, {}, kBetweenReports);
    reports.Begin(result);
    Progress silent(-1, {});
    RunOptions options;
    options.baseline = options_.baseline;
    options.jobs = options_.jobs;
    options.max_wait = options_.max_wait;
    options.attempts = 2;
    options.follow_up = [this](const TestResult& ended) { return Next(ended); };
    const auto body = [this](const TestCase& test, EventLog& log) {
      const auto cell = cell_of_.find(test.id());
      if (cell == cell_of_.end()) {
        body_(test, {}, log);
      } else {
        body_(*rows_[cell->second.row].test, {&mutants_[cell->second.mutant]}, log);
      }
    };
    const int signal_number = RunTests(tests_, facts_, body, options, result, reports, silent);
    return {std::move(rows_), signal_number};
  }

 private:
  using Cell = MutantPlan::Cell;

  // What to run once this has ended.
  std::vector<const TestCase*> Next(const TestResult& ended) {
    const auto cell = cell_of_.find(ended.id);
    const std::size_t row = cell != cell_of_.end() ? cell->second.row : row_of_.at(ended.id);
    if (cell == cell_of_.end()) {
      Unmutated(row, ended);
    } else {
      Judge(cell->second, ended);
      plan_.Ended(cell->second, rows_[row].outcomes[cell->second.mutant], ProvenBy(cell->second));
    }
    SayHowFar();
    std::vector<const TestCase*> next;
    for (const Cell& to_run : plan_.Next(row)) next.push_back(&CaseOf(to_run));
    return next;
  }

  const TestCase& CaseOf(const Cell& cell) {
    TestCase& test = cases_.emplace_back(*rows_[cell.row].test);
    test.name += "+" + AsName(mutants_[cell.mutant].id);
    cell_of_[test.id()] = cell;
    return test;
  }

  void Unmutated(std::size_t row, const TestResult& ended) {
    rows_[row].unmutated = VerdictText(ended.verdict);
    if (rows_[row].FailsUnmutated()) rows_[row].failed_unmutated = FailedClaims(ended);
    rows_[row].decides =
        ended.claims.empty() ||
        std::any_of(ended.claims.begin(), ended.claims.end(), [&](const CitedClaim& claim) {
          return ended.VerdictOf(claim) != ClaimVerdict::kNotReached;
        });
    std::vector<std::size_t> may_apply;
    const bool passes = ended.verdict == Verdict::kPass && rows_[row].decides;
    if (passes || HoldsSome(ended)) {
      const TestCourse course(ReadEvents(EventsOf(ended)));
      for (std::size_t mutant = 0; mutant < mutants_.size(); ++mutant) {
        if (MayApply(mutants_[mutant], course)) may_apply.push_back(mutant);
      }
    }
    plan_.EndedUnmutated(row, ended, rows_[row].failed_unmutated, std::move(may_apply));
  }

  // Whether it departs from some of its claims, and holds another.
  static bool HoldsSome(const TestResult& ended) {
    return ended.verdict == Verdict::kFail &&
           std::any_of(ended.claims.begin(), ended.claims.end(), [&](const CitedClaim& claim) {
             return ended.VerdictOf(claim) == ClaimVerdict::kHeld;
           });
  }

  std::string EventsOf(const TestResult& ended) const {
    return options_.out + "/" + ended.directory + "/events.jsonl";
  }

  void Judge(const Cell& cell, const TestResult& result) {
    MutantOutcome& outcome = rows_[cell.row].outcomes[cell.mutant];
    if (result.verdict != Verdict::kPass) {
      rows_[cell.row].failures[cell.mutant].how = FirstLine(result);
    }
    if (result.verdict == Verdict::kFail) {
      outcome = Failed(cell, result);
    } else if (result.verdict == Verdict::kSkip) {
      outcome = MutantOutcome::kNotReached;
    } else if (result.verdict != Verdict::kPass) {
      outcome = MutantOutcome::kUndecided;
    } else {
      outcome = WasApplied(mutants_[cell.mutant], ReadEvents(EventsOf(result)))
                    ? MutantOutcome::kSurvived
                    : MutantOutcome::kNotApplied;
    }
  }

  MutantOutcome Failed(const Cell& cell, const TestResult& result) {
    SelfproofRow& row = rows_[cell.row];
    const bool in_suite = std::any_of(
        result.failures.begin(), result.failures.end(),
        [](const FailureEvent& failure) { return !failure.file.starts_with("harness/"); });
    if (!in_suite) return MutantOutcome::kCaughtInSetUp;
    std::vector<std::string> failed = FailedClaims(result);
    std::erase_if(failed, [&](const std::string& claim) { return row.DepartsUnmutated(claim); });
    if (row.FailsUnmutated() && failed.empty()) return MutantOutcome::kSurvived;
    row.failures[cell.mutant].claims = std::move(failed);
    return MutantOutcome::kCaught;
  }

  std::vector<std::string> ProvenBy(const Cell& cell) const {
    const SelfproofRow& row = rows_[cell.row];
    std::vector<std::string> proven = row.FailureOn(cell.mutant).claims;
    std::erase_if(proven, [&](const std::string& claim) {
      return !row.Proves(cell.mutant, mutants_[cell.mutant], claim);
    });
    return proven;
  }

  void SayHowFar() {
    if (Clock::now() < said_ + kBetweenLines) return;
    said_ = Clock::now();
    const auto able = std::count_if(rows_.begin(), rows_.end(), [](const SelfproofRow& row) {
      return row.FailsUnmutated() || row.Caught();
    });
    say_(fmt::format("{} of {} tests able to fail so far, after {} runs on wrong systems", able,
                     rows_.size(), cases_.size()));
  }

  static constexpr Duration kBetweenReports = 20s;
  static constexpr Duration kBetweenLines = 5s;

  const std::vector<const TestCase*>& tests_;
  const RunOneTestOn& body_;
  const Facts& facts_;
  const std::vector<Alteration>& mutants_;
  const SelfproofOptions& options_;
  const std::function<void(const std::string&)>& say_;
  MutantPlan plan_;
  std::vector<SelfproofRow> rows_;
  std::map<std::string, std::size_t> row_of_;  // by test id
  std::deque<TestCase> cases_;                 // each a test on a mutant
  std::map<std::string, Cell> cell_of_;        // by id of those
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
    case MutantOutcome::kNotReached:
      return "not-reached";
    case MutantOutcome::kUndecided:
      return "undecided";
  }
  return "?";
}

std::vector<std::string> FailedClaims(const TestResult& result) {
  std::vector<std::string> claims;
  for (const CitedClaim* claim : result.DepartedClaims()) claims.push_back(claim->id);
  return claims;
}

std::string FirstLine(const TestResult& result) {
  if (result.failures.empty()) return result.reason;
  std::string line;
  for (const char c : result.failures.front().text) {
    const bool blank = c == '\n' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line.substr(0, 300);
}

bool SelfproofRow::Caught() const {
  return std::find(outcomes.begin(), outcomes.end(), MutantOutcome::kCaught) != outcomes.end();
}

bool SelfproofRow::DepartsUnmutated(const std::string& claim) const {
  return std::find(failed_unmutated.begin(), failed_unmutated.end(), claim) !=
         failed_unmutated.end();
}

bool SelfproofRow::Proves(std::size_t mutant, const Alteration& which,
                          const std::string& claim) const {
  const std::vector<std::string> failed = FailureOn(mutant).claims;
  return outcomes[mutant] == MutantOutcome::kCaught && which.Breaks(claim) &&
         std::find(failed.begin(), failed.end(), claim) != failed.end();
}

std::string_view ClaimProofName(ClaimProof proof) {
  switch (proof) {
    case ClaimProof::kProven:
      return "proven";
    case ClaimProof::kNotCaught:
      return "not-caught";
    case ClaimProof::kKeptAway:
      return "kept-away";
    case ClaimProof::kNotMet:
      return "not-met";
    case ClaimProof::kUnbroken:
      return "unbroken";
    case ClaimProof::kVoid:
      return "void";
  }
  return "?";
}

namespace {

ClaimProofRow ProofOf(const std::string& claim, const std::vector<const SelfproofRow*>& rows,
                      const std::vector<Alteration>& mutants) {
  ClaimProofRow result{claim, ClaimProof::kVoid, {}, ""};
  std::set<std::string> caught;
  std::set<std::string> missed;
  bool met = false;
  bool broken = false;
  bool judged = false;
  for (const SelfproofRow* row : rows) {
    if (row->DepartsUnmutated(claim)) caught.insert("the system as it is");
    judged = judged || !row->Void();
    for (std::size_t i = 0; i < mutants.size(); ++i) {
      if (!mutants[i].Breaks(claim)) continue;
      broken = true;
      const MutantOutcome outcome = row->outcomes[i];
      if (row->Proves(i, mutants[i], claim)) {
        caught.insert(mutants[i].id);
      } else if (outcome != MutantOutcome::kNotRun && outcome != MutantOutcome::kNotApplied) {
        missed.insert(mutants[i].id);
        met = met || outcome == MutantOutcome::kSurvived || outcome == MutantOutcome::kCaught;
      }
    }
  }
  result.proof = !caught.empty()   ? ClaimProof::kProven
                 : !judged         ? ClaimProof::kVoid
                 : met             ? ClaimProof::kNotCaught
                 : !missed.empty() ? ClaimProof::kKeptAway
                 : broken          ? ClaimProof::kNotMet
                                   : ClaimProof::kUnbroken;
  const std::set<std::string>& shown = caught.empty() ? missed : caught;
  result.mutants.assign(shown.begin(), shown.end());
  if (result.proof != ClaimProof::kProven) result.why = WhyUnbroken(claim);
  return result;
}

}  // namespace

std::vector<ClaimProofRow> ProofByClaim(const std::vector<SelfproofRow>& rows,
                                        const std::vector<Alteration>& mutants) {
  std::map<std::string, std::vector<const SelfproofRow*>> tests_of;
  for (const SelfproofRow& row : rows) {
    for (const std::string& claim : row.test->traits.claims) tests_of[claim].push_back(&row);
  }
  std::vector<ClaimProofRow> claims;
  for (const auto& [claim, tests] : tests_of) claims.push_back(ProofOf(claim, tests, mutants));
  return claims;
}

std::vector<UncheckedClaim> UncheckedClaims(const std::vector<SelfproofRow>& rows,
                                            const std::vector<Alteration>& mutants) {
  std::map<std::string, std::map<std::string, std::vector<const SelfproofRow*>>> tests;
  for (const SelfproofRow& row : rows) {
    if (row.Void()) continue;
    for (const std::string& claim : row.test->traits.claims) {
      tests[row.test->test()][claim].push_back(&row);
    }
  }
  std::vector<UncheckedClaim> unchecked;
  for (const auto& [test, claims] : tests) {
    for (const auto& [claim, cases] : claims) {
      ClaimProofRow proof = ProofOf(claim, cases, mutants);
      if (proof.proof == ClaimProof::kProven || !proof.why.empty()) continue;
      unchecked.push_back({test, claim, std::move(proof.mutants)});
    }
  }
  return unchecked;
}

Selfproven Selfproof(const std::vector<const TestCase*>& tests, const RunOneTestOn& body,
                     const Facts& facts, const std::vector<Alteration>& mutants,
                     const SelfproofOptions& options,
                     const std::function<void(const std::string&)>& say) {
  return Proof(tests, body, facts, mutants, options, say).Run();
}

nlohmann::ordered_json ToJson(const std::vector<SelfproofRow>& rows,
                              const std::vector<Alteration>& mutants) {
  nlohmann::ordered_json json;
  json["format"] = "sockproof-selfproof";
  json["version"] = 2;
  json["mutants"] = nlohmann::ordered_json::array();
  for (const Alteration& mutant : mutants) {
    json["mutants"].push_back(
        {{"id", mutant.id}, {"what", mutant.what}, {"breaks", mutant.breaks}});
  }
  json["claims"] = nlohmann::ordered_json::array();
  for (const ClaimProofRow& claim : ProofByClaim(rows, mutants)) {
    json["claims"].push_back({{"id", claim.claim},
                              {"proof", ClaimProofName(claim.proof)},
                              {"mutants", claim.mutants},
                              {"why", claim.why}});
  }
  json["unchecked"] = nlohmann::ordered_json::array();
  for (const UncheckedClaim& unchecked : UncheckedClaims(rows, mutants)) {
    json["unchecked"].push_back(
        {{"test", unchecked.test}, {"claim", unchecked.claim}, {"mutants", unchecked.mutants}});
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
                                        {"claims", row.FailureOn(i).claims},
                                        {"how", row.FailureOn(i).how}};
    }
    json["tests"].push_back(std::move(test));
  }
  return json;
}

}  // namespace sockproof
