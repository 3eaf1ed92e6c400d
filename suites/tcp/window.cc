// The send and the receive window, RFC 9293 section 3.8.6: small, closed, shrinking and silly ones.
#include <algorithm>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr int kMss = 1000;
// So much RFC 5681 section 3.1 lets go out at once in segments of that size; RFC 6928 lets go more.
constexpr std::uint16_t kAtOnce = 4 * kMss;

class WindowTest : public PeerTest {
 protected:
  // A peer whose segments may hold kMss octets.
  static Offer OfWindow(std::uint16_t window) {
    return {.window = window, .options = std::vector{tcp_option::Mss(kMss)}};
  }

  // Takes in segments that follow each other until so many octets are in flight.
  static void ExpectInFlight(ScriptedTcp& peer, std::uint32_t octets) {
    while (peer.rcv_nxt - peer.irs - 1 < octets) peer.Expect(AnyData().Seq(peer.rcv_nxt));
    EXPECT_EQ(peer.rcv_nxt - peer.irs - 1, octets);
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
  socket.Send(std::string(6000, 'x')).value();
  const std::uint32_t first = peer.rcv_nxt;
  peer.Expect(AnyData().Seq(first));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - first, 2500U);
}

TEST_WITH(WindowTest, Window, ALargeOneIsNoNegativeOne, .claims = {"rfc9293:MUST-1"}) {
  for (const std::uint16_t window : {std::uint16_t{0x8000}, std::uint16_t{0xffff}}) {
    auto [socket, peer] = Connected(OfWindow(window));
    socket.Send(std::string(kAtOnce, 'x')).value();
    ExpectInFlight(peer, kAtOnce);
  }
}

TEST_WITH(WindowTest, Window, AnOlderSegmentDoesNotSetIt,
          .claims = {"rfc9293:3.10.7.4-window-update"}) {
  auto [socket, peer] = Connected(OfWindow(3000));
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("newer").Seq(start + 5).Window(0));
  peer.Expect(Ack().Ack(start));
  peer.Send(Ack().Window(3000));  // older: its sequence number is below that of the other
  Settle();
  ASSERT_THAT(socket.Send("waits"), Returns(5));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "an older segment has opened the window";

  peer.Send(Data("older").Window(3000));
  peer.snd_nxt = start + 10;
  peer.Send(Ack().Window(3000));
  peer.ExpectEventually(Data("waits").Ack(start + 10));
}

// --- Shrinking -----------------------------------------------------------------------------------

TEST_WITH(WindowTest, Window, NothingNewIsSentPastTheEdgeOfOneThatShrinks,
          .claims = {"rfc9293:SHLD-15", "rfc9293:MUST-34"}) {
  auto [socket, peer] = Connected(OfWindow(kAtOnce));
  const std::uint32_t first = peer.rcv_nxt;
  socket.Send(std::string(kAtOnce, 'x')).value();
  ExpectInFlight(peer, kAtOnce);
  socket.Send(std::string(kAtOnce, 'y')).value();

  // Acknowledged 1000, 2000 more may come: the edge goes from 4000 to 3000.
  Answer(peer, first + 1000, 2000);
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "new data past the edge";
  // Once the window opens again, the stream goes on to its end.
  for (std::uint32_t ack = first + kAtOnce; ack < first + 2 * kAtOnce; ack = peer.rcv_nxt) {
    Answer(peer, ack, kAtOnce);
    peer.ExpectEventually(AnyData().Seq(ack));
  }
}

TEST_WITH(WindowTest, Window, WhatLiesWithinOneThatHasShrunkIsRetransmitted,
          .claims = {"rfc9293:SHLD-16", "rfc9293:MUST-34"}) {
  auto [socket, peer] = Connected(OfWindow(kAtOnce));
  const std::uint32_t first = peer.rcv_nxt;
  socket.Send(std::string(kAtOnce, 'x')).value();
  ExpectInFlight(peer, kAtOnce);
  Answer(peer, first + 1000, 2000);
  const Segment again = peer.Expect(AnyData().Seq(first + 1000));
  EXPECT_LE(again.seq + again.length(), first + 3000);

  Answer(peer, first + 2000, 2000);
  peer.Expect(AnyData().Seq(first + 2000));
}

TEST_WITH(WindowTest, Window, OneThatShrinksToZeroIsProbed,
          .claims = {"rfc9293:MUST-35", "rfc9293:MUST-36", "rfc9293:MUST-34"}) {
  auto [socket, peer] = Connected(OfWindow(kAtOnce));
  const std::uint32_t first = peer.rcv_nxt;
  socket.Send(std::string(kAtOnce, 'x')).value();
  ExpectInFlight(peer, kAtOnce);
  socket.Send(std::string(1000, 'y')).value();
  Answer(peer, first + 1000, 0);
  // A probe is a retransmission or an empty segment; nothing new.
  for (int probes = 0; probes < 2; ++probes) {
    const Segment probe = peer.Expect(AnySegment());
    EXPECT_LE(probe.seq + probe.length(), first + kAtOnce);
    Answer(peer, first + 1000, 0);
  }
  Answer(peer, first + kAtOnce, kAtOnce);
  peer.ExpectEventually(AnyData().Seq(first + kAtOnce));
}

// --- Closed --------------------------------------------------------------------------------------

TEST_WITH(
    WindowTest, Window, AClosedOneIsProbedAfterTheRetransmissionTimeoutAndThenEverMoreRarely,
    .claims = {"rfc9293:MUST-36", "rfc9293:SHLD-29", "rfc9293:SHLD-30"}, .needs = {"tcp_info"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  auto [socket, peer] = Connected(OfWindow(5000));
  Answer(peer, peer.rcv_nxt, 0);
  Settle();
  const Duration timeout = std::chrono::microseconds(socket.Info("rto"));
  const Outcome<int> sending = socket.Send("let me in");
  ASSERT_THAT(sending, Returns(9));

  Time previous = sending.end;
  Duration gap = timeout;
  for (int probes = 0; probes < 3; ++probes, gap *= 2) {
    const Segment probe = peer.Expect(AnySegment(), AtMost(gap));
    EXPECT_THAT(probe.time - previous, FiresAfter(gap)) << "probe " << probes;
    previous = probe.time;
    Answer(peer, peer.irs + 1, 0);
  }
  Answer(peer, peer.irs + 1, 5000);
  peer.ExpectEventually(AnyData().Seq(peer.irs + 1));
}

TEST_WITH(WindowTest, Window, ASegmentThatMeetsAClosedOneIsAnswered,
          .claims = {"rfc9293:3.8.6.1-answer", "rfc9293:MAY-8",
                     "rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [socket, peer] = WithFullBuffer();
  const std::uint32_t edge = peer.snd_nxt;
  for (int probes = 0; probes < 3; ++probes) {
    peer.Send(Data("?").Seq(edge));
    peer.Expect(Ack().Ack(edge).Window(0));
  }
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
  Settle();
  EXPECT_EQ(ErrnoName(socket.TakeError()), "ECONNRESET");
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
  for (int reads = 0; reads < 3; ++reads) {
    ASSERT_THAT(socket.Receive(10), Returns(std::string(10, 'x')));
    peer.Send(Data("?").Seq(peer.snd_nxt));
    peer.snd_nxt = peer.Expect(Ack().Window(0)).ack;  // it may have room for one more octet
  }
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a window update for a few octets";

  while (socket.Receive(65536, {"MSG_DONTWAIT"}).ok()) {
  }
  const Segment update = peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_GE(update.window, kMss);
}

TEST_WITH(WindowTest, Window, LittleRoomIsNotFilledAtOnce,
          .claims = {"rfc9293:MUST-38", "rfc9293:3.8.6.2.1-half-window"}) {
  auto [socket, peer] = Connected(OfWindow(5000));
  Answer(peer, peer.rcv_nxt, 0);
  Settle();
  socket.Send(std::string(6000, 'x')).value();
  Answer(peer, peer.rcv_nxt, 100);
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a silly segment";

  Answer(peer, peer.rcv_nxt, 5000);
  EXPECT_EQ(peer.ExpectEventually(AnyData().Seq(peer.rcv_nxt)).payload.size(), size_t{kMss});
}

TEST_WITH(WindowTest, Window, HalfOfTheLargestOneIsFilledAtOnce,
          .claims = {"rfc9293:3.8.6.2.1-half-window"}) {
  auto [socket, peer] = Connected(OfWindow(700));
  socket.Send(std::string(3000, 'x')).value();
  EXPECT_GE(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 350U);
  peer.Send(Ack());
  EXPECT_GE(peer.Expect(AnyData().Seq(peer.rcv_nxt)).payload.size(), 350U);
}
