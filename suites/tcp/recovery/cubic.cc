// CUBIC, RFC 9438, where a system has it by that name: how the window grows and shrinks, seen on
// the wire. Who is more conservative passes.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

class CubicTest : public FlightTest {
 protected:
  static constexpr Duration kCubicRoundTrip = 100ms;
  static constexpr Duration kLongestHandshake = 800ms;
  static constexpr Duration kLongRoundTrip = 600ms;
  static constexpr double kBeta = 0.7;  // section 4.6
  static constexpr double kC = 0.4;     // section 5.1

  static void ChooseCubic(Socket socket) {
    constexpr std::string_view kName = "cubic";
    try {
      if (socket.SetOption("TCP_CONGESTION", Bytes(kName.begin(), kName.end())).ok()) return;
    } catch (const Skip&) {  // it has no such option
    }
    NotReached("it has no CUBIC");
  }

  // A connection with at least so many segments in flight and more to send, whose round trips all
  // took as long.
  Connection WithCubicFlight(std::uint32_t segments, Duration round_trip = kCubicRoundTrip) {
    // A handshake that takes longer than a second has its SYN sent again.
    Connection connection = OpenSlowly(std::min(round_trip, kLongestHandshake), false, ChooseCubic);
    WriteMuch(connection);
    Begin(connection);
    for (int round_trips = 0; FlightSize(connection) < segments * kMss; ++round_trips) {
      if (round_trips == 12) NotReached("so much is never in flight");
      Pass(round_trip);
      RoundTrip(connection);
    }
    return connection;
  }

  // One that has written just so many segments, and has so many of them in flight.
  Connection WithSegments(std::uint32_t written, std::uint32_t segments) {
    Connection connection = OpenSlowly(kCubicRoundTrip, false, ChooseCubic);
    Begin(connection);
    Write(connection, written);
    while (FlightSize(connection) < segments * kMss) {
      if (acknowledged() - connection.peer.irs > (written - segments) * kMss) {
        NotReached("so much is never in flight");
      }
      Pass(kCubicRoundTrip);
      RoundTrip(connection);
    }
    return connection;
  }
  void Write(Connection& connection, std::uint32_t segments) {
    connection.socket.Send(std::string(std::size_t{segments} * kMss, 'x')).value();
  }
  // Round trips until nothing is in flight: the most that was.
  std::uint32_t FinishFlight(Connection& connection, Duration round_trip = kCubicRoundTrip) {
    std::uint32_t most = 0;
    while (in_flight(connection) > 0) {
      most = std::max(most, in_flight(connection));
      Pass(round_trip);
      RoundTrip(connection);
    }
    return most;
  }

  // What is in flight once the loss of a segment out of `at_loss` octets is repaired: an epoch
  // begins. RFC 6582 section 3.2, step 3, also lets recovery end in slow start: then it begins
  // later.
  std::uint32_t BeginEpoch(Connection& connection, std::uint32_t at_loss) {
    const std::uint32_t flight = FlightSize(connection);
    if (flight < kBeta / 2 * at_loss) NotReached("recovery ends in slow start");
    return flight;
  }

  static double Seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
  // Figure 1 of section 4.2, in segments: `t` seconds after the congestion window was `cwnd_epoch`.
  static double WCubic(double t, double w_max, double cwnd_epoch) {
    return kC * std::pow(t - std::cbrt((w_max - cwnd_epoch) / kC), 3) + w_max;
  }
  static double Segments(std::uint32_t octets) { return octets / static_cast<double>(kMss); }
  static constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);  // section 4.3
};

}  // namespace

TEST_WITH(CubicTest, Cubic, ItGrowsInSlowStartByNoMoreThanWhatIsAcknowledged,
          .claims = {"rfc9438:4.10-slow-start"}) {
  Connection connection = WithCubicFlight(2);
  std::uint32_t flight = in_flight(connection);
  std::uint32_t most = flight;
  for (int round_trips = 0; round_trips < 3; ++round_trips) {
    most += flight;
    flight = RoundTrip(connection);
    EXPECT_LE(flight, most) << "in round trip " << round_trips;
  }
}

TEST_WITH(
    CubicTest, Cubic, AFastRetransmitLeavesSevenTenthsOfIt,
    .claims = {"rfc9438:4.6-decrease", "rfc9438:4.6-beta"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = WithCubicFlight(20);
  const std::uint32_t flight = LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  const std::uint32_t left = FlightSize(connection);
  Deciding("rfc9438:4.6-decrease");
  EXPECT_LT(left, flight);
  Deciding("rfc9438:4.6-beta");
  const auto reduced = static_cast<std::uint32_t>(kBeta * flight);
  EXPECT_LE(left, std::max(reduced, 2 * kMss) + kMss);
}

TEST_WITH(
    CubicTest, Cubic, ItGrowsByItsFunctionAndByThatOfRenoAtMost, .claims = {"rfc9438:4.2-growth"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  Connection connection = WithCubicFlight(20);
  const std::uint32_t at_loss = LoseOneSegment(connection);
  // The window before the loss, at most: limited transmit lets more out than that.
  const double w_max = in_flight(connection) / static_cast<double>(kMss);
  const Time epoch = Acknowledge(connection, in_flight(connection)).time;
  const double cwnd_epoch = Segments(BeginEpoch(connection, at_loss));
  const double k = std::cbrt((w_max - cwnd_epoch) / kC);
  double w_est = cwnd_epoch;
  for (int round_trips = 0; round_trips < 12; ++round_trips) {
    Pass(kCubicRoundTrip);
    const std::uint32_t flight = RoundTrip(connection);
    const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
    // What is to be reached after one more round trip.
    const double t = seconds(Clock::now() - epoch + kCubicRoundTrip);
    w_est += w_est < w_max ? 3 * (1 - kBeta) / (1 + kBeta) : 1;
    const double w_cubic = kC * std::pow(t - k, 3) + w_max;
    const double most = std::max(w_est, w_cubic) + 1;
    EXPECT_LE(flight / static_cast<double>(kMss), most)
        << "segments, in round trip " << round_trips;
  }
}

TEST_WITH(
    CubicTest, Cubic, ATimeoutMakesItOneSegment, .claims = {"rfc9438:4.8-timeout"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = WithCubicFlight(8);
  connection.peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(20s));
  for (const Segment& segment : Answers(connection)) {
    EXPECT_LT(segment.seq - acknowledged(), kMss) << "a second segment after the timeout";
  }
  Acknowledge(connection, kMss);
  std::uint32_t octets = 0;
  for (const Segment& segment : Answers(connection)) octets += segment.length();
  EXPECT_LE(octets, 2 * kMss);
}

// Round trips in which the function itself would more than double the window.
TEST_WITH(
    CubicTest, Cubic, ItGrowsByHalfInARoundTripAtMost, .claims = {"rfc9438:4.2-target"},
    .lasts = [](const Facts&) -> Duration { return 20s; }) {
  constexpr Duration kVeryLongRoundTrip = 2s;
  Connection connection = WithCubicFlight(8, kVeryLongRoundTrip);
  const std::uint32_t at_loss = LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  std::uint32_t flight = BeginEpoch(connection, at_loss);
  for (int round_trips = 0; round_trips < 6; ++round_trips) {
    Pass(kVeryLongRoundTrip);
    const std::uint32_t next = RoundTrip(connection);
    EXPECT_LE(next, flight * 3 / 2 + kMss) << "in round trip " << round_trips;
    flight = std::max(flight, next);
  }
}

TEST_WITH(CubicTest, Cubic, EchoesOfCongestionReduceItToOneSegment, .claims = {"rfc9438:4.6-ecn"}) {
  Offer offer = SmallSegments();
  offer.ecn = true;
  Connection connection = ConnectedByAccept(offer);
  ChooseCubic(connection.socket);
  WriteMuch(connection);
  Begin(connection);
  Grow(connection, 4);
  // Seven tenths of it in each window: of ten segments one is left long before.
  for (int windows = 0; windows < 16 && in_flight(connection) > kMss; ++windows) {
    Acknowledge(connection, in_flight(connection), Ack().With(kEce));
    FlightSize(connection);
  }
  EXPECT_LE(in_flight(connection), kMss);
}

// Ten seconds in which nothing was sent would raise the function far above the window.
TEST_WITH(
    CubicTest, Cubic, TimeWithoutDataIsNotTimeToGrow, .claims = {"rfc9438:4.2-application-limited"},
    .lasts = [](const Facts&) -> Duration { return 14s; }) {
  Connection connection = WithSegments(60, 20);
  const double w_max = Segments(LoseOneSegment(connection));
  const Time epoch = Acknowledge(connection, in_flight(connection)).time;
  const double cwnd_epoch = Segments(FlightSize(connection));
  const double before = std::max(cwnd_epoch, Segments(FinishFlight(connection)));
  const Time idle = Clock::now();
  Pass(10s);
  WriteMuch(connection);
  const Time again = Clock::now();
  FlightSize(connection);
  for (int round_trips = 1; round_trips <= 8; ++round_trips) {
    Pass(kCubicRoundTrip);
    const double flight = Segments(RoundTrip(connection));
    const double t = Seconds(idle - epoch + (Clock::now() - again) + kCubicRoundTrip);
    // That of Reno, one segment more in each round trip, from what it was before or less.
    const double most = std::max(before + round_trips, WCubic(t, w_max, cwnd_epoch)) + 2;
    EXPECT_LE(flight, most) << "segments, in round trip " << round_trips;
  }
}

// Short round trips, in which the function itself would grow much more slowly.
TEST_WITH(
    CubicTest, Cubic, ItGrowsByTheEstimateForRenoAtLeast, .claims = {"rfc9438:4.3-reno-friendly"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  constexpr Duration kShortRoundTrip = 30ms;
  constexpr int kTimes = 20;
  Connection connection = WithCubicFlight(20, kShortRoundTrip);
  LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  const double cwnd_epoch = Segments(FlightSize(connection));
  for (int round_trips = 0; round_trips < kTimes; ++round_trips) {
    Pass(kShortRoundTrip);
    RoundTrip(connection);
  }
  // What its acknowledgments have let out so far lags by a round trip, and segments are whole.
  const double least = std::floor(cwnd_epoch + kAlpha * (kTimes - 1)) - 1;
  RequireInFlight(in_flight(connection), static_cast<std::uint32_t>(least) * kMss);
}

// Thirty round trips with four segments each, then a loss of one of them. Who takes what is in
// flight for the threshold has less left.
TEST_WITH(
    CubicTest, Cubic, WhatIsNotUsedOfItDoesNotGrow, .claims = {"rfc9438:4.6-flight-size"},
    .lasts = [](const Facts&) -> Duration { return 5s; }) {
  Connection connection = WithSegments(30, 20);
  // Slow start while it was used: what is in flight then may let out twice as much.
  const double before = 2 * Segments(FinishFlight(connection));
  for (int round_trips = 0; round_trips < 30; ++round_trips) {
    Write(connection, 4);
    FlightSize(connection);
    FinishFlight(connection);
  }
  Write(connection, 4);
  FlightSize(connection);
  LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  WriteMuch(connection);
  FlightSize(connection);
  Pass(kCubicRoundTrip);
  // And by that of Reno afterwards, or by a segment of the function.
  EXPECT_LE(Segments(RoundTrip(connection)), kBeta * before + 2) << "segments";
}

// Long round trips, in which it is the function that counts and not the estimate for Reno.
TEST_WITH(
    CubicTest, Cubic, ASecondLossBelowTheFirstMakesItFlatter,
    .claims = {"rfc9438:4.7-fast-convergence"},
    .lasts = [](const Facts&) -> Duration { return 9s; }) {
  Connection connection = WithCubicFlight(30, kLongRoundTrip);
  LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  FlightSize(connection);
  Pass(kLongRoundTrip);
  if (Segments(RoundTrip(connection)) < 8) NotReached("too little is left after a loss");
  const std::uint32_t at_loss = LoseOneSegment(connection);
  const double w_max = Segments(at_loss) * (1 + kBeta) / 2;
  const Time epoch = Acknowledge(connection, in_flight(connection)).time;
  const double cwnd_epoch = Segments(BeginEpoch(connection, at_loss));
  for (int round_trips = 1; round_trips <= 3; ++round_trips) {
    Pass(kLongRoundTrip);
    const double flight = Segments(RoundTrip(connection));
    const double t = Seconds(Clock::now() - epoch + kLongRoundTrip);
    const double most = std::max(cwnd_epoch + kAlpha * round_trips,
                                 WCubic(t, std::max(w_max, cwnd_epoch), cwnd_epoch));
    EXPECT_LE(flight, most + 1) << "segments, in round trip " << round_trips;
  }
}

TEST_WITH(
    CubicTest, Cubic, ItsFunctionHasTheConstantOfTheRfc, .claims = {"rfc9438:5.1-c"},
    .lasts = [](const Facts&) -> Duration { return 12s; }) {
  Connection connection = WithCubicFlight(30, kLongRoundTrip);
  const std::uint32_t at_loss = LoseOneSegment(connection);
  const double w_max = Segments(at_loss);
  const Time epoch = Acknowledge(connection, in_flight(connection)).time;
  const double cwnd_epoch = Segments(BeginEpoch(connection, at_loss));
  for (int round_trips = 1; round_trips <= 12; ++round_trips) {
    Pass(kLongRoundTrip);
    const double flight = Segments(RoundTrip(connection));
    const double t = Seconds(Clock::now() - epoch);
    const double most =
        std::max(cwnd_epoch + round_trips, WCubic(t + Seconds(kLongRoundTrip), w_max, cwnd_epoch));
    Observe("segments in round trip " + std::to_string(round_trips),
            std::to_string(flight) + " of " + std::to_string(most));
    EXPECT_LE(flight, most + 1) << "segments, in round trip " << round_trips;
    // It gets there with the acknowledgments of one more round trip.
    const double least = WCubic(t - Seconds(kLongRoundTrip), w_max, cwnd_epoch);
    RequireInFlight(static_cast<std::uint32_t>(flight * kMss),
                    static_cast<std::uint32_t>(std::max(least - 2, 1.0) * kMss));
  }
}
