#include "src/run/pace.h"

#include <algorithm>

namespace sockproof {
namespace {

constexpr double kWaiting = 0.01;
// Tests that started before the limit was lowered go on being late for a while.
constexpr auto kBetweenLowerings = std::chrono::milliseconds(500);

constexpr double kLeastPerCore = 2;
constexpr double kFirstPerCore = 16;
constexpr double kMostPerCore = 64;
constexpr std::size_t kProcessesPerCore = 256;

}  // namespace

Pace::Pace(int jobs, int cores)
    : fixed_(jobs > 0),
      least_(kLeastPerCore * cores),
      most_(kMostPerCore * cores),
      most_processes_(fixed_ ? static_cast<std::size_t>(jobs)
                             : kProcessesPerCore * static_cast<std::size_t>(cores)),
      limit_(fixed_ ? jobs : kFirstPerCore * cores) {}

double Pace::Load(Duration quiet, bool is_set_up) const {
  return fixed_ || quiet < kQuiet || !is_set_up ? 1 : kWaiting;
}

bool Pace::HasRoom(std::size_t running, double load) const {
  return running < most_processes_ && (running == 0 || load + 1 <= limit_);
}

void Pace::Ended(Duration worst_lateness, std::chrono::steady_clock::time_point now) {
  if (fixed_) return;
  if (worst_lateness <= kGood) {
    limit_ = std::min(limit_ + 0.25, most_);
  } else if (worst_lateness > kTolerable && now - lowered_ >= kBetweenLowerings) {
    limit_ = std::max(limit_ * 0.7, least_);
    lowered_ = now;
  }
}

void Pace::AtMost(std::size_t running) { most_processes_ = running; }

}  // namespace sockproof
