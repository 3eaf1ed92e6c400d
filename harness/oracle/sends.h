// What a system sends: what it owes, and what it may send of its own accord (RFC 9293 sections
// 3.10.1 to 3.10.5, CALLS; 3.10.8, TIMEOUTS; 3.8, data).
#pragma once

#include <vector>

#include "harness/oracle/tcb.h"

namespace sockproof::oracle {

// Appends the readings by which `tcb` may send `segment`; none: it may not.
void Sends(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
           const Distance& distance, std::vector<Tcb>& readings);

// Appends what may have become of `tcb` by `now` without a segment to show it.
void Lapses(const Tcb& tcb, Time now, const Application& user, std::vector<Tcb>& readings);

// What should have been sent by `now`, and why; no rule: nothing.
struct Debt {
  const Rule* rule = nullptr;
  Duration within{0};  // by when, after what it is owed for
};
// `round_trip`: no sample that the system may have taken is longer; none: it has none.
Debt Overdue(const Tcb& tcb, Time now, const Application& user,
             const std::optional<Duration>& round_trip, const Challenges& challenges);

// Whether it owes a challenge ACK, and no other can have kept it back.
bool OwesChallenge(const Tcb& tcb, const Challenges& challenges);

// A rule of section 3.1 that every segment sent must keep, and this one does not; none: nullptr.
const Rule* Malformed(const Segment& segment, const Distance& distance);

// The rule that it breaks by itself, whatever was to be sent; none: nullptr.
const Rule* Against(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
                    const Distance& distance);

// A SHOULD that it does not follow, which is no departure; none: nullptr.
const Rule* Unfollowed(const Tcb& tcb, const Segment& segment, const Distance& distance);

// The rule that a segment breaks which begins past SND.NXT; none: nullptr.
const Rule* BehindAGap(const Tcb& tcb, const Segment& segment);

}  // namespace sockproof::oracle
