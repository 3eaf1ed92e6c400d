// Three-way handshake, RFC 9293 section 3.5.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

TEST_WITH_PEER(Handshake, TheClientAsksWithASynAndIsInSynSent,
               .claims = {"rfc9293:3.5-first-segment", "notes:O1", "notes:H4"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());

  const Segment syn = peer.Expect(Syn());
  EXPECT_THAT(syn.payload_text(), "");
  ExpectStateIfShown(TcpState::kSynSent, {socket, peer});
  ExpectStillBlocked(connecting);
}

TEST_WITH_PEER(Handshake, TheServerAnswersWithSynAckAndIsInSynReceived,
               .claims = {"rfc9293:3.5-second-segment", "notes:O2", "notes:H4"}) {
  auto [listener, peer] = InState(TcpState::kListen);

  const Segment syn = peer.Send(Syn());
  peer.Expect(SynAck().Ack(syn.seq + 1));
  ExpectStateIfShown(TcpState::kSynReceived, {listener, peer});
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
  ExpectStateIfShown(TcpState::kEstablished, {socket, peer});
}

TEST_WITH_PEER(Handshake, TheThirdSegmentEstablishesTheServer,
               .claims = {"rfc9293:3.5-third-segment", "rfc9293:3.10.7.4-syn-received-ack",
                          "man:accept(2)-queue", "notes:O3"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  Pending<Accepted> accepting = listener.StartAccept();

  peer.Send(Ack());
  const Accepted accepted = accepting.Await().value();
  EXPECT_EQ(accepted.remote.ToString(), peer.local().ToString());
  ExpectStateIfShown(TcpState::kEstablished, {accepted.socket, peer});
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
  ExpectStateIfShown(TcpState::kEstablished, client);
  ExpectStateIfShown(TcpState::kEstablished, server);
}

TEST_WITH_PEER(Handshake, CrossingSynsEstablishOneConnection, .claims = {"rfc9293:MUST-10"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);

  peer.Send(Syn());
  peer.Expect(SynAck().Seq(peer.irs).Ack(peer.snd_nxt));
  ExpectStateIfShown(TcpState::kSynReceived, {socket, peer});
  peer.Send(SynAck().Seq(peer.iss));
  ExpectStateIfShown(TcpState::kEstablished, {socket, peer});
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
  ExpectStateIfShown(TcpState::kSynSent, {socket, peer});
}

// As a closed port sends it: its sequence number is 0.
TEST_WITH_PEER(Handshake, AResetRefusesTheConnection,
               .claims = {"rfc9293:3.10.7.3-rst", "posix:connect-ECONNREFUSED",
                          "man:connect(2)-ECONNREFUSED"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());

  Deciding("rfc9293:3.10.7.3-rst");
  peer.Send(Rst().With(kAck).Seq(0));
  const Outcome<int> connected = connecting.Await();
  EXPECT_THAT(connected, testing::Not(Succeeds()));
  Deciding("posix:connect-ECONNREFUSED");
  EXPECT_THAT(connected, testing::AnyOf(FailsWith(ECONNREFUSED), FailsWith(ECONNRESET)));
  Deciding("man:connect(2)-ECONNREFUSED");
  EXPECT_THAT(connected, FailsWith(ECONNREFUSED));
}

TEST_WITH_PEER(Handshake, ASynToAClosedPortIsReset,
               .claims = {"rfc9293:3.10.7.1-reset-without-ack"}) {
  auto [socket, peer] = InState(TcpState::kClosed);

  const Segment syn = peer.Send(Syn());
  peer.Expect(Rst().With(kAck).Seq(0).Ack(syn.seq + 1));
}

TEST_WITH_PEER(Handshake, WhatAClosedPortResetsIsAcknowledgedWhole,
               .claims = {"rfc9293:3.10.7.1-reset-without-ack"}) {
  for (const PartialSegment& kind : {Flags(kSyn).Payload("text"), Flags(kFin).Payload("text"),
                                     Flags(kFin), Flags(0).Payload("text")}) {
    SCOPED_TRACE(kind.Describe());
    auto [socket, peer] = InState(TcpState::kClosed);
    const Segment segment = peer.Send(kind);
    peer.Expect(Rst().With(kAck).Seq(0).Ack(segment.seq + segment.length()));
  }
}

// Its sequence number alone makes it acceptable.
TEST_WITH_PEER(Handshake, AResetOfASegmentWithAckHasNone,
               .claims = {"rfc9293:3.10.7.1-reset-form"}) {
  auto [socket, peer] = InState(TcpState::kClosed);
  const Segment stray = peer.Send(Ack().Ack(7));
  peer.Expect(Flags(kRst).Seq(stray.ack));
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

// --- SYN-RECEIVED --------------------------------------------------------------------------------

TEST_WITH_PEER(Handshake, AResetInSynReceivedReturnsAPassiveOpenToListen,
               .claims = {"rfc9293:MUST-11", "rfc9293:3.10.7.4-syn-received-rst"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  peer.Send(Rst());
  ScriptedTcp& other = host.Towards(*peer.remote(), NextPort());
  other.Send(Syn());
  other.Expect(SynAck().Ack(other.snd_nxt));
  other.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), other.local().ToString());
}

TEST_WITH_PEER(Handshake, AResetInSynReceivedEndsAnActiveOpen,
               .claims = {"rfc9293:MUST-11", "rfc9293:3.10.7.4-syn-received-rst"}) {
  auto [socket, peer] = AfterCrossingSyns();
  peer.Send(Rst());
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
  peer.ExpectEventually(Rst().Seq(ack.ack));
}

TEST_WITH_PEER(Handshake, AnUnacceptableAckInSynReceivedIsReset,
               .claims = {"rfc9293:3.10.7.4-syn-received-unacceptable-ack"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);
  for (const std::uint32_t wrong : {peer.irs + 2, peer.irs}) {
    peer.Send(Ack().Ack(wrong));
    peer.ExpectEventually(Rst().Seq(wrong));
  }
  peer.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), peer.local().ToString());
}

TEST_WITH_PEER(Handshake, ABareAckEndsAnOpenInWhichTheSynsCrossed,
               .claims = {"rfc9293:3.10.7.4-syn-received-ack"}) {
  Connection connection = AfterCrossingSyns();
  auto& [socket, peer] = connection;
  peer.Send(Ack());
  ExpectStateIfShown(TcpState::kEstablished, connection);
  peer.Send(Data("hello"));
  peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("hello"));
}

TEST_WITH_PEER(
    Handshake, ALostSynAckOfCrossingSynsIsSentAgain, .claims = {"rfc9293:3.10.8-retransmission"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Connection connection = AfterCrossingSyns();
  auto& [socket, peer] = connection;
  peer.Expect(SynAck().Seq(peer.irs).Ack(peer.snd_nxt), FirstTimeout());
  peer.Send(SynAck().Seq(peer.iss));
  ExpectStateIfShown(TcpState::kEstablished, connection);
}
