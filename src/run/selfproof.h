// Runs tests against systems made wrong on purpose: a test that finds fault with none of them
// proves nothing, and a claim is proven to be checked only by a test that cites it and finds fault
// with a mutant that breaks it. The result is a table of test x mutant.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/alteration.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/report/result.h"
#include "src/run/baseline.h"

namespace sockproof {

// What became of one test on one mutant.
enum class MutantOutcome {
  kNotRun,         // nothing for it to do in this test, or another one was caught already
  kCaught,         // FAIL, at a line of the suites
  kCaughtInSetUp,  // FAIL in what the harness does for the test: no proof of what the test says
  kSurvived,       // PASS, although the mutant did something
  kNotApplied,     // PASS, the mutant found nothing to do
  kNotReached,     // SKIP: the test does not get to where it begins
  kUndecided,      // ERROR or INCONCLUSIVE, at each of three attempts
};
std::string_view MutantOutcomeName(MutantOutcome outcome);  // "caught", "survived", ...

struct SelfproofRow {
  const TestCase* test = nullptr;
  std::string unmutated;                // verdict on the system as it is
  bool decides = true;                  // some claim there: not where the documents leave all open
  std::vector<MutantOutcome> outcomes;  // one for each mutant
  struct Failure {
    std::string how;                  // its first line
    std::vector<std::string> claims;  // that failed
  };
  std::map<std::size_t, Failure> failures;    // by mutant: where it was not passed
  std::vector<std::string> failed_unmutated;  // claims that fail on the system as it is

  bool Caught() const;
  Failure FailureOn(std::size_t mutant) const {
    const auto found = failures.find(mutant);
    return found == failures.end() ? Failure() : found->second;
  }
  // The test cites the claim, and finds fault with the mutant for its sake, which breaks it.
  bool Proves(std::size_t mutant, const Alteration& which, const std::string& claim) const;
  // The system as it is is one that the test finds fault with.
  bool FailsUnmutated() const { return unmutated == "FAIL"; }
  // It departs from the claim.
  bool DepartsUnmutated(const std::string& claim) const;
  // Nothing can be proven here: the test gives no answer even on the system as it is.
  bool Void() const { return !decides || (unmutated != "PASS" && !FailsUnmutated()); }
};

// The claims that departed; none where a FAIL is one of set-up.
std::vector<std::string> FailedClaims(const TestResult& result);
// Its first failure in one line, else its reason; cut after some 300 octets.
std::string FirstLine(const TestResult& result);

// Runs a test as a RunOneTest (src/run/runner.h) does, on the system altered so.
using RunOneTestOn =
    std::function<void(const TestCase& test, const Alterations& alterations, EventLog& log)>;

struct SelfproofOptions {
  std::string sut;                      // name of the system
  Baseline baseline;                    // what the system as it is is known to do otherwise
  int jobs = 0;                         // as RunOptions::jobs
  Duration max_wait = Duration::max();  // a test that is planned to last longer is left out
  bool every_mutant = false;            // go on after the first that is caught
  std::string out;                      // folder for the evidence
  std::string program;                  // as invoked
};

struct Selfproven {
  std::vector<SelfproofRow> rows;  // one for each test, in order
  int interrupted = 0;             // by this signal; rows have what was known by then
};

// Each test on the system as it is, then on mutants, a few at a time, those first that break a
// claim of it, until it has caught one of these, and each other claim of it is proven by a case of
// this test or has no mutant left that breaks it. Of the cases of a test those meet what breaks a
// claim that decide it, one case after the other, and twelve at most that do not catch it. Only a
// test that catches none of these meets other mutants, until it catches one. `say` is given a line
// now and then. Throws UsageError for a folder that cannot be written, HarnessError.
Selfproven Selfproof(const std::vector<const TestCase*>& tests, const RunOneTestOn& body,
                     const Facts& facts, const std::vector<Alteration>& mutants,
                     const SelfproofOptions& options,
                     const std::function<void(const std::string&)>& say);

// What became of a claim that is tested.
enum class ClaimProof {
  kProven,  // a test that cites it caught a mutant that breaks it, or the system as it is, for it
  kNotCaught,  // mutants that break it met tests that cite it, and were not caught for it
  kKeptAway,   // all of those kept the tests from judging it: failed in set-up, not reached,
               // undecided
  kNotMet,     // mutants break it, and none finds something to do in a test that cites it
  kUnbroken,   // no mutant breaks it
  kVoid,       // no test that cites it passes on the system as it is, or fails there for it
};
std::string_view ClaimProofName(ClaimProof proof);  // "proven", "kept-away", ...

struct ClaimProofRow {
  std::string claim;
  ClaimProof proof = ClaimProof::kUnbroken;
  std::vector<std::string> mutants;  // by which it was proven, else those that were not caught
  std::string why;                   // not proven: why nothing could prove it, if that is known
};

// One row for each claim that one of the tests cites, sorted by claim.
std::vector<ClaimProofRow> ProofByClaim(const std::vector<SelfproofRow>& rows,
                                        const std::vector<Alteration>& mutants);

// A claim that a test cites, and finds fault with nothing for the sake of: not with the system as
// it is, nor, in any case of the test, with a mutant that breaks it.
struct UncheckedClaim {
  std::string test;  // "Suite.Name"
  std::string claim;
  std::vector<std::string> mutants;  // that break it, and did something there
};

// Sorted by test. Claims are left out of which it is known that nothing breaks them, and tests that
// give no answer even on the system as it is.
std::vector<UncheckedClaim> UncheckedClaims(const std::vector<SelfproofRow>& rows,
                                            const std::vector<Alteration>& mutants);

// {"format": "sockproof-selfproof", "version": 2, "mutants": [{"id", "what", "breaks": [claims]}],
//  "claims": [{"id", "proof", "mutants", "why"}],
//  "unchecked": [{"test", "claim", "mutants"}],
//  "tests": [{"id", "unmutated", "caught": bool,
//             "mutants": {id: {"outcome", "claims": that failed, "how"}}}]}; mutants that were not
// run are left out.
nlohmann::ordered_json ToJson(const std::vector<SelfproofRow>& rows,
                              const std::vector<Alteration>& mutants);

}  // namespace sockproof
