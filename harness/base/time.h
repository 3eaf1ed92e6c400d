// Time as every part of sockproof measures it: nanoseconds of CLOCK_REALTIME, because that is the
// clock of the kernel's packet timestamps (SO_TIMESTAMPNS), so that calls and frames share one
// axis.
#pragma once

#include <chrono>
#include <string>

namespace sockproof {

using Duration = std::chrono::nanoseconds;

// CLOCK_REALTIME. A step of that clock during a test would falsify intervals; the worker compares
// it with CLOCK_MONOTONIC at both ends of a test and declares the test INCONCLUSIVE if they differ.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = false;
  static time_point now() noexcept;
};

using Time = Clock::time_point;

// Nanoseconds since the epoch, the form in which times travel in JSON.
inline std::int64_t ToNanoseconds(Time time) { return time.time_since_epoch().count(); }
inline Time FromNanoseconds(std::int64_t nanoseconds) { return Time(Duration(nanoseconds)); }

inline double ToSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// "1.032 s", "12.5 ms", "87 us": three or four significant digits, the unit that fits.
std::string FormatDuration(Duration duration);

using namespace std::chrono_literals;  // NOLINT: 5s, 200ms read better than constructor calls

}  // namespace sockproof
