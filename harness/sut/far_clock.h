// The clock of another machine, as this machine's clock reads it.
#pragma once

#include <optional>

#include "harness/base/time.h"

namespace sockproof {

// Estimates the difference of two clocks from calls on an agent, as NTP does (RFC 5905 section 8):
// sent and received by our clock, begun and ended by theirs. The difference is known to half of the
// time that a call was under way, and less well the older the estimate is. Not thread-safe.
class FarClock {
 public:
  // Throws Inconclusive when no steady pair of clocks gives these times: one was stepped.
  void Learn(Time sent, Time begin, Time end, Time received);

  // A reading of their clock, by ours.
  Time ToOurs(Time theirs) const;

  // How wrong ToOurs() may be, `now`.
  Duration Error(Time now) const;

 private:
  struct Estimate {
    Duration ahead;  // theirs is ahead of ours by this
    Duration error;
    Time at;
  };
  std::optional<Estimate> estimate_;
};

}  // namespace sockproof
