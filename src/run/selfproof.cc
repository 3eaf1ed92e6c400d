#include "src/run/selfproof.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

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

class Proof {
 public:
  Proof(const std::vector<const TestCase*>& tests, const RunOneTestOn& body, const Facts& facts,
        const std::vector<Alteration>& mutants, const SelfproofOptions& options,
        const std::function<void(const std::string&)>& say)
      : tests_(tests), body_(body), facts_(facts), mutants_(mutants), options_(options), say_(say) {
    for (const TestCase* test : tests) {
      row_of_[test->id()] = rows_.size();
      rows_.push_back({test, "", {}, {}, {}});
      rows_.back().outcomes.assign(mutants.size(), MutantOutcome::kNotRun);
    }
    candidates_.resize(rows_.size());
    under_way_.resize(rows_.size());
    proves_.resize(rows_.size());
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
      const auto pair = pair_of_.find(test.id());
      if (pair == pair_of_.end()) {
        body_(test, {}, log);
      } else {
        body_(*rows_[pair->second.row].test, {&mutants_[pair->second.mutant]}, log);
      }
    };
    const int signal_number = RunTests(tests_, facts_, body, options, result, reports, silent);
    return {std::move(rows_), signal_number};
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
    if (under_way_[row] != 0) return {};
    if (!Done(row)) return NextUnlessAnotherSearches(row);
    if (!searches(row)) return {};
    searching_.erase(rows_[row].test->test());
    std::vector<const TestCase*> next;
    for (const std::size_t waiting : std::exchange(waiting_[rows_[row].test->test()], {})) {
      if (Done(waiting)) continue;
      std::vector<const TestCase*> of_it = NextUnlessAnotherSearches(waiting);
      next.insert(next.end(), of_it.begin(), of_it.end());
    }
    return next;
  }

  // Of the cases of a test one at a time looks for what breaks its unproven claims, since what it
  // finds is likely to be what the others need; those wait for it.
  std::vector<const TestCase*> NextUnlessAnotherSearches(std::size_t row) {
    if (!options_.every_mutant && !searches(row) && LeftThatBreaksUnproven(row)) {
      if (searching_.contains(rows_[row].test->test())) {
        waiting_[rows_[row].test->test()].push_back(row);
        return {};
      }
      searching_[rows_[row].test->test()] = row;
    }
    return NextMutants(row);
  }

  bool searches(std::size_t row) const {
    const auto found = searching_.find(rows_[row].test->test());
    return found != searching_.end() && found->second == row;
  }

  void Unmutated(std::size_t row, const TestResult& ended) {
    rows_[row].unmutated = VerdictText(ended.verdict);
    if (ended.verdict == Verdict::kFail) {
      rows_[row].failed_unmutated = FailedClaims(ended);
      proven_by(row).insert(rows_[row].failed_unmutated.begin(), rows_[row].failed_unmutated.end());
    }
    for (const CitedClaim& claim : ended.claims) {
      const bool reached = ended.VerdictOf(claim) != ClaimVerdict::kNotReached;
      (reached ? decided_[rows_[row].test->test()] : not_reached_[row]).insert(claim.id);
    }
    if (ended.verdict != Verdict::kPass && !HoldsSome(ended)) return;
    const TestCourse course(ReadEvents(options_.out + "/" + ended.directory + "/events.jsonl"));
    for (std::size_t mutant = 0; mutant < mutants_.size(); ++mutant) {
      if (MayApply(mutants_[mutant], course)) candidates_[row].push_back(mutant);
    }
  }

  // Whether it departs from some of its claims, and holds another.
  static bool HoldsSome(const TestResult& ended) {
    return ended.verdict == Verdict::kFail &&
           std::any_of(ended.claims.begin(), ended.claims.end(), [&](const CitedClaim& claim) {
             return ended.VerdictOf(claim) == ClaimVerdict::kHeld;
           });
  }

  // The claims of a test that any of its cases has been proven to check.
  std::set<std::string>& proven_by(std::size_t row) { return proven_[rows_[row].test->test()]; }

  // Whether this case may decide the claim: not where it got by without, and another case did not.
  bool MayDecide(std::size_t row, const std::string& claim) {
    return !not_reached_[row].contains(claim) || !decided_[rows_[row].test->test()].contains(claim);
  }

  // Whether the mutant breaks a claim of the test that it has not been proven to check yet.
  bool BreaksUnproven(std::size_t row, std::size_t mutant) {
    const std::vector<std::string>& claims = rows_[row].test->traits.claims;
    const std::set<std::string>& proven = proven_by(row);
    return std::any_of(claims.begin(), claims.end(),
                       [&](const std::string& claim) {
                         return !proven.contains(claim) && mutants_[mutant].Breaks(claim) &&
                                MayDecide(row, claim);
                       }) &&
           IsWorthTrying(row, mutant);
  }
  // The cases of a test that begin alike: "passive" of "passive-rst-of-rcv-nxt".
  std::map<std::size_t, int>& KeptLike(std::size_t row) {
    const std::string_view name = rows_[row].test->variant.name;
    return kept_[fmt::format("{}/{}", rows_[row].test->test(),
                             name.substr(0, name.find_first_of("-/")))];
  }
  // Whether the mutant has kept cases that begin like this one from it, and no other case.
  bool Keeps(std::size_t row, std::size_t mutant) {
    constexpr int kEnough = 4;
    return KeptLike(row)[mutant] >= kEnough;
  }
  // Not what so many cases of the test have met and not caught.
  bool IsWorthTrying(std::size_t row, std::size_t mutant) {
    constexpr int kEnough = 12;
    return options_.every_mutant || in_vain_[rows_[row].test->test()][mutant] < kEnough;
  }
  bool BreaksAny(std::size_t row, std::size_t mutant) {
    const std::vector<std::string>& claims = rows_[row].test->traits.claims;
    return std::any_of(claims.begin(), claims.end(), [&](const std::string& claim) {
      return mutants_[mutant].Breaks(claim) && MayDecide(row, claim);
    });
  }

  bool Done(std::size_t row) {
    if (options_.every_mutant || candidates_[row].empty()) return candidates_[row].empty();
    if (LeftThatBreaksUnproven(row)) return false;
    if (proves_[row] || rows_[row].FailsUnmutated()) return true;
    const bool left = std::any_of(candidates_[row].begin(), candidates_[row].end(),
                                  [&](std::size_t mutant) { return BreaksAny(row, mutant); });
    return !left && rows_[row].Caught();
  }
  bool LeftThatBreaksUnproven(std::size_t row) {
    return std::any_of(candidates_[row].begin(), candidates_[row].end(),
                       [&](std::size_t mutant) { return BreaksUnproven(row, mutant); });
  }

  // A test that waits long meets many at once, because its waits would add up, and so does one that
  // nothing which breaks its claims is left for: it may have to go through all others. For one that
  // searches other cases wait.
  std::size_t AtOnce(std::size_t row) {
    const Duration lasts = rows_[row].test->LastsOn(facts_);
    if (options_.every_mutant) return mutants_.size();
    const bool aims = std::any_of(candidates_[row].begin(), candidates_[row].end(),
                                  [&](std::size_t mutant) { return BreaksAny(row, mutant); });
    return lasts > 20s ? 10 : lasts > 2s || !aims ? 5 : searches(row) ? 8 : 1;
  }

  std::vector<const TestCase*> NextMutants(std::size_t row) {
    std::vector<const TestCase*> next;
    if (!options_.every_mutant) {
      std::erase_if(candidates_[row], [&](std::size_t mutant) { return Keeps(row, mutant); });
    }
    for (std::size_t room = AtOnce(row); room > 0 && !candidates_[row].empty(); --room) {
      if (searches(row) && !next.empty() && !LeftThatBreaksUnproven(row)) break;
      const std::size_t mutant = TakeLikeliest(row);
      TestCase& test = cases_.emplace_back(*rows_[row].test);
      test.name += "+" + AsName(mutants_[mutant].id);
      pair_of_[test.id()] = {row, mutant};
      next.push_back(&test);
    }
    under_way_[row] += next.size();
    return next;
  }

  // What breaks a claim of the test that is not proven yet, or else any of them; among those what
  // other cases of the test caught, then what kept few of them from their beginning, then what most
  // of the suite caught; among equals the first of the list.
  std::size_t TakeLikeliest(std::size_t row) {
    const TestCase& test = *rows_[row].test;
    const std::map<std::size_t, int>& by_test = catches_[test.test()];
    const std::map<std::size_t, int>& by_suite = catches_[test.suite];
    const std::map<std::size_t, int>& kept = KeptLike(row);
    const auto count = [](const std::map<std::size_t, int>& catches, std::size_t mutant) {
      const auto found = catches.find(mutant);
      return found != catches.end() ? found->second : 0;
    };
    std::vector<std::size_t>& candidates = candidates_[row];
    const auto likeliest =
        std::max_element(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
          const auto rank = [&](std::size_t mutant) {
            return std::tuple(BreaksUnproven(row, mutant), BreaksAny(row, mutant),
                              count(by_test, mutant), -count(kept, mutant),
                              count(by_suite, mutant));
          };
          return rank(a) < rank(b);
        });
    const std::size_t mutant = *likeliest;
    candidates.erase(likeliest);
    return mutant;
  }

  void Judge(const Pair& pair, const TestResult& result) {
    MutantOutcome& outcome = rows_[pair.row].outcomes[pair.mutant];
    if (result.verdict != Verdict::kPass)
      rows_[pair.row].failures[pair.mutant].how = FirstLine(result);
    if (result.verdict == Verdict::kFail) {
      Failed(pair, result);
    } else if (result.verdict == Verdict::kSkip) {
      outcome = MutantOutcome::kNotReached;
    } else if (result.verdict != Verdict::kPass) {
      outcome = MutantOutcome::kUndecided;
      if (BreaksAny(pair.row, pair.mutant) && ++attempts_[{pair.row, pair.mutant}] < kAttempts) {
        candidates_[pair.row].push_back(pair.mutant);
      }
    } else {
      const std::string events = options_.out + "/" + result.directory + "/events.jsonl";
      outcome = WasApplied(mutants_[pair.mutant], ReadEvents(events)) ? MutantOutcome::kSurvived
                                                                      : MutantOutcome::kNotApplied;
    }
    const bool began =
        outcome != MutantOutcome::kNotReached && outcome != MutantOutcome::kUndecided;
    KeptLike(pair.row)[pair.mutant] += began ? -4 : 1;
    if (began && outcome != MutantOutcome::kCaught) {
      ++in_vain_[rows_[pair.row].test->test()][pair.mutant];
    }
  }

  void Failed(const Pair& pair, const TestResult& result) {
    SelfproofRow& row = rows_[pair.row];
    const bool in_suite = std::any_of(
        result.failures.begin(), result.failures.end(),
        [](const FailureEvent& failure) { return !failure.file.starts_with("harness/"); });
    std::vector<std::string> failed = FailedClaims(result);
    std::erase_if(failed, [&](const std::string& claim) { return row.DepartsUnmutated(claim); });
    row.outcomes[pair.mutant] = !in_suite ? MutantOutcome::kCaughtInSetUp
                                : row.FailsUnmutated() && failed.empty() ? MutantOutcome::kSurvived
                                                                         : MutantOutcome::kCaught;
    if (row.outcomes[pair.mutant] != MutantOutcome::kCaught) return;
    ++catches_[row.test->suite][pair.mutant];
    ++catches_[row.test->test()][pair.mutant];
    NoteProof(pair, failed);
  }

  void NoteProof(const Pair& pair, const std::vector<std::string>& failed) {
    SelfproofRow& row = rows_[pair.row];
    row.failures[pair.mutant].claims = failed;
    for (const std::string& claim : failed) {
      if (!row.Proves(pair.mutant, mutants_[pair.mutant], claim)) continue;
      proven_by(pair.row).insert(claim);
      proves_[pair.row] = true;
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
  static constexpr int kAttempts = 3;
  static constexpr Duration kBetweenLines = 5s;

  const std::vector<const TestCase*>& tests_;
  const RunOneTestOn& body_;
  const Facts& facts_;
  const std::vector<Alteration>& mutants_;
  const SelfproofOptions& options_;
  const std::function<void(const std::string&)>& say_;
  std::vector<SelfproofRow> rows_;
  std::map<std::string, std::size_t> row_of_;         // by test id
  std::deque<TestCase> cases_;                        // each a test on a mutant
  std::map<std::string, Pair> pair_of_;               // by id of those
  std::vector<std::vector<std::size_t>> candidates_;  // mutants that may apply and were not run yet
  // How often a mutant was caught, by suite and by test without IP version.
  std::map<std::string, std::map<std::size_t, int>> catches_;
  std::vector<std::size_t> under_way_;                   // how many of cases_, for each row
  std::map<std::string, std::set<std::string>> proven_;  // claims, by test
  // Claims, by test: decided in one of its cases on the system as it is; by row: not reached there.
  std::map<std::string, std::set<std::string>> decided_;
  std::map<std::size_t, std::set<std::string>> not_reached_;
  // By test: how many of its cases met the mutant and did not catch it.
  std::map<std::string, std::map<std::size_t, int>> in_vain_;
  // By test and beginning: how many cases a mutant kept from it, less four for each that began.
  std::map<std::string, std::map<std::size_t, int>> kept_;
  std::map<std::string, std::size_t> searching_;             // by test: the case that does
  std::map<std::string, std::vector<std::size_t>> waiting_;  // by test: the cases that wait for it
  std::vector<bool> proves_;  // of each row: it has proven one of its claims
  std::map<std::pair<std::size_t, std::size_t>, int> attempts_;  // at what is undecided
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
      }
    }
  }
  result.proof = !caught.empty()   ? ClaimProof::kProven
                 : !judged         ? ClaimProof::kVoid
                 : !missed.empty() ? ClaimProof::kNotCaught
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
