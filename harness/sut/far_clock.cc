#include "harness/sut/far_clock.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

// Two quartz clocks drift apart by less than 1 ms in 5 s (RFC 5905: 500 ppm at worst, slewed).
constexpr int kDriftIsOneIn = 5000;

// In a longer call the clocks may drift apart by more than the call was under way.
constexpr Duration kLongestSample = 100ms;

}  // namespace

void FarClock::Learn(Time sent, Time begin, Time end, Time received) {
  const Duration took = end - begin;
  if (took > kLongestSample) return;
  const Duration ahead = ((begin - sent) + (end - received)) / 2;
  const Duration error = std::max((received - sent - took) / 2, Duration(0));
  if (estimate_) {
    const Duration known = Error(received);
    // Something for what both readings of a clock are late.
    if (std::chrono::abs(ahead - estimate_->ahead) > error + known + 1ms) {
      throw Inconclusive(fmt::format("the clock of the system under test was stepped by {}",
                                     FormatDuration(ahead - estimate_->ahead)));
    }
    if (error > known) return;
  }
  estimate_ = Estimate{ahead, error, received};
}

Time FarClock::ToOurs(Time theirs) const { return estimate_ ? theirs - estimate_->ahead : theirs; }

Duration FarClock::Error(Time now) const {
  if (!estimate_) return Duration(0);
  return estimate_->error + std::max(now - estimate_->at, Duration(0)) / kDriftIsOneIn;
}

}  // namespace sockproof
