// What a sender has in flight, for suites about its congestion window: as much as that window lets
// out is what comes when much has been written, the window of the peer is large, and nothing is
// acknowledged.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

namespace sockproof {

class FlightTest : public PeerTest {
 protected:
  static constexpr std::uint32_t kMss = 500;  // SMSS: what the peer of these connections takes

  static Offer SmallSegments() { return {.options = std::vector{tcp_option::Mss(kMss)}}; }

  // The congestion control of RFC 5681, by the names of Linux and FreeBSD. Where none can be
  // chosen, a system has no other; NotReached() where it has others only, as that of RFC 9438.
  static void ChooseRfc5681(Socket socket) {
    try {
      if (!socket.GetText("TCP_CONGESTION").ok()) return;
      for (const std::string_view name : {std::string_view("reno"), std::string_view("newreno")}) {
        if (socket.SetOption("TCP_CONGESTION", Bytes(name.begin(), name.end())).ok()) return;
      }
    } catch (const Skip&) {
      return;
    }
    NotReached("it has no congestion control of RFC 5681");
  }

  // A connection of which the congestion control is that.
  Connection ByRfc5681() {
    ScriptedTcp& peer = host.Listen(ip, 80);
    peer.syn_options = {tcp_option::Mss(kMss)};
    Socket socket = sut.NewSocket(ip);
    ChooseRfc5681(socket);
    Pending<int> connecting = socket.StartConnect(peer.local());
    peer.Expect(Syn());
    peer.Send(SynAck());
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    connecting.Await().value();
    return {socket, peer};
  }

  // A connection of that congestion control whose handshake takes a round trip, long against what a
  // machine may be late: the sample of it is sample(), what came back from the system in no time
  // took way(). With SACK or without; NotReached() where the system does not permit that.
  Connection OpenSlowly(Duration round_trip, bool sack, void (*choose)(Socket),
                        std::uint16_t mss = kMss) {
    ScriptedTcp& peer = host.Listen(ip, 80);
    peer.syn_options = {tcp_option::Mss(mss)};
    if (sack) peer.syn_options.push_back(tcp_option::SackPermitted());
    Socket socket = sut.NewSocket(ip);
    choose(socket);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    if (sack && syn.FindOption(tcp_option::kSackPermitted) == nullptr) {
      NotReached("SACK is not permitted");
    }
    peer.ExpectSilence(round_trip);
    const Segment syn_ack = peer.Send(SynAck());
    const Segment ack = peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    sample_ = ack.time - syn.time;
    way_ = ack.time - syn_ack.time;
    connecting.Await().value();
    return {socket, peer};
  }
  Duration sample() const { return sample_; }
  Duration way() const { return way_; }

  // Whatever comes meanwhile is taken in later.
  void Pass(Duration time) {
    sut.loop().RunUntil([] { return false; }, Clock::now() + time);
  }

  // What the system sends at once: its segments with data, those that come again too.
  std::vector<Segment> Answers(Connection& connection) {
    std::vector<Segment> segments, more;
    do {  // what Settle() sends may pass what is under way
      Settle();
      more = AllArrived(connection.peer);
      segments.insert(segments.end(), more.begin(), more.end());
    } while (!more.empty());
    std::erase_if(segments, [](const Segment& segment) { return segment.payload.empty(); });
    return segments;
  }

  // The system has more to send than any window lets out, and holds as much of it as it may: else
  // what is in flight could wait for the process that writes. Once for each connection.
  static constexpr std::uint32_t kMuch = 1'000'000;
  void WriteMuch(Connection& connection, std::uint32_t octets = kMuch) {
    constexpr int kHeld = 200'000;
    try {
      (void)connection.socket.SetOption("SO_SNDBUF", kHeld);
    } catch (const Skip&) {  // it has no such option
    }
    writing_.push_back(connection.socket.StartSend(std::string(octets, 'x')));
  }

  // Takes in what has come, once all that can come at once has: FlightSize of RFC 5681, in octets.
  // What comes twice is left out.
  std::uint32_t FlightSize(Connection& connection) {
    std::optional<std::uint32_t> before;
    while (before != connection.peer.rcv_nxt) {  // what Settle() sends may pass what is under way
      before = connection.peer.rcv_nxt;
      Settle();
      connection.peer.TakeArrived();
    }
    return connection.peer.rcv_nxt - acknowledged_;
  }

  // The same, without waiting for more.
  std::uint32_t in_flight(const Connection& connection) const {
    return connection.peer.rcv_nxt - acknowledged_;
  }

  // From here on, nothing is acknowledged.
  std::uint32_t Begin(Connection& connection) { return acknowledged_ = connection.peer.rcv_nxt; }

  // The peer acknowledges so many octets more, by segments like this one.
  Segment Acknowledge(Connection& connection, std::uint32_t octets, PartialSegment like = Ack()) {
    acknowledged_ += octets;
    return connection.peer.Send(like.Ack(acknowledged_));
  }

  // A round trip: each segment in flight is acknowledged by itself. What is then in flight.
  std::uint32_t RoundTrip(Connection& connection, const PartialSegment& like = Ack()) {
    for (std::uint32_t octets = in_flight(connection); octets > 0;) {
      const std::uint32_t segment = std::min(octets, kMss);
      Acknowledge(connection, segment, like);
      octets -= segment;
    }
    return FlightSize(connection);
  }

  // Acknowledges what comes until all that was written is.
  void Drain(Connection& connection, std::uint32_t start, std::uint32_t octets = kMuch) {
    Acknowledge(connection, in_flight(connection));
    while (acknowledged_ != start + octets) {
      connection.peer.Expect(AnyData().Seq(connection.peer.rcv_nxt));
      Acknowledge(connection, in_flight(connection));
    }
  }

  // Until at least so many segments are in flight. NotReached() where the window does not grow so
  // far, for whatever reason: a buffer, or a window that is not scaled.
  std::uint32_t Grow(Connection& connection, std::uint32_t segments,
                     const PartialSegment& like = Ack()) {
    std::uint32_t flight = FlightSize(connection);
    for (int round_trips = 0; flight < segments * kMss; ++round_trips) {
      if (round_trips == 20) NotReached("so much is never in flight");
      flight = RoundTrip(connection, like);
    }
    return flight;
  }

  // What would not be so after a timeout of the system: if a process of the test was late by as
  // much as the shortest timeout of a system takes, that may be the reason. (FreeBSD: 30 ms; none
  // is shorter than the round trip.)
  void Require(bool holds, const std::string& expected, const std::string& observed,
               SourceLocation where = SourceLocation::Current()) const {
    constexpr Duration kShortestTimeout = 30ms;
    if (holds) return;
    throw Departure("  Expected: " + expected + "\n  Observed: " + observed, where,
                    std::max(kShortestTimeout, sample_));
  }
  void RequireInFlight(std::uint32_t flight, std::uint32_t least,
                       SourceLocation where = SourceLocation::Current()) const {
    Require(flight >= least, std::to_string(least) + " octets in flight, or more",
            std::to_string(flight), where);
  }

  // Brings about a loss of the first segment in flight, which is mended by a fast retransmit: what
  // was in flight then. Afterwards all is acknowledged that was.
  std::uint32_t LoseOneSegment(Connection& connection) {
    const std::uint32_t flight = in_flight(connection);
    SendDuplicates(connection, 3);
    // New data that the first duplicates let out is in flight like the other.
    while (connection.peer.Expect(AnySegment(), Within(10s)).seq != acknowledged()) continue;
    Settle();
    connection.peer.TakeArrived();
    return flight;
  }

  // The first number that is not acknowledged: SND.UNA of the system.
  std::uint32_t acknowledged() const { return acknowledged_; }

  // The peer has got everything but the first segment in flight, and says so by so many duplicate
  // acknowledgments.
  void SendDuplicates(Connection& connection, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < count; ++i) connection.peer.Send(Ack().Ack(acknowledged_));
  }

 private:
  std::uint32_t acknowledged_ = 0;
  Duration sample_{0}, way_{0};
  std::vector<Pending<int>> writing_;
};

}  // namespace sockproof
