// The states of a scripted peer, from its segments.
#include "src/picture/peer_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Tins::TCP;

std::vector<std::string> StatesOf(const std::vector<Event>& events) {
  std::vector<std::string> states;
  for (const auto& [item, state] : PeerStates(MakeLadder(events))) states.push_back(state);
  return states;
}

std::vector<Event> Connected(const std::vector<Event>& more) {
  std::vector<Event> events = {FromSut(0ms, Segment(TCP::SYN, 1000)),
                               FromPeer(1ms, Reply(TCP::SYN | TCP::ACK, 5000, 1001)),
                               FromSut(2ms, Segment(TCP::ACK, 1001, 5001))};
  events.insert(events.end(), more.begin(), more.end());
  return events;
}

TEST(PeerStates, FollowAPassiveOpenAndClose) {
  EXPECT_THAT(StatesOf(Connected({
                  FromSut(3ms, Segment(TCP::FIN | TCP::ACK, 1001, 5001)),
                  FromPeer(4ms, Reply(TCP::ACK, 5001, 1002)),
                  FromPeer(5ms, Reply(TCP::FIN | TCP::ACK, 5001, 1002)),
                  FromSut(6ms, Segment(TCP::ACK, 1002, 5002)),
              })),
              ElementsAre("SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"));
}

TEST(PeerStates, FollowAnActiveOpenAndClose) {
  EXPECT_THAT(StatesOf({
                  FromPeer(0ms, Reply(TCP::SYN, 5000)),
                  FromSut(1ms, Segment(TCP::SYN | TCP::ACK, 1000, 5001)),
                  FromPeer(2ms, Reply(TCP::ACK, 5001, 1001)),
                  FromPeer(3ms, Reply(TCP::FIN | TCP::ACK, 5001, 1001)),
                  FromSut(4ms, Segment(TCP::ACK, 1001, 5002)),
                  FromSut(5ms, Segment(TCP::FIN | TCP::ACK, 1001, 5002)),
              }),
              ElementsAre("SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"));
}

TEST(PeerStates, FollowASimultaneousClose) {
  EXPECT_THAT(StatesOf(Connected({
                  FromPeer(3ms, Reply(TCP::FIN | TCP::ACK, 5001, 1001)),
                  FromSut(4ms, Segment(TCP::FIN | TCP::ACK, 1001, 5001)),
                  FromSut(5ms, Segment(TCP::ACK, 1002, 5002)),
              })),
              ElementsAre("SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "CLOSING", "TIME-WAIT"));
}

TEST(PeerStates, EndWithAReset) {
  EXPECT_THAT(StatesOf(Connected({FromPeer(3ms, Reply(TCP::RST, 5001)),
                                  FromPeer(4ms, Reply(TCP::FIN | TCP::ACK, 5001, 1001))})),
              ElementsAre("SYN-RECEIVED", "ESTABLISHED", "CLOSED"));
}

TEST(PeerStates, EndAtASegmentThatDoesNotFollow) {
  EXPECT_THAT(StatesOf(Connected({FromPeer(3ms, Reply(TCP::FIN | TCP::ACK, 6001, 1001)),
                                  FromSut(4ms, Segment(TCP::FIN | TCP::ACK, 1001, 5001))})),
              ElementsAre("SYN-RECEIVED", "ESTABLISHED"));
}

TEST(PeerStates, AreNotThoseOfAStackOrOfSeveralConnections) {
  EXPECT_THAT(
      StatesOf({{At(0ms), FrameEvent{"client", "server", Fate::kForwarded, 0s,
                                     Frame(kSutAddress, kPeerAddress, Segment(TCP::SYN, 1))}}}),
      IsEmpty());
  EXPECT_THAT(StatesOf({FromPeer(0ms, Reply(TCP::SYN, 5000)),
                        FromPeer(1ms, Segment(TCP::SYN, 5000, 0, 81))}),
              IsEmpty());
}

}  // namespace
}  // namespace sockproof
