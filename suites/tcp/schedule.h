// What comes when nothing is answered, for the suites that wait for it and time it.
#pragma once

#include <string>
#include <vector>

#include "harness/test/test.h"

namespace sockproof {

// How long the documented value `nominal` may take at most.
inline Within AtMost(Duration nominal) { return Within(FiresAfter(nominal).latest() + kPatience); }

// Waits for the first retransmission of a segment: as long as the longest first timeout that any
// document has, the 5.8 s of 4.4BSD. RFC 9293 names none, that of RFC 6298 is a SHOULD.
inline Within FirstTimeout() { return AtMost(NotesSynSchedule().retransmissions.front()); }

// A keepalive probe of an idle connection, without its numbers: RFC 9293 section 3.8.4 leaves open
// whether it carries one octet of garbage.
inline PartialSegment KeepaliveProbe() { return {"keepalive probe", kAck, kPsh | kEce | kCwr}; }

// A timer of a system whose clock may be documented to be coarse.
inline FiresAfter OwnTimer(Duration nominal, const Facts& facts, const std::string& name = "") {
  return FiresAfter(nominal, OwnGranularity(facts), name);
}

// How long the next transmission of an opening segment may take on any system: the longest wait of
// the notes, which are of 4.4BSD. For tests that do not judge the time.
inline Within OpeningPatience() { return AtMost(NotesSynSchedule().retransmissions.back()); }

// The name of a measurement: "SYN retransmission 2".
inline std::string Retransmission(const PartialSegment& kind, int number) {
  return kind.Describe() + " retransmission " + std::to_string(number);
}

// Each retransmission in its time, with the sequence number of the first; returns the first.
inline Segment ExpectSchedule(ScriptedTcp& peer, const PartialSegment& kind,
                              const std::vector<Duration>& retransmissions) {
  const Segment first = peer.Expect(kind);
  Segment previous = first;
  int number = 0;
  for (const Duration gap : retransmissions) {
    const Segment again = peer.Expect(PartialSegment(kind).Seq(first.seq), AtMost(gap));
    EXPECT_THAT(again.time - previous.time, FiresAfter(gap, Retransmission(kind, ++number)));
    previous = again;
  }
  return first;
}

}  // namespace sockproof
