// The send and the receive window, RFC 9293 section 3.8.6: small, closed, shrinking and silly ones.
#include <algorithm>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr int kMss = 1000;
constexpr std::uint16_t kAtOnce = 4 * kMss;

// A probe of a closed window may take that long: the persist timers of BSD wait at least 5 s.
constexpr Duration kProbePatience = 15s;

class WindowTest : public PeerTest {
 protected:
  // A peer whose segments may hold kMss octets.
  static Offer OfWindow(std::uint16_t window) {
    return {.window = window, .options = std::vector{tcp_option::Mss(kMss)}};
  }

  // A connection whose window of kAtOnce octets is full: they are in flight.
  Connection WithFullFlight() {
    Connection connection = Connected(OfWindow(kAtOnce));
    GrowCongestionWindow(connection, kMss, kAtOnce / kMss);
    auto& [socket, peer] = connection;
    const std::uint32_t end = peer.rcv_nxt + kAtOnce;
    socket.Send(std::string(kAtOnce, 'x')).value();
    while (peer.rcv_nxt != end) peer.Expect(AnyData().Seq(peer.rcv_nxt));
    return connection;
  }

  // Reads what has come; no socket of these tests holds 64 times that.
  static void ReadAll(const Socket& socket) {
    for (int left = 64; left > 0 && socket.Receive(65536, {"MSG_DONTWAIT"}).ok(); --left) continue;
  }

  // A probe of the window that was closed with an acknowledgment of this number. It must be such
  // that its receiver answers: with data, or outside of the window, which nothing but an empty
  // segment of that number is within (RFC 9293 section 3.10.7.4, table 6).
  static Segment ExpectProbe(ScriptedTcp& peer, std::uint32_t acknowledged,
                             SourceLocation where = SourceLocation::Current()) {
    const Segment probe = peer.Expect(AnySegment(), Within(kProbePatience), where);
    EXPECT_TRUE(probe.Has(kAck)) << "a probe without ACK";
    EXPECT_TRUE(probe.length() > 0 || probe.seq != acknowledged) << "nobody has to answer it";
    return probe;
  }

  // All that has arrived since a window was closed at this number probes it: an octet at most.
  static void ExpectOnlyProbes(ScriptedTcp& peer, std::uint32_t edge) {
    for (const Segment& segment : AllArrived(peer)) {
      EXPECT_LE(static_cast<std::int32_t>(segment.seq + segment.length() - edge), 1)
          << "an older segment has opened the window";
    }
  }

  // Acknowledges up to here and offers so much from there on.
  static void Answer(ScriptedTcp& peer, std::uint32_t ack, std::uint16_t window) {
    peer.rcv_wnd = window;
    peer.Send(Ack().Ack(ack));
  }

  // A connection whose receive window at the system under test has been filled and is 0.
  Connection WithFullBuffer() {
    auto [listener, peer] = InState(TcpState::kListen);
    listener.SetOption("SO_RCVBUF", 8192).value();
    peer.syn_options = {tcp_option::Mss(kMss)};
    peer.Send(Syn());
    std::uint16_t window = peer.Expect(SynAck()).window;
    peer.Send(Ack());
    Connection connection{listener.Accept().value().socket, peer};
    for (int segments = 0; window > 0; ++segments) {
      if (segments == 1000)
        throw Departure("  Expected: the receive window closes\n  Observed: it stays open",
                        SourceLocation::Current());
      peer.Send(Data(std::string(std::min<size_t>(window, kMss), 'x')));
      window = peer.Expect(Ack().Ack(peer.snd_nxt)).window;
    }
    return connection;
  }
};

}  // namespace

// --- The window of the peer ----------------------------------------------------------------------

TEST_WITH(WindowTest, Window, NothingIsSentPastIt, .claims = {"rfc9293:3.8.6-offered"}) {
  auto [socket, peer] = Connected(OfWindow(2500));
  Pending<int> sending = socket.StartSend(std::string(6000, 'x'));
  const std::uint32_t first = peer.rcv_nxt;
  peer.Expect(AnyData().Seq(first));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - first, 2500U);
}

// A window that is taken for a negative number is a closed one.
TEST_WITH(WindowTest, Window, ALargeOneIsNoNegativeOne, .claims = {"rfc9293:MUST-1"}) {
  for (const std::uint16_t window : {std::uint16_t{0x8000}, std::uint16_t{0xffff}}) {
    auto [socket, peer] = Connected(OfWindow(window));
    socket.Send(std::string(kMss, 'x')).value();
    EXPECT_GT(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 1U) << "a probe";
  }
}

TEST_WITH(WindowTest, Window, MoreThan64KilooctetsMayBeInFlight, .claims = {"rfc9293:REC-1"}) {
  constexpr std::size_t kLargeMss = 1400, kMuch = 100'000;
  constexpr std::uint8_t kShift = 7;
  ScriptedTcp& peer = host.Listen(ip, 80);
  peer.syn_options = {tcp_option::Mss(kLargeMss), tcp_option::WindowScale(kShift)};
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  if (peer.Expect(Syn()).FindOption(tcp_option::kWindowScale) == nullptr) {
    NotReached("windows are not scaled");
  }
  peer.Send(SynAck());
  peer.Expect(Ack());
  connecting.Await().value();
  Connection connection{socket, peer};
  GrowCongestionWindow(connection, kLargeMss, kMuch / kLargeMss);
  const std::uint32_t start = peer.rcv_nxt;
  Pending<int> sending = socket.StartSend(std::string(2 * kMuch, 'x'));
  Settle();
  peer.TakeArrived();
  // A send buffer may be the limit, which says nothing of the window.
  if (peer.rcv_nxt - start <= 65535) NotReached("no more than 65535 octets are in flight");
  EXPECT_LE(peer.rcv_nxt - start, std::uint32_t{peer.rcv_wnd} << kShift);
}

// The window of the other connection is that of its own peer.
TEST_WITH(WindowTest, Window, IsOfOneConnection, .claims = {"rfc9293:3.3.1-one-connection"}) {
  auto [socket, peer] = Connected(OfWindow(5000));
  auto [stranger_socket, stranger] = InState(TcpState::kClosed);
  stranger.Send(Syn().Window(63));
  stranger.Expect(Rst());
  stranger.Send(Fin().Window(63));
  stranger.Expect(Rst());
  socket.Send(std::string(kMss, 'x')).value();
  EXPECT_GT(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 63U);
}

TEST_WITH(WindowTest, Window, AnOlderAcknowledgmentDoesNotSetIt,
          .claims = {"rfc9293:3.10.7.4-window-update"}) {
  Connection connection = WithFullFlight();
  auto& [socket, peer] = connection;
  const std::uint32_t end = peer.rcv_nxt;
  Answer(peer, end, 0);
  Answer(peer, end - kMss, 3 * kMss);  // older, and of the same sequence number
  Settle();
  ASSERT_THAT(socket.Send("it must wait"), Returns(12));
  Settle();
  ExpectOnlyProbes(peer, end);

  Answer(peer, end, 3 * kMss);
  peer.ExpectEventually(AnyData().Seq(end), Within(kProbePatience));
}

// It is not acceptable at all: what it says is dropped with it.
TEST_WITH(WindowTest, Window, ASegmentBeforeItDoesNotSetIt,
          .claims = {"rfc9293:3.10.7.4-window-update", "rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [socket, peer] = Connected(OfWindow(3000));
  const std::uint32_t end = peer.rcv_nxt;
  peer.Send(Data("newer").Window(0));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  peer.Send(Ack().Seq(peer.snd_nxt - 5).Window(3000));
  Settle();
  AllArrived(peer);  // an answer to it
  ASSERT_THAT(socket.Send("it must wait"), Returns(12));
  Settle();
  ExpectOnlyProbes(peer, end);

  Answer(peer, end, 3000);
  peer.ExpectEventually(AnyData().Seq(end), Within(kProbePatience));
}

// --- Shrinking -----------------------------------------------------------------------------------

TEST_WITH(WindowTest, Window, NothingNewIsSentPastTheEdgeOfOneThatShrinks,
          .claims = {"rfc9293:SHLD-15", "rfc9293:MUST-34"}) {
  Connection connection = WithFullFlight();
  auto& [socket, peer] = connection;
  const std::uint32_t end = peer.rcv_nxt;
  const std::uint32_t first = end - kAtOnce;
  socket.Send(std::string(kAtOnce, 'y')).value();

  // Acknowledged 1000, 2000 more may come: the edge goes from 4000 to 3000. What is old may come
  // again.
  Answer(peer, first + 1000, 2000);
  Settle();
  Deciding("rfc9293:SHLD-15");
  for (const Segment& segment : AllArrived(peer)) {
    EXPECT_LE(segment.seq + segment.length() - first, kAtOnce) << "new data past the edge";
  }
  // Once the window opens again, the stream goes on to its end.
  Deciding("rfc9293:MUST-34");
  for (std::uint32_t ack = end; ack != end + kAtOnce; ack = peer.rcv_nxt) {
    Answer(peer, ack, kAtOnce);
    peer.ExpectEventually(AnyData().Seq(ack));
  }
}

TEST_WITH(WindowTest, Window, WhatLiesWithinOneThatHasShrunkIsRetransmitted,
          .claims = {"rfc9293:SHLD-16"}) {
  Connection connection = WithFullFlight();
  ScriptedTcp& peer = connection.peer;
  const std::uint32_t first = peer.rcv_nxt - kAtOnce;
  Answer(peer, first + 1000, 2000);
  peer.Expect(AnyData().Seq(first + 1000), Within(kProbePatience));
  Answer(peer, first + 2000, 2000);
  peer.Expect(AnyData().Seq(first + 2000), Within(kProbePatience));
}

TEST_WITH(
    WindowTest, Window, OneThatShrinksToZeroIsProbed,
    .claims = {"rfc9293:MUST-35", "rfc9293:MUST-34"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = WithFullFlight();
  auto& [socket, peer] = connection;
  const std::uint32_t end = peer.rcv_nxt;
  const std::uint32_t acknowledged = end - kAtOnce + 1000;
  socket.Send(std::string(1000, 'y')).value();
  Answer(peer, acknowledged, 0);
  Deciding("rfc9293:MUST-35");
  for (int probes = 0; probes < 2; ++probes) {
    ExpectProbe(peer, acknowledged);
    Answer(peer, acknowledged, 0);
  }
  Deciding("rfc9293:MUST-34");
  Answer(peer, end, kAtOnce);
  peer.ExpectEventually(AnyData().Seq(end), Within(kProbePatience));
}

// --- Closed --------------------------------------------------------------------------------------

TEST_WITH(
    WindowTest, Window, AClosedOneIsProbedEverMoreRarely,
    .claims = {"rfc9293:MUST-36", "rfc9293:SHLD-30"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [socket, peer] = Connected(OfWindow(5000));
  const std::uint32_t start = peer.rcv_nxt;
  Answer(peer, start, 0);
  Settle();
  ASSERT_THAT(socket.Send("let me in"), Returns(9));
  std::vector<Time> times;
  Deciding("rfc9293:MUST-36");
  for (int probes = 0; probes < 4; ++probes) {
    times.push_back(ExpectProbe(peer, start).time);
    Answer(peer, start, 0);
  }
  // Of whatever base: by more than a timer may be late.
  Deciding("rfc9293:SHLD-30");
  for (size_t i = 2; i < times.size(); ++i) {
    EXPECT_GT(times[i] - times[i - 1], (times[i - 1] - times[i - 2]) * 9 / 8) << "gap " << i;
  }
  Deciding("rfc9293:MUST-36");
  Answer(peer, start, 5000);
  peer.ExpectEventually(AnyData().Seq(start), Within(kProbePatience));
}

// From when it closed, or from when there was something to send.
TEST_WITH(
    WindowTest, Window, AClosedOneIsFirstProbedAfterTheRetransmissionTimeout,
    .claims = {"rfc9293:SHLD-29"}, .needs = {"tcp_info"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Connected(OfWindow(5000));
  const std::uint32_t start = peer.rcv_nxt;
  peer.rcv_wnd = 0;
  const Segment closed = peer.Send(Ack());
  Settle();
  const FiresAfter timeout(std::chrono::microseconds(socket.Info("rto")));
  const Outcome<int> sending = socket.Send("let me in");
  ASSERT_THAT(sending, Returns(9));
  const Segment probe = ExpectProbe(peer, start);
  EXPECT_GE(probe.time - closed.time, timeout.earliest()) << "too early";
  EXPECT_LE(probe.time - sending.end, timeout.latest()) << "too late";
}

TEST_WITH(WindowTest, Window, ASegmentThatMeetsAClosedOneIsAnswered,
          .claims = {"rfc9293:3.8.6.1-answer", "rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [socket, peer] = WithFullBuffer();
  const std::uint32_t edge = peer.snd_nxt;
  for (int probes = 0; probes < 3; ++probes) {
    peer.Send(Data("?").Seq(edge));
    peer.Expect(Ack().Ack(edge).Window(0));
  }
}

// A system may drop such a segment as a whole: then its sender has it again, and shorter.
TEST_WITH(WindowTest, Window, WhatLiesPastItIsNotTaken, .claims = {"rfc9293:3.10.7.4-straddling"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  listener.SetOption("SO_RCVBUF", 8192).value();
  peer.syn_options = {tcp_option::Mss(kMss)};
  peer.Send(Syn());
  std::uint32_t room = peer.Expect(SynAck()).window;
  peer.Send(Ack());
  ASSERT_THAT(listener.Accept(), Succeeds());
  while (room >= kMss) {
    peer.Send(Data(std::string(room >= 2 * kMss ? kMss : kMss / 2, 'x')));
    room = peer.Expect(Ack().Ack(peer.snd_nxt)).window;
  }
  if (room == 0) NotReached("the window closes before it is less than a segment");
  const std::uint32_t edge = peer.snd_nxt + room;
  const std::string within(room, 'y');
  peer.Send(Data(within + std::string(kMss - room, 'z')));
  Settle();
  for (const Segment& segment : AllArrived(peer)) {
    EXPECT_LE(static_cast<std::int32_t>(segment.ack - edge), 0) << "more than the window is taken";
  }
  peer.Send(Data(within).Seq(edge - room));
  peer.Expect(Ack().Ack(edge));
}

TEST_WITH(WindowTest, Window, ItsRightEdgeNeverMovesToTheLeft, .claims = {"rfc9293:SHLD-14"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  listener.SetOption("SO_RCVBUF", 8192).value();
  peer.syn_options = {tcp_option::Mss(kMss)};
  peer.Send(Syn());
  const Segment syn_ack = peer.Expect(SynAck());
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;

  std::uint16_t window = syn_ack.window;
  std::uint32_t edge = syn_ack.ack + window;
  for (int segments = 0; segments < 100 && window > 0; ++segments) {
    // The application reads now and then, and less than arrives.
    if (segments % 4 == 3) socket.Receive(kMss, {"MSG_DONTWAIT"}).value();
    peer.Send(Data(std::string(std::min<size_t>(window, kMss), 'x')));
    for (std::uint32_t acknowledged = 0; acknowledged != peer.snd_nxt;) {
      const Segment ack = peer.Expect(Ack());
      acknowledged = ack.ack;
      window = ack.window;
      EXPECT_GE(static_cast<std::int32_t>(ack.ack + window - edge), 0) << "segment " << segments;
      edge = ack.ack + window;
    }
  }
}

TEST_WITH(WindowTest, Window, AResetIsTakenWhileItIsClosed, .claims = {"rfc9293:MUST-66"}) {
  auto [socket, peer] = WithFullBuffer();
  peer.Send(Rst());
  const Segment stray = peer.Send(Ack());
  peer.Expect(Rst().Seq(stray.ack));
}

// The urgent octet is the next one: once all before it has been read, the stream is at the mark.
TEST_WITH(WindowTest, Window, AnUrgentPointerIsTakenWhileItIsClosed,
          .claims = {"rfc9293:MUST-66"}) {
  auto [socket, peer] = WithFullBuffer();
  if (!socket.AtMark().ok()) NotReached("the mark of urgent data cannot be asked for");
  EXPECT_THAT(socket.AtMark(), Returns(0));
  peer.Send(Ack().With(kUrg).UrgentPointer(1));
  Settle();
  ReadAll(socket);
  EXPECT_THAT(socket.AtMark(), Returns(1));
}

TEST_WITH(WindowTest, Window, AnAcknowledgmentIsTakenWhileItIsClosed,
          .claims = {"rfc9293:3.4-zero-window-ack"}) {
  auto [socket, peer] = WithFullBuffer();
  ASSERT_THAT(socket.Send("one way"), Returns(7));
  const Segment data = peer.Expect(Data("one way"));
  peer.Send(Ack());
  ASSERT_THAT(socket.Send("still open"), Returns(10));
  peer.ExpectEventually(Data("still open").Seq(data.seq + 7));
}

// --- Silly windows -------------------------------------------------------------------------------

TEST_WITH(WindowTest, Window, ItDoesNotOpenByAFewOctets,
          .claims = {"rfc9293:MUST-39", "rfc9293:3.8.6.2.2-update"}) {
  auto [socket, peer] = WithFullBuffer();
  Deciding("rfc9293:MUST-39");
  for (int reads = 0; reads < 3; ++reads) {
    ASSERT_THAT(socket.Receive(10), Returns(std::string(10, 'x')));
    peer.Send(Data("?").Seq(peer.snd_nxt));
    peer.snd_nxt = peer.Expect(Ack().Window(0)).ack;  // it may have room for one more octet
  }
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a window update for a few octets";

  ReadAll(socket);
  Deciding("rfc9293:3.8.6.2.2-update");
  const Segment update = peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_GE(update.window, kMss);
}

TEST_WITH(
    WindowTest, Window, LittleRoomIsFilledOnlyWhenTheOverrideTimeoutEnds,
    .claims = {"rfc9293:MUST-38", "rfc9293:3.8.6.2.1-override"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  constexpr Duration kShortest = 100ms, kLongest = 1s;
  auto [socket, peer] = Connected(OfWindow(5000));
  const std::uint32_t start = peer.rcv_nxt;
  Answer(peer, start, 100);
  Settle();
  const Outcome<int> sending = socket.Send(std::string(600, 'x'));
  ASSERT_THAT(sending, Returns(600));
  Segment filled = peer.ExpectEventually(AnyData(), Within(kProbePatience));
  while (filled.seq + filled.payload.size() != start + 100) {  // a probe of one octet
    filled = peer.ExpectEventually(AnyData(), Within(kProbePatience));
  }
  const Duration waited = filled.time - sending.begin;
  Deciding("rfc9293:MUST-38");
  EXPECT_GE(waited, kShortest) << "a silly segment";
  Deciding("rfc9293:3.8.6.2.1-override");
  EXPECT_LE(waited, FiresAfter(kLongest).latest());

  Answer(peer, start + 100, 5000);
  peer.ExpectEventually(AnyData().Seq(start + 100));
}

TEST_WITH(WindowTest, Window, HalfOfTheLargestOneIsFilledAtOnce,
          .claims = {"rfc9293:3.8.6.2.1-half-window"}) {
  auto [socket, peer] = Connected(OfWindow(700));
  Pending<int> sending = socket.StartSend(std::string(3000, 'x'));
  EXPECT_GE(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 350U);
  peer.Send(Ack());
  EXPECT_GE(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 350U);
}
