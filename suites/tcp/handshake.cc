// Three-way handshake, RFC 9293 section 3.5.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(Handshake, TheClientAsksWithASynAndIsInSynSent,
               .claims = {"rfc9293:3.5-first-segment", "notes:O1", "notes:H4"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());

  const Segment syn = peer.Expect(Syn());
  EXPECT_THAT(syn.payload_text(), "");
  ExpectState(TcpState::kSynSent, {socket, peer});
  EXPECT_FALSE(connecting.Returned());
}

TEST_WITH_PEER(Handshake, TheServerAnswersWithSynAckAndIsInSynReceived,
               .claims = {"rfc9293:3.5-second-segment", "notes:O2", "notes:H4"}) {
  auto [listener, peer] = InState(TcpState::kListen);

  const Segment syn = peer.Send(Syn());
  peer.Expect(SynAck().Ack(syn.seq + 1));
  ExpectState(TcpState::kSynReceived, {listener, peer});
}

TEST_WITH_PEER(Handshake, TheClientConfirmsWithAThirdSegmentWithoutSyn,
               .claims = {"rfc9293:3.5-third-segment", "notes:O3", "notes:H3"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  const Segment syn = peer.Expect(Syn());

  const Segment syn_ack = peer.Send(SynAck());
  peer.Expect(Ack().Seq(syn.seq + 1).Ack(syn_ack.seq + 1));
  EXPECT_THAT(connecting.Await(), Succeeds());
  ExpectState(TcpState::kEstablished, {socket, peer});
}

TEST_WITH_PEER(Handshake, TheThirdSegmentEstablishesTheServer,
               .claims = {"rfc9293:3.5-third-segment", "rfc9293:3.10.7.4-syn-received-ack",
                          "man:accept(2)-queue", "notes:O3"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  Pending<Accepted> accepting = listener.StartAccept();

  peer.Send(Ack());
  const Accepted accepted = accepting.Await().value();
  EXPECT_EQ(accepted.remote.ToString(), peer.local().ToString());
  ExpectState(TcpState::kEstablished, {accepted.socket, peer});
}

TEST_WITH_WIRE(Handshake, TwoStacksOpenWithThreeSegments,
               .claims = {"rfc9293:3.5-first-segment", "rfc9293:3.5-second-segment",
                          "rfc9293:3.5-third-segment", "notes:O1", "notes:O2", "notes:O3"}) {
  Connected();
  const Segment syn = wire.Expect(AnySegment());
  const Segment syn_ack = wire.Expect(AnySegment());
  const Segment ack = wire.Expect(AnySegment());

  EXPECT_TRUE(Syn().Matches(syn));
  EXPECT_TRUE(SynAck().Ack(syn.seq + 1).Matches(syn_ack));
  EXPECT_TRUE(Ack().Seq(syn.seq + 1).Ack(syn_ack.seq + 1).Matches(ack));
  ExpectState(TcpState::kEstablished, client);
  ExpectState(TcpState::kEstablished, server);
}

TEST_WITH_PEER(Handshake, CrossingSynsEstablishOneConnection, .claims = {"rfc9293:MUST-10"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);

  peer.Send(Syn());
  peer.Expect(SynAck().Seq(peer.irs).Ack(peer.snd_nxt));
  ExpectState(TcpState::kSynReceived, {socket, peer});
  peer.Send(SynAck().Seq(peer.iss));
  ExpectState(TcpState::kEstablished, {socket, peer});
  EXPECT_EQ(socket.TakeError(), 0);
}

TEST_WITH_PEER(Handshake, AnAnswerToAnOldDuplicateSynIsReset,
               .claims = {"rfc9293:3.5-old-duplicate-syn", "rfc9293:3.10.7.3-unacceptable-ack",
                          "notes:W3"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);

  // Confirms a SYN that this socket never sent.
  const std::uint32_t old_syn = peer.irs - 1000;
  peer.Send(SynAck().Ack(old_syn + 1));
  peer.Expect(Rst().Seq(old_syn + 1));
  ExpectState(TcpState::kSynSent, {socket, peer});
}

TEST_WITH_PEER(Handshake, AResetRefusesTheConnection,
               .claims = {"rfc9293:3.10.7.3-rst", "man:connect(2)-ECONNREFUSED"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());

  peer.Send(Rst().With(kAck));
  EXPECT_THAT(connecting.Await(), FailsWith(ECONNREFUSED));
}

TEST_WITH_PEER(Handshake, ASynToAClosedPortIsReset,
               .claims = {"rfc9293:3.10.7.1-reset-without-ack"}) {
  auto [socket, peer] = InState(TcpState::kClosed);

  const Segment syn = peer.Send(Syn());
  peer.Expect(Rst().With(kAck).Seq(0).Ack(syn.seq + 1));
}

TEST_WITH_PEER(Handshake, TheAckThatEndsItTakesNoNumber,
               .claims = {"rfc9293:3.5-ack-not-numbered", "rfc9293:3.1-isn"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  const Segment syn = peer.Expect(Syn());
  peer.Send(SynAck());
  const Segment ack = peer.Expect(Ack());
  connecting.Await().value();
  ASSERT_THAT(socket.Send("first"), Returns(5));
  EXPECT_EQ(peer.Expect(Data("first")).seq, ack.seq);
  EXPECT_EQ(ack.seq, syn.seq + 1);
}

TEST_WITH_PEER(Handshake, AResetInSynReceivedEndsOnlyAnActiveOpen, .claims = {"rfc9293:MUST-11"}) {
  auto [listener, passive] = InState(TcpState::kSynReceived);
  passive.Send(Rst());
  ScriptedTcp& other = host.Towards(*passive.remote(), NextPort());
  other.Send(Syn());
  other.Expect(SynAck().Ack(other.snd_nxt));
  other.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), other.local().ToString());

  auto [socket, active] = InState(TcpState::kSynSent);
  active.Send(Syn());
  active.Expect(SynAck().Ack(active.snd_nxt));
  active.Send(Rst());
  Settle();
  EXPECT_NE(ErrnoName(socket.TakeError()), ErrnoName(0));
}

TEST_WITH_PEER(Handshake, ASecondSynInSynReceivedReturnsAPassiveOpenToListen,
               .claims = {"rfc9293:3.10.7.4-syn-received-syn"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  const std::uint32_t nxt = peer.snd_nxt;
  peer.Send(Syn().Seq(nxt + 100));  // within the window
  Settle();
  peer.snd_nxt = nxt;
  const Segment ack = peer.Send(Ack());  // finds no connection any more
  peer.ExpectEventually(Rst().Seq(ack.ack).Without(kAck));
}
