// Segments that probe a path for its MTU, RFC 4821: how long they are, and what their loss means.
// No system must send any; Linux can be told to.
#include <algorithm>
#include <vector>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

class MtuProbingTest : public FlightTest {
 protected:
  static constexpr std::uint16_t kPeerTakes = 1100;  // octets: what the peer says by its MSS
  static constexpr int kRoundTrips = 12;
  static constexpr Duration kShortestTimeout = 30ms;  // of the systems that there are: FreeBSD

  // A connection that has much to send, and begins with segments that are half as long.
  Connection Probing() {
    sut.SetSysctl("net.ipv4.tcp_mtu_probing", 2);
    sut.SetSysctl("net.ipv4.tcp_base_mss", kPeerTakes / 2);
    Connection connection =
        Connected({.options = std::vector{tcp_option::Mss(kPeerTakes)}, .sack = true});
    ChooseRfc5681(connection.socket);
    WriteMuch(connection);
    Begin(connection);
    return connection;
  }

  // All that is in flight has arrived.
  void AcknowledgeAll(Connection& connection) { Acknowledge(connection, in_flight(connection)); }
};

}  // namespace

TEST_WITH(MtuProbingTest, MtuProbing, AProbeIsNoLongerThanThePeerTakes,
          .claims = {"rfc4821:7.2-largest"}, .needs = {"sysctl"}) {
  Connection connection = Probing();
  std::vector<std::uint32_t> lengths;
  for (int round_trips = 0; round_trips < kRoundTrips; ++round_trips) {
    for (const Segment& segment : Answers(connection)) lengths.push_back(segment.length());
    AcknowledgeAll(connection);
  }
  const std::uint32_t longest = *std::max_element(lengths.begin(), lengths.end());
  if (longest <= lengths.front()) NotReached("it sends no probe");
  EXPECT_LE(longest, kPeerTakes);
}

TEST_WITH(MtuProbingTest, MtuProbing, ALostProbeMakesSegmentsShorterAndIsNoCongestion,
          .claims = {"rfc4821:7.6.2-reduce", "rfc4821:7.6.2-lost"}, .needs = {"sysctl"}) {
  Connection connection = Probing();
  std::vector<Segment> flight = Answers(connection);
  if (flight.empty()) NotReached("nothing is in flight");
  const std::uint32_t length = flight.front().length();
  auto probe = flight.end();
  for (int round_trips = 0; probe == flight.end() || flight.end() - probe < 4; ++round_trips) {
    if (round_trips == kRoundTrips) NotReached("it sends no probe with data behind it");
    AcknowledgeAll(connection);
    flight = Answers(connection);
    probe = std::find_if(flight.begin(), flight.end(),
                         [&](const Segment& segment) { return segment.length() > length; });
  }
  const std::uint32_t octets = in_flight(connection);
  // Everything but the probe has arrived.
  const tcp_option::SackBlock behind{probe->seq + probe->length(), connection.peer.rcv_nxt};
  Acknowledge(connection, probe->seq - acknowledged(), Ack().Sack({behind}));
  Pass(kShortestTimeout);
  const std::vector<Segment> answers = Answers(connection);
  if (std::none_of(answers.begin(), answers.end(),
                   [&](const Segment& segment) { return segment.seq == probe->seq; })) {
    NotReached("it waits for its timeout");
  }
  Deciding("rfc4821:7.6.2-reduce");
  for (const Segment& segment : answers) EXPECT_LT(segment.length(), probe->length());
  AcknowledgeAll(connection);
  const std::uint32_t now = FlightSize(connection);
  // A sign of congestion would halve it.
  Deciding("rfc4821:7.6.2-lost");
  RequireInFlight(now, octets * 3 / 4);
}
