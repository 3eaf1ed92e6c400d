// Segments that probe a path for its MTU, RFC 4821: how long they are, and what their loss means.
// No system must send any; Linux can be told to.
#include <algorithm>
#include <vector>

#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

// How large packets are (RFC 4821 section 7.7).
constexpr std::uint32_t LeastMtu(IpVersion ip) { return ip == IpVersion::kIpv4 ? 68 : 1280; }

class MtuProbingTest : public FlightTest {
 protected:
  static constexpr std::uint16_t kPeerTakes = 1100;  // octets: what the peer says by its MSS
  static constexpr int kRoundTrips = 12;
  static constexpr Duration kProbedRoundTrip = 100ms;
  static constexpr std::uint32_t kEnough = 400'000;   // octets: more than that many let out
  static constexpr Duration kShortestTimeout = 30ms;  // of the systems that there are: FreeBSD

  // A connection that has much to send, and begins with segments that are half as long.
  Connection Probing() {
    sut.SetSysctl("net.ipv4.tcp_mtu_probing", 2);
    sut.SetSysctl("net.ipv4.tcp_base_mss", kPeerTakes / 2);
    Connection connection = OpenSlowly(kProbedRoundTrip, true, ChooseRfc5681, kPeerTakes);
    WriteMuch(connection, kEnough);
    Begin(connection);
    return connection;
  }

  // The first flight of such a connection that has a probe in it, so many segments before it, which
  // are those that were not acknowledged with the others, and more than so many behind.
  std::vector<Segment> FlightWithProbe(Connection& connection, std::size_t before,
                                       std::size_t behind) {
    std::vector<Segment> flight = Answers(connection);
    if (flight.size() <= before) NotReached("too little is in flight");
    length_ = flight.front().length();
    for (int round_trips = 0; round_trips < kRoundTrips; ++round_trips) {
      probe_ = ProbeIn(flight);
      if (probe_ < flight.size() && probe_ >= before && flight.size() - probe_ > behind) {
        return flight;
      }
      Pass(kProbedRoundTrip);
      std::vector<Segment> kept(flight.end() - static_cast<std::ptrdiff_t>(before), flight.end());
      Acknowledge(connection,
                  kept.empty() ? in_flight(connection) : kept.front().seq - acknowledged());
      flight = Answers(connection);
      flight.insert(flight.begin(), kept.begin(), kept.end());
      if (flight.size() <= before) NotReached("too little is in flight");
    }
    NotReached("it sends no such probe");
  }
  // The place of the first segment that is longer than all others; their number where none is.
  std::size_t ProbeIn(const std::vector<Segment>& flight) const {
    const auto probe = std::find_if(flight.begin(), flight.end(), [&](const Segment& segment) {
      return segment.length() > length_;
    });
    return static_cast<std::size_t>(probe - flight.begin());
  }
  std::size_t probe() const { return probe_; }
  std::uint32_t length() const { return length_; }  // of all others

  // Everything but these segments of a flight has arrived, up to its end; then they have too. What
  // is in flight afterwards.
  std::uint32_t Lose(Connection& connection, const std::vector<Segment>& flight, std::size_t from,
                     std::size_t to) {
    const tcp_option::SackBlock behind{flight[to].seq, connection.peer.rcv_nxt};
    Pass(kProbedRoundTrip);
    Acknowledge(connection, flight[from].seq - acknowledged(), Ack().Sack({behind}));
    Pass(kProbedRoundTrip / 2);
    const std::vector<Segment> answers = Answers(connection);
    if (std::none_of(answers.begin(), answers.end(),
                     [&](const Segment& segment) { return segment.seq == flight[from].seq; })) {
      NotReached("it waits for its timeout");
    }
    at_loss_ = in_flight(connection);
    AcknowledgeAll(connection);
    return FlightSize(connection);
  }
  // What was in flight when it was lost, with what that report has let out.
  std::uint32_t at_loss() const { return at_loss_; }
  void RequireReduced(std::uint32_t now, std::uint32_t before,
                      SourceLocation where = SourceLocation::Current()) const {
    Require(now < before * 3 / 4,
            "less than " + std::to_string(before * 3 / 4) + " octets in flight",
            std::to_string(now), where);
  }

  // All that is in flight has arrived.
  void AcknowledgeAll(Connection& connection) { Acknowledge(connection, in_flight(connection)); }

 private:
  std::size_t probe_ = 0;
  std::uint32_t length_ = 0, at_loss_ = 0;
};

// What is lost beside a probe.
struct LostBesideRow {
  const char* name;
  bool before;  // or behind it
};
constexpr LostBesideRow kLostBeside[] = {{"before", true}, {"behind", false}};

}  // namespace

TEST_WITH(
    MtuProbingTest, MtuProbing, AProbeIsNoLongerThanThePeerTakes, .claims = {"rfc4821:7.2-largest"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 2s; }) {
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

TEST_WITH(
    MtuProbingTest, MtuProbing, ALostProbeMakesSegmentsShorterAndIsNoCongestion,
    .claims = {"rfc4821:7.6.2-reduce", "rfc4821:7.6.2-lost"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
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

TEST_WITH(
    MtuProbingTest, MtuProbing, AnotherLossBesideThatOfAProbeIsCongestion,
    .claims = {"rfc4821:4-congestion"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 2s; }, .rows = kLostBeside) {
  const bool before = RowOf(kLostBeside).before;
  Connection connection = Probing();
  const std::vector<Segment> flight = FlightWithProbe(connection, before ? 1 : 0, 5);
  const std::size_t from = before ? probe() - 1 : probe();
  const std::uint32_t now = Lose(connection, flight, from, from + 2);
  RequireReduced(now, at_loss());
}

// After a loss, so that the window grows by no more than a segment in a round trip.
TEST_WITH(
    MtuProbingTest, MtuProbing, ALargerMtuLeavesTheWindowAsItIs, .claims = {"rfc4821:4-raised"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 2s; }) {
  Connection connection = Probing();
  const std::vector<Segment> first = Answers(connection);
  if (first.size() < 5) NotReached("too little is in flight");
  Lose(connection, first, 0, 1);
  Pass(kProbedRoundTrip);
  AcknowledgeAll(connection);
  const std::vector<Segment> flight = FlightWithProbe(connection, 0, 1);
  std::uint32_t octets = 0, now = 0;
  for (const Segment& segment : flight) octets += segment.length();
  Pass(kProbedRoundTrip);
  AcknowledgeAll(connection);
  const std::vector<Segment> next = Answers(connection);
  for (const Segment& segment : next) now += segment.length();
  if (next.empty() || ProbeIn(next) == next.size()) NotReached("the MTU is not raised");
  EXPECT_LE(now, octets + 2 * kPeerTakes);
}

// As many round trips as there are segments in the window are the simplest estimate of how often
// there is congestion; growing back from half of it takes half as many.
TEST_WITH(
    MtuProbingTest, MtuProbing, AfterALostProbeNoneComesSoon,
    .claims = {"rfc4821:7.6.2-headway", "rfc4821:4-limited"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  Connection connection = Probing();
  std::vector<Segment> flight = FlightWithProbe(connection, 0, 4);
  const std::uint32_t octets = in_flight(connection);
  if (Lose(connection, flight, probe(), probe() + 1) < octets * 3 / 4) {
    NotReached("the loss of a probe is taken for congestion");
  }
  const std::size_t least = flight.size() / 2;
  std::size_t round_trips = 0;
  flight.clear();
  while (round_trips < least && ProbeIn(flight) == flight.size()) {
    Pass(kProbedRoundTrip);
    AcknowledgeAll(connection);
    flight = Answers(connection);
    ++round_trips;
  }
  const bool comes = ProbeIn(flight) < flight.size();
  Deciding("rfc4821:7.6.2-headway");
  EXPECT_FALSE(comes) << "another probe after " << round_trips << " round trips, not " << least;
  Deciding("rfc4821:4-limited");
  if (!comes) return;
  // What follows for the window is limited all the same where this one counts.
  const std::size_t second = ProbeIn(flight);
  if (flight.size() - second < 5) NotReached("too little is behind the second probe");
  const std::uint32_t now = Lose(connection, flight, second, second + 1);
  RequireReduced(now, at_loss());
}

// Segments that are longer than what is known to fit, and no probes, while there was no timeout.
TEST_WITH(
    MtuProbingTest, MtuProbing, ALongSegmentIsNoProbe, .claims = {"rfc4821:7.1-implicit"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 2s; }) {
  sut.SetSysctl("net.ipv4.tcp_mtu_probing", 1);
  sut.SetSysctl("net.ipv4.tcp_base_mss", kPeerTakes / 2);
  Connection connection = OpenSlowly(kProbedRoundTrip, true, ChooseRfc5681, kPeerTakes);
  WriteMuch(connection, kEnough);
  Begin(connection);
  std::vector<Segment> flight = Answers(connection);
  for (int round_trips = 0; flight.size() < 16; ++round_trips) {
    if (round_trips == kRoundTrips) NotReached("so much is never in flight");
    Pass(kProbedRoundTrip);
    AcknowledgeAll(connection);
    flight = Answers(connection);
  }
  if (flight.front().length() <= kPeerTakes / 2U) NotReached("it begins with short segments");
  const std::uint32_t now = Lose(connection, flight, 4, 5);
  RequireReduced(now, at_loss());
  AcknowledgeAll(connection);
  const std::vector<Segment> next = Answers(connection);
  if (next.empty()) NotReached("nothing more is in flight");
  EXPECT_GE(next.front().length(), flight.front().length()) << "segments became shorter";
}

// No segment that is longer than the others arrives, until none comes any longer.
TEST_WITH(
    MtuProbingTest, MtuProbing, OnceTheMtuIsFoundNoneIsProbedForFiveMinutes,
    .claims = {"rfc4821:7.3-timer"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 5min; }) {
  constexpr Duration kAtLeast = 5min, kPause = 10s;
  constexpr std::size_t kOctets = 12'000;
  sut.SetSysctl("net.ipv4.tcp_mtu_probing", 2);
  sut.SetSysctl("net.ipv4.tcp_base_mss", kPeerTakes / 2);
  sut.SetSysctl("net.ipv4.tcp_slow_start_after_idle", 0);  // the window stays large enough to probe
  Connection connection =
      Connected({.options = std::vector{tcp_option::Mss(kPeerTakes)}, .sack = true});
  ChooseRfc5681(connection.socket);
  Begin(connection);
  std::uint32_t length = 0;
  Time last_probe = Clock::now();
  int probes = 0;
  const auto exchange = [&] {
    connection.socket.Send(std::string(kOctets, 'x')).value();
    for (std::vector<Segment> flight = Answers(connection); in_flight(connection) > 0;
         flight = Answers(connection)) {
      if (length == 0) length = flight.front().length();
      const auto probe = std::find_if(flight.begin(), flight.end(), [&](const Segment& segment) {
        return segment.length() > length;
      });
      if (probe != flight.end()) {
        last_probe = probe->time;
        ++probes;
        const tcp_option::SackBlock behind{probe->seq + probe->length(), connection.peer.rcv_nxt};
        Acknowledge(connection, probe->seq - acknowledged(),
                    behind.first == behind.second ? Ack() : Ack().Sack({behind}));
        Pass(kShortestTimeout);
        Answers(connection);
      }
      AcknowledgeAll(connection);
    }
  };
  // After a lost probe it may wait for as many round trips as there are segments in its window.
  constexpr int kQuiet = 100, kMost = 2000;
  for (int exchanges = 0, quiet = 0; quiet < kQuiet; ++exchanges) {
    if (exchanges == kMost) NotReached("its search does not end");
    const int before = probes;
    exchange();
    quiet = probes > before ? 0 : quiet + 1;
  }
  if (probes == 0) NotReached("it sends no probe");
  const Time converged = last_probe;
  const int before = probes;
  while (Clock::now() - converged < kAtLeast) {
    exchange();
    if (probes > before) break;
    Pass(kPause);
  }
  if (probes > before) {
    EXPECT_THAT(last_probe - converged, LastsAtLeast(kAtLeast));
  }
}

// What is in flight never arrives, and nobody says why.
TEST_WITH(
    MtuProbingTest, MtuProbing, RepeatedTimeoutsHalveIt, .claims = {"rfc4821:7.7-timeouts"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 40s; }) {
  sut.SetSysctl("net.ipv4.tcp_retries1", 3);  // R1, from which on it falls back
  Connection connection = Probing();
  const std::uint32_t length = Answers(connection).front().length();
  const std::uint32_t headers = ip == IpVersion::kIpv4 ? 40 : 60;
  if (length + headers <= LeastMtu(ip)) NotReached("it is as short as it may be");
  std::uint32_t shortest = length;
  for (int timeouts = 0; timeouts < 7; ++timeouts) {
    const Segment again =
        connection.peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(120s));
    shortest = std::min(shortest, again.length());
    Answers(connection);
  }
  EXPECT_LE(shortest + headers, std::max((length + headers) / 2, LeastMtu(ip)));
}

// A router tells it of one connection.
TEST_WITH(
    MtuProbingTest, MtuProbing, WhatIsKnownOfAPathHoldsOfItsNextConnection,
    .claims = {"rfc4821:5.2-shared"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  constexpr std::uint16_t kPathMtu = 1280;
  const std::size_t fits = kPathMtu - (ip == IpVersion::kIpv4 ? 40 : 60);
  const auto first_segment = [&](Connection connection) {
    connection.socket.Send(std::string(1400, 'x')).value();
    return connection.peer.Expect(AnyData().Seq(connection.peer.rcv_nxt));
  };
  Connection connection = Connected();
  const Segment too_big = first_segment(connection);
  if (too_big.payload.size() <= fits) NotReached("its link takes no more");
  host.Report(icmp::TooBig(ip, kPathMtu), too_big);
  const Segment again = connection.peer.ExpectEventually(AnyData().Seq(too_big.seq), Within(10s));
  if (again.payload.size() > fits) NotReached("it discovers no path MTU");
  Deciding("rfc4821:5.2-shared");
  EXPECT_LE(first_segment(Connected()).payload.size(), fits);
}

// Three hosts by way of the same neighbour, two of them on one network.
TEST_WITH(
    MtuProbingTest, MtuProbing, ANetworkIsNoPath, .claims = {"rfc4821:5.2-networks"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  constexpr std::uint16_t kPathMtu = 1280;
  const bool is_ipv4 = ip == IpVersion::kIpv4;
  const std::size_t fits = kPathMtu - (is_ipv4 ? 40 : 60);
  Connection listening = InState(TcpState::kListen);
  const Endpoint local = *listening.peer.remote();
  const auto connected = [&](const char* ipv4, const char* ipv6) -> Connection {
    const Endpoint far{IpAddress(is_ipv4 ? ipv4 : ipv6), NextPort()};
    ScriptedTcp& peer = host.Towards(local, far);
    peer.Send(Syn());
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack());
    return {listening.socket.Accept().value().socket, peer};
  };
  const auto first_segment = [&](Connection connection) {
    connection.socket.Send(std::string(1400, 'x')).value();
    return connection.peer.Expect(AnyData().Seq(connection.peer.rcv_nxt));
  };
  Connection one = connected("198.51.100.7", "2001:db8:7::7");
  const Segment too_big = first_segment(one);
  if (too_big.payload.size() <= fits) NotReached("its link takes no more");
  host.Report(icmp::TooBig(ip, kPathMtu), too_big);
  const Segment again = one.peer.ExpectEventually(AnyData().Seq(too_big.seq), Within(10s));
  if (again.payload.size() > fits) NotReached("it discovers no path MTU");
  if (first_segment(connected("203.0.113.200", "2001:db8:8::8")).payload.size() <= fits) {
    NotReached("it has one path MTU for all");
  }
  Deciding("rfc4821:5.2-networks");
  EXPECT_GT(first_segment(connected("198.51.100.8", "2001:db8:7::8")).payload.size(), fits)
      << "what is known of one host holds of another";
}
