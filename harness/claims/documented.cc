// The arithmetic of the documents; their numbers are in systems.tsv.
#include "harness/claims/documented.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "harness/base/errors.h"
#include "harness/claims/system_documents.h"

namespace sockproof {
namespace {

SystemDocuments Linux() { return SystemDocuments::Of("Linux"); }
SystemDocuments Notes() { return SystemDocuments::Of("4.4BSD"); }
SystemDocuments Own(const Facts& facts) {
  return SystemDocuments::Of(facts.Find("os").value_or(""));
}

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

// The schedule of an opening segment, "syn" or "syn-ack": its gaps one by one, or linear ones and
// then doubling ones. Unless a document says otherwise the attempt is over one more wait after the
// last retransmission.
OpeningSchedule ScheduleOf(const SystemDocuments& documents, const std::string& segment,
                           const Facts& facts) {
  OpeningSchedule schedule;
  std::optional<Duration> last_wait;
  if (documents.Has(segment + ".gaps")) {
    schedule.retransmissions = documents.Times(segment + ".gaps", facts);
  } else if (documents.Has(segment + ".initial") || !documents.Has(segment + ".give-up")) {
    const Duration initial = documents.Time(segment + ".initial", facts);
    const int linear = documents.CountOr(segment + ".linear", facts, 0);
    schedule.retransmissions.assign(static_cast<std::size_t>(std::max(linear, 0)), initial);
    last_wait = AppendDoubling(schedule.retransmissions, initial,
                               documents.CountOr(segment + ".doubling", facts, 0),
                               documents.TimeOr(segment + ".largest", facts, Duration::max() / 2));
  }
  if (documents.Has(segment + ".give-up")) {
    schedule.give_up = documents.Time(segment + ".give-up", facts);
  } else if (last_wait) {
    schedule.give_up = Sum(schedule.retransmissions) + *last_wait;
  }
  return schedule;
}

KeepaliveSchedule KeepaliveOf(const SystemDocuments& documents, const std::string& name,
                              const Facts& facts) {
  return {.idle = documents.Time(name + ".idle", facts),
          .interval = documents.Time(name + ".interval", facts),
          .probes = documents.Count(name + ".probes", facts)};
}

int AcceptQueueHolds(const SystemDocuments& documents, int backlog, const Facts& facts) {
  const int most = documents.CountOr("accept-queue.most", facts, backlog);
  const double factor =
      documents.Has("accept-queue.factor") ? documents.Number("accept-queue.factor", facts) : 1;
  return static_cast<int>(std::floor(std::min(backlog, most) * factor)) +
         documents.CountOr("accept-queue.beyond", facts, 0);
}

}  // namespace

SynSchedule LinuxSynSchedule(const Facts& facts) { return ScheduleOf(Linux(), "syn", facts); }

SynAckSchedule LinuxSynAckSchedule(const Facts& facts) {
  return ScheduleOf(Linux(), "syn-ack", facts);
}

Duration LinuxUnresolved(const Facts& facts) { return Linux().Time("unresolved", facts); }

Duration LinuxTimeWait(const Facts& facts) { return Linux().Time("time-wait", facts); }

Duration LinuxTimeWaitReuseDelay(const Facts& facts) {
  return Linux().Time("time-wait.reuse-delay", facts);
}

Duration LinuxFinTimeout(const Facts& facts) { return Linux().Time("fin-wait-2", facts); }

int LinuxAcceptQueueHolds(int backlog, const Facts& facts) {
  return AcceptQueueHolds(Linux(), backlog, facts);
}

int LinuxSynQueueHolds(int backlog, const Facts& facts) {
  return AcceptQueueHolds(Linux(), backlog, facts);
}

KeepaliveSchedule LinuxKeepalive(const Facts& facts) {
  return KeepaliveOf(Linux(), "keepalive", facts);
}

KeepaliveSchedule LinuxKeepaliveDefaults() {
  return KeepaliveOf(Linux(), "keepalive.default", Facts());
}

Duration LinuxDataGiveUpMinimum(const Facts& facts) {
  std::vector<Duration> waits;
  AppendDoubling(waits, Linux().Time("data.least", facts),
                 Linux().Count("data.doubling", facts) + 1, Linux().Time("data.largest", facts));
  return Sum(waits);
}

Duration RfcSynR2Minimum() { return 3min; }

Duration RfcR2Minimum() { return 100s; }

Duration RfcAckDelayMaximum() { return 500ms; }

Duration RfcIsnTick() { return 4us; }

Duration RfcTimeWait() {
  constexpr Duration kMsl = 2min;
  return 2 * kMsl;
}

Duration RfcKeepaliveIdleMinimum() { return 2h; }

SynSchedule NotesSynSchedule() { return ScheduleOf(Notes(), "syn", Facts()); }

std::vector<Duration> NotesSynAckRetransmissions() {
  return ScheduleOf(Notes(), "syn-ack", Facts()).retransmissions;
}

KeepaliveSchedule NotesKeepalive() { return KeepaliveOf(Notes(), "keepalive.default", Facts()); }

Duration OwnTimeWait(const Facts& facts) { return Own(facts).Time("time-wait", facts); }

Duration OwnFinWait2(const Facts& facts) { return Own(facts).Time("fin-wait-2", facts); }

SynSchedule OwnSynSchedule(const Facts& facts) { return ScheduleOf(Own(facts), "syn", facts); }

SynAckSchedule OwnSynAckSchedule(const Facts& facts) {
  return ScheduleOf(Own(facts), "syn-ack", facts);
}

KeepaliveSchedule OwnKeepalive(const Facts& facts) {
  return KeepaliveOf(Own(facts), "keepalive.default", facts);
}

int OwnAcceptQueueHolds(int backlog, const Facts& facts) {
  const SystemDocuments own = Own(facts);
  if (!own.Has("accept-queue.beyond")) own.Number("accept-queue.factor", facts);  // or Skip
  return AcceptQueueHolds(own, backlog, facts);
}

Duration OwnSettlingTime(const Facts& facts) {
  return Own(facts).TimeOr("settles-after", facts, Duration{0});
}

Duration OwnGranularity(const Facts& facts) {
  return Own(facts).TimeOr("granularity", facts, Duration{0});
}

}  // namespace sockproof
