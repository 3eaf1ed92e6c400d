// Runs tests against systems made wrong on purpose: a test that finds fault with none of them
// proves nothing. The result is a table of test x mutant.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/mutant.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/run/baseline.h"

namespace sockproof {

// What became of one test on one mutant.
enum class MutantOutcome {
  kNotRun,         // nothing for it to do in this test, or another one was caught already
  kCaught,         // FAIL, at a line of the suites
  kCaughtInSetUp,  // FAIL in what the harness does for the test: no proof of what the test says
  kSurvived,       // PASS, although the mutant did something
  kNotApplied,     // PASS, the mutant found nothing to do
  kUndecided,      // ERROR, SKIP or INCONCLUSIVE
};
std::string_view MutantOutcomeName(MutantOutcome outcome);  // "caught", "survived", ...

struct SelfproofRow {
  const TestCase* test = nullptr;
  std::string unmutated;                // verdict on the system as it is
  std::vector<MutantOutcome> outcomes;  // one for each mutant
  std::vector<std::string> how;         // the first line of the failure, where caught

  bool Caught() const;
  // The system as it is is one that the test finds fault with.
  bool FailsUnmutated() const { return unmutated == "FAIL"; }
  // Nothing can be proven here: the test gives no answer even on the system as it is.
  bool Void() const { return unmutated != "PASS" && !FailsUnmutated(); }
};

// Runs a test as a RunOneTest (src/run/runner.h) does, on the system made wrong by `mutant`; on the
// system as it is when that is null.
using RunOneTestOn = std::function<void(const TestCase& test, const Mutant* mutant, EventLog& log)>;

struct SelfproofOptions {
  std::string sut;            // name of the system
  Baseline baseline;          // what the system as it is is known to do otherwise
  int jobs = 0;               // as RunOptions::jobs
  bool every_mutant = false;  // go on after the first that is caught
  std::string out;            // folder for the evidence
  std::string program;        // as invoked
};

// Each test on the system as it is, then on mutants, a few at a time, until it catches one. `say`
// is given a line now and then. The result has a row for each test, in order.
// Throws UsageError for a folder that cannot be written, HarnessError.
std::vector<SelfproofRow> Selfproof(const std::vector<const TestCase*>& tests,
                                    const RunOneTestOn& body, const Facts& facts,
                                    const std::vector<Mutant>& mutants,
                                    const SelfproofOptions& options,
                                    const std::function<void(const std::string&)>& say);

// {"format": "sockproof-selfproof", "version": 1, "mutants": [{"id", "what"}],
//  "tests": [{"id", "unmutated", "caught": bool, "mutants": {id: {"outcome", "how"}}}]}; mutants
// that were not run are left out.
nlohmann::ordered_json ToJson(const std::vector<SelfproofRow>& rows,
                              const std::vector<Mutant>& mutants);

}  // namespace sockproof
