#include "src/run/mutant_plan.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace sockproof {
namespace {

constexpr int kAttemptsAtUndecided = 3;  // at what is undecided
constexpr int kEnoughKept = 4;           // cases that begin alike, and no other case
constexpr int kEnoughInVain = 12;        // cases of a test

int Count(const std::map<std::size_t, int>& counts, std::size_t mutant) {
  const auto found = counts.find(mutant);
  return found != counts.end() ? found->second : 0;
}

}  // namespace

MutantPlan::MutantPlan(const std::vector<const TestCase*>& cases, const Facts& facts,
                       const std::vector<Alteration>& mutants, bool every_mutant)
    : facts_(facts), mutants_(mutants), every_mutant_(every_mutant) {
  for (const TestCase* test : cases) {
    Case& of = cases_.emplace_back();
    of.test = test;
    of.of = &tests_[test->test()];
    of.suite_catches = &suite_catches_[test->suite];
  }
}

void MutantPlan::EndedUnmutated(std::size_t row, const TestResult& ended,
                                const std::vector<std::string>& departed,
                                std::vector<std::size_t> candidates) {
  Case& of = cases_[row];
  of.departs = ended.verdict == Verdict::kFail;
  of.of->proven.insert(departed.begin(), departed.end());
  for (const CitedClaim& claim : ended.claims) {
    const bool reached = ended.VerdictOf(claim) != ClaimVerdict::kNotReached;
    (reached ? of.of->decided : of.not_reached).insert(claim.id);
  }
  of.candidates = std::move(candidates);
}

void MutantPlan::Ended(const Cell& cell, MutantOutcome outcome,
                       const std::vector<std::string>& proven) {
  Case& of = cases_[cell.row];
  --of.under_way;
  if (outcome == MutantOutcome::kCaught) {
    of.caught = true;
    ++(*of.suite_catches)[cell.mutant];
    ++of.of->catches[cell.mutant];
  }
  of.proves = of.proves || !proven.empty();
  of.of->proven.insert(proven.begin(), proven.end());
  if (outcome == MutantOutcome::kUndecided && BreaksAny(of, cell.mutant) &&
      ++of.undecided[cell.mutant] < kAttemptsAtUndecided) {
    of.candidates.push_back(cell.mutant);
  }
  const bool began = outcome != MutantOutcome::kNotReached && outcome != MutantOutcome::kUndecided;
  KeptLike(of)[cell.mutant] += began ? -kEnoughKept : 1;
  if (began && outcome != MutantOutcome::kCaught) ++of.of->in_vain[cell.mutant];
}

std::vector<MutantPlan::Cell> MutantPlan::Next(std::size_t row) {
  const Case& of = cases_[row];
  if (of.under_way != 0) return {};
  if (!Done(of)) return NextUnlessAnotherSearches(row);
  if (!Searches(row)) return {};
  of.of->searching.reset();
  std::vector<Cell> next;
  for (const std::size_t waiting : std::exchange(of.of->waiting, {})) {
    if (Done(cases_[waiting])) continue;
    const std::vector<Cell> of_it = NextUnlessAnotherSearches(waiting);
    next.insert(next.end(), of_it.begin(), of_it.end());
  }
  return next;
}

std::vector<MutantPlan::Cell> MutantPlan::NextUnlessAnotherSearches(std::size_t row) {
  Case& of = cases_[row];
  if (!every_mutant_ && !Searches(row) && LeftThatBreaksUnproven(of)) {
    if (of.of->searching) {
      of.of->waiting.push_back(row);
      return {};
    }
    of.of->searching = row;
  }
  return NextOf(row);
}

std::vector<MutantPlan::Cell> MutantPlan::NextOf(std::size_t row) {
  Case& of = cases_[row];
  if (!every_mutant_) {
    std::erase_if(of.candidates,
                  [&](std::size_t mutant) { return Count(KeptLike(of), mutant) >= kEnoughKept; });
  }
  std::vector<Cell> next;
  for (std::size_t room = AtOnce(row); room > 0 && !of.candidates.empty(); --room) {
    if (Searches(row) && !next.empty() && !LeftThatBreaksUnproven(of)) break;
    next.push_back({row, TakeLikeliest(of)});
  }
  of.under_way += next.size();
  return next;
}

// A test that waits long meets many at once, because its waits would add up, and so does one that
// nothing which breaks its claims is left for: it may have to go through all others. For one that
// searches other cases wait.
std::size_t MutantPlan::AtOnce(std::size_t row) const {
  if (every_mutant_) return mutants_.size();
  const Duration lasts = cases_[row].test->LastsOn(facts_);
  if (lasts > 20s) return 10;
  if (lasts > 2s || !LeftThatBreaksAny(cases_[row])) return 5;
  return Searches(row) ? 8 : 1;
}

// What breaks a claim of the test that is not proven yet, or else any of them; among those what
// other cases of the test caught, then what kept few of them from their beginning, then what most
// of the suite caught; among equals the first of the list.
std::size_t MutantPlan::TakeLikeliest(Case& of) {
  const Counts& kept = KeptLike(of);
  const auto rank = [&](std::size_t mutant) {
    return std::tuple(BreaksUnproven(of, mutant), BreaksAny(of, mutant),
                      Count(of.of->catches, mutant), -Count(kept, mutant),
                      Count(*of.suite_catches, mutant));
  };
  const auto likeliest =
      std::max_element(of.candidates.begin(), of.candidates.end(),
                       [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  const std::size_t mutant = *likeliest;
  of.candidates.erase(likeliest);
  return mutant;
}

bool MutantPlan::Done(const Case& of) const {
  if (every_mutant_ || of.candidates.empty()) return of.candidates.empty();
  if (LeftThatBreaksUnproven(of)) return false;
  if (of.proves || of.departs) return true;
  return of.caught && !LeftThatBreaksAny(of);
}

// Whether this case may decide the claim: not where it got by without, and another case did not.
bool MutantPlan::MayDecide(const Case& of, const std::string& claim) const {
  return !of.not_reached.contains(claim) || !of.of->decided.contains(claim);
}

bool MutantPlan::BreaksAny(const Case& of, std::size_t mutant) const {
  const std::vector<std::string>& claims = of.test->traits.claims;
  return std::any_of(claims.begin(), claims.end(), [&](const std::string& claim) {
    return mutants_[mutant].Breaks(claim) && MayDecide(of, claim);
  });
}

// Not what so many cases of the test have met and not caught.
bool MutantPlan::BreaksUnproven(const Case& of, std::size_t mutant) const {
  const std::vector<std::string>& claims = of.test->traits.claims;
  return (every_mutant_ || Count(of.of->in_vain, mutant) < kEnoughInVain) &&
         std::any_of(claims.begin(), claims.end(), [&](const std::string& claim) {
           return !of.of->proven.contains(claim) && mutants_[mutant].Breaks(claim) &&
                  MayDecide(of, claim);
         });
}

bool MutantPlan::LeftThatBreaksAny(const Case& of) const {
  return std::any_of(of.candidates.begin(), of.candidates.end(),
                     [&](std::size_t mutant) { return BreaksAny(of, mutant); });
}

bool MutantPlan::LeftThatBreaksUnproven(const Case& of) const {
  return std::any_of(of.candidates.begin(), of.candidates.end(),
                     [&](std::size_t mutant) { return BreaksUnproven(of, mutant); });
}

// The cases of a test that begin alike: "passive" of "passive-rst-of-rcv-nxt".
MutantPlan::Counts& MutantPlan::KeptLike(const Case& of) const {
  const std::string_view name = of.test->variant.name;
  return of.of->kept[std::string(name.substr(0, name.find_first_of("-/")))];
}

}  // namespace sockproof
