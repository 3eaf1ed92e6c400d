// Losses that time tells, RFC 8985: a probe of the tail instead of a timeout, and a segment that a
// later one has overtaken by more than the reordering window.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// Long against what a machine may be late, short against a minimum of the timeout.
constexpr Duration kRoundTrip = 160ms;

// What was seen of a connection before.
struct SeenBeforeRow {
  const char* name;
  bool reordering;
};
constexpr SeenBeforeRow kSeenBefore[] = {{"in-order", false}, {"reordering", true}};

class TailLossTest : public FlightTest {
 protected:
  // A connection whose handshake took a round trip, with so many full segments in flight; where
  // SACK was agreed on, without which there is no RACK-TLP (RFC 8985 section 5). The round trip as
  // the system has it: with the way to it and back.
  Connection WithTail(std::uint32_t segments, std::vector<Segment>& flight, Duration& sample,
                      Duration round_trip = kRoundTrip) {
    Connection connection = OpenSlowly(round_trip, true, ChooseRfc5681);
    sample = this->sample();
    Begin(connection);
    connection.socket.Send(std::string(std::size_t{segments} * kMss, 'x')).value();
    Settle();
    flight = connection.peer.TakeArrived();
    if (flight.size() < segments) NotReached("the initial window is smaller");
    if (flight.size() > segments) NotReached("its segments are smaller");
    return connection;
  }

  // From the beginning of that segment up to the end of this one.
  static std::vector<tcp_option::SackBlock> Block(const Segment& from, const Segment& to) {
    return {{from.seq, to.seq + to.length()}};
  }

  // A round trip later the second of these segments has arrived, and not the first: how long after
  // that was reported the first one is sent again.
  Duration FoundLost(Connection& connection, const std::vector<Segment>& flight,
                     Duration round_trip = kRoundTrip) {
    Pass(round_trip);
    const Segment report =
        connection.peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[1], flight[1])));
    const Segment again = connection.peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
    return again.time - report.time;
  }

  // The segments of so much more data, sent at once.
  std::vector<Segment> SendMore(Connection& connection, std::uint32_t segments) {
    connection.socket.Send(std::string(std::size_t{segments} * kMss, 'z')).value();
    Settle();
    std::vector<Segment> flight = connection.peer.TakeArrived();
    if (flight.size() != segments) NotReached("its segments do not leave at once");
    return flight;
  }

  void TurnOff(const char* sysctl) const {
    try {
      sut.SetSysctl(sysctl, 0);
    } catch (const Skip&) {  // it has none
    }
  }

  // When a timer of rule 2.2 of RFC 6298 may fire at the earliest after such a first sample.
  Duration EarliestTimeout(Duration sample) const {
    return 3 * sample - OwnGranularity(sut.facts());
  }
};

}  // namespace

TEST_WITH(
    TailLossTest, TailLoss, TheLastSegmentIsSentAgainBeforeTheTimeout,
    .claims = {"rfc8985:7.2-pto", "rfc8985:7.3-probe"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  const Segment again = peer.Expect(AnyData(), Within(10s));
  if (again.seq == flight.front().seq) NotReached("it waits for its timeout");
  Deciding("rfc8985:7.3-probe");
  EXPECT_GE(again.seq - flight.front().seq, 2 * kMss) << "it is not the last one";
  Deciding("rfc8985:7.2-pto");
  EXPECT_THAT(again.time - flight.back().time, OwnTimer(2 * round_trip, sut.facts()));
}

TEST_WITH(
    TailLossTest, TailLoss, NewDataIsTheProbeWhereThereIsSome, .claims = {"rfc8985:7.3-probe"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(3, flight, round_trip);
  // More than the initial window of any system, and soon written.
  connection.socket.Send(std::string(std::size_t{20} * kMss, 'y')).value();
  Settle();
  AllArrived(connection.peer);  // up to the end of the window
  const Segment probe = connection.peer.Expect(AnyData(), Within(10s));
  if (probe.seq == flight.front().seq) NotReached("it waits for its timeout");
  EXPECT_EQ(probe.seq + probe.length(), connection.peer.rcv_nxt) << "sent again";
}

TEST_WITH(
    TailLossTest, TailLoss, ASegmentThatALaterOneHasOvertakenIsLostAfterTheReorderingWindow,
    .claims = {"rfc8985:6.2-overtaken"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  peer.ExpectSilence(kRoundTrip);
  const Segment& second = flight[1];
  const Segment report =
      peer.Send(Ack().Ack(flight[0].seq).Sack({{second.seq, second.seq + second.length()}}));
  const Segment again = peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
  // At most min_RTT/4 by default, where no reordering was seen (RFC 8985 section 6.2, step 4). Who
  // takes no sample of the handshake has that of this report.
  if (again.time - report.time > round_trip) NotReached("it waits for its timeout");
  const Duration sample_of_report = report.time - second.time + way();
  EXPECT_THAT(again.time - report.time - way(),
              LastsAtMost(FiresAfter(sample_of_report / 4).latest()));
}

TEST_WITH(
    TailLossTest, TailLoss, AfterAProbeComesTheTimeoutAndNoOtherProbe,
    .claims = {"rfc8985:7.3-rto-after-probe", "rfc8985:7.3-one-probe"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  const Segment probe = peer.Expect(AnyData(), Within(10s));
  if (probe.seq == flight.front().seq) NotReached("it waits for its timeout");
  const Segment next = peer.Expect(AnyData(), Within(20s));
  Deciding("rfc8985:7.3-rto-after-probe");
  EXPECT_THAT(next.time - probe.time, LastsAtLeast(EarliestTimeout(round_trip)));
  Deciding("rfc8985:7.3-one-probe");
  EXPECT_EQ(next.seq, flight.front().seq) << "it is another probe";
}

// An acknowledgment of the probe alone is no sample of the round-trip time, by Karn's algorithm.
TEST_WITH(
    TailLossTest, TailLoss, WithoutASampleSinceTheLastProbeThereIsNoOther,
    .claims = {"rfc8985:7.3-sample"}, .lasts = [](const Facts&) -> Duration { return 4s; }) {
  constexpr Duration kLongRoundTrip = 400ms;
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(1, flight, round_trip, kLongRoundTrip);
  const Segment probe = peer.Expect(AnyData().Seq(flight.front().seq), Within(10s));
  if (probe.time - flight.front().time > EarliestTimeout(round_trip)) {
    NotReached("it waits for its timeout");
  }
  peer.Send(Ack());
  Settle();
  socket.Send(std::string(kMss, 'y')).value();
  const Segment next = peer.Expect(AnyData());
  const Segment again = peer.Expect(AnyData().Seq(next.seq), Within(20s));
  EXPECT_THAT(again.time - next.time, LastsAtLeast(EarliestTimeout(round_trip)));
}

TEST_WITH(
    TailLossTest, TailLoss, ALossThatTheProbeHasMendedHalvesTheWindow,
    .claims = {"rfc8985:7.4.2-loss"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(4, flight, round_trip);
  const Segment probe = connection.peer.Expect(AnyData(), Within(10s));
  if (probe.seq != flight.back().seq) NotReached("it waits for its timeout");
  Acknowledge(connection, in_flight(connection));
  WriteMuch(connection);
  const std::uint32_t now = FlightSize(connection);
  if (now < 4 * kMss) NotReached("no more is in flight");
  // The first number beyond the probe; and what lets half of it out again, where none was lost.
  Acknowledge(connection, kMss);
  Settle();
  Acknowledge(connection, now / 2 - kMss);
  EXPECT_LE(FlightSize(connection), now / 2 + kMss);
}

TEST_WITH(
    TailLossTest, TailLoss, ARetransmissionThatALaterOneHasOvertakenIsLost,
    .claims = {"rfc8985:6.2-retransmission"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(8, flight, round_trip);
  peer.ExpectSilence(kRoundTrip);
  peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[2], flight[7])));
  const Segment first = peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
  Settle();
  if (peer.waiting() == 0) NotReached("it does not fill holes that are reported");
  peer.Expect(AnyData().Seq(flight[1].seq));
  // No sooner than the shortest round trip, else it could be an answer to what was sent first.
  peer.ExpectSilence(round_trip + kRoundTrip / 8);
  const Segment report = peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[1], flight[7])));
  const Segment again = peer.Expect(AnyData(), Within(10s));
  if (again.time - first.time > EarliestTimeout(round_trip)) NotReached("it waits for its timeout");
  EXPECT_EQ(again.seq, flight[0].seq);
  EXPECT_THAT(again.time - report.time - way(), LastsAtMost(FiresAfter(round_trip / 4).latest()));
}

TEST_WITH(
    TailLossTest, TailLoss, AfterReorderingALossIsFoundWithinARoundTrip,
    .claims = {"rfc8985:3.3.2-bound"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(8, flight, round_trip);
  peer.ExpectSilence(kRoundTrip);
  // The first comes after the second, and was not sent again.
  peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[1], flight[1])));
  peer.Send(Ack().Ack(flight[2].seq));
  const Segment report = peer.Send(Ack().Ack(flight[2].seq).Sack(Block(flight[3], flight[6])));
  const Segment again = peer.Expect(AnyData().Seq(flight[2].seq), Within(10s));
  if (again.time - report.time > 2 * round_trip) NotReached("it waits for its timeout");
  EXPECT_THAT(again.time - report.time - way(), LastsAtMost(FiresAfter(round_trip).latest()));
}

// Seven of ten segments are lost at once, by time or by what was reported: no more of them than
// half of what was in flight may come again before anything else is acknowledged.
TEST_WITH(
    TailLossTest, TailLoss, WhatIsLostWaitsForCongestionControl,
    .claims = {"rfc8985:9.3-congestion-control"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(10, flight, round_trip);
  // Another than that of RFC 5681 may allow more.
  if (!connection.socket.GetText("TCP_CONGESTION").ok())
    NotReached("it does not tell its congestion control");
  connection.peer.ExpectSilence(kRoundTrip);
  connection.peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[7], flight[9])));
  Pass(round_trip);
  std::uint32_t octets = 0;
  for (const Segment& segment : AllArrived(connection.peer)) octets += segment.length();
  if (octets == 0) NotReached("it waits for its timeout");
  Require(octets <= 10 * kMss / 2, std::to_string(10 * kMss / 2) + " octets at most",
          std::to_string(octets));
}

// --- The reordering window -----------------------------------------------------------------------

// A segment that had come all the same, as a D-SACK says: the next one is waited for longer,
// whether or not segments were seen out of order before.
TEST_WITH(
    TailLossTest, TailLoss, AfterADSackALossIsFoundLater, .claims = {"rfc8985:3.3.2-dsack"},
    .lasts = [](const Facts&) -> Duration { return 2s; }, .rows = kSeenBefore) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(3, flight, round_trip);
  if (RowOf(kSeenBefore).reordering) {
    Pass(kRoundTrip);
    connection.peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[1], flight[1])));
    connection.peer.Send(Ack());
    Settle();
    flight = SendMore(connection, 3);
  }
  if (FoundLost(connection, flight) > round_trip) NotReached("it waits for its timeout");
  connection.peer.Send(Ack().Sack(Block(flight[0], flight[0])));
  Settle();
  const std::vector<Segment> next = SendMore(connection, 3);
  // No sample is shorter than the handshake was (section 6.2, step 4).
  EXPECT_THAT(FoundLost(connection, next),
              LastsAtLeast(2 * kRoundTrip / 4 - OwnGranularity(sut.facts())));
}

// The path becomes longer, for longer than what the system is told to call recent.
TEST_WITH(
    TailLossTest, TailLoss, TheShortestRoundTripIsThatOfARecentTime,
    .claims = {"rfc8985:6.2-min-rtt"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 6s; }) {
  constexpr Duration kLongest = 540ms;
  sut.SetSysctl("net.ipv4.tcp_min_rtt_wlen", 1);  // seconds
  std::vector<Segment> flight;
  Duration sample{0};
  Connection connection = WithTail(1, flight, sample, 100ms);
  for (const Duration round_trip : std::initializer_list<Duration>{
           100ms, 160ms, 240ms, 360ms, kLongest, kLongest, kLongest, kLongest, kLongest}) {
    Pass(round_trip);
    connection.peer.Send(Ack());
    Settle();
    flight = SendMore(connection, 1);
  }
  Pass(kLongest);
  connection.peer.Send(Ack());
  Settle();
  flight = SendMore(connection, 3);
  const Duration found = FoundLost(connection, flight, kLongest);
  if (found > kLongest) NotReached("it waits for its timeout");
  EXPECT_THAT(found, LastsAtLeast(kLongest / 4 - OwnGranularity(sut.facts())));
}

// --- Timers --------------------------------------------------------------------------------------

// Segments that were sent half a round trip before the timeout are not lost by it.
TEST_WITH(
    TailLossTest, TailLoss, ATimeoutMakesNoRecentSegmentLost, .claims = {"rfc8985:6.3-rto"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  TurnOff("net.ipv4.tcp_early_retrans");  // a probe instead of the timeout
  TurnOff("net.ipv4.tcp_frto");           // new data instead of what is lost
  std::vector<Segment> flight;
  Duration round_trip{0};
  {
    Connection connection = WithTail(3, flight, round_trip);
    if (FoundLost(connection, flight) > round_trip) NotReached("no sign of RACK");
  }
  Duration timeout{0};
  {
    Connection connection = WithTail(2, flight, round_trip);
    const Segment again = connection.peer.Expect(AnyData(), Within(10s));
    if (again.seq != flight[0].seq) NotReached("it sends a probe before its timeout");
    timeout = again.time - flight.back().time;
  }
  auto [socket, peer] = WithTail(2, flight, round_trip);
  Pass(timeout - kRoundTrip / 2);
  socket.Send(std::string(std::size_t{4} * kMss, 'z')).value();
  Settle();
  const std::vector<Segment> recent = peer.TakeArrived();
  if (recent.empty() || recent[0].seq == flight[0].seq) NotReached("the timeout came before");
  const std::uint32_t sent = peer.rcv_nxt;
  const Segment again = peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
  if (again.time - recent[0].time > kRoundTrip) NotReached("the timeout came later");
  Settle();
  std::vector<Segment> answers = AllArrived(peer);
  peer.Send(Ack().Ack(recent[0].seq));
  Settle();
  for (const Segment& segment : AllArrived(peer)) answers.push_back(segment);
  for (const Segment& segment : answers) {
    const bool is_recent = segment.seq - recent[0].seq < sent - recent[0].seq;
    EXPECT_FALSE(is_recent) << "a segment again that was sent just before";
  }
}

TEST_WITH(
    TailLossTest, TailLoss, AnAcknowledgmentOfNewDataStartsItsTimerAnew,
    .claims = {"rfc8985:7.2-start"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  peer.ExpectSilence(kRoundTrip);
  const Segment ack = peer.Send(Ack().Ack(flight[1].seq));
  const Segment again = peer.Expect(AnyData(), Within(10s));
  if (again.seq == flight[1].seq) NotReached("it waits for its timeout");
  EXPECT_THAT(again.time - ack.time, OwnTimer(2 * round_trip, sut.facts()));
}

// The first of five segments is lost, and the last: what comes after it is a timeout.
TEST_WITH(
    TailLossTest, TailLoss, InARecoveryThereIsNoProbe, .claims = {"rfc8985:7.2-start"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(3, flight, round_trip);
  ScriptedTcp& peer = connection.peer;
  const Segment probe = peer.Expect(AnyData(), Within(10s));
  if (probe.seq == flight.front().seq) NotReached("it waits for its timeout");
  peer.Send(Ack().Sack(Block(flight[2], flight[2])));  // it has come twice
  Settle();
  flight = SendMore(connection, 5);
  Pass(kRoundTrip);
  peer.Send(Ack().Ack(flight[0].seq).Sack(Block(flight[1], flight[3])));
  peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
  const Segment next = peer.Expect(AnySegment(), Within(20s));
  EXPECT_EQ(next.seq, flight[0].seq) << "it is the last one: a probe";
}
