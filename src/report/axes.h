// What a run says about claims, on separate axes: "conforms to the standards" and "does what its
// own documentation says" are different questions, and no number answers both.
#pragma once

#include <string>
#include <vector>

#include "src/report/result.h"

namespace sockproof {

// The claims of one authority and level that any test of a run checks, each counted once.
struct ClaimCounts {
  std::string authority;  // "rfc9293", "man": the part of a claim's id before ':'
  std::string level;
  int tested = 0;     // all of the below
  int held = 0;       // every test of the claim is PASS
  int departed = 0;   // a test of it is FAIL, known departure or not
  int undecided = 0;  // neither: a test of it was skipped, broke, or did not run
};

// Each sorted by authority, then MUST, SHOULD, MAY and any other level.
struct Axes {
  std::vector<ClaimCounts> standards;      // RFCs and POSIX
  std::vector<ClaimCounts> documentation;  // the system's own: kernel documentation, man pages
  std::vector<ClaimCounts> notes;          // the study notes, which are neither
};

Axes AxesOf(const RunResult& run);

}  // namespace sockproof
