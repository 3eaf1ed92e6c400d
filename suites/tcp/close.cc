// Closing a connection, RFC 9293 section 3.6: four segments, and the state of each side after each.
#include <string>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

TEST_WITH_PEER(Close, TheActiveSideGoesThroughFinWaitToTimeWait,
               .claims = {"rfc9293:3.6-close-fin", "rfc9293:3.10.7.4-fin-wait-1-ack",
                          "rfc9293:3.10.7.4-fin-wait-2-fin", "rfc9293:3.6-last-ack", "notes:C1",
                          "notes:C4", "notes:C6"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;

  ASSERT_THAT(socket.Close(), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(peer.rcv_nxt));
  ExpectStateIfShown(TcpState::kFinWait1, connection);

  peer.Send(Ack());
  ExpectStateIfShown(TcpState::kFinWait2, connection);

  const Segment peers_fin = peer.Send(Fin());
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peers_fin.seq + 1));
  ExpectStateIfShown(TcpState::kTimeWait, connection);
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
  ExpectStateIfShown(TcpState::kCloseWait, connection);

  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Fin().Seq(peer.rcv_nxt).Ack(fin.seq + 1));
  ExpectStateIfShown(TcpState::kLastAck, connection);

  peer.Send(Ack());
  const Segment stray = peer.Send(Ack());
  peer.Expect(Rst().Seq(stray.ack));
  ExpectStateIfShown(TcpState::kClosed, connection);
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
  Connection connection = BringTo(TcpState::kClosing);
  auto& [socket, peer] = connection;

  peer.Send(Ack());
  ExpectStateIfShown(TcpState::kTimeWait, connection);
  // Its own FIN is acknowledged, so that what it answers is past it.
  peer.Send(Fin().Seq(peer.snd_nxt - 1));
  peer.ExpectEventually(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(Close, AFinThatConfirmsOursLeadsFromFinWait1ToTimeWait,
               .claims = {"rfc9293:3.10.7.4-fin-wait-1-fin", "notes:L9"}, .needs = {"states"}) {
  Connection connection = InState(TcpState::kFinWait1);

  const Segment fin = connection.peer.Send(Fin());
  connection.peer.Expect(Ack().Ack(fin.seq + 1));
  ExpectStateIfShown(TcpState::kTimeWait, connection);
}

// A FIN of the peer that came before does not make anyone forget the own one.
TEST_WITH_PEER(Close, ALostFinIsSentAgain,
               .claims = {"rfc9293:3.6-retransmitted-until-acknowledged",
                          "rfc9293:3.10.8-retransmission", "notes:L7"}) {
  for (const TcpState state : {TcpState::kFinWait1, TcpState::kClosing, TcpState::kLastAck}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    auto [socket, peer] = InState(state);
    peer.ExpectEventually(Fin().Seq(peer.rcv_nxt - 1), FirstTimeout());
    peer.Send(Ack());
  }
}

// --- An ACK that does not reach the FIN ----------------------------------------------------------

namespace {

// A segment that acknowledges everything but the FIN leaves the connection as it is: the FIN comes
// again, and only its own acknowledgment ends that.
class AckShortOfFin : public PeerTest {
 protected:
  Connection AfterAckShortOfFin(TcpState state) {
    Connection connection = InState(state);
    auto& [socket, peer] = connection;
    const std::uint32_t fin = peer.rcv_nxt - 1;
    peer.Send(Ack().Ack(fin));
    Settle();
    ExpectStateIfShown(state, connection);
    peer.ExpectEventually(Fin().Seq(fin), FirstTimeout());
    return connection;
  }
};

}  // namespace

TEST_WITH(AckShortOfFin, Close, AnAckShortOfTheFinIsIgnoredInClosing,
          .claims = {"rfc9293:3.10.7.4-closing-other-ack", "rfc9293:3.10.7.4-closing-ack"}) {
  Deciding("rfc9293:3.10.7.4-closing-other-ack");
  Connection connection = AfterAckShortOfFin(TcpState::kClosing);
  Deciding("rfc9293:3.10.7.4-closing-ack");
  auto& [socket, peer] = connection;
  peer.Send(Ack());
  ExpectStateIfShown(TcpState::kTimeWait, connection);
  peer.Send(Fin().Seq(peer.snd_nxt - 1));
  peer.ExpectEventually(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH(AckShortOfFin, Close, AnAckShortOfTheFinDoesNotEndLastAck,
          .claims = {"rfc9293:3.10.7.4-last-ack-ack"}) {
  Connection connection = AfterAckShortOfFin(TcpState::kLastAck);
  auto& [socket, peer] = connection;
  peer.Send(Ack());
  const Segment stray = peer.Send(Ack());
  peer.ExpectEventually(Rst().Seq(stray.ack));
  ExpectStateIfShown(TcpState::kClosed, connection);
}

TEST_WITH(AckShortOfFin, Close, AnAckShortOfTheFinDoesNotEndFinWait1,
          .claims = {"rfc9293:3.10.7.4-fin-wait-1-ack"}) {
  Connection connection = AfterAckShortOfFin(TcpState::kFinWait1);
  connection.peer.Send(Ack());
  ExpectStateIfShown(TcpState::kFinWait2, connection);
  connection.peer.Send(Data("still here"));
  connection.peer.ExpectEventually(Ack().Seq(connection.peer.rcv_nxt).Ack(connection.peer.snd_nxt));
}

// The same with the FIN behind data, of which only the beginning is acknowledged.
TEST_WITH_PEER(Close, WhatWasNotAcknowledgedIsSentAgainUpToTheFin,
               .claims = {"rfc9293:3.6-retransmitted-until-acknowledged",
                          "rfc9293:3.10.7.4-fin-wait-1-ack"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const std::uint32_t start = peer.rcv_nxt;
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  Settle();
  ASSERT_THAT(socket.Send("last words"), Returns(10));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  peer.ExpectEventually(Fin());
  peer.Send(Ack().Ack(start + 5));
  Settle();
  Deciding("rfc9293:3.10.7.4-fin-wait-1-ack");
  ExpectStateIfShown(TcpState::kFinWait1, connection);
  Deciding("rfc9293:3.6-retransmitted-until-acknowledged");
  const Segment again = peer.Expect(AnySegment(), FirstTimeout());
  EXPECT_LE(again.seq - start, 5U);
  EXPECT_GT(again.seq + again.length() - start, 5U);
  Deciding("rfc9293:3.10.7.4-fin-wait-1-ack");
  peer.Send(Ack().Ack(start + 11));
  ExpectStateIfShown(TcpState::kFinWait2, connection);
}

// FIN-WAIT-1 begins with the close, not with the FIN that has to wait for the window.
TEST_WITH_PEER(Close, TheStateChangesBeforeTheFinCanLeave,
               .claims = {"rfc9293:3.10.4-close-established"}, .needs = {"states"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  Settle();
  ASSERT_THAT(socket.Send("waits"), Returns(5));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  ExpectState(TcpState::kFinWait1, connection);
}

// --- A FIN that comes before the connection stands -----------------------------------------------

TEST_WITH_PEER(Close, AFinInSynReceivedLeadsToCloseWait,
               .claims = {"rfc9293:3.10.7.4-syn-received-fin"}) {
  for (const std::string last_words : {"", "last words"}) {
    SCOPED_TRACE(last_words);
    Connection connection = InState(TcpState::kSynReceived);
    auto& [listener, peer] = connection;
    peer.Send(Fin().Payload(last_words));
    peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
    Socket socket = listener.Accept().value().socket;
    if (!last_words.empty()) {
      EXPECT_THAT(socket.Receive(64), Returns(last_words));
    }
    EXPECT_THAT(socket.Receive(64), IsEndOfFile());
    ExpectStateIfShown(TcpState::kCloseWait, connection);
  }
}

TEST_WITH_PEER(Close, AFinInListenIsDropped, .claims = {"rfc9293:3.10.7.4-fin-not-processed"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  const std::uint32_t iss = peer.iss;
  peer.Send(Flags(kFin));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  peer.snd_nxt = iss;
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(iss + 1));
}

TEST_WITH_PEER(Close, AFinInSynSentIsDropped, .claims = {"rfc9293:3.10.7.4-fin-not-processed"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  const std::uint32_t iss = peer.iss;
  peer.Send(Fin());
  Settle();
  EXPECT_EQ(peer.TakeArrived().size(), 0U) << "it is answered";
  peer.snd_nxt = iss;
  peer.Send(SynAck());
  peer.ExpectEventually(Ack().Ack(iss + 1));
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), testing::Not(IsEndOfFile()));
}
