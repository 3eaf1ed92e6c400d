// A segment of the handshake is lost: what each side does then. RFC 9293 sections 3.8.3 and
// 3.10.7.4, what Linux documents in ip-sysctl.rst, and the study notes, which have other times.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr std::uint16_t kServerPort = 8080;

Duration NotesSynGiveUp(const Facts&) { return NotesSynSchedule().give_up; }
Duration OneSecond(const Facts&) { return 1s; }

class LossInHandshakeTest : public WireTest {
 protected:
  // connect() of the client to the server's listener.
  Pending<int> StartConnect() { return near.StartConnect(server.At(ip, kServerPort)); }

  Socket listener = Listening();
  Socket near = client.NewSocket(ip);
};

}  // namespace

// --- The first SYN is lost -----------------------------------------------------------------------

TEST_WITH_PEER(LossInHandshake, ALostSynIsSentAgain,
               .claims = {"rfc9293:3.10.8-retransmission", "notes:L1"}, .lasts = OneSecond) {
  Connection connection = InState(TcpState::kSynSent);
  auto& [socket, peer] = connection;
  peer.Expect(Syn().Seq(peer.irs), FirstTimeout());
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  ExpectStateIfShown(TcpState::kEstablished, connection);
}

TEST_WITH(
    LossInHandshakeTest, LossInHandshake, AsLinuxDocumentsLostSynsAreSentAgain,
    .claims = {"linux:tcp_syn_retries", "linux:tcp_syn_linear_timeouts", "linux:TCP_TIMEOUT_INIT"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  const std::vector<Duration> documented = LinuxSynSchedule(client.facts()).retransmissions;
  constexpr size_t kLost = 3;
  wire.Drop(Syn()).Times(kLost);
  Pending<int> connecting = StartConnect();
  Segment previous = wire.Expect(Syn().From(client));
  for (size_t i = 0; i < kLost; ++i) {
    const Segment again = wire.Expect(Syn().Seq(previous.seq).From(client), AtMost(documented[i]));
    EXPECT_THAT(again.time - previous.time,
                FiresAfter(documented[i], "SYN retransmission " + std::to_string(i + 1)));
    previous = again;
  }
  EXPECT_THAT(connecting.Await(), Succeeds());
}

// The numbers of 4.4BSD.
TEST_WITH(LossInHandshakeTest, LossInHandshake,
          AsTheNotesSayASynIsTriedAt0And5_8And29_8SecondsAndGivenUpAt75, .claims = {"notes:L1"},
          .lasts = NotesSynGiveUp) {
  const SynSchedule notes = NotesSynSchedule();
  wire.Drop(Syn()).Always();
  Pending<int> connecting = StartConnect();
  const Segment first = wire.Expect(Syn().From(client));
  Segment previous = first;
  for (const Duration gap : notes.retransmissions) {
    const Segment again = wire.Expect(Syn().Seq(first.seq).From(client), AtMost(gap));
    ASSERT_THAT(again.time - previous.time, OwnTimer(gap, client.facts()));
    previous = again;
  }
  const Outcome<int> connected = connecting.Await(AtMost(notes.give_up));
  EXPECT_THAT(connected, testing::Not(Succeeds()));
  EXPECT_THAT(connected.end - first.time, OwnTimer(notes.give_up, client.facts()));
}

// --- The SYN,ACK is lost -------------------------------------------------------------------------

TEST_WITH(LossInHandshakeTest, LossInHandshake, WithoutSynAckTheClientSendsItsSynAgain,
          .claims = {"rfc9293:3.10.8-retransmission", "notes:L2"}, .lasts = OneSecond) {
  ProgrammableWire::Rule& loss = wire.Drop(SynAck()).Always();
  Pending<int> connecting = StartConnect();
  const Segment syn = wire.Expect(Syn().From(client));
  wire.Expect(SynAck().Ack(syn.seq + 1).From(server));
  ExpectState(TcpState::kSynSent, client);
  ExpectState(TcpState::kSynReceived, server);

  wire.Expect(Syn().Seq(syn.seq).From(client), FirstTimeout());
  loss.Stop();
  EXPECT_THAT(connecting.Await(Within(2 * FirstTimeout().value)), Succeeds());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

TEST_WITH(
    LossInHandshakeTest, LossInHandshake, AsLinuxDocumentsALostSynAckIsSentAgain,
    .claims = {"linux:tcp_synack_retries", "rfc6298:5.5-back-off"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 7s; }) {
  const std::vector<Duration> documented = LinuxSynAckSchedule(server.facts()).retransmissions;
  wire.Drop(SynAck()).Always();
  Pending<int> connecting = StartConnect();
  Segment previous = wire.Expect(SynAck().From(server));
  // Retransmitted SYNs would be answered at once.
  wire.Drop(Syn()).Always();
  for (size_t i = 0; i < 3; ++i) {
    const Segment again =
        wire.Expect(SynAck().Seq(previous.seq).From(server), AtMost(documented[i]));
    EXPECT_THAT(again.time - previous.time,
                FiresAfter(documented[i], "SYN,ACK retransmission " + std::to_string(i + 1)));
    previous = again;
  }
}

TEST_WITH(
    LossInHandshakeTest, LossInHandshake, AsTheNotesSayALostSynAckIsSentAgainAfter3And6And12Seconds,
    .claims = {"notes:L3"}, .lasts = [](const Facts&) -> Duration { return 21s; }) {
  wire.Drop(SynAck()).Always();
  Pending<int> connecting = StartConnect();
  Segment previous = wire.Expect(SynAck().From(server));
  wire.Drop(Syn()).Always();
  for (const Duration gap : NotesSynAckRetransmissions()) {
    const Segment again = wire.Expect(SynAck().Seq(previous.seq).From(server), AtMost(gap));
    ASSERT_THAT(again.time - previous.time, OwnTimer(gap, server.facts()));
    previous = again;
  }
}

// The answer comes sooner than any retransmission of the SYN,ACK could: the wire makes the first
// SYN late, so that its retransmission finds the server half-way through its wait.
TEST_WITH(LossInHandshakeTest, LossInHandshake, ARetransmittedSynIsAnsweredAtOnce,
          .claims = {"linux:tcp_check_req-repeated-syn", "notes:L4"}, .lasts = OneSecond) {
  wire.Delay(Syn(), 500ms);
  wire.Drop(SynAck());
  Pending<int> connecting = StartConnect();
  const Segment syn = wire.Expect(Syn().From(client));
  const Segment lost = wire.Expect(SynAck().Ack(syn.seq + 1).From(server));

  wire.Expect(Syn().Seq(syn.seq).From(client));
  const Segment answer = wire.Expect(SynAck().Seq(lost.seq).Ack(syn.seq + 1).From(server));
  EXPECT_THAT(
      answer.time - lost.time,
      LastsAtMost(
          FiresAfter(OwnSynAckSchedule(server.facts()).retransmissions.front()).earliest()));
  EXPECT_THAT(connecting.Await(), Succeeds());
}

TEST_WITH_PEER(LossInHandshake, ARepeatedSynIsAnsweredWithTheSameSynAck,
               .claims = {"linux:tcp_check_req-repeated-syn", "notes:L4"}, .needs = {"states"}) {
  Connection connection = InState(TcpState::kSynReceived);
  auto& [listener, peer] = connection;

  peer.Send(Syn().Seq(peer.iss));
  Settle();
  ASSERT_EQ(peer.waiting(), 1U) << "not answered at once";
  peer.Expect(SynAck().Seq(peer.irs).Ack(peer.iss + 1));
  ExpectState(TcpState::kSynReceived, connection);
}

// Linux says in tcp_check_req() why it does not.
TEST_WITH_PEER(LossInHandshake, AsTheRfcSaysARepeatedSynIsAnsweredWithAnAck,
               .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [listener, peer] = InState(TcpState::kSynReceived);

  const std::uint32_t snd_nxt = peer.rcv_nxt;
  peer.Send(Syn().Seq(peer.iss));
  const Segment answer = peer.Expect(AnySegment().Ack(peer.iss + 1));
  EXPECT_EQ(TcpFlagsName(answer.flags), "ACK");
  EXPECT_EQ(answer.seq, snd_nxt);
}

// --- The last ACK is lost ------------------------------------------------------------------------

TEST_WITH(
    LossInHandshakeTest, LossInHandshake, WithoutTheLastAckTheClientIsEstablishedAndTheServerIsNot,
    .claims = {"rfc9293:3.5-third-segment", "rfc9293:3.10.8-retransmission", "notes:L5"},
    .needs = {"states"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  wire.Drop(Ack().From(client)).Always();
  Pending<Accepted> accepting = listener.StartAccept();
  ASSERT_THAT(StartConnect().Await(), Succeeds());
  const Segment syn_ack = wire.Expect(SynAck().From(server));
  ExpectState(TcpState::kEstablished, client);
  ExpectState(TcpState::kSynReceived, server);

  // It retransmits, the second time after twice the first timeout, and each time the client
  // confirms, in vain.
  for (int i = 0; i < 2; ++i) {
    wire.Expect(SynAck().Seq(syn_ack.seq).Ack(syn_ack.ack).From(server),
                Within(2 * FirstTimeout().value));
    wire.Expect(Ack().Seq(syn_ack.ack).Ack(syn_ack.seq + 1).From(client));
  }
  ExpectState(TcpState::kEstablished, client);
  ExpectState(TcpState::kSynReceived, server);
  ExpectStillBlocked(accepting);
}

// Every pure ACK of the client is lost, so nothing but the data can tell the server.
TEST_WITH(LossInHandshakeTest, LossInHandshake, TheFirstDataCarriesTheLostAck,
          .claims = {"rfc9293:3.10.7.4-syn-received-ack", "rfc9293:3.1-ack-field", "notes:L6"},
          .needs = {"states"}) {
  wire.Drop(Ack().From(client)).Always();
  ASSERT_THAT(StartConnect().Await(), Succeeds());
  const Segment syn_ack = wire.Expect(SynAck().From(server));
  ExpectState(TcpState::kSynReceived, server);

  ASSERT_THAT(near.Send("hello"), Returns(5));
  wire.Expect(AnyData().Seq(syn_ack.ack).Ack(syn_ack.seq + 1).From(client));
  ExpectState(TcpState::kEstablished, server);
  Socket far = listener.Accept().value().socket;
  EXPECT_THAT(far.Receive(5, {"MSG_WAITALL"}), Returns("hello"));
}
