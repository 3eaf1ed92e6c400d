#include "harness/trace/claim_verdict.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace sockproof {
namespace {

constexpr std::array<std::string_view, 5> kClaimVerdicts{"held", "departed", "not taken",
                                                         "not reached", "undecided"};

bool Begins(const Event& event) {
  const auto* decision = std::get_if<DecisionEvent>(&event.what);
  return decision != nullptr && decision->decision == Decision::kBegins;
}

}  // namespace

std::string_view ClaimVerdictName(ClaimVerdict verdict) {
  return kClaimVerdicts.at(static_cast<std::size_t>(verdict));
}

std::optional<ClaimVerdict> ClaimVerdictFromName(std::string_view name) {
  for (std::size_t index = 0; index < kClaimVerdicts.size(); ++index) {
    if (kClaimVerdicts[index] == name) return static_cast<ClaimVerdict>(index);
  }
  return std::nullopt;
}

ClaimVerdict ClaimVerdictOf(std::optional<Verdict> test) {
  if (test == Verdict::kPass) return ClaimVerdict::kHeld;
  if (test == Verdict::kFail) return ClaimVerdict::kDeparted;
  if (test == Verdict::kSkip) return ClaimVerdict::kNotReached;
  return ClaimVerdict::kUndecided;
}

bool IsExplainedBy(const FailureEvent& failure, Duration lateness) {
  return failure.explained_by > Duration(0) && lateness >= failure.explained_by;
}

std::vector<const FailureEvent*> FailuresOfClaims(const std::vector<Event>& events, bool decides) {
  std::vector<const FailureEvent*> failures;
  bool is_set_up = decides;
  for (const Event& event : events) {
    if (Begins(event)) is_set_up = false;
    const auto* failure = std::get_if<FailureEvent>(&event.what);
    if (failure != nullptr && !is_set_up) failures.push_back(failure);
  }
  return failures;
}

std::vector<DecidedClaim> DecideClaims(const std::vector<std::string>& cited,
                                       const std::vector<Event>& events) {
  const auto* end = events.empty() ? nullptr : std::get_if<VerdictEvent>(&events.back().what);
  const std::optional<Verdict> verdict =
      end == nullptr ? std::nullopt : std::optional(end->verdict);
  const bool decides = std::any_of(events.begin(), events.end(), Begins);
  const ClaimVerdict shared = ClaimVerdictOf(verdict);
  // A test that tells its claims apart and was in its set-up when it ended has reached none.
  const bool is_known = shared != ClaimVerdict::kUndecided;

  std::set<std::string> begun;
  std::set<std::string> departed;
  std::set<std::string> late;  // with failures that lateness explains
  std::vector<std::pair<std::string, DecidedClaim>> told;
  for (const Event& event : events) {
    if (const auto* decision = std::get_if<DecisionEvent>(&event.what)) {
      if (decision->decision == Decision::kBegins) {
        begun.insert(decision->claim);
      } else {
        const bool taken = decision->decision != Decision::kNotTaken;
        told.push_back(
            {decision->claim,
             {decision->claim, taken ? ClaimVerdict::kNotReached : ClaimVerdict::kNotTaken,
              decision->why}});
      }
    }
  }
  for (const FailureEvent* failure : FailuresOfClaims(events, decides)) {
    std::set<std::string>& where =
        IsExplainedBy(*failure, end == nullptr ? Duration(0) : end->worst_lateness) ? late
                                                                                    : departed;
    if (failure->claim.empty()) {
      where.insert(cited.begin(), cited.end());
    } else {
      where.insert(failure->claim);
    }
  }

  std::vector<DecidedClaim> claims;
  for (const std::string& id : cited) {
    DecidedClaim& claim = claims.emplace_back(DecidedClaim{id, shared, ""});
    if (!is_known) continue;
    const auto words = std::find_if(told.rbegin(), told.rend(),
                                    [&id](const auto& entry) { return entry.first == id; });
    if (verdict == Verdict::kFail && departed.contains(id)) {
      claim.verdict = ClaimVerdict::kDeparted;
    } else if (late.contains(id)) {
      claim.verdict = ClaimVerdict::kUndecided;
    } else if (words != told.rend()) {
      claim = words->second;
    } else if (decides) {
      claim.verdict = begun.contains(id) ? ClaimVerdict::kHeld : ClaimVerdict::kNotReached;
    }
    if (claim.verdict == ClaimVerdict::kNotReached && claim.why.empty()) claim.why = end->reason;
  }
  return claims;
}

}  // namespace sockproof
