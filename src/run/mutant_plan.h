// Which mutants a test meets, and in which order, by what became of the cases before it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/alteration.h"
#include "harness/test/registry.h"
#include "src/report/result.h"
#include "src/run/selfproof.h"

namespace sockproof {

// A case of a test is one that runs as "Suite.Name/variant"; rows count the cases that were given.
// Those meet what breaks a claim that they decide; of the cases of a test one at a time searches
// for what breaks a claim that is unproven, and the others wait for what it finds.
class MutantPlan {
 public:
  struct Cell {
    std::size_t row;
    std::size_t mutant;
    auto operator<=>(const Cell&) const = default;
  };

  // With `every_mutant` each case meets each mutant that may apply. All must outlive this.
  MutantPlan(const std::vector<const TestCase*>& cases, const Facts& facts,
             const std::vector<Alteration>& mutants, bool every_mutant);

  // How a case ended on the system as it is, departing from these claims; `candidates` may apply.
  void EndedUnmutated(std::size_t row, const TestResult& ended,
                      const std::vector<std::string>& departed,
                      std::vector<std::size_t> candidates);
  // What became of a cell, and the claims that it proved.
  void Ended(const Cell& cell, MutantOutcome outcome, const std::vector<std::string>& proven);
  // What to run once all of this case that was to run has ended; may be cells of cases that waited.
  std::vector<Cell> Next(std::size_t row);

 private:
  using Counts = std::map<std::size_t, int>;  // by mutant
  struct Test {
    std::set<std::string> proven;   // claims, by any of its cases
    std::set<std::string> decided;  // claims, by any of its cases on the system as it is
    Counts catches;
    Counts in_vain;  // cases that met it and did not catch it
    // By the beginning of a case's name: cases that it kept from it, less four for each that began.
    std::map<std::string, Counts> kept;
    std::optional<std::size_t> searching;  // the case that does
    std::vector<std::size_t> waiting;      // cases
  };
  struct Case {
    const TestCase* test = nullptr;
    Test* of = nullptr;
    Counts* suite_catches = nullptr;
    std::vector<std::size_t> candidates;  // mutants that may apply and were not met yet
    std::set<std::string> not_reached;    // claims, on the system as it is
    Counts undecided;
    std::size_t under_way = 0;
    bool departs = false;  // on the system as it is
    bool caught = false;   // has caught a mutant
    bool proves = false;   // has proven one of its claims
  };

  std::vector<Cell> NextUnlessAnotherSearches(std::size_t row);
  std::vector<Cell> NextOf(std::size_t row);
  std::size_t AtOnce(std::size_t row) const;
  std::size_t TakeLikeliest(Case& of);

  bool Done(const Case& of) const;
  bool Searches(std::size_t row) const { return cases_[row].of->searching == row; }
  bool MayDecide(const Case& of, const std::string& claim) const;
  bool BreaksAny(const Case& of, std::size_t mutant) const;
  bool BreaksUnproven(const Case& of, std::size_t mutant) const;
  bool LeftThatBreaksAny(const Case& of) const;
  bool LeftThatBreaksUnproven(const Case& of) const;
  Counts& KeptLike(const Case& of) const;

  const Facts& facts_;
  const std::vector<Alteration>& mutants_;
  const bool every_mutant_;
  std::map<std::string, Test> tests_;            // by TestCase::test()
  std::map<std::string, Counts> suite_catches_;  // by suite
  std::vector<Case> cases_;
};

}  // namespace sockproof
