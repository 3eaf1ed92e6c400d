// Every call in every state: OPEN, SEND, RECEIVE, CLOSE and ABORT, RFC 9293 sections 3.10.1
// to 3.10.5, as sockets have them (POSIX).
#include "suites/tcp/in_flight.h"
#include "suites/tcp/states/in_each_state.h"

using namespace sockproof;
using namespace sockproof::states;

namespace {

class CallInEachState : public PeerTest {
 protected:
  // The connection of the running row; in SYN-RECEIVED by an active open, whose socket there is.
  Connection Running() {
    const TcpState state = RowOf(kEachState).state;
    return state == TcpState::kSynReceived ? AfterCrossingSyns() : InState(state);
  }

  // Ends the handshake of a connection that the system under test is opening.
  void Establish(ScriptedTcp& peer) {
    if (RowOf(kEachState).state == TcpState::kSynSent) {
      peer.Send(SynAck());
    } else {
      peer.Send(Ack());
    }
    Settle();
  }

  // Nothing that uses sequence space has come but what was sent before.
  void ExpectNothingNew(ScriptedTcp& peer) {
    Settle();
    for (const Segment& segment : peer.TakeArrived()) {
      EXPECT_EQ(segment.length(), 0U) << Describe(segment, peer.irs, peer.iss);
      EXPECT_FALSE(segment.Has(kRst)) << Describe(segment, peer.irs, peer.iss);
    }
  }
};

}  // namespace

TEST_WITH(CallInEachState, CallArrives, Open,
          .claims = {"rfc9293:3.5-first-segment", "rfc9293:3.10.1-already-exists"},
          .rows = kEachState) {
  Connection connection = Running();
  auto& [socket, peer] = connection;
  ScriptedTcp& elsewhere = host.Listen(ip, NextPort());
  switch (RowOf(kEachState).state) {
    case TcpState::kClosed: {
      Pending<int> opening = socket.StartConnect(elsewhere.local());
      Deciding("rfc9293:3.5-first-segment");
      elsewhere.Expect(Syn());
      return;
    }
    case TcpState::kListen:
      NotReached("POSIX has a listening socket fail where RFC 9293 makes it active");
    default: {
      const Outcome<int> opened = socket.Connect(elsewhere.local());
      Deciding("rfc9293:3.10.1-already-exists");
      EXPECT_THAT(opened, testing::Not(Succeeds()));
      Settle();
      EXPECT_EQ(elsewhere.waiting(), 0U) << "a SYN all the same";
      return;
    }
  }
}

TEST_WITH(CallInEachState, CallArrives, Send,
          .claims = {"rfc9293:3.10.2-send-closed", "rfc9293:3.10.2-send-connecting",
                     "rfc9293:3.10.2-send-established", "rfc9293:3.10.2-send-close-wait",
                     "rfc9293:3.10.2-send-after-close"},
          .rows = kEachState) {
  Connection connection = Running();
  auto& [socket, peer] = connection;
  const TcpState state = RowOf(kEachState).state;
  const Outcome<int> sent = socket.Send("data", {"MSG_DONTWAIT", "MSG_NOSIGNAL"});
  switch (state) {
    case TcpState::kClosed:
    case TcpState::kListen:
      Deciding("rfc9293:3.10.2-send-closed");
      EXPECT_THAT(sent, testing::Not(Succeeds()));
      ExpectNothingNew(peer);
      return;
    case TcpState::kSynSent:
    case TcpState::kSynReceived:
      // "If no space to queue": a call that need not wait may say so.
      Deciding("rfc9293:3.10.2-send-connecting");
      ExpectNothingNew(peer);
      Establish(peer);
      if (sent.ok()) {
        peer.ExpectEventually(Data("data"));
      } else {
        EXPECT_THAT(sent, FailsWith(EAGAIN));
      }
      return;
    case TcpState::kEstablished:
    case TcpState::kCloseWait:
      Deciding(state == TcpState::kEstablished ? "rfc9293:3.10.2-send-established"
                                               : "rfc9293:3.10.2-send-close-wait");
      EXPECT_THAT(sent, Returns(4));
      peer.Expect(Data("data").Ack(peer.snd_nxt));
      return;
    default:
      Deciding("rfc9293:3.10.2-send-after-close");
      EXPECT_THAT(sent, testing::Not(Succeeds()));
      ExpectNothingNew(peer);
      return;
  }
}

TEST_WITH(CallInEachState, CallArrives, Receive,
          .claims = {"rfc9293:3.10.3-receive-closed", "rfc9293:3.10.3-receive-connecting",
                     "rfc9293:3.10.3-receive-waits", "rfc9293:3.10.3-receive-close-wait",
                     "rfc9293:3.10.3-receive-closing"},
          .rows = kEachState) {
  Connection connection = Running();
  auto& [socket, peer] = connection;
  const Outcome<std::string> at_once = socket.Receive(64, {"MSG_DONTWAIT"});
  // "Connection closing" is an error to the RFC, and the end of the file to POSIX.
  const auto says_closing =
      testing::AnyOf(IsEndOfFile(), testing::AllOf(testing::Not(Succeeds()),
                                                   testing::Not(FailsWith(EAGAIN))));
  switch (RowOf(kEachState).state) {
    case TcpState::kClosed:
    case TcpState::kListen:  // a listener gives connections, no data: POSIX
      Deciding("rfc9293:3.10.3-receive-closed");
      EXPECT_THAT(at_once, testing::Not(Succeeds()));
      return;
    case TcpState::kSynSent:
    case TcpState::kSynReceived:
      Deciding("rfc9293:3.10.3-receive-connecting");
      EXPECT_THAT(at_once, testing::Not(Succeeds())) << "there is nothing yet";
      Establish(peer);
      peer.Send(Data("later"));
      peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
      EXPECT_THAT(socket.Receive(64), Returns("later"));
      return;
    case TcpState::kEstablished:
    case TcpState::kFinWait1:
    case TcpState::kFinWait2: {
      Deciding("rfc9293:3.10.3-receive-waits");
      EXPECT_THAT(at_once, FailsWith(EAGAIN));
      Pending<std::string> receiving = socket.StartReceive(64);
      ExpectStillBlocked(receiving);
      peer.Send(Data("later"));
      EXPECT_THAT(receiving.Await(), Returns("later"));
      return;
    }
    case TcpState::kCloseWait:
      Deciding("rfc9293:3.10.3-receive-close-wait");
      EXPECT_THAT(at_once, says_closing);
      return;
    default:
      Deciding("rfc9293:3.10.3-receive-closing");
      EXPECT_THAT(at_once, says_closing);
      return;
  }
}

TEST_WITH(CallInEachState, CallArrives, Close,
          .claims = {"rfc9293:3.10.4-close-listen", "rfc9293:3.10.4-close-syn-sent",
                     "rfc9293:3.10.4-close-syn-received", "rfc9293:3.10.4-close-established",
                     "rfc9293:3.10.4-close-fin-wait", "rfc9293:3.10.4-close-close-wait",
                     "rfc9293:3.10.4-close-closing"},
          .rows = kEachState) {
  Connection connection = Running();
  auto& [socket, peer] = connection;
  const TcpState state = RowOf(kEachState).state;
  const std::uint32_t next = peer.rcv_nxt;
  ASSERT_THAT(socket.Close(), Succeeds());
  switch (state) {
    case TcpState::kClosed:
      NotReached("a socket that was never connected has no TCB");
    case TcpState::kListen:
      Deciding("rfc9293:3.10.4-close-listen");
      peer.Send(Syn());
      peer.Expect(Rst());
      return;
    case TcpState::kSynSent:
      Deciding("rfc9293:3.10.4-close-syn-sent");
      ExpectNothingNew(peer);
      peer.Send(SynAck());
      peer.Expect(Rst().Seq(next));
      return;
    case TcpState::kSynReceived:
      Deciding("rfc9293:3.10.4-close-syn-received");
      Settle();
      if (peer.waiting() == 0) peer.Send(Ack());  // it has waited for that
      peer.ExpectEventually(Fin().Seq(next));
      return;
    case TcpState::kEstablished:
      Deciding("rfc9293:3.10.4-close-established");
      peer.Expect(Fin().Seq(next));
      ExpectStateIfShown(TcpState::kFinWait1, connection);
      return;
    case TcpState::kFinWait1:
    case TcpState::kFinWait2:
      Deciding("rfc9293:3.10.4-close-fin-wait");
      ExpectNothingNew(peer);  // no second FIN
      return;
    case TcpState::kCloseWait:
      Deciding("rfc9293:3.10.4-close-close-wait");
      peer.Expect(Fin().Seq(next));
      ExpectStateIfShown(TcpState::kLastAck, connection);
      return;
    default:
      Deciding("rfc9293:3.10.4-close-closing");
      ExpectNothingNew(peer);
      return;
  }
}

TEST_WITH(CallInEachState, CallArrives, Abort,
          .claims = {"rfc9293:3.10.5-abort-unsynchronized", "rfc9293:3.10.5-abort",
                     "rfc9293:3.10.5-abort-closing"},
          .rows = kEachState) {
  Connection connection = Running();
  auto& [socket, peer] = connection;
  const TcpState state = RowOf(kEachState).state;
  const std::uint32_t next = peer.rcv_nxt;
  socket.SetLinger(0).value();
  ASSERT_THAT(socket.Close(), Succeeds());
  switch (state) {
    case TcpState::kClosed:
      NotReached("a socket that was never connected has no TCB");
    case TcpState::kListen:
      Deciding("rfc9293:3.10.5-abort-unsynchronized");
      peer.Send(Syn());
      peer.Expect(Rst());
      return;
    case TcpState::kSynSent:
      Deciding("rfc9293:3.10.5-abort-unsynchronized");
      ExpectNothingNew(peer);
      ExpectStateIfShown(TcpState::kClosed, connection);
      return;
    case TcpState::kSynReceived:
    case TcpState::kEstablished:
    case TcpState::kFinWait1:
    case TcpState::kFinWait2:
    case TcpState::kCloseWait:
      Deciding("rfc9293:3.10.5-abort");
      peer.Expect(Rst().Seq(next));
      ExpectStateIfShown(TcpState::kClosed, connection);
      return;
    default:
      Deciding("rfc9293:3.10.5-abort-closing");
      ExpectNothingNew(peer);
      ExpectStateIfShown(TcpState::kClosed, connection);
      return;
  }
}
