// Runs tests against conforming variants of a system (harness/mutants/variants.toml): a test that
// fails a claim of a standard there, though it passes on the system as it is, is wrong itself. The
// result is a table of test x variant.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/claims/facts.h"
#include "harness/mutants/alteration.h"
#include "harness/test/registry.h"
#include "src/run/baseline.h"
#include "src/run/selfproof.h"

namespace sockproof {

// What became of one test on one variant.
enum class VariantOutcome {
  kNotApplied,  // nothing in this test for the variant to do, or met on the other IP version
  kHeld,        // PASS
  kWrong,       // FAIL of a claim of a standard, at each attempt: the test is wrong
  kOwnWord,   // FAIL of claims of the system's own documentation, or that the variant departs from
  kUnstable,  // wrong at one attempt and PASS at another
  kUnavailable,  // SKIP: the system cannot be altered so, or does then not reach what is tested
  kUndecided,    // ERROR or INCONCLUSIVE, at each attempt
};
std::string_view VariantOutcomeName(VariantOutcome outcome);  // "held", "wrong", ...

struct VariantCell {
  VariantOutcome outcome = VariantOutcome::kNotApplied;
  std::vector<std::string> claims;  // that failed
  std::string how;                  // the first failure, in one line; else the reason
  std::string directory;            // of a FAIL: its evidence, relative to the output folder
  // Held: the variants that the system was at once, this one among them; none: this one alone.
  std::shared_ptr<const std::vector<std::size_t>> company;
};

struct VariantRow {
  const TestCase* test = nullptr;
  std::string unaltered;  // verdict on the system as it is; cells are of a PASS only
  std::map<std::size_t, VariantCell> cells;  // by variant; not those that found nothing to do

  const VariantCell& On(std::size_t variant) const;
};

struct VariantOptions {
  std::string sut;      // name of the system
  Baseline baseline;    // what the system as it is is known to do otherwise
  int jobs = 0;         // as RunOptions::jobs
  Duration max_wait{};  // a test that is planned to last longer is left out: "SKIP"
  // A variant and a test that runs on both IP versions meet on one of them, in turn; with this, on
  // both.
  bool both_versions = false;
  bool alone = false;   // each variant by itself from the start
  std::string out;      // folder for the evidence
  std::string program;  // as invoked
};

struct RanOnVariants {
  std::vector<VariantRow> rows;  // one for each test, in order
  int interrupted = 0;           // by this signal; rows have what was known by then
};

// Each test on the system as it is, then on every variant that finds something to do in it: on
// several at once, where none undoes what another does, and what does not pass there on half of
// them, down to one. A test that is wrong on one variant, or undecided, is tried again, up to three
// times in all.
// `say` is given a line now and then; the folder keeps the evidence of each FAIL. Throws UsageError
// for a folder that cannot be written, HarnessError.
RanOnVariants RunOnVariants(const std::vector<const TestCase*>& tests, const RunOneTestOn& body,
                            const Facts& facts, const std::vector<Alteration>& variants,
                            const VariantOptions& options,
                            const std::function<void(const std::string&)>& say);

// {"format": "sockproof-variants", "version": 1, "variants": [{"id", "what", "allowed_by",
//  "departs_from": [claims]}], "tests": [{"id", "unaltered", "variants": {id: {"outcome", "claims",
//  "how", "directory", "in_company_of": [ids]}}}]}; variants that found nothing to do are left out.
nlohmann::ordered_json ToJson(const std::vector<VariantRow>& rows,
                              const std::vector<Alteration>& variants);

// The table as text: a line for each test, a column for each variant, and what the letters mean.
std::string ToText(const std::vector<VariantRow>& rows, const std::vector<Alteration>& variants);

}  // namespace sockproof
