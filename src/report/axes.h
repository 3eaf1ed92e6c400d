// What a run says about claims, on separate axes: "conforms to the standards" and "does what its
// own documentation says" are different questions, and no number answers both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/report/result.h"

namespace sockproof {

// The claims of one authority and level that any test of a run checks, each counted once.
struct ClaimCounts {
  std::string authority;  // "rfc9293", "man": the part of a claim's id before ':'
  std::string level;
  int tested = 0;     // all of the below
  int held = 0;       // in every test of the claim
  int departed = 0;   // in a test of it, known departure or not
  int not_taken = 0;  // it allows what the system makes no use of, and no test says otherwise
  int undecided = 0;  // none of these: a test of it did not reach it, broke, or did not run

  int not_reached = 0;  // of those undecided, the ones of which each such test reached its end
};

// Each sorted by authority, then MUST, SHOULD, MAY and any other level.
struct Axes {
  std::vector<ClaimCounts> standards;      // RFCs and POSIX
  std::vector<ClaimCounts> documentation;  // the system's own: kernel documentation, man pages
  std::vector<ClaimCounts> notes;          // the study notes, which are neither
};

Axes AxesOf(const RunResult& run);

// Whether a claim is one of a standard, by its id or its authority.
bool IsStandard(std::string_view claim);

}  // namespace sockproof
