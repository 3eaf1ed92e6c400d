// The Window Scale option, RFC 7323 section 2: when it is offered, whose windows it scales, and by
// how much.
#include <algorithm>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

using namespace sockproof;

namespace {

constexpr std::uint16_t kScaleMss = 1000;
constexpr std::uint8_t kLargestShift = 14;

using Shifts = std::vector<std::uint8_t>;

class WindowScaleTest : public PeerTest {
 protected:
  static Offer WithShift(std::uint8_t shift, std::uint16_t window = 65535) {
    return {.window = window,
            .options = std::vector{tcp_option::Mss(kScaleMss)},
            .window_scale = shift};
  }

  // The shift that a SYN of the system under test asks for.
  static std::optional<std::uint8_t> ShiftIn(const Segment& syn) {
    const TcpOption* option = syn.FindOption(tcp_option::kWindowScale);
    if (option == nullptr || option->data.size() != 1) return std::nullopt;
    return option->data[0];
  }

  // Of a SYN of its own.
  std::optional<std::uint8_t> OwnShift() {
    ScriptedTcp& acceptor = host.Listen(ip, NextPort());
    Socket opener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    opener.Connect(acceptor.local());  // EINPROGRESS
    return ShiftIn(acceptor.Expect(Syn()));
  }

  Segment SynAckFor(const PartialSegment& syn) {
    auto [listener, peer] = InState(TcpState::kListen);
    peer.Send(syn);
    return peer.Expect(SynAck().Ack(peer.snd_nxt));
  }

  // The peer offers this window field from its first acknowledgment of new data on, and twice as
  // much is written as the largest window that it may mean: what is then in flight, once nothing
  // more comes.
  std::uint32_t InFlightWith(Connection& connection, std::uint16_t window, std::uint32_t largest) {
    auto& [socket, peer] = connection;
    peer.rcv_wnd = window;
    GrowCongestionWindow(connection, kScaleMss, largest / kScaleMss + 1);
    const std::uint32_t start = peer.rcv_nxt;
    Pending<int> sending = socket.StartSend(std::string(2 * largest, 'x'));
    Settle();
    peer.TakeArrived();
    return peer.rcv_nxt - start;
  }

  static std::uint32_t LaterOf(std::uint32_t one, std::uint32_t other) {
    return static_cast<std::int32_t>(other - one) > 0 ? other : one;
  }

  // Sends all that the window allows that was offered with `last`, but no more than `most`, which
  // all is acknowledged; what is offered is never taken back.
  static void FillWindow(ScriptedTcp& peer, const Segment& last, std::uint32_t most) {
    const std::uint32_t start = peer.snd_nxt;
    std::uint32_t edge = last.ack + peer.WindowOf(last);
    const std::uint32_t end = std::min(edge - start, most) + start;
    while (peer.snd_nxt != end) {
      const std::uint32_t size = std::min<std::uint32_t>(end - peer.snd_nxt, kScaleMss);
      peer.Send(Data(std::string(size, 'x')));
      for (std::uint32_t acknowledged = 0; acknowledged != peer.snd_nxt;) {
        const Segment ack = peer.Expect(Ack());
        acknowledged = ack.ack;
        // Section 2.4: what a shift cannot express may seem to be taken back.
        const auto unit = static_cast<std::int32_t>(1U << peer.snd_wind_shift());
        const std::uint32_t offered = ack.ack + peer.WindowOf(ack);
        ASSERT_GT(static_cast<std::int32_t>(offered - edge), -unit) << "what was offered before";
        edge = offered;
      }
    }
  }
};

}  // namespace

// --- What is offered -----------------------------------------------------------------------------

TEST_WITH(WindowScaleTest, WindowScale, IsOfferedInASynAndNotBeyond14,
          .claims = {"rfc7323:2.2-offer", "rfc7323:2.3-limit"}) {
  const std::optional<std::uint8_t> shift = OwnShift();
  // A system that offers none in a SYN,ACK either is not prepared to scale.
  if (!shift && !ShiftIn(SynAckFor(Syn().Option(tcp_option::WindowScale(0))))) {
    NotReached("windows are not scaled");
  }
  Deciding("rfc7323:2.2-offer");
  ASSERT_TRUE(shift) << "no Window Scale option in the SYN";
  Deciding("rfc7323:2.3-limit");
  EXPECT_LE(*shift, kLargestShift);
}

TEST_WITH(WindowScaleTest, WindowScale, OfASynIsAnsweredByOneInTheSynAck,
          .claims = {"rfc7323:2.3-answer", "rfc7323:2.3-limit"}) {
  const bool is_prepared = OwnShift().has_value();
  for (const std::uint8_t shift : Shifts{0, 7, 14}) {
    const auto answer = ShiftIn(SynAckFor(Syn().Option(tcp_option::WindowScale(shift))));
    if (!is_prepared && !answer) NotReached("windows are not scaled");
    Deciding("rfc7323:2.3-answer");
    ASSERT_TRUE(answer) << "to one of " << int{shift};
    Deciding("rfc7323:2.3-limit");
    EXPECT_LE(*answer, kLargestShift);
  }
}

TEST_WITH(WindowScaleTest, WindowScale, IsInASynAckOnlyWhenItWasInTheSyn,
          .claims = {"rfc7323:2.2-only-if-received"}) {
  EXPECT_FALSE(ShiftIn(SynAckFor(Syn()))) << "a Window Scale option that nobody has asked for";
}

TEST_WITH(WindowScaleTest, WindowScale, IsTurnedOffByTcpWindowScaling,
          .claims = {"linux:tcp_window_scaling"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_window_scaling", 0);
  EXPECT_FALSE(ShiftIn(SynAckFor(Syn().Option(tcp_option::WindowScale(7)))));
  EXPECT_FALSE(OwnShift());
}

// --- The windows of the peer ---------------------------------------------------------------------

TEST_WITH(WindowScaleTest, WindowScale, ShiftsTheWindowsOfThePeer,
          .claims = {"rfc7323:2.3-incoming"}) {
  for (const std::uint8_t shift : Shifts{0, 1, 3}) {
    const std::uint32_t window = 4000U << shift;
    Connection connection = Connected(WithShift(shift));
    const std::uint32_t sent = InFlightWith(connection, 4000, window);
    EXPECT_LE(sent, window) << "with a shift of " << int{shift};
    // One whose send buffer holds less still shows that it shifts, if by how much is left open.
    const bool fills = sent > window - kScaleMss;
    if (shift == 3 && !fills && sent > 4000U << 1) NotReached("so much is never sent");
    EXPECT_TRUE(fills) << sent << " octets with a shift of " << int{shift};
  }
}

TEST_WITH(WindowScaleTest, WindowScale, AboveFourteenIsTakenForFourteen,
          .claims = {"rfc7323:2.3-above-14"}) {
  constexpr std::uint32_t kWindow = 2U << kLargestShift;
  for (const std::uint8_t shift : Shifts{14, 15, 31, 32, 255}) {
    Connection connection = Connected(WithShift(shift));
    const std::uint32_t sent = InFlightWith(connection, 2, kWindow);
    // A small send buffer keeps it from filling any such window.
    if (shift == kLargestShift && sent <= kWindow - kScaleMss) NotReached("so much is never sent");
    EXPECT_LE(sent, kWindow) << "with a shift of " << int{shift};
    EXPECT_GT(sent, kWindow - kScaleMss) << "with a shift of " << int{shift};
  }
}

TEST_WITH(WindowScaleTest, WindowScale, DoesNotShiftTheWindowOfASynAck,
          .claims = {"rfc7323:2.2-syn-unscaled"}) {
  auto [socket, peer] = Connected(WithShift(7, 2 * kScaleMss));
  Pending<int> sending = socket.StartSend(std::string(std::size_t{8} * kScaleMss, 'x'));
  const std::uint32_t start = peer.rcv_nxt;
  peer.Expect(AnyData().Seq(start));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - start, 2U * kScaleMss);
}

TEST_WITH(WindowScaleTest, WindowScale, DoesNotShiftTheWindowOfASyn,
          .claims = {"rfc7323:2.2-syn-unscaled"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.syn_options = {tcp_option::Mss(kScaleMss), tcp_option::WindowScale(7)};
  peer.Send(Syn().Window(2 * kScaleMss));
  const Segment syn_ack = peer.Expect(SynAck().Ack(peer.snd_nxt));
  if (!ShiftIn(syn_ack)) NotReached("windows are not scaled");
  // The same window as the SYN had, as RFC 7323 has it written now: 2000 of 128 octets would be
  // more. It is smaller than the SYN's by what is cut off.
  peer.Send(Ack().Window(2 * kScaleMss / 128));
  Socket socket = listener.Accept().value().socket;
  Pending<int> sending = socket.StartSend(std::string(std::size_t{8} * kScaleMss, 'x'));
  const std::uint32_t start = peer.rcv_nxt;
  peer.Expect(AnyData().Seq(start));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - start, 2U * kScaleMss);
}

TEST_WITH(WindowScaleTest, WindowScale, OfOneSideOnlyShiftsNoWindowOfThePeer,
          .claims = {"rfc7323:2.2-both"}) {
  for (const bool passive : {false, true}) {
    SCOPED_TRACE(passive ? "accept()" : "connect()");
    const Offer unscaled = {.options = std::vector{tcp_option::Mss(kScaleMss)}};
    Connection connection = passive ? ConnectedByAccept(unscaled) : Connected(unscaled);
    const std::uint32_t sent = InFlightWith(connection, 4000, 4000);
    EXPECT_LE(sent, 4000U);
    EXPECT_GT(sent, 4000U - kScaleMss);
  }
}

TEST_WITH(WindowScaleTest, WindowScale, InASegmentWithoutSynIsIgnored,
          .claims = {"rfc7323:2.2-syn-only"}) {
  for (const bool scaled : {false, true}) {
    SCOPED_TRACE(scaled ? "where scales were agreed on" : "where none was");
    Offer offer = WithShift(0);
    if (!scaled) offer.window_scale.reset();
    Connection connection = Connected(offer);
    connection.peer.Send(Ack().Option(tcp_option::WindowScale(4)));
    const std::uint32_t sent = InFlightWith(connection, 4000, 4000);
    EXPECT_LE(sent, 4000U);
    EXPECT_GT(sent, 4000U - kScaleMss);
  }
}

// Section 2.4: a shift may make the peer offer less than before. What was sent once may come again.
TEST_WITH(WindowScaleTest, WindowScale, NewDataKeepsToTheWindowThatWasOfferedLast,
          .claims = {"rfc7323:2.4-new-data"}) {
  constexpr std::uint32_t kWindow = 8 * kScaleMss, kLess = 3 * kScaleMss;
  Connection connection = Connected(WithShift(1));
  const std::uint32_t sent = InFlightWith(connection, kWindow / 2, kWindow);
  EXPECT_LE(sent, kWindow);
  if (sent <= kLess) NotReached("so little is sent");
  auto& [socket, peer] = connection;
  const std::uint32_t end = peer.rcv_nxt;
  peer.rcv_wnd = kLess / 2;
  peer.Send(Ack().Ack(end - kLess - kScaleMss));
  Settle();
  peer.TakeArrived();
  EXPECT_EQ(peer.rcv_nxt, end) << "new data beyond the window";
  peer.Send(Ack().Ack(end));
  Settle();
  peer.TakeArrived();
  EXPECT_LE(peer.rcv_nxt - end, kLess);
}

// --- Its own windows -----------------------------------------------------------------------------

TEST_WITH(WindowScaleTest, WindowScale, WhatIsOfferedAfterShiftingIsTaken,
          .claims = {"rfc7323:2.3-outgoing"}) {
  constexpr std::uint32_t kMost = 1'000'000;
  for (const std::uint8_t shift : Shifts{0, 7}) {
    auto [listener, peer] = InState(TcpState::kListen);
    listener.SetOption("SO_RCVBUF", 65536).value();
    peer.syn_options = {tcp_option::Mss(kScaleMss), tcp_option::WindowScale(shift)};
    peer.Send(Syn());
    if (!ShiftIn(peer.Expect(SynAck()))) NotReached("windows are not scaled");
    peer.Send(Ack());
    listener.Accept().value();
    peer.Send(Data("!"));
    FillWindow(peer, peer.Expect(Ack().Ack(peer.snd_nxt)), kMost);
  }
}

// Ends of windows that no shift can express are taken back a little.
TEST_WITH(WindowScaleTest, WindowScale, WhatWasOfferedOnceIsTakenLater,
          .claims = {"rfc7323:2.4-honor"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  listener.SetOption("SO_RCVBUF", 65536).value();
  peer.syn_options = {tcp_option::Mss(kScaleMss), tcp_option::WindowScale(7)};
  peer.Send(Syn());
  if (!ShiftIn(peer.Expect(SynAck()))) NotReached("windows are not scaled");
  peer.Send(Ack());
  listener.Accept().value();
  std::uint32_t edge = peer.snd_nxt;
  for (int times = 0; times < 10; ++times) {
    peer.Send(Data("odd"));
    const Segment ack = peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
    edge = LaterOf(edge, ack.ack + peer.WindowOf(ack));
  }
  while (peer.snd_nxt != edge) {
    peer.Send(Data(std::string(std::min<std::uint32_t>(edge - peer.snd_nxt, kScaleMss), 'x')));
  }
  peer.ExpectEventually(Ack().Ack(edge));
}

// A window that was shifted all the same would be half of what it was, or less.
TEST_WITH(WindowScaleTest, WindowScale, OfOneSideOnlyShiftsNoWindowOfItsOwn,
          .claims = {"rfc7323:2.2-both"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  const Segment syn = peer.Expect(Syn());
  if (ShiftIn(syn).value_or(0) == 0) NotReached("windows are not scaled by more than 0");
  peer.Send(SynAck());
  const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_GT(2U * ack.window, std::uint32_t{syn.window});
}
