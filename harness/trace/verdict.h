// The five answers a test can give.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sockproof {

enum class Verdict {
  kPass,
  kFail,          // the system under test departs from a claim
  kError,         // the harness or its environment broke; nothing is known
  kSkip,          // a named capability is missing
  kInconclusive,  // the machine was too slow to judge
};

// "PASS", "FAIL", "ERROR", "SKIP", "INCONCLUSIVE".
std::string_view VerdictName(Verdict verdict);
std::optional<Verdict> VerdictFromName(std::string_view name);

}  // namespace sockproof
