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
  if (authority == "posix" || authority.starts_with("rfc")) return axes.standards;
  return axes.documentation;
}

// Of one claim, over all its tests.
struct Answer {
  std::string level;
  bool departed = false;
  bool undecided = false;
};

}  // namespace

Axes AxesOf(const RunResult& run) {
  std::map<std::string, Answer> answers;
  for (const TestResult& test : run.tests) {
    for (const CitedClaim& claim : test.claims) {
      Answer& answer = answers[claim.id];
      answer.level = claim.level;
      if (test.verdict == Verdict::kFail) {
        answer.departed = true;
      } else if (test.verdict != Verdict::kPass) {
        answer.undecided = true;
      }
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
    ++(answer.departed ? counts.departed : answer.undecided ? counts.undecided : counts.held);
  }
  Axes axes;
  for (const auto& [key, counts] : sorted) AxisOf(counts.authority, axes).push_back(counts);
  return axes;
}

}  // namespace sockproof
