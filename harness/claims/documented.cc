// The arithmetic of the documents.
#include "harness/claims/documented.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sockproof {
namespace {

constexpr Duration kInitialRto = 1s;
constexpr Duration kLeastRto = 200ms;  // Linux TCP_RTO_MIN

// Appends `count` gaps that start at `gap` and double up to `largest`; returns the gap that would
// come next.
Duration AppendDoubling(std::vector<Duration>& gaps, Duration gap, int count, Duration largest) {
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
  const Duration last_wait =
      AppendDoubling(schedule.retransmissions, kInitialRto,
                     facts.Sysctl("net.ipv4.tcp_syn_retries"), LargestRto(facts));
  schedule.give_up = Sum(schedule.retransmissions) + last_wait;
  return schedule;
}

SynAckSchedule LinuxSynAckSchedule(const Facts& facts) {
  SynAckSchedule schedule;
  const Duration last_wait =
      AppendDoubling(schedule.retransmissions, kInitialRto,
                     facts.Sysctl("net.ipv4.tcp_synack_retries"), LargestRto(facts));
  schedule.give_up = Sum(schedule.retransmissions) + last_wait;
  return schedule;
}

Duration LinuxTimeWait(const Facts&) { return 60s; }

Duration LinuxTimeWaitReuseDelay(const Facts& facts) {
  return std::chrono::milliseconds(facts.SysctlOr("net.ipv4.tcp_tw_reuse_delay", 1000));
}

Duration LinuxFinTimeout(const Facts& facts) {
  return std::chrono::seconds(facts.Sysctl("net.ipv4.tcp_fin_timeout"));
}

int LinuxAcceptQueueHolds(int backlog, const Facts& facts) {
  return std::min(backlog, facts.Sysctl("net.core.somaxconn")) + 1;
}

int LinuxSynQueueHolds(int backlog, const Facts& facts) {
  return std::min(backlog, facts.Sysctl("net.core.somaxconn")) + 1;
}

KeepaliveSchedule LinuxKeepalive(const Facts& facts) {
  return {.idle = std::chrono::seconds(facts.Sysctl("net.ipv4.tcp_keepalive_time")),
          .interval = std::chrono::seconds(facts.Sysctl("net.ipv4.tcp_keepalive_intvl")),
          .probes = facts.Sysctl("net.ipv4.tcp_keepalive_probes")};
}

KeepaliveSchedule LinuxKeepaliveDefaults() { return {.idle = 2h, .interval = 75s, .probes = 9}; }

Duration LinuxDataGiveUpMinimum(const Facts& facts) {
  std::vector<Duration> waits;
  AppendDoubling(waits, kLeastRto, facts.Sysctl("net.ipv4.tcp_retries2") + 1, LargestRto(facts));
  return Sum(waits);
}

Duration RfcSynR2Minimum() { return 3min; }

Duration RfcTimeWait() {
  constexpr Duration kMsl = 2min;
  return 2 * kMsl;
}

Duration RfcKeepaliveIdleMinimum() { return 2h; }

SynSchedule NotesSynSchedule() { return {.retransmissions = {5800ms, 24s}, .give_up = 75s}; }

std::vector<Duration> NotesSynAckRetransmissions() { return {3s, 6s, 12s}; }

KeepaliveSchedule NotesKeepalive() { return {.idle = 2h, .interval = 75s, .probes = 10}; }

}  // namespace sockproof
