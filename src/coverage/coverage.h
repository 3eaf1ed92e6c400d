// Which claims of the catalogue are checked by a test, which cannot be, and which are open. It says
// nothing about any system: that a claim is tested does not mean that anyone keeps it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/claims/catalogue.h"
#include "harness/test/registry.h"

namespace sockproof {

enum class ClaimStatus { kOpen, kUntestable, kTested };
// "open", "untestable", "tested"
std::string_view ClaimStatusName(ClaimStatus status);

// One claim and what checks it.
struct ClaimCoverage {
  Claim claim;
  ClaimStatus status = ClaimStatus::kOpen;
  // "Suite.Name", or "Suite.Name/ipv4" of a test that runs on one IP version only.
  std::vector<std::string> tests;
};

// How many claims of one authority and level there are.
struct CoverageCount {
  std::string_view authority;
  std::string_view level;  // empty: all levels
  int tested = 0;
  int untestable = 0;
  int open = 0;
  int total() const { return tested + untestable + open; }
};

// Each of `claims`, in the order of authorities, then of what they cite ("section 3.2" before
// "section 3.10").
std::vector<ClaimCoverage> CoverageOf(const std::vector<Claim>& claims,
                                      const std::vector<TestCase>& tests);

// The counts of each authority: its levels, the strictest first, then all of them together unless
// there is only one.
std::vector<CoverageCount> CountsOf(const std::vector<ClaimCoverage>& coverage);

// The counts of everything: no authority, no level.
CoverageCount TotalOf(const std::vector<ClaimCoverage>& coverage);

// For a terminal: the counts, and the claims, open ones first.
std::string CoverageTable(const std::vector<ClaimCoverage>& coverage);
std::string CoverageRows(const std::vector<ClaimCoverage>& coverage);
// And the counts of each document, section by section as its table of contents has them.
std::string CoverageBySection(const std::vector<ClaimCoverage>& coverage);

// For programs: {"counts": [...], "claims": [...]}.
std::string CoverageJson(const std::vector<ClaimCoverage>& coverage);

// A page of its own, without scripts and without anything from elsewhere.
std::string CoveragePage(const std::vector<ClaimCoverage>& coverage);

}  // namespace sockproof
