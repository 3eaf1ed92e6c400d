// Closing a connection, RFC 9293 section 3.6: four segments, and the state of each side after each.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(Close, TheActiveSideGoesThroughFinWaitToTimeWait,
               .claims = {"rfc9293:3.6-close-fin", "rfc9293:3.10.7.4-fin-wait-1-ack",
                          "rfc9293:3.10.7.4-fin-wait-2-fin", "rfc9293:3.6-last-ack", "notes:C1",
                          "notes:C4", "notes:C6"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;

  ASSERT_THAT(socket.Close(), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(peer.rcv_nxt));
  ExpectState(TcpState::kFinWait1, connection);

  peer.Send(Ack());
  ExpectState(TcpState::kFinWait2, connection);

  const Segment peers_fin = peer.Send(Fin());
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peers_fin.seq + 1));
  ExpectState(TcpState::kTimeWait, connection);
}

TEST_WITH_PEER(Close, ThePassiveSideGoesThroughCloseWaitAndLastAckToClosed,
               .claims = {"rfc9293:3.6-second-fin", "rfc9293:3.6-fin-is-acknowledged",
                          "rfc9293:3.10.7.4-fin-signals-user", "rfc9293:3.10.7.4-last-ack-ack",
                          "man:recv(2)-end-of-file", "notes:C2", "notes:C5", "notes:C8"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;

  const Segment fin = peer.Send(Fin());
  peer.Expect(Ack().Ack(fin.seq + 1));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
  ExpectState(TcpState::kCloseWait, connection);

  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Fin().Seq(peer.rcv_nxt).Ack(fin.seq + 1));
  ExpectState(TcpState::kLastAck, connection);

  peer.Send(Ack());
  ExpectState(TcpState::kClosed, connection);
}

TEST_WITH_WIRE(Close, TheSideThatClosesSecondIsFinishedFirst,
               .claims = {"rfc9293:3.6-close-fin", "rfc9293:3.6-second-fin", "notes:C2", "notes:C6",
                          "notes:C8", "notes:C9", "notes:W1"},
               .needs = {"states"}) {
  auto [near, far] = Connected();

  ASSERT_THAT(near.Close(), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ExpectState(TcpState::kFinWait2, client);
  ExpectState(TcpState::kCloseWait, server);

  ASSERT_THAT(far.Close(), Succeeds());
  const Segment second_fin = wire.Expect(Fin().Ack(fin.seq + 1).From(server));
  wire.Expect(Ack().Ack(second_fin.seq + 1).From(client));
  ExpectState(TcpState::kClosed, server);
  ExpectState(TcpState::kTimeWait, client);
}

TEST_WITH_PEER(Close, CrossingFinsGoThroughClosing,
               .claims = {"rfc9293:3.6-simultaneous-close", "rfc9293:3.10.7.4-fin-wait-1-fin",
                          "rfc9293:3.10.7.4-closing-ack"}) {
  Connection connection = InState(TcpState::kClosing);

  connection.peer.Send(Ack());
  ExpectState(TcpState::kTimeWait, connection);
}

TEST_WITH_PEER(Close, AFinThatConfirmsOursLeadsFromFinWait1ToTimeWait,
               .claims = {"rfc9293:3.10.7.4-fin-wait-1-fin", "notes:L9"}) {
  Connection connection = InState(TcpState::kFinWait1);

  const Segment fin = connection.peer.Send(Fin());
  connection.peer.Expect(Ack().Ack(fin.seq + 1));
  ExpectState(TcpState::kTimeWait, connection);
}

TEST_WITH_WIRE(Close, ALostFinIsSentAgain,
               .claims = {"rfc9293:3.6-retransmitted-until-acknowledged",
                          "rfc9293:3.10.8-retransmission", "notes:L7"}) {
  auto [near, far] = Connected();
  wire.Drop(Fin().From(client));

  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  const Segment lost = wire.Expect(Fin().From(client));
  wire.Expect(Fin().Seq(lost.seq).From(client));
  EXPECT_THAT(far.Receive(64), IsEndOfFile());
}
