// How the congestion window grows and shrinks, RFC 5681, seen on the wire: by what is in flight.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class CongestionWindowTest : public FlightTest {
 protected:
  // Initial windows of RFC 6928 and RFC 5681: no more segments than that.
  static constexpr std::uint32_t kLargestInitialWindow = 10;

  // A connection whose SYN had to be sent again, once.
  Connection AfterALostSyn() {
    ScriptedTcp& peer = host.Listen(ip, NextPort());
    peer.syn_options = {tcp_option::Mss(kMss)};
    Socket socket = sut.NewSocket(ip);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    peer.Expect(Syn().Seq(syn.seq), OpeningPatience());
    peer.Send(SynAck());
    peer.Expect(Ack().Ack(peer.snd_nxt));
    connecting.Await().value();
    return {socket, peer};
  }

  // What a connection has in flight at first.
  std::uint32_t FirstFlight(Connection connection) {
    WriteMuch(connection);
    Begin(connection);
    return FlightSize(connection);
  }

  // Who takes a timeout for spurious undoes what it did to the window (RFC 5682); where that can be
  // turned off, it is.
  void TurnOffForwardRto() const {
    try {
      sut.SetSysctl("net.ipv4.tcp_frto", 0);
    } catch (const Skip&) {
    }
  }
};

}  // namespace

// --- Slow start ----------------------------------------------------------------------------------

TEST_WITH(CongestionWindowTest, CongestionWindow,
          AnAcknowledgmentOfManySegmentsAddsOneSegmentInSlowStart,
          .claims = {"rfc5681:3.1-slow-start"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = FlightSize(connection);
  if (flight < 2 * kMss) NotReached("a single segment is in flight");
  Acknowledge(connection, flight);
  EXPECT_LE(FlightSize(connection), flight + kMss);
}

TEST_WITH(CongestionWindowTest, CongestionWindow,
          ManyAcknowledgmentsOfOneSegmentAddOneSegmentInSlowStart,
          .claims = {"rfc5681:3.1-byte-counting"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = FlightSize(connection);
  constexpr std::uint32_t kPart = kMss / 10;
  for (int parts = 0; parts < 10; ++parts) Acknowledge(connection, kPart);
  EXPECT_LE(FlightSize(connection), flight + kMss);
}

TEST_WITH(CongestionWindowTest, CongestionWindow, ItGrowsInSlowStartByNoMoreThanWhatIsAcknowledged,
          .claims = {"rfc5681:3.1-slow-start"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  std::uint32_t flight = FlightSize(connection);
  std::uint32_t most = flight;  // which may be less than the window lets out
  for (int round_trips = 0; round_trips < 3; ++round_trips) {
    most += flight;
    flight = RoundTrip(connection);
    EXPECT_LE(flight, most) << "in round trip " << round_trips;
  }
}

TEST_WITH(CongestionWindowTest, CongestionWindow, AcknowledgmentsOfNothingNewAddNothing,
          .claims = {"rfc5681:3.1-slow-start"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = FlightSize(connection);
  // Another window each, so that they are no duplicates (RFC 5681 section 2).
  for (std::uint16_t i = 1; i <= 5; ++i) {
    connection.peer.Send(Ack().Ack(acknowledged()).Window(static_cast<std::uint16_t>(60000 + i)));
  }
  EXPECT_EQ(FlightSize(connection), flight);
}

// Whoever has lost a SYN knows that the path is congested.
TEST_WITH(
    CongestionWindowTest, CongestionWindow, AfterALostSynItBeginsWithOneSegment,
    .claims = {"rfc5681:3.1-after-lost-syn"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  EXPECT_LE(FirstFlight(AfterALostSyn()), kMss);
}

// One lost SYN may be a timer that was too short.
TEST_WITH(
    CongestionWindowTest, CongestionWindow, OneLostSynDoesNotMakeItOneSegment,
    .claims = {"rfc6928:2-after-lost-syn"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  if (FirstFlight(Connected(SmallSegments())) <= kMss) NotReached("it begins with one segment");
  EXPECT_GT(FirstFlight(AfterALostSyn()), kMss);
}

TEST_WITH(
    CongestionWindowTest, CongestionWindow, AfterALostSynAckItBeginsWithOneSegment,
    .claims = {"rfc5681:3.1-after-lost-syn"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.syn_options = {tcp_option::Mss(kMss)};
  peer.Send(Syn());
  const Segment syn_ack = peer.Expect(SynAck());
  peer.Expect(SynAck().Seq(syn_ack.seq), OpeningPatience());
  peer.Send(Ack());
  Connection connection{listener.Accept().value().socket, peer};
  WriteMuch(connection);
  Begin(connection);
  EXPECT_LE(FlightSize(connection), kMss);
}

// --- Idle ----------------------------------------------------------------------------------------

TEST_WITH(
    CongestionWindowTest, CongestionWindow, AfterMoreThanTheTimeoutWithoutSendingItBeginsAnew,
    .claims = {"rfc5681:4.1-restart"}, .needs = {"tcp_info"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = Connected(SmallSegments());
  WriteMuch(connection);
  const std::uint32_t start = Begin(connection);
  Grow(connection, 10 * kLargestInitialWindow);
  Drain(connection, start);
  const Duration timeout = std::chrono::microseconds(connection.socket.Info("rto"));
  connection.peer.ExpectSilence(timeout + timeout / 4);
  WriteMuch(connection);
  EXPECT_LE(FlightSize(connection), kLargestInitialWindow * kMss);
}

// Ten timeouts later, RFC 2861 section 3.1 has halved it down to the initial window.
TEST_WITH(
    CongestionWindowTest, CongestionWindow, TcpSlowStartAfterIdleSaysWhetherItShrinks,
    .claims = {"linux:tcp_slow_start_after_idle"}, .needs = {"sysctl", "tcp_info"},
    .lasts = [](const Facts&) -> Duration { return 5s; }) {
  constexpr std::uint32_t kEnough = 200'000;
  for (const bool shrinks : {true, false}) {
    SCOPED_TRACE("tcp_slow_start_after_idle=" + std::to_string(shrinks));
    sut.SetSysctl("net.ipv4.tcp_slow_start_after_idle", shrinks ? 1 : 0);
    Connection connection = Connected(SmallSegments());
    ChooseRfc5681(connection.socket);
    WriteMuch(connection, kEnough);
    const std::uint32_t start = Begin(connection);
    const std::uint32_t before = Grow(connection, 10 * kLargestInitialWindow);
    Drain(connection, start, kEnough);
    connection.peer.ExpectSilence(10 * std::chrono::microseconds(connection.socket.Info("rto")));
    WriteMuch(connection);
    const std::uint32_t now = FlightSize(connection);
    if (shrinks) {
      EXPECT_LE(now, kLargestInitialWindow * kMss);
    } else {
      EXPECT_GT(now + kMss, before);  // a part of a segment may wait, at the end of the window
    }
  }
}

// --- Loss ----------------------------------------------------------------------------------------

TEST_WITH(
    CongestionWindowTest, CongestionWindow, ATimeoutMakesItOneSegment,
    .claims = {"rfc5681:3.1-loss-window"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  Grow(connection, 8);
  ScriptedTcp& peer = connection.peer;
  peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(10s));
  Settle();
  for (const Segment& segment : AllArrived(peer)) {
    EXPECT_LT(segment.seq - acknowledged(), kMss) << "a second segment after the timeout";
  }
  // Slow start: its acknowledgment lets out two.
  Acknowledge(connection, kMss);
  Settle();
  std::uint32_t octets = 0;
  for (const Segment& segment : AllArrived(peer)) octets += segment.length();
  EXPECT_LE(octets, 2 * kMss);
}

TEST_WITH(CongestionWindowTest, CongestionWindow, AFastRetransmitHalvesIt,
          .claims = {"rfc5681:3.2-halve"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  Grow(connection, 16);
  const std::uint32_t flight = LoseOneSegment(connection);
  // The acknowledgment of all takes it to ssthresh, and adds a segment where that is slow start.
  Acknowledge(connection, in_flight(connection));
  EXPECT_LE(FlightSize(connection), std::max(flight / 2, 2 * kMss) + kMss);
}

TEST_WITH(CongestionWindowTest, CongestionWindow, ItGrowsByASegmentInEachRoundTripAfterALoss,
          .claims = {"rfc5681:3.1-avoidance"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  Grow(connection, 16);
  const std::uint32_t threshold = std::max(LoseOneSegment(connection) / 2, 2 * kMss);
  Acknowledge(connection, in_flight(connection));
  FlightSize(connection);
  // RFC 6582 section 3.2, step 3, lets recovery end in slow start, up to the threshold; and what is
  // in flight may be less than the window lets out.
  std::uint32_t most = std::max(RoundTrip(connection), threshold + 2 * kMss);
  for (int round_trips = 0; round_trips < 5; ++round_trips) {
    most += kMss;
    const std::uint32_t flight = RoundTrip(connection);
    Require(flight <= most,
            std::to_string(most) + " octets in flight at most, in round trip " +
                std::to_string(round_trips),
            std::to_string(flight));
  }
}

TEST_WITH(CongestionWindowTest, CongestionWindow, DuringRecoveryADuplicateLetsOutOneSegmentAtMost,
          .claims = {"rfc5681:3.2-inflate"}) {
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  Grow(connection, 16);
  const std::uint32_t flight = LoseOneSegment(connection);
  const std::uint32_t threshold = std::max(flight / 2, 2 * kMss);
  const std::uint32_t others = flight / kMss - 4;
  for (std::uint32_t duplicates = 1; duplicates <= others; ++duplicates) {
    SendDuplicates(connection, 1);
    const std::uint32_t inflated = threshold + (3 + duplicates) * kMss;
    // Section 4.3: half of what was in flight in each round trip, as for every other duplicate.
    const std::uint32_t reduced = flight + (2 + duplicates / 2 + 1) * kMss;
    EXPECT_LE(FlightSize(connection), std::max(reduced, inflated)) << duplicates;
  }
}

// The second timeout of the same segment halves nothing more; that the first one has halved it
// shows in where slow start ends.
TEST_WITH(
    CongestionWindowTest, CongestionWindow, AfterATimeoutSlowStartEndsAtHalfOfTheFlight,
    .claims = {"rfc5681:3.1-timeout-threshold"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  TurnOffForwardRto();
  Connection connection = ByRfc5681();
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t threshold = std::max(Grow(connection, 16) / 2, 2 * kMss);
  for (int timeouts = 0; timeouts < 2; ++timeouts) {
    connection.peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(20s));
  }
  Acknowledge(connection, in_flight(connection));
  std::uint32_t flight = FlightSize(connection);
  std::uint32_t most = threshold + kMss;
  for (int round_trips = 0; round_trips < 6; ++round_trips) {
    Require(flight <= most,
            std::to_string(most) + " octets in flight at most, in round trip " +
                std::to_string(round_trips),
            std::to_string(flight));
    flight = RoundTrip(connection);
    most += kMss;
  }
}
