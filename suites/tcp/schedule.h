// Retransmissions of an opening segment, for the suites that time them.
#pragma once

#include <vector>

#include "harness/test/test.h"

namespace sockproof {

// How long the documented value `nominal` may take at most.
inline Within AtMost(Duration nominal) { return Within(FiresAfter(nominal).latest() + kPatience); }

// Each retransmission in its time, with the sequence number of the first; returns the first.
inline Segment ExpectSchedule(ScriptedTcp& peer, const PartialSegment& kind,
                              const std::vector<Duration>& retransmissions) {
  const Segment first = peer.Expect(kind);
  Segment previous = first;
  for (const Duration gap : retransmissions) {
    const Segment again = peer.Expect(PartialSegment(kind).Seq(first.seq), AtMost(gap));
    EXPECT_THAT(again.time - previous.time, FiresAfter(gap));
    previous = again;
  }
  return first;
}

}  // namespace sockproof
