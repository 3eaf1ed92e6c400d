// The retransmission timer by the formulas of RFC 6298 section 2.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class RetransmissionTimerTest : public PeerTest {
 protected:
  // SRTT, RTTVAR and RTO of RFC 6298.
  struct Estimate {
    Duration srtt, rttvar;
    explicit Estimate(Duration first) : srtt(first), rttvar(first / 2) {}  // rule 2.2
    void Sample(Duration r) {                                              // rule 2.3
      rttvar = rttvar * 3 / 4 + (srtt > r ? srtt - r : r - srtt) / 4;
      srtt = srtt * 7 / 8 + r / 8;
    }
    Duration rto() const { return srtt + 4 * rttvar; }
  };

  // A connection whose handshake takes that long: the first sample.
  Connection ConnectedSlowly(Duration round_trip, Duration& sample) {
    ScriptedTcp& peer = host.Listen(ip, 80);
    Socket socket = sut.NewSocket(ip);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    peer.ExpectSilence(round_trip);
    sample = peer.Send(SynAck()).time - syn.time;
    peer.Expect(Ack().Ack(peer.snd_nxt));
    connecting.Await().value();
    return {socket, peer};
  }

  // Data that is not answered comes again: how much later.
  static Duration TimeoutOf(Connection& connection) {
    auto& [socket, peer] = connection;
    socket.Send("again?").value();
    const Segment first = peer.Expect(Data("again?"));
    const Segment again = peer.Expect(Data("again?").Seq(first.seq), OpeningPatience());
    return again.time - first.time;
  }

  // Rule 2.4 asks for a minimum and gives it no upper bound: where a connection whose round trips
  // take no time waits longer than that, its timeouts tell nothing of the formula.
  void NeedsNoMinimumAbove(Duration rto) {
    Connection quick = ConnectedByAccept();
    for (int samples = 0; samples < 8; ++samples) {  // whatever it began with is forgotten
      quick.socket.Send("sample").value();
      quick.peer.ExpectEventually(Data("sample").Seq(quick.peer.rcv_nxt));
      quick.peer.Send(Ack());
      Settle();
      quick.peer.TakeArrived();
    }
    if (TimeoutOf(quick) > rto) NotReached("its least retransmission timeout is longer");
  }
};

Duration AFewSeconds(const Facts&) { return 5s; }

// Timeouts that are doubled from 200 ms on until one is longer than a minute.
Duration UntilAMinute(const Facts&) { return 205s; }

}  // namespace

TEST_WITH(RetransmissionTimerTest, RetransmissionTimer, IsThreeTimesTheFirstSample,
          .claims = {"rfc6298:2.2-first-sample"}, .lasts = AFewSeconds) {
  Duration sample{0};
  Connection connection = ConnectedSlowly(500ms, sample);
  const Estimate estimate(sample);
  NeedsNoMinimumAbove(estimate.rto());
  EXPECT_THAT(TimeoutOf(connection), OwnTimer(estimate.rto(), sut.facts()));
}

TEST_WITH(RetransmissionTimerTest, RetransmissionTimer, FollowsLaterSamplesBySrttAndRttvar,
          .claims = {"rfc6298:2.3-later-samples"}, .lasts = AFewSeconds) {
  Duration sample{0};
  Connection connection = ConnectedSlowly(500ms, sample);
  auto& [socket, peer] = connection;
  Estimate estimate(sample);
  for (const Duration round_trip : {Duration(800ms), Duration(300ms)}) {
    socket.Send("sample").value();
    const Segment data = peer.Expect(Data("sample"));
    peer.ExpectSilence(round_trip);
    estimate.Sample(peer.Send(Ack()).time - data.time);
    Settle();
  }
  NeedsNoMinimumAbove(estimate.rto());
  EXPECT_THAT(TimeoutOf(connection), OwnTimer(estimate.rto(), sut.facts()));
}

TEST_WITH(RetransmissionTimerTest, RetransmissionTimer, IsDoubledUntilDataIsAcknowledged,
          .claims = {"rfc6298:5.5-back-off"}, .lasts = AFewSeconds) {
  Duration sample{0};
  Connection connection = ConnectedSlowly(100ms, sample);
  auto& [socket, peer] = connection;
  const Duration first = TimeoutOf(connection);
  const Segment again = peer.Expect(Data("again?").Seq(peer.rcv_nxt - 6), OpeningPatience());
  peer.Send(Ack().Ack(again.seq));  // of nothing new: the back-off stays
  const Segment last = peer.Expect(Data("again?").Seq(again.seq), OpeningPatience());
  // Each may be late by an eighth of itself, as FiresAfter has it, and off by a tick of its clock.
  const Duration tick = OwnGranularity(sut.facts());
  EXPECT_THAT(last.time - again.time, LastsAtLeast(4 * (first - tick) * 8 / 9));
  EXPECT_THAT(last.time - again.time, LastsAtMost(4 * (first + tick) * 9 / 8));
}

TEST_WITH(RetransmissionTimerTest, RetransmissionTimer, IsNotBoundedBelowAMinute,
          .claims = {"rfc6298:2.5-maximum-rto"}, .lasts = UntilAMinute) {
  constexpr Duration kLeastMaximum = 60s;
  auto [socket, peer] = Connected();
  socket.Send("again?").value();
  Segment last = peer.Expect(Data("again?"));
  for (Duration timeout{0}; timeout < kLeastMaximum;) {
    sut.loop().RunUntil([&peer = peer] { return peer.waiting() > 0; },
                        Clock::now() + 3 * kLeastMaximum);
    if (peer.waiting() == 0) NotReached("it gives up before");
    const Segment again = peer.Expect(Data("again?").Seq(last.seq));
    const Duration next = again.time - last.time;
    const bool is_bounded = timeout > Duration(0) && next < timeout * 3 / 2;
    if (is_bounded) {
      EXPECT_THAT(next, LastsAtLeast(kLeastMaximum - OwnGranularity(sut.facts())));
      return;
    }
    timeout = next;
    last = again;
  }
  NotTaken("rfc6298:2.5-maximum-rto", "it has no upper bound up to a minute");
}
