// shutdown(2): what it gives in each state of a connection, and what it does there. shutdown(2) and
// POSIX for the calls, RFC 9293 section 3.10.4 for the segments.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

constexpr const char* kDirections[] = {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"};

// How receiving that is disabled ends, POSIX leaves open.
auto GivesNothingMore() {
  return testing::AnyOf(IsEndOfFile(), testing::Not(testing::AnyOf(Succeeds(), FailsWith(EAGAIN))));
}

class ShutdownTest : public PeerTest {
 protected:
  // Both documents say so of a socket that is not connected.
  static void ExpectEnotconn(const Outcome<int>& outcome) {
    for (const char* claim : {"man:shutdown(2)-ENOTCONN", "posix:shutdown-ENOTCONN"}) {
      Deciding(claim);
      EXPECT_THAT(outcome, FailsWith(ENOTCONN));
    }
  }
};

}  // namespace

// --- Outcomes ------------------------------------------------------------------------------------

// Of what is open still: what it gives a second time no document says.
TEST_WITH_PEER(Shutdown, OfAConnectionSucceeds,
               .claims = {"man:shutdown(2)-success", "posix:shutdown-success"}) {
  const auto expect_success = [&](TcpState state, const char* how) {
    SCOPED_TRACE(std::string(TcpStateName(state)) + ", " + how);
    const Outcome<int> outcome = InState(state).socket.Shutdown(how);
    for (const char* claim : {"man:shutdown(2)-success", "posix:shutdown-success"}) {
      Deciding(claim);
      EXPECT_THAT(outcome, Succeeds());
    }
  };
  for (const char* how : kDirections) expect_success(TcpState::kEstablished, how);
  expect_success(TcpState::kFinWait1, "SHUT_RD");
  expect_success(TcpState::kFinWait2, "SHUT_RD");
  expect_success(TcpState::kCloseWait, "SHUT_WR");
}

TEST_WITH(ShutdownTest, Shutdown, OfASocketThatNeverConnectedFailsWithEnotconn,
          .claims = {"man:shutdown(2)-ENOTCONN", "posix:shutdown-ENOTCONN"}) {
  for (const char* how : kDirections) {
    Socket socket = InState(TcpState::kClosed).socket;
    ExpectEnotconn(socket.Shutdown(how));
    ExpectEnotconn(socket.Shutdown(how));
  }
}

TEST_WITH(ShutdownTest, Shutdown, OfAConnectionThatIsOverFailsWithEnotconn,
          .claims = {"man:shutdown(2)-ENOTCONN", "posix:shutdown-ENOTCONN"}) {
  for (const char* how : kDirections) {
    SCOPED_TRACE(how);
    ExpectEnotconn(InState(TcpState::kTimeWait).socket.Shutdown(how));

    auto [second, acknowledged] = InState(TcpState::kLastAck);
    acknowledged.Send(Ack());
    Settle();
    ExpectEnotconn(second.Shutdown(how));

    auto [third, aborting] = Connected();
    aborting.Send(Rst());
    Settle();
    ExpectEnotconn(third.Shutdown(how));
  }
}

TEST_WITH_PEER(Shutdown, OfADescriptorThatIsNoneFailsWithEbadf,
               .claims = {"man:shutdown(2)-EBADF", "posix:shutdown-EBADF"}) {
  Socket closed = sut.NewSocket(ip);
  closed.Close().value();
  const Outcome<int> outcome = closed.Shutdown("SHUT_WR");
  for (const char* claim : {"man:shutdown(2)-EBADF", "posix:shutdown-EBADF"}) {
    Deciding(claim);
    EXPECT_THAT(outcome, FailsWith(EBADF));
  }
}

TEST_WITH_PEER(Shutdown, OfNoDirectionFailsWithEinval,
               .claims = {"man:shutdown(2)-EINVAL", "posix:shutdown-EINVAL"}) {
  const Outcome<int> outcome = Connected().socket.Shutdown("0x7f");
  for (const char* claim : {"man:shutdown(2)-EINVAL", "posix:shutdown-EINVAL"}) {
    Deciding(claim);
    EXPECT_THAT(outcome, FailsWith(EINVAL));
  }
}

// Linux ends the listening instead, for threads that have no other way to wake accept().
TEST_WITH(ShutdownTest, Shutdown, OfAListenerFailsWithEnotconnAsItsManPageSays,
          .claims = {"man:shutdown(2)-ENOTCONN", "posix:shutdown-ENOTCONN"}) {
  for (const char* how : kDirections) {
    ExpectEnotconn(InState(TcpState::kListen).socket.Shutdown(how));
  }
}

// Linux ends the attempt instead, for the same reason.
TEST_WITH(ShutdownTest, Shutdown, DuringConnectFailsWithEnotconnAsItsManPageSays,
          .claims = {"man:shutdown(2)-ENOTCONN", "posix:shutdown-ENOTCONN"}) {
  for (const char* how : kDirections) {
    ExpectEnotconn(InState(TcpState::kSynSent).socket.Shutdown(how));
  }
}

TEST_WITH_PEER(Shutdown, OfAConnectionThatBothSidesHaveClosedFailsAsTheRfcSays,
               .claims = {"rfc9293:3.10.4-close-closing"}) {
  for (const TcpState state : {TcpState::kClosing, TcpState::kLastAck, TcpState::kTimeWait}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    EXPECT_THAT(InState(state).socket.Shutdown("SHUT_WR"), testing::Not(Succeeds()));
  }
}

// --- SHUT_WR -------------------------------------------------------------------------------------

TEST_WITH_PEER(Shutdown, OfTheSendingSideSendsOneFinAndNoSecondOne,
               .claims = {"man:shutdown(2)-SHUT_WR", "rfc9293:3.6-close-fin",
                          "rfc9293:3.10.4-close-fin-wait"}) {
  auto [socket, peer] = Connected();
  Deciding("rfc9293:3.6-close-fin");
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(peer.rcv_nxt).Payload(Bytes()));
  peer.Send(Ack());
  Deciding("man:shutdown(2)-SHUT_WR");
  EXPECT_THAT(socket.Send("more"), testing::Not(Succeeds()));

  // What these calls give is left open.
  Deciding("rfc9293:3.10.4-close-fin-wait");
  socket.Shutdown("SHUT_WR");
  socket.Close();
  const Segment peers_fin = peer.Send(Fin());
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peers_fin.seq + 1));
}

TEST_WITH_PEER(Shutdown, OfTheSendingSideInSynReceivedSendsItsFinInSequence,
               .claims = {"rfc9293:3.10.4-close-syn-received"}) {
  Connection connection = InState(TcpState::kSynSent);
  auto& [socket, peer] = connection;
  peer.Send(Syn());  // the SYNs have crossed
  peer.Expect(SynAck().Seq(peer.irs).Ack(peer.snd_nxt));
  ExpectStateIfShown(TcpState::kSynReceived, connection);

  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.Send(SynAck().Seq(peer.iss));
  // At once or once the handshake is complete.
  peer.ExpectEventually(Fin().Seq(peer.irs + 1));
  peer.Send(Ack());
  ExpectStateIfShown(TcpState::kFinWait2, connection);
}

// --- SHUT_RD and SHUT_RDWR -----------------------------------------------------------------------

TEST_WITH_PEER(Shutdown, OfTheReceivingSideSendsNothingAndLeavesSendingAlone,
               .claims = {"man:shutdown(2)-SHUT_RD", "posix:shutdown-SHUT_RD"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.Shutdown("SHUT_RD"), Succeeds());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U);
  EXPECT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
  ExpectStateIfShown(TcpState::kEstablished, connection);
}

TEST_WITH_PEER(Shutdown, OfTheReceivingSideEndsReceiving,
               .claims = {"man:shutdown(2)-SHUT_RD", "posix:shutdown-SHUT_RD"}) {
  for (const char* how : {"SHUT_RD", "SHUT_RDWR"}) {
    SCOPED_TRACE(how);
    Socket socket = Connected().socket;
    Pending<std::string> receiving = socket.StartReceive(64);
    // What becomes of a call that waits already is left open.
    ASSERT_THAT(socket.Shutdown(how), Succeeds());
    EXPECT_THAT(socket.Receive(64), GivesNothingMore());
  }
}

// Linux remembers that the application reads no more, but still takes in data for it.
TEST_WITH_PEER(Shutdown, OfTheReceivingSideKeepsLaterDataOutAsItsManPageSays,
               .claims = {"man:shutdown(2)-SHUT_RD", "posix:shutdown-SHUT_RD"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_RD"), Succeeds());
  peer.Send(Data("late"));
  Settle();
  EXPECT_THAT(socket.Receive(64), GivesNothingMore());
}

TEST_WITH_PEER(Shutdown, OfBothSidesSendsFinAndAnswersLaterDataWithRst,
               .claims = {"rfc9293:3.6-close-fin", "linux:reset-on-data-after-shutdown"}) {
  auto [socket, peer] = Connected();
  Deciding("rfc9293:3.6-close-fin");
  ASSERT_THAT(socket.Shutdown("SHUT_RDWR"), Succeeds());
  peer.Expect(Fin().Seq(peer.rcv_nxt));
  peer.Send(Ack());
  Deciding("linux:reset-on-data-after-shutdown");
  const Segment late = peer.Send(Data("late"));
  peer.Expect(Rst().Seq(late.ack));
}

// --- Of sockets that are not connected, on Linux -------------------------------------------------

TEST_WITH_PEER(Shutdown, OfAListenersReceivingSideEndsListening,
               .claims = {"linux:shutdown-listener"}) {
  for (const char* how : {"SHUT_RD", "SHUT_RDWR"}) {
    SCOPED_TRACE(how);
    auto [listener, client] = InState(TcpState::kListen);
    Pending<Accepted> accepting = listener.StartAccept();
    ASSERT_THAT(listener.Shutdown(how), Succeeds());
    EXPECT_THAT(accepting.Await(), FailsWith(EINVAL));
    EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(0));
    client.Send(Syn());
    client.Expect(Rst());

    // It can listen again.
    ASSERT_THAT(listener.Listen(1), Succeeds());
    ScriptedTcp& late = host.Towards(*client.remote(), NextPort());
    late.Send(Syn());
    late.Expect(SynAck());
  }
}

TEST_WITH_PEER(Shutdown, OfAListenersReceivingSideResetsWhatWaitsInItsQueues,
               .claims = {"linux:shutdown-listener", "linux:listener-closed"}) {
  auto [listener, half_open] = InState(TcpState::kSynReceived);
  ScriptedTcp& queued = host.Towards(*half_open.remote(), NextPort());
  queued.Send(Syn());
  queued.Expect(SynAck());
  queued.Send(Ack());
  Settle();
  ASSERT_THAT(listener.Shutdown("SHUT_RD"), Succeeds());
  queued.Expect(Rst().Seq(queued.rcv_nxt));
  const Segment ack = half_open.Send(Ack());
  half_open.Expect(Rst().Seq(ack.ack));
}

TEST_WITH_PEER(Shutdown, OfAListenersSendingSideLeavesItListening,
               .claims = {"linux:shutdown-listener"}) {
  auto [listener, client] = InState(TcpState::kListen);
  ASSERT_THAT(listener.Shutdown("SHUT_WR"), Succeeds());
  client.Send(Syn());
  client.Expect(SynAck().Ack(client.snd_nxt));
  client.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}

TEST_WITH_PEER(Shutdown, DuringConnectEndsTheAttempt, .claims = {"linux:shutdown-connecting"}) {
  for (const char* how : kDirections) {
    SCOPED_TRACE(how);
    ScriptedTcp& peer = host.Listen(ip, 80);
    Socket socket = sut.NewSocket(ip);
    Pending<int> connecting = socket.StartConnect(peer.local());
    peer.Expect(Syn());
    ASSERT_THAT(socket.Shutdown(how), Succeeds());
    EXPECT_THAT(connecting.Await(), testing::Not(Succeeds()));
    const Segment answer = peer.Send(SynAck());
    peer.Expect(Rst().Seq(answer.ack));
  }
}
