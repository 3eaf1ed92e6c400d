// Retransmission of data: when, what and how often. RFC 9293 section 3.8 and RFC 6298, which it
// refers to.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class RetransmissionTest : public PeerTest {
 protected:
  // What the system under test says of its timer now.
  static Duration TimeoutOf(Socket& socket) {
    return std::chrono::microseconds(socket.Info("rto"));
  }
};

// So many segments of this size RFC 5681 section 3.1 lets go out at once. RFC 6928 lets go more.
constexpr std::uint16_t kSmallMss = 500;
constexpr int kInitialWindow = 4;

// Long enough for a few timeouts of a connection without delay. Used to plan.
Duration AFewTimeouts(const Facts&) { return 3s; }

}  // namespace

TEST_WITH(RetransmissionTest, Retransmission, ComesAfterTheTimeoutAndEachTimeAfterTwiceAsLong,
          .claims = {"rfc9293:MUST-19", "rfc6298:5.5-back-off", "rfc6298:5.1-start"},
          .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  Duration gap = TimeoutOf(socket);
  ASSERT_THAT(socket.Send("hello?"), Returns(6));
  Segment previous = peer.Expect(Data("hello?"));
  for (int times = 0; times < 3; ++times, gap *= 2) {
    const Segment again = peer.Expect(Data("hello?").Seq(previous.seq), AtMost(gap));
    EXPECT_THAT(again.time - previous.time, FiresAfter(gap)) << "retransmission " << times;
    previous = again;
  }
}

TEST_WITH(RetransmissionTest, Retransmission, IsOfTheEarliestDataThatIsNotAcknowledged,
          .claims = {"rfc6298:5.4-earliest", "rfc9293:3.10.8-retransmission"},
          .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("TCP_NODELAY", 1), Succeeds());
  for (const char* word : {"one", "two", "three"}) socket.Send(word).value();
  const Segment one = peer.Expect(Data("one"));
  peer.Expect(Data("two"));
  peer.Expect(Data("three"));
  EXPECT_EQ(peer.Expect(AnyData(), Within(10s)).seq, one.seq);
  peer.Send(Ack().Ack(one.seq + 3));
  EXPECT_EQ(peer.Expect(AnyData(), Within(10s)).seq, one.seq + 3);
}

TEST_WITH(RetransmissionTest, Retransmission, AnAcknowledgmentOfNewDataStartsTheTimerAnew,
          .claims = {"rfc6298:5.3-restart"}, .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("TCP_NODELAY", 1), Succeeds());
  socket.Send("one").value();
  socket.Send("two").value();
  const Segment one = peer.Expect(Data("one"));
  peer.Expect(Data("two"));
  peer.ExpectSilence(TimeoutOf(socket) / 2);
  const Segment ack = peer.Send(Ack().Ack(one.seq + 3));
  Settle();
  const Duration timeout = TimeoutOf(socket);
  const Segment two = peer.Expect(Data("two").Seq(one.seq + 3), AtMost(timeout));
  EXPECT_THAT(two.time - ack.time, FiresAfter(timeout));
}

TEST_WITH(RetransmissionTest, Retransmission, NeverComesOnceAllIsAcknowledged,
          .claims = {"rfc6298:5.2-stop"}, .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  socket.Send("enough").value();
  peer.Expect(Data("enough"));
  peer.Send(Ack());
  Settle();
  peer.ExpectSilence(FiresAfter(TimeoutOf(socket)).latest());
}

TEST_WITH(RetransmissionTest, Retransmission, GivesNoSampleOfTheRoundTripTime,
          .claims = {"rfc9293:MUST-18"}, .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  const std::int64_t before = socket.Info("rtt");
  const Duration timeout = TimeoutOf(socket);
  socket.Send("ambiguous").value();
  const Segment first = peer.Expect(Data("ambiguous"));
  peer.Expect(Data("ambiguous").Seq(first.seq), Within(10s));
  // Whichever transmission a sample started at, it is far from that of the handshake.
  peer.ExpectSilence(timeout / 2);
  peer.Send(Ack());
  Settle();
  EXPECT_EQ(socket.Info("rtt"), before);
}

TEST_WITH(RetransmissionTest, Retransmission, ASampleOfTheRoundTripTimeMakesTheTimeoutLonger,
          .claims = {"rfc9293:MUST-18"}, .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  const Duration before = TimeoutOf(socket);
  // By the formulas of RFC 6298 section 2, the third sample of half a timeout is the first after
  // which SRTT + 4 RTTVAR is more than that timeout, which may have been a minimum.
  for (int samples = 0; samples < 3; ++samples) {
    socket.Send("slowly").value();
    peer.Expect(Data("slowly"));
    peer.ExpectSilence(before / 2);
    peer.Send(Ack());
  }
  Settle();
  // Whatever the variance is, the timeout is more than the smoothed round-trip time.
  EXPECT_GT(TimeoutOf(socket), std::chrono::microseconds(socket.Info("rtt")));
  EXPECT_GT(TimeoutOf(socket), before);
  Observe("timeout", TimeoutOf(socket));
}

TEST_WITH(RetransmissionTest, Retransmission, AsRfc6298SaysTheTimeoutIsAtLeastASecond,
          .claims = {"rfc6298:2.4-minimum"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  socket.Send("be patient").value();
  const Segment first = peer.Expect(Data("be patient"));
  const Segment again = peer.Expect(Data("be patient").Seq(first.seq), Within(10s));
  EXPECT_THAT(again.time - first.time, LastsAtLeast(1s));
}

// --- Congestion ----------------------------------------------------------------------------------

TEST_WITH_PEER(Retransmission, ThreeDuplicateAcknowledgmentsBringItAtOnce,
               .claims = {"rfc5681:3.2-fast-retransmit"}) {
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(kSmallMss)}});
  // So that what the duplicates repeat is an ACK, and no SYN,ACK.
  socket.Send("first").value();
  peer.Expect(Data("first"));
  peer.Send(Ack());
  socket.Send(std::string(kInitialWindow * kSmallMss, 'x')).value();
  const Segment lost = peer.Expect(AnyData());
  for (int segments = 1; segments < kInitialWindow; ++segments) peer.Expect(AnyData());
  for (int duplicates = 0; duplicates < 2; ++duplicates) peer.Send(Ack().Ack(lost.seq));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "two are enough";
  peer.Send(Ack().Ack(lost.seq));
  // What is outside the window is answered with an ACK: if three are not enough, that comes next.
  peer.Send(Ack().Seq(peer.snd_nxt - 1));
  peer.Expect(AnyData().Seq(lost.seq));
}

TEST_WITH_PEER(Retransmission, OfManySegmentsFewGoOutBeforeTheFirstAcknowledgment,
               .claims = {"rfc9293:MUST-19", "rfc6928:2-initial-window"}) {
  constexpr size_t kMss = 500;
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(kMss)}});
  socket.Send(std::string(30'000, 'x')).value();
  Settle();
  const size_t initial = peer.TakeArrived().size();
  EXPECT_GE(initial, 1U);
  EXPECT_LE(initial, 10U);

  // In slow start each acknowledgment lets out at most what it acknowledged and one more.
  peer.Send(Ack());
  for (size_t segments = 0; segments <= initial; ++segments) peer.Expect(AnyData());
  Settle();
  EXPECT_LE(initial + 1 + peer.TakeArrived().size(), 2 * initial);
}

TEST_WITH_PEER(Retransmission, TheCongestionControlMayBeChosen,
               .claims = {"rfc9293:MAY-18", "man:tcp(7)-TCP_CONGESTION"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption("TCP_CONGESTION", Bytes{'r', 'e', 'n', 'o'}), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  peer.Send(SynAck());
  peer.Expect(Ack());
  connecting.Await().value();
  ASSERT_THAT(socket.Send("chosen"), Returns(6));
  peer.Expect(Data("chosen"));
}

TEST_WITH_PEER(Retransmission, AfterATimeoutOnlyOneSegmentGoesOut, .claims = {"rfc9293:MUST-19"},
               .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(kSmallMss)}});
  socket.Send(std::string(kInitialWindow * kSmallMss, 'x')).value();
  const Segment first = peer.Expect(AnyData());
  for (int segments = 1; segments < kInitialWindow; ++segments) peer.Expect(AnyData());
  peer.Expect(AnyData().Seq(first.seq), Within(10s));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a second segment after the timeout";
}
