// Names of verdicts.
#include "harness/trace/verdict.h"

#include <array>
#include <utility>

namespace sockproof {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 5> kNames{{
    {Verdict::kPass, "PASS"},
    {Verdict::kFail, "FAIL"},
    {Verdict::kError, "ERROR"},
    {Verdict::kSkip, "SKIP"},
    {Verdict::kInconclusive, "INCONCLUSIVE"},
}};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  for (const auto& [value, name] : kNames) {
    if (value == verdict) return name;
  }
  return "ERROR";  // Not a verdict at all: nothing is known.
}

std::optional<Verdict> VerdictFromName(std::string_view name) {
  for (const auto& [value, text] : kNames) {
    if (text == name) return value;
  }
  return std::nullopt;
}

}  // namespace sockproof
