// When data is sent: the Nagle algorithm, PUSH, and data that may wait. RFC 9293 sections 3.7.4 and
// 3.9.1.2.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

using namespace sockproof;

namespace {

// How long TCP_CORK may hold data: tcp(7).
constexpr Duration kCorkCeiling = 200ms;

class NagleTest : public PeerTest {
 protected:
  // A connection that has sent and been acknowledged often enough to have several segments in
  // flight, however small its first congestion window was (RFC 5681 section 3.1 bounds it from
  // above alone).
  Connection Started(const Offer& offer = Offer()) {
    Connection connection = Connected(offer);
    GrowCongestionWindow(connection, 1460, 4);
    return connection;
  }
};

}  // namespace

TEST_WITH_PEER(Nagle, ALittleDataWaitsForTheAcknowledgmentOfOther, .claims = {"rfc9293:SHLD-7"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("one"), Returns(3));
  const Segment one = peer.Expect(Data("one"));
  ASSERT_THAT(socket.Send("two"), Returns(3));
  Settle();
  EXPECT_EQ(peer.TakeArrived().size(), 0U) << "a small segment behind another";
  peer.Send(Ack());
  peer.Expect(Data("two").Seq(one.seq + 3));
}

TEST_WITH_PEER(Nagle, WhatWaitsGoesOutTogether, .claims = {"rfc9293:SHLD-7", "rfc9293:SHLD-27"}) {
  auto [socket, peer] = Connected();
  for (const char* word : {"one", " two", " three"}) socket.Send(word).value();
  peer.Expect(Data("one"));
  peer.Send(Ack());
  // In one segment: Expect() would take it in several as well.
  EXPECT_EQ(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload_text(), " two three");
}

TEST_WITH_PEER(Nagle, WithoutAnythingInFlightALittleDataGoesOutAtOnce,
               .claims = {"rfc9293:SHLD-7", "rfc9293:MUST-60"}) {
  auto [socket, peer] = Connected();
  for (const char* word : {"one", "two", "three"}) {
    ASSERT_THAT(socket.Send(word), Succeeds());
    Settle();
    std::string arrived;
    for (const Segment& segment : peer.TakeArrived()) arrived += segment.payload_text();
    ASSERT_EQ(arrived, word) << "it waits";
    peer.Send(Ack());
    Settle();
  }
}

TEST_WITH_PEER(Nagle, WhatWaitsHoldsBackNoAnswer,
               .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("one"), Returns(3));
  const Segment one = peer.Expect(Data("one"));
  ASSERT_THAT(socket.Send("two"), Returns(3));
  Settle();
  peer.TakeArrived();
  const std::uint32_t nxt = peer.snd_nxt;
  peer.Send(Ack().Seq(nxt - 1000).Ack(one.seq));
  Settle();
  const std::vector<Segment> arrived = peer.TakeArrived();
  const bool is_answered = std::any_of(arrived.begin(), arrived.end(), [&](const Segment& segment) {
    return segment.length() == 0 && segment.ack == nxt;
  });
  EXPECT_TRUE(is_answered) << "held back";
}

TEST_WITH(NagleTest, Nagle, AFullSegmentDoesNotWait,
          .claims = {"rfc9293:SHLD-7", "rfc9293:SHLD-28"}) {
  auto [socket, peer] = Started({.options = std::vector{tcp_option::Mss(600)}});
  ASSERT_THAT(socket.Send("one"), Returns(3));
  peer.Expect(Data("one"));
  const std::string full(600, 'x');
  ASSERT_THAT(socket.Send(full), Returns(600));
  peer.Expect(Data(full));
}

TEST_WITH(NagleTest, Nagle, IsTurnedOffForEachConnection,
          .claims = {"rfc9293:MUST-17", "man:tcp(7)-TCP_NODELAY"}) {
  auto [socket, peer] = Started();
  EXPECT_THAT(socket.GetOption("TCP_NODELAY"), Returns(0));
  ASSERT_THAT(socket.SetOption("TCP_NODELAY", 1), Succeeds());
  for (const char* word : {"one", "two", "three"}) {
    ASSERT_THAT(socket.Send(word), Succeeds());
    peer.Expect(Data(word).Seq(peer.rcv_nxt));
  }

  auto [other, other_peer] = ConnectedByAccept();
  ASSERT_THAT(other.Send("one"), Returns(3));
  other_peer.Expect(Data("one"));
  ASSERT_THAT(other.Send("two"), Returns(3));
  Settle();
  EXPECT_EQ(other_peer.TakeArrived().size(), 0U) << "the other connection has lost it too";
}

TEST_WITH_PEER(Nagle, TheLastSegmentOfASendHasPsh, .claims = {"rfc9293:MUST-61"}) {
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(600)}});
  ASSERT_THAT(socket.Send(std::string(1500, 'x')), Returns(1500));
  std::uint32_t size = 0;
  bool pushed = false;
  while (size < 1500) {
    const Segment segment = peer.Expect(AnyData().Seq(peer.rcv_nxt));
    size += segment.length();
    pushed = segment.Has(kPsh);
    peer.Send(Ack());
  }
  EXPECT_TRUE(pushed);
  ASSERT_THAT(socket.Send("short"), Returns(5));
  peer.Expect(Data("short").With(kPsh));
}

TEST_WITH_PEER(Nagle, DataThatIsToBeFollowedByMoreWaitsForIt,
               .claims = {"rfc9293:MAY-16", "man:send(2)-MSG_MORE"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("wait ", {"MSG_MORE"}), Returns(5));
  Settle();
  if (peer.waiting() > 0) NotTaken("rfc9293:MAY-16", "data is sent at once");
  Deciding("man:send(2)-MSG_MORE");
  ASSERT_EQ(peer.waiting(), 0U) << "it does not wait";
  Deciding("rfc9293:MAY-16");
  ASSERT_THAT(socket.Send("for me"), Returns(6));
  peer.Expect(Data("wait for me"));
}

TEST_WITH_PEER(Nagle, ACorkHoldsDataUntilItIsPulled,
               .claims = {"rfc9293:MAY-16", "man:tcp(7)-TCP_CORK"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("TCP_CORK", 1), Succeeds());
  const Outcome<int> first = socket.Send("wait ");
  ASSERT_THAT(first, Returns(5));
  ASSERT_THAT(socket.Send("for me"), Returns(6));
  Settle();
  const std::vector<Segment> early = peer.TakeArrived();
  if (!early.empty() && early[0].time - first.begin >= kCorkCeiling) {
    throw Inconclusive("it was held for as long as it may be, and this end was too late to look");
  }
  if (!early.empty()) NotTaken("rfc9293:MAY-16", "data is sent at once");
  Deciding("man:tcp(7)-TCP_CORK");
  ASSERT_EQ(early.size(), 0U) << "it does not wait";
  Deciding("rfc9293:MAY-16");
  ASSERT_THAT(socket.SetOption("TCP_CORK", 0), Succeeds());
  peer.Expect(Data("wait for me"));
}

TEST_WITH_PEER(
    Nagle, ACorkHoldsDataForNoLongerThanOneFifthOfASecond, .claims = {"man:tcp(7)-TCP_CORK"},
    .lasts = [](const Facts&) -> Duration { return 200ms; }) {
  auto [socket, peer] = Connected();
  // A timer that counts the round trip too is longer where this end was late to answer.
  if (sut.Can("tcp_info") && std::chrono::microseconds(socket.Info("rtt")) > kCorkCeiling / 20) {
    throw Inconclusive("the peer of this test was late to answer");
  }
  ASSERT_THAT(socket.SetOption("TCP_CORK", 1), Succeeds());
  const Outcome<int> sending = socket.Send("let me go");
  ASSERT_THAT(sending, Returns(9));
  EXPECT_THAT(peer.Expect(Data("let me go")).time - sending.end,
              LastsAtMost(FiresAfter(kCorkCeiling).latest()));
}
