// Retransmission of data: when, what and how often. RFC 9293 section 3.8 and RFC 6298, which it
// refers to.
#include <set>
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class RetransmissionTest : public PeerTest {
 protected:
  // What the system under test says of its timer now.
  static Duration TimeoutOf(Socket& socket) {
    return std::chrono::microseconds(socket.Info("rto"));
  }

  // A connection that lets so many segments of kSmallMss out at once.
  Connection ConnectedAndGrown() {
    Connection connection = Connected({.options = std::vector{tcp_option::Mss(kSmallMss)}});
    GrowCongestionWindow(connection, kSmallMss, kInFlight);
    return connection;
  }

  // Sends so many full segments, which go out; returns the first.
  static Segment FillFlight(Connection& connection) {
    auto& [socket, peer] = connection;
    socket.Send(std::string(kInFlight * kSmallMss, 'x')).value();
    const Segment first = peer.Expect(AnyData().Seq(peer.rcv_nxt));
    while (peer.rcv_nxt != first.seq + kInFlight * kSmallMss) {
      peer.Expect(AnyData().Seq(peer.rcv_nxt));
    }
    return first;
  }

  static constexpr std::uint16_t kSmallMss = 500;
  static constexpr std::uint32_t kInFlight = 4;
};

// Long enough for a few timeouts of a connection without delay. Used to plan.
Duration AFewTimeouts(const Facts&) { return 3s; }

}  // namespace

TEST_WITH(RetransmissionTest, Retransmission, ComesAfterTheTimeoutAndEachTimeAfterTwiceAsLong,
          .claims = {"rfc9293:MUST-19", "rfc6298:5.5-back-off", "rfc6298:5.1-start",
                     "rfc6298:5-never-too-early"},
          .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  const Duration timeout = TimeoutOf(socket);
  ASSERT_THAT(socket.Send("hello?"), Returns(6));
  std::vector<Segment> sent = {peer.Expect(Data("hello?"))};
  for (int times = 0; times < 3; ++times) {
    Deciding(times == 0 ? "rfc6298:5.1-start" : "rfc6298:5.5-back-off");
    const Duration gap = timeout * (1 << times);
    sent.push_back(peer.Expect(Data("hello?").Seq(sent[0].seq), AtMost(gap)));
    EXPECT_THAT(sent[times + 1].time - sent[times].time, FiresAfter(gap)) << times;
    Deciding("rfc6298:5-never-too-early");
    EXPECT_THAT(sent[times + 1].time - sent[times].time, LastsAtLeast(FiresAfter(gap).earliest()))
        << times;
  }
  Deciding("rfc9293:MUST-19");
  EXPECT_GT(sent[3].time - sent[2].time, sent[1].time - sent[0].time) << "no back-off";
}

TEST_WITH(RetransmissionTest, Retransmission, IsOfTheEarliestDataThatIsNotAcknowledged,
          .claims = {"rfc6298:5.4-earliest", "rfc9293:3.10.8-retransmission"},
          .lasts = AFewTimeouts) {
  Connection connection = ConnectedAndGrown();
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.SetOption("TCP_NODELAY", 1), Succeeds());
  for (const char* word : {"one", "two", "three"}) socket.Send(word).value();
  const Segment one = peer.Expect(Data("one"));
  peer.Expect(Data("two"));
  peer.Expect(Data("three"));
  EXPECT_EQ(peer.Expect(AnyData(), Within(10s)).seq, one.seq);
  peer.Send(Ack().Ack(one.seq + 3));
  peer.ExpectEventually(AnyData().Seq(one.seq + 3), Within(10s));
}

TEST_WITH(RetransmissionTest, Retransmission, AnAcknowledgmentOfNewDataStartsTheTimerAnew,
          .claims = {"rfc6298:5.3-restart"}, .needs = {"tcp_info"}, .lasts = AFewTimeouts) {
  Connection connection = ConnectedAndGrown();
  auto& [socket, peer] = connection;
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
          .claims = {"rfc9293:MUST-18", "rfc6298:3-samples"}, .needs = {"tcp_info"},
          .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected();
  const Duration before = TimeoutOf(socket);
  std::int64_t round_trip_time = socket.Info("rtt");
  // By the formulas of RFC 6298 section 2, the third sample of half a timeout is the first after
  // which SRTT + 4 RTTVAR is more than that timeout, which may have been a minimum.
  for (int samples = 0; samples < 3; ++samples) {
    socket.Send("slowly").value();
    peer.Expect(Data("slowly"));
    peer.ExpectSilence(before / 2);
    peer.Send(Ack());
    Settle();
    // Rule 3 takes no sample of it then.
    if (peer.waiting() > 0) throw Inconclusive("the peer has answered after a retransmission");
    Deciding("rfc6298:3-samples");
    EXPECT_GT(socket.Info("rtt"), round_trip_time) << "no sample of round trip " << samples;
    round_trip_time = socket.Info("rtt");
  }
  Deciding("rfc9293:MUST-18");
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

TEST_WITH(RetransmissionTest, Retransmission, TheTimeoutIsAtLeastThatOfTcpRtoMinUs,
          .claims = {"linux:tcp_rto_min_us"}, .needs = {"sysctl"}, .lasts = AFewTimeouts) {
  sut.SetSysctl("net.ipv4.tcp_rto_min_us", 700'000);
  auto [socket, peer] = Connected();
  socket.Send("be patient").value();
  const Segment first = peer.Expect(Data("be patient"));
  const Segment again = peer.Expect(Data("be patient").Seq(first.seq), Within(10s));
  EXPECT_THAT(again.time - first.time, LastsAtLeast(FiresAfter(700ms).earliest()));
}

// A SYN that was sent again gives no sample, and the timeout of 1 s was too short for it.
TEST_WITH(
    RetransmissionTest, Retransmission, AfterALostSynTheTimeoutOfDataIsAtLeastThreeSeconds,
    .claims = {"rfc6298:5.7-after-lost-syn"},
    .lasts = [](const Facts&) -> Duration { return 5s; }) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  const Segment syn = peer.Expect(Syn());
  peer.Expect(Syn().Seq(syn.seq), OpeningPatience());
  peer.Send(SynAck());
  peer.Expect(Ack().Ack(peer.snd_nxt));
  connecting.Await().value();
  socket.Send("cautiously").value();
  const Segment first = peer.Expect(Data("cautiously"));
  const Segment again = peer.Expect(Data("cautiously").Seq(first.seq), OpeningPatience());
  EXPECT_GE(again.time - first.time, FiresAfter(3s, OwnGranularity(sut.facts())).earliest());
}

// --- Congestion ----------------------------------------------------------------------------------

TEST_WITH(RetransmissionTest, Retransmission, ThreeDuplicateAcknowledgmentsBringItAtOnce,
          .claims = {"rfc5681:3.2-fast-retransmit"}) {
  Connection connection = ConnectedAndGrown();
  ScriptedTcp& peer = connection.peer;
  const Segment lost = FillFlight(connection);
  for (int duplicates = 0; duplicates < 3; ++duplicates) peer.Send(Ack().Ack(lost.seq));
  // What is outside the window is answered with an ACK: if three are not enough, that comes next.
  peer.Send(Ack().Seq(peer.snd_nxt - 1));
  peer.Expect(AnyData().Seq(lost.seq));
}

TEST_WITH(RetransmissionTest, Retransmission, OfManySegmentsFewGoOutBeforeTheFirstAcknowledgment,
          .claims = {"rfc9293:MUST-19", "rfc5681:3.1-initial-window", "rfc6928:2-initial-window"}) {
  constexpr size_t kByRfc5681 = 4, kByRfc6928 = 10;  // segments of that size
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(kSmallMss)}});
  Pending<int> sending = socket.StartSend(std::string(30'000, 'x'));
  peer.Expect(AnyData().Seq(peer.irs + 1));
  Settle();
  peer.TakeArrived();
  // By their octets: RFC 5681 counts in both.
  const size_t initial = (peer.rcv_nxt - peer.irs - 1 + kSmallMss - 1) / kSmallMss;
  Deciding("rfc5681:3.1-initial-window");
  EXPECT_LE(initial, kByRfc6928);
  if (initial <= kByRfc5681) {
    NotTaken("rfc6928:2-initial-window", "the initial window is that of RFC 5681");
  } else {
    Deciding("rfc6928:2-initial-window");
  }

  // In slow start each acknowledgment lets out what it acknowledges and at most one more.
  Deciding("rfc9293:MUST-19");
  for (size_t segment = 1; segment <= initial; ++segment) {
    peer.Send(Ack().Ack(peer.irs + 1 + static_cast<std::uint32_t>(segment * kSmallMss)));
  }
  const std::uint32_t before = peer.rcv_nxt;
  peer.Expect(AnyData().Seq(before));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - before, 2 * initial * kSmallMss);
}

TEST_WITH_PEER(Retransmission, TheCongestionControlMayBeChosen,
               .claims = {"rfc9293:MAY-18", "man:tcp(7)-TCP_CONGESTION"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  const std::string before = socket.GetText("TCP_CONGESTION").value();
  Deciding("man:tcp(7)-TCP_CONGESTION");
  ASSERT_THAT(socket.SetOption("TCP_CONGESTION", Bytes{'r', 'e', 'n', 'o'}), Succeeds());
  EXPECT_THAT(socket.GetText("TCP_CONGESTION"), Returns("reno"));
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  peer.Send(SynAck());
  peer.Expect(Ack());
  connecting.Await().value();
  EXPECT_THAT(socket.GetText("TCP_CONGESTION"), Returns("reno"));
  ASSERT_THAT(socket.Send("chosen"), Returns(6));
  peer.Expect(Data("chosen"));
  if (before == "reno") {
    NotTaken("rfc9293:MAY-18", "the congestion control is that of RFC 5681 already");
  } else {
    Deciding("rfc9293:MAY-18");
  }
}

TEST_WITH(RetransmissionTest, Retransmission, AfterATimeoutOnlyOneSegmentGoesOut,
          .claims = {"rfc9293:MUST-19"}, .lasts = AFewTimeouts) {
  Connection connection = ConnectedAndGrown();
  ScriptedTcp& peer = connection.peer;
  const Segment first = FillFlight(connection);
  peer.Expect(AnyData().Seq(first.seq), Within(10s));
  Settle();
  // It may have come a third time by now, or in parts.
  for (const Segment& segment : AllArrived(peer)) {
    EXPECT_LE(segment.seq + segment.length() - first.seq, std::uint32_t{kSmallMss})
        << "a second segment after the timeout";
  }
}

// Everything in flight is lost. In slow start the window would double with every round trip without
// end; from half of what was in flight on it is to grow by a segment each.
TEST_WITH(RetransmissionTest, Retransmission, AfterATimeoutTheWindowSoonGrowsSlowly,
          .claims = {"rfc9293:MUST-19", "rfc5681:3.1-congestion-avoidance"},
          .lasts = AFewTimeouts) {
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(kSmallMss)}});
  Pending<int> sending = socket.StartSend(std::string(60'000, 'x'));
  const std::uint32_t start = peer.Expect(AnyData().Seq(peer.rcv_nxt)).seq;
  Settle();
  peer.TakeArrived();
  const std::uint32_t in_flight = (peer.rcv_nxt - start) / kSmallMss;
  peer.ExpectEventually(AnyData().Seq(start), Within(10s));

  std::uint32_t acknowledged = start + kSmallMss;
  std::set<std::uint32_t> beyond;  // what has arrived past a gap
  std::vector<Segment> arrived(1);
  for (std::uint32_t round_trip = 1; round_trip <= 7; ++round_trip) {
    for (const Segment& segment : arrived) {
      if (segment.length() > 0) beyond.insert(segment.seq);
      while (beyond.erase(acknowledged) > 0) acknowledged += kSmallMss;
      peer.Send(Ack().Ack(acknowledged));
    }
    Settle();
    arrived = AllArrived(peer);
    std::uint32_t octets = 0;
    for (const Segment& segment : arrived) octets += segment.length();
    for (const char* claim : {"rfc5681:3.1-congestion-avoidance", "rfc9293:MUST-19"}) {
      Deciding(claim);
      EXPECT_LE(octets, (in_flight + round_trip) * kSmallMss) << "in round trip " << round_trip;
    }
  }
}

// --- The end of it -------------------------------------------------------------------------------

// It ends between two retransmissions.
TEST_WITH(
    RetransmissionTest, Retransmission, AShortTcpUserTimeoutEndsAConnectionInTime,
    .claims = {"man:tcp(7)-TCP_USER_TIMEOUT"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  constexpr Duration kUserTimeout = 1500ms;
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 1500), Succeeds());
  Pending<std::string> receiving = socket.StartReceive(64);
  socket.Send("unheard").value();
  const Segment unheard = peer.Expect(Data("unheard"));
  const Outcome<std::string> received = receiving.Await(AtMost(kUserTimeout));
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
  EXPECT_THAT(received.end - unheard.time, FiresAfter(kUserTimeout));
}

TEST_WITH(
    RetransmissionTest, Retransmission, TcpUserTimeoutEndsAConnectionThatIsNotAcknowledged,
    .claims = {"man:tcp(7)-TCP_USER_TIMEOUT", "rfc9293:3.10.8-user-timeout", "rfc9293:MUST-21"},
    .lasts = [](const Facts&) -> Duration { return 6s; }) {
  // So far apart that a timer of the retransmission, which doubles, ends between them.
  constexpr int kUserTimeouts[] = {2000, 6000};
  std::vector<Connection> connections = {Connected(), Connected()};
  std::vector<Pending<std::string>> receiving;
  std::vector<Segment> unheard;
  for (size_t i = 0; i < 2; ++i) {
    auto& [socket, peer] = connections[i];
    socket.SetOption("TCP_USER_TIMEOUT", kUserTimeouts[i]).value();
    receiving.push_back(socket.StartReceive(64));
    socket.Send("unheard").value();
    unheard.push_back(peer.Expect(Data("unheard")));
  }
  std::vector<Duration> lasted;
  for (size_t i = 0; i < 2; ++i) {
    const std::chrono::milliseconds documented(kUserTimeouts[i]);
    const Outcome<std::string> received = receiving[i].Await(AtMost(documented));
    Deciding("man:tcp(7)-TCP_USER_TIMEOUT");
    EXPECT_THAT(received, FailsWith(ETIMEDOUT));
    EXPECT_THAT(received.end - unheard[i].time, FiresAfter(documented));
    ExpectEverMoreRarely(unheard[i], AllArrived(connections[i].peer));
    Deciding("rfc9293:3.10.8-user-timeout");
    EXPECT_THAT(received, testing::Not(Succeeds()));
    const Segment late = connections[i].peer.Send(Ack());
    connections[i].peer.Expect(Rst().Seq(late.ack));
    lasted.push_back(received.end - unheard[i].time);
  }
  Deciding("rfc9293:MUST-21");
  EXPECT_GT(lasted[1], lasted[0] + 500ms);
}
