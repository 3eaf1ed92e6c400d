// What is in flight, for suites that look at several segments at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/test/test.h"

namespace sockproof {

// Every segment that has arrived by now and was not expected yet, retransmissions among them.
inline std::vector<Segment> AllArrived(ScriptedTcp& peer) {
  std::vector<Segment> arrived;
  while (peer.waiting() > 0) arrived.push_back(peer.Expect(AnySegment()));
  return arrived;
}

// What answers the segment within the longest delay of an acknowledgment (RFC 9293 MUST-40): all
// that has come once anything has. Linux compresses acknowledgments of what is out of order, which
// makes them a timer's.
inline std::vector<Segment> AnswersTo(const PartialSegment& segment, ScriptedTcp& peer,
                                      EventLoop& loop) {
  peer.TakeArrived();
  peer.Send(segment);
  loop.RunUntil([&] { return peer.waiting() > 0; }, Clock::now() + RfcAckDelayMaximum());
  return peer.TakeArrived();
}

// Each of these came later after the one before than that after its own: back-off. What goes on where
// the one before it ended is a part of the same.
inline void ExpectEverMoreRarely(const Segment& first, const std::vector<Segment>& repeated) {
  Segment previous = first;
  std::uint32_t end = first.seq;
  Duration gap{0};
  for (const Segment& again : repeated) {
    const bool goes_on = again.seq == end;
    end = again.seq + again.length();
    if (goes_on && again.seq != first.seq) continue;
    EXPECT_GT(again.time - previous.time, gap) << "it is sent again too soon";
    gap = again.time - previous.time;
    previous = again;
  }
}

// Makes sure that so many segments of `mss` octets may go out at once: RFC 5681 section 3.1 bounds
// the initial window from above only. In slow start each acknowledgment adds a segment.
inline void GrowCongestionWindow(Connection& connection, std::size_t mss, std::size_t segments) {
  auto& [socket, peer] = connection;
  const std::size_t octets = 2 * segments * mss;
  Pending<int> sending = socket.StartSend(std::string(octets, '.'));
  for (const std::uint32_t end = peer.rcv_nxt + static_cast<std::uint32_t>(octets);
       peer.rcv_nxt != end;) {
    peer.Expect(AnyData().Seq(peer.rcv_nxt));
    peer.Send(Ack());
  }
  sending.Await().value();
}

}  // namespace sockproof
