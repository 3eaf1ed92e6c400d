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
  LoseOneSegment(connection);
  // The window before the loss, at most: limited transmit lets more out than that.
  const double w_max = in_flight(connection) / static_cast<double>(kMss);
  const Time epoch = Acknowledge(connection, in_flight(connection)).time;
  const double cwnd_epoch = FlightSize(connection) / static_cast<double>(kMss);
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
  constexpr Duration kLongRoundTrip = 2s;
  Connection connection = WithCubicFlight(8, kLongRoundTrip);
  LoseOneSegment(connection);
  Acknowledge(connection, in_flight(connection));
  std::uint32_t flight = FlightSize(connection);
  for (int round_trips = 0; round_trips < 6; ++round_trips) {
    Pass(kLongRoundTrip);
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
