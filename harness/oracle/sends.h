// What a system sends: what it owes, and what it may send of its own accord (RFC 9293 sections
// 3.10.1 to 3.10.5, CALLS; 3.10.8, TIMEOUTS; 3.8, data).
#pragma once

#include <string>
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
  std::string text;  // "RST seq=5"; numbers as in the segment
};
// `round_trip`: no sample that the system may have taken is longer; none: it has none.
Debt Overdue(const Tcb& tcb, Time now, const Application& user,
             const std::optional<Duration>& round_trip);

// A rule of section 3.1 that every segment sent must keep, and this one does not; none: nullptr.
const Rule* Malformed(const Segment& segment, const Distance& distance);

// The rule on the size of segments that this one breaks; none: nullptr.
const Rule* TooLarge(const Tcb& tcb, const Segment& segment, const Distance& distance);

// A SHOULD that it does not follow, which is no departure; none: nullptr.
const Rule* Unfollowed(const Tcb& tcb, const Segment& segment, const Distance& distance);

// The rule on PSH that it breaks; none: nullptr.
const Rule* WithoutPush(const Tcb& tcb, const Segment& segment, const Application& user);

// The rule on urgent data that it breaks; none: nullptr.
const Rule* AgainstUrgent(const Tcb& tcb, const Segment& segment, const Application& user);

// The rule that a segment breaks which begins past SND.NXT; none: nullptr.
const Rule* BehindAGap(const Tcb& tcb, const Segment& segment);

// "SYN,ACK".
std::string FlagNames(std::uint16_t flags);

}  // namespace sockproof::oracle
