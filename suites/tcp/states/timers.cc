// Timers in every state in which something may be left to send: the user timeout, RFC 9293 section
// 3.10.8, and the probes of a closed window, section 3.8.6.1.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/schedule.h"
#include "suites/tcp/states/in_each_state.h"

using namespace sockproof;
using namespace sockproof::states;

namespace {

constexpr int kUserTimeoutMs = 2000;

struct TimerRow {
  const char* name;
  TcpState state;
};

// Where a FIN or data may be unacknowledged.
constexpr TimerRow kUnacknowledged[] = {{"established", TcpState::kEstablished},
                                        {"fin-wait-1", TcpState::kFinWait1},
                                        {"close-wait", TcpState::kCloseWait},
                                        {"closing", TcpState::kClosing},
                                        {"last-ack", TcpState::kLastAck}};

// Where data may be unsent: after the own close it comes before the FIN.
constexpr TimerRow kUnsent[] = {{"established", TcpState::kEstablished},
                                {"fin-wait-1", TcpState::kFinWait1},
                                {"close-wait", TcpState::kCloseWait},
                                {"last-ack", TcpState::kLastAck}};

class TimerInEachState : public PeerTest {
 protected:
  // A connection in that state with data that is not sent, since the window of the peer is closed.
  Connection WithDataUnsent(TcpState state) {
    const bool passive_close = state == TcpState::kCloseWait || state == TcpState::kLastAck;
    Connection connection = InState(passive_close ? TcpState::kCloseWait : TcpState::kEstablished);
    auto& [socket, peer] = connection;
    peer.rcv_wnd = 0;
    peer.Send(Ack());
    Settle();
    socket.Send("unsent").value();
    if (state == TcpState::kFinWait1 || state == TcpState::kLastAck) {
      socket.Shutdown("SHUT_WR").value();
    }
    return connection;
  }
};

Duration UserTimeout(const Facts&) { return std::chrono::milliseconds(kUserTimeoutMs); }
Duration AFewProbes(const Facts&) { return 2s; }

}  // namespace

TEST_WITH(TimerInEachState, UserTimeout, EndsAConnectionThatIsNotAcknowledgedInEachState,
          .claims = {"rfc9293:3.10.8-user-timeout", "man:tcp(7)-TCP_USER_TIMEOUT"},
          .needs = {"states"}, .lasts = UserTimeout, .rows = kUnacknowledged) {
  const TcpState state = RowOf(kUnacknowledged).state;
  Connection connection = InState(state);
  auto& [socket, peer] = connection;
  socket.SetOption("TCP_USER_TIMEOUT", kUserTimeoutMs).value();
  if (state == TcpState::kEstablished || state == TcpState::kCloseWait) {
    socket.Send("unacknowledged").value();
    peer.Expect(Data("unacknowledged"));
  }
  const Time begun = Clock::now();
  Deciding("man:tcp(7)-TCP_USER_TIMEOUT");
  const Time ended =
      WaitUntilGone(connection, std::chrono::milliseconds(3 * kUserTimeoutMs) + kPatience);
  EXPECT_LE(ended - begun, std::chrono::milliseconds(2 * kUserTimeoutMs));
  Deciding("rfc9293:3.10.8-user-timeout");
  EXPECT_NE(ErrnoName(socket.TakeError()), ErrnoName(0)) << "the user is told nothing";
}

TEST_WITH(TimerInEachState, UserTimeout, EndsAConnectionWhoseDataMayNotBeSentInEachState,
          .claims = {"man:tcp(7)-TCP_USER_TIMEOUT-window"}, .needs = {"states"},
          .lasts = UserTimeout, .rows = kUnsent) {
  Connection connection = WithDataUnsent(RowOf(kUnsent).state);
  auto& [socket, peer] = connection;
  socket.SetOption("TCP_USER_TIMEOUT", kUserTimeoutMs).value();
  // Each probe is answered: the peer is there, and has no room.
  const Time latest = Clock::now() + std::chrono::milliseconds(3 * kUserTimeoutMs) + kPatience;
  while (sut.Find(connection.local(), connection.remote()) && Clock::now() < latest) {
    sut.loop().RunUntil([&] { return connection.peer.waiting() > 0; }, Clock::now() + 50ms);
    for (const Segment& probe : AllArrived(peer)) {
      if (!probe.Has(kRst)) peer.Send(Ack().Ack(peer.rcv_nxt));
    }
  }
  EXPECT_FALSE(sut.Find(connection.local(), connection.remote())) << "it goes on";
}

TEST_WITH(TimerInEachState, WindowProbes, GoOnInEachStateUntilTheWindowOpens,
          .claims = {"rfc9293:MUST-36", "rfc9293:MUST-37", "rfc9293:3.10.4-close-established"},
          .lasts = AFewProbes, .rows = kUnsent) {
  const TcpState state = RowOf(kUnsent).state;
  Connection connection = WithDataUnsent(state);
  auto& [socket, peer] = connection;
  const std::uint32_t next = peer.rcv_nxt;
  Deciding("rfc9293:3.10.4-close-established");
  ExpectStateIfShown(state, connection);
  for (int probes = 0; probes < 3; ++probes) {
    Deciding(probes == 0 ? "rfc9293:MUST-36" : "rfc9293:MUST-37");
    const Segment probe = peer.Expect(AnySegment(), Within(15s));
    EXPECT_FALSE(probe.Has(kRst)) << "it has given up";
    peer.Send(Ack().Ack(next));
  }
  peer.rcv_wnd = 5000;
  peer.Send(Ack().Ack(next));
  const bool is_closed = state == TcpState::kFinWait1 || state == TcpState::kLastAck;
  std::string text;
  for (bool has_ended = false; text.size() < 6 || has_ended != is_closed;) {
    const Segment segment = peer.Expect(AnySegment(), Within(15s));
    const std::uint32_t begins = segment.seq - next;
    ASSERT_LE(begins, 6U) << Describe(segment, next, peer.iss);
    text = text.substr(0, begins) + segment.payload_text();
    has_ended |= segment.Has(kFin);
    peer.Send(Ack().Ack(next + static_cast<std::uint32_t>(text.size()) + (has_ended ? 1 : 0)));
  }
  EXPECT_EQ(text, "unsent");
}
