// What a test says about each claim that it cites, from its events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

enum class ClaimVerdict {
  kHeld,
  kDeparted,
  kNotTaken,    // it allows something of which the system makes no use
  kNotReached,  // a capability is missing, or the system did not get to where it could be decided
  kUndecided,   // nothing is known: the test broke, was too slow, or did not run
};

// "held", "departed", "not taken", "not reached", "undecided".
std::string_view ClaimVerdictName(ClaimVerdict verdict);
std::optional<ClaimVerdict> ClaimVerdictFromName(std::string_view name);

// What the verdict of a test says about a claim when the test does not tell its claims apart.
ClaimVerdict ClaimVerdictOf(std::optional<Verdict> test);

struct DecidedClaim {
  std::string claim;
  ClaimVerdict verdict = ClaimVerdict::kUndecided;
  std::string why;  // not taken, not reached: what is instead, what was in the way
};

// Whether a failure is none of the system's, because a process of the test was served so late.
bool IsExplainedBy(const FailureEvent& failure, Duration lateness);

// The failures among the events that condemn a claim. In a test that tells its claims apart
// (`decides`) those of its set-up, before the first claim begins, condemn none.
std::vector<const FailureEvent*> FailuresOfClaims(const std::vector<Event>& events, bool decides);

// Each of `cited`, in that order, by the events of a whole test: the last one is its VerdictEvent;
// without that nothing is known. In a test that tells its claims apart, a failure condemns the
// claim that was being decided; one that was begun and has none is held; one that never began was
// not reached. In any other all claims share its fate.
std::vector<DecidedClaim> DecideClaims(const std::vector<std::string>& cited,
                                       const std::vector<Event>& events);

}  // namespace sockproof
