// The arithmetic of the documents.
#include "harness/claims/documented.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sockproof {
namespace {

constexpr Duration kInitialRto = 1s;

// Appends `count` gaps that start at the initial timeout and double up to `largest`; returns the
// gap that would come next.
Duration AppendDoubling(std::vector<Duration>& gaps, int count, Duration largest) {
  Duration gap = kInitialRto;
  for (int index = 0; index < count; ++index) {
    gaps.push_back(gap);
    gap = std::min(2 * gap, largest);
  }
  return gap;
}

Duration Sum(const std::vector<Duration>& gaps) {
  return std::accumulate(gaps.begin(), gaps.end(), Duration{0});
}

Duration LargestRto(const Facts& facts) {
  return std::chrono::milliseconds(facts.SysctlOr("net.ipv4.tcp_rto_max_ms", 120'000));
}

}  // namespace

SynSchedule LinuxSynSchedule(const Facts& facts) {
  const int linear = facts.SysctlOr("net.ipv4.tcp_syn_linear_timeouts", 0);
  SynSchedule schedule;
  schedule.retransmissions.assign(static_cast<std::size_t>(std::max(linear, 0)), kInitialRto);
  const Duration last_wait = AppendDoubling(
      schedule.retransmissions, facts.Sysctl("net.ipv4.tcp_syn_retries"), LargestRto(facts));
  schedule.give_up = Sum(schedule.retransmissions) + last_wait;
  return schedule;
}

SynAckSchedule LinuxSynAckSchedule(const Facts& facts) {
  SynAckSchedule schedule;
  const Duration last_wait = AppendDoubling(
      schedule.retransmissions, facts.Sysctl("net.ipv4.tcp_synack_retries"), LargestRto(facts));
  schedule.give_up = Sum(schedule.retransmissions) + last_wait;
  return schedule;
}

Duration LinuxTimeWait(const Facts&) { return 60s; }

Duration LinuxFinTimeout(const Facts& facts) {
  return std::chrono::seconds(facts.Sysctl("net.ipv4.tcp_fin_timeout"));
}

int LinuxAcceptQueueHolds(int backlog, const Facts& facts) {
  return std::min(backlog, facts.Sysctl("net.core.somaxconn")) + 1;
}

Duration RfcSynR2Minimum() { return 3min; }

Duration RfcTimeWait() {
  constexpr Duration kMsl = 2min;
  return 2 * kMsl;
}

SynSchedule NotesSynSchedule() { return {.retransmissions = {5800ms, 24s}, .give_up = 75s}; }

}  // namespace sockproof
