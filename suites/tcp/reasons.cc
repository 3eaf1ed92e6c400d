// Why TCP opens with three segments, closes with four, and lingers in TIME-WAIT: what the reasons
// given in the study notes come to on the wire. RFC 9293 sections 3.5 and 3.6.
#include "harness/test/test.h"

using namespace sockproof;

// --- Why three segments to open, and four to close -----------------------------------------------

TEST_WITH_WIRE(Reasons, SynAndAckShareASegmentButAFinWaitsForTheDataThatRemains,
               .claims = {"rfc9293:3.5-second-segment", "rfc9293:3.6-fin-waits-for-user",
                          "rfc9293:3.6-second-fin", "notes:W1"}) {
  auto [near, far] = Connected();
  const Segment syn = wire.Expect(Syn().From(client));
  Deciding("rfc9293:3.5-second-segment");
  const Segment syn_ack = wire.Expect(SynAck().Ack(syn.seq + 1).From(server));
  Deciding("notes:W1");
  wire.Expect(Ack().Ack(syn_ack.seq + 1).From(client));
  EXPECT_EQ(wire.Seen(AnySegment()).size(), 3U) << "not three segments to open";

  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  EXPECT_EQ(TcpFlagsName(wire.Seen(AnySegment()).at(3).flags), TcpFlagsName(fin.flags));
  Deciding("rfc9293:3.6-fin-waits-for-user");
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));

  ASSERT_THAT(far.Send("remains"), Returns(7));
  const Segment data = wire.Expect(AnyData().From(server));
  Deciding("rfc9293:3.6-second-fin");
  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  const Segment second_fin = wire.Expect(Fin().Seq(data.seq + 7).Ack(fin.seq + 1).From(server));
  wire.Expect(Ack().Ack(second_fin.seq + 1).From(client));
  EXPECT_THAT(near.Receive(7, {"MSG_WAITALL"}), Returns("remains"));
  EXPECT_THAT(near.Receive(64), IsEndOfFile());
}

TEST_WITH_PEER(Reasons, ThreeSegmentsCloseWhenNoDataRemains,
               .claims = {"rfc9293:3.10.7.4-fin-wait-1-fin", "notes:W1"}, .needs = {"states"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;

  ASSERT_THAT(socket.Close(), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(peer.rcv_nxt));
  Deciding("rfc9293:3.10.7.4-fin-wait-1-fin");
  const Segment fin_and_ack = peer.Send(Fin().Ack(fin.seq + 1));
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(fin_and_ack.seq + 1));
  ExpectState(TcpState::kTimeWait, connection);
  Deciding("notes:W1");
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a fourth segment";
}

// --- Why TIME-WAIT -------------------------------------------------------------------------------

TEST_WITH_PEER(Reasons, WithoutTimeWaitARepeatedFinIsReset,
               .claims = {"linux:tcp_max_tw_buckets", "rfc9293:3.10.7.1-reset-with-ack",
                          "notes:W2"},
               .needs = {"sysctl", "states"}) {
  sut.SetSysctl("net.ipv4.tcp_max_tw_buckets", 0);
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = peer.Expect(Fin().Seq(peer.rcv_nxt));
  peer.Send(Ack());
  const Segment second_fin = peer.Send(Fin());
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(second_fin.seq + 1));
  Deciding("linux:tcp_max_tw_buckets");
  ExpectState(TcpState::kClosed, connection);

  Deciding("notes:W2");
  peer.Send(Fin().Seq(second_fin.seq));
  const Segment answer = peer.Expect(Rst());
  Deciding("rfc9293:3.10.7.1-reset-with-ack");
  EXPECT_EQ(answer.seq, second_fin.ack);
}

// --- Why a handshake -----------------------------------------------------------------------------

TEST_WITH_PEER(Reasons, AnOldDuplicateSynBringsUpNoConnection,
               .claims = {"rfc9293:3.5-old-duplicate-syn", "rfc9293:3.10.7.4-syn-received-rst",
                          "notes:W3"},
               .needs = {"states"}) {
  Connection connection = InState(TcpState::kListen);
  auto& [listener, peer] = connection;
  Pending<Accepted> accepting = listener.StartAccept();

  const Segment old_syn = peer.Send(Syn().Seq(peer.iss - 100'000));
  peer.Expect(SynAck().Ack(old_syn.seq + 1));
  ExpectState(TcpState::kSynReceived, connection);
  Deciding("rfc9293:3.10.7.4-syn-received-rst");
  peer.Send(Rst().Seq(old_syn.seq + 1));
  ExpectState(TcpState::kListen, connection);
  ExpectStillBlocked(accepting);

  Deciding("rfc9293:3.5-old-duplicate-syn");
  peer.Send(Syn());
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Ack());
  peer.Send(Data("the real one"));
  // The first that accept() gives is that of the real one.
  Deciding("notes:W3");
  Socket socket = accepting.Await().value().socket;
  EXPECT_THAT(socket.Receive(64), Returns("the real one"));
}

TEST_WITH_PEER(Reasons, WhoAskedForNothingConfirmsNothing,
               .claims = {"rfc9293:3.10.7.1-reset-with-ack", "notes:W3"}) {
  auto [socket, peer] = InState(TcpState::kClosed);

  const Segment syn_ack = peer.Send(SynAck().Ack(4711));
  peer.Expect(Rst().Seq(syn_ack.ack));
}
