#include "src/report/axes.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

namespace sockproof {
namespace {

constexpr std::array<std::string_view, 3> kLevels{"MUST", "SHOULD", "MAY"};

std::vector<ClaimCounts>& AxisOf(const std::string& authority, Axes& axes) {
  if (authority == "notes") return axes.notes;
  if (IsStandard(authority)) return axes.standards;
  return axes.documentation;
}

// Of one claim, over all its tests.
struct Answer {
  std::string level;
  bool held = false;
  bool departed = false;
  bool undecided = false;
  bool not_reached = false;
  bool passed_over = false;  // by a test that decided another of its claims
  bool not_taken = false;
};

}  // namespace

bool IsStandard(std::string_view claim) {
  const std::string_view authority = claim.substr(0, claim.find(':'));
  return authority == "posix" || authority.starts_with("rfc");
}

Axes AxesOf(const RunResult& run) {
  std::map<std::string, Answer> answers;
  for (const TestResult& test : run.tests) {
    for (const CitedClaim& claim : test.claims) {
      Answer& answer = answers[claim.id];
      answer.level = claim.level;
      const ClaimVerdict verdict = test.VerdictOf(claim);
      answer.held |= verdict == ClaimVerdict::kHeld;
      answer.departed |= verdict == ClaimVerdict::kDeparted;
      answer.undecided |= verdict == ClaimVerdict::kUndecided;
      const bool decided = test.verdict == Verdict::kPass || test.verdict == Verdict::kFail;
      answer.not_reached |= verdict == ClaimVerdict::kNotReached && !decided;
      answer.passed_over |= verdict == ClaimVerdict::kNotReached && decided;
      answer.not_taken |= verdict == ClaimVerdict::kNotTaken;
    }
  }

  using Key = std::tuple<std::string, std::ptrdiff_t, std::string>;  // authority, rank, level
  std::map<Key, ClaimCounts> sorted;
  for (const auto& [id, answer] : answers) {
    const std::string authority = id.substr(0, id.find(':'));
    const auto rank = std::find(kLevels.begin(), kLevels.end(), answer.level) - kLevels.begin();
    ClaimCounts& counts = sorted[{authority, rank, answer.level}];
    counts.authority = authority;
    counts.level = answer.level;
    ++counts.tested;
    // A row of a table that decides another claim says nothing of this one.
    const bool not_reached = answer.not_reached || (answer.passed_over && !answer.held);
    ++(answer.departed                   ? counts.departed
       : answer.undecided || not_reached ? counts.undecided
       : answer.not_taken                ? counts.not_taken
                                         : counts.held);
    if (!answer.departed && !answer.undecided && not_reached) ++counts.not_reached;
  }
  Axes axes;
  for (const auto& [key, counts] : sorted) AxisOf(counts.authority, axes).push_back(counts);
  return axes;
}

}  // namespace sockproof
