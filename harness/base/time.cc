#include "harness/base/time.h"

#include <fmt/format.h>
#include <time.h>

#include <cmath>

namespace sockproof {

Time Clock::now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Time(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec));
}

std::string FormatDuration(Duration duration) {
  const double seconds = ToSeconds(duration);
  const double size = std::abs(seconds);
  // What rounds up to the next unit is shown in it.
  if (size >= 0.9995) return fmt::format("{:.3f} s", seconds);
  if (size >= 0.9995e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} us", seconds * 1e6);
}

}  // namespace sockproof
