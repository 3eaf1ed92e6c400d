#include "src/packetdrill/ticks.h"

#include <time.h>

#include <algorithm>

namespace sockproof::packetdrill {
namespace {

constexpr Duration kIntoTick = 250us;

}  // namespace

Duration Tick() {
  timespec tick{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  return Duration(std::clamp<std::int64_t>(tick.tv_nsec, 1, 100'000'000));
}

// Ticks are at multiples of their length on CLOCK_MONOTONIC.
Time BehindNextTick() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const Time real = Clock::now();
  const Duration since = (std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec)) % Tick();
  return real + Tick() - since + kIntoTick;
}

Duration LongerTick() {
  constexpr Duration kTickOfScripts = 1ms;
  return std::max(Tick() - kTickOfScripts, Duration(0));
}

Duration AllowanceForTicks() { return 3 * LongerTick(); }

Duration AllowanceForEarlierTick() { return LongerTick() > Duration(0) ? Tick() : Duration(0); }

}  // namespace sockproof::packetdrill
