// A segment of the close is lost: what each side does then. RFC 9293 sections 3.6, 3.10.7.4 and
// 3.10.8, what Linux documents in ip-sysctl.rst, and the study notes.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// A connection of two stacks, `near` on the client and `far` on the server. The client closes.
class LossInCloseTest : public WireTest {
 protected:
  // Whatever the client sends is lost from now on.
  void CutOffTheClient() { wire.Drop(AnySegment().From(client)).Always(); }

  StackConnection connection = Connected();
  Socket& near = connection.client;
  Socket& far = connection.server;
};

}  // namespace

// --- The FIN is lost, or the ACK of it -----------------------------------------------------------

TEST_WITH(
    LossInCloseTest, LossInClose, ALostFinIsSentAgainAfterTheRetransmissionTimeout,
    .claims = {"rfc9293:3.6-retransmitted-until-acknowledged", "rfc9293:3.10.8-retransmission",
               "rfc6298:5.5-back-off", "notes:L7"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  client.SetSysctl("net.ipv4.tcp_early_retrans", 0);  // no tail loss probe before the timeout
  wire.Drop(Fin().From(client)).Times(2);
  const Duration timeout = std::chrono::microseconds(near.Info("rto"));

  ASSERT_THAT(near.Close(), Succeeds());
  const Segment first = wire.Expect(Fin().From(client));
  ExpectState(TcpState::kFinWait1, client);
  ExpectState(TcpState::kEstablished, server);
  const Segment second = wire.Expect(Fin().Seq(first.seq).From(client));
  EXPECT_THAT(second.time - first.time, FiresAfter(timeout));
  const Segment third = wire.Expect(Fin().Seq(first.seq).From(client));
  EXPECT_THAT(third.time - second.time, FiresAfter(2 * timeout));

  wire.Expect(Ack().Ack(first.seq + 1).From(server));
  ExpectState(TcpState::kFinWait2, client);
  EXPECT_THAT(far.Receive(64), IsEndOfFile());
  ExpectState(TcpState::kCloseWait, server);
}

TEST_WITH(LossInCloseTest, LossInClose, WhenItsAckIsLostTheFinIsSentAgain,
          .claims = {"rfc9293:3.10.8-retransmission", "rfc9293:3.10.7.4-repeated-fin", "notes:L7"},
          .needs = {"states"}) {
  ProgrammableWire::Rule& loss = wire.Drop(Ack().From(server)).Always();
  ASSERT_THAT(near.Close(), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ExpectState(TcpState::kFinWait1, client);
  ExpectState(TcpState::kCloseWait, server);

  wire.Expect(Fin().Seq(fin.seq).From(client), FirstTimeout());
  loss.Stop();
  ExpectState(TcpState::kFinWait2, client);
  ExpectState(TcpState::kCloseWait, server);
}

TEST_WITH(
    LossInCloseTest, LossInClose, KeepaliveClosesAServerThatNeverSawTheFin,
    .claims = {"man:socket(7)-SO_KEEPALIVE", "man:tcp(7)-TCP_KEEPCNT", "man:tcp(7)-ETIMEDOUT",
               "notes:L8"},
    .needs = {"states"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  for (const char* option : {"TCP_KEEPIDLE", "TCP_KEEPINTVL", "SO_KEEPALIVE"}) {
    ASSERT_THAT(far.SetOption(option, 1), Succeeds());
  }
  ASSERT_THAT(far.SetOption("TCP_KEEPCNT", 2), Succeeds());
  const Segment syn_ack = wire.Expect(SynAck().From(server));
  Pending<std::string> receiving = far.StartReceive(64);
  CutOffTheClient();
  ASSERT_THAT(near.Close(), Succeeds());
  wire.Expect(Fin().From(client));
  ExpectState(TcpState::kEstablished, server);

  const PartialSegment probe = KeepaliveProbe().Seq(syn_ack.seq).From(server);
  Deciding("man:socket(7)-SO_KEEPALIVE");
  const Segment first_probe = wire.Expect(probe);
  Deciding("man:tcp(7)-TCP_KEEPCNT");
  wire.Expect(probe);
  const Outcome<std::string> received = receiving.Await();
  EXPECT_THAT(received.end - first_probe.time, OwnTimer(2s, server.facts()));
  Deciding("notes:L8");
  EXPECT_THAT(received, testing::Not(Succeeds()));
  ExpectState(TcpState::kClosed, server);
  Deciding("man:tcp(7)-ETIMEDOUT");
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
}

TEST_WITH(
    LossInCloseTest, LossInClose, UnacknowledgedDataClosesAServerThatNeverSawTheFin,
    .claims = {"linux:tcp_retries2", "man:tcp(7)-ETIMEDOUT", "notes:L8"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 7s; }) {
  server.SetSysctl("net.ipv4.tcp_retries2", 3);
  const Duration at_least = LinuxDataGiveUpMinimum(server.facts());
  Pending<std::string> receiving = far.StartReceive(64);
  CutOffTheClient();
  ASSERT_THAT(near.Close(), Succeeds());
  wire.Expect(Fin().From(client));

  ASSERT_THAT(far.Send("anyone there?"), Returns(13));
  const Segment data = wire.Expect(Data("anyone there?").From(server));
  wire.Expect(Data("anyone there?").Seq(data.seq).From(server));
  // The end comes with the first timeout past the documented time, and timeouts double.
  Deciding("linux:tcp_retries2");
  const Outcome<std::string> received = receiving.Await(AtMost(3 * at_least));
  EXPECT_THAT(received.end - data.time, LastsAtLeast(at_least));
  Deciding("notes:L8");
  EXPECT_THAT(received, testing::Not(Succeeds()));
  ExpectState(TcpState::kClosed, server);
  Deciding("man:tcp(7)-ETIMEDOUT");
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
}

// Without data and with keepalive off, which is the default that RFC 9293 wants (MUST-25).
TEST_WITH(
    LossInCloseTest, LossInClose, AsTheNotesSayAServerThatNeverSawTheFinClosesByItself,
    .claims = {"notes:L8"}, .needs = {"virtual-time"},
    .lasts = [](const Facts&) -> Duration { return NotesKeepalive().give_up(); }) {
  Pending<std::string> receiving = far.StartReceive(64);
  CutOffTheClient();
  ASSERT_THAT(near.Close(), Succeeds());
  EXPECT_THAT(receiving.Await(AtMost(NotesKeepalive().give_up())), testing::Not(Succeeds()));
}

TEST_WITH(LossInCloseTest, LossInClose, AFinAfterALostAckLeadsStraightToTimeWait,
          .claims = {"rfc9293:3.10.7.4-fin-wait-1-fin", "notes:L9"}, .needs = {"states"}) {
  wire.Drop(Ack().From(server)).Always();
  ASSERT_THAT(near.Close(), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ExpectState(TcpState::kFinWait1, client);

  ASSERT_THAT(far.Close(), Succeeds());
  const Segment second_fin = wire.Expect(Fin().Ack(fin.seq + 1).From(server));
  wire.Expect(Ack().Seq(fin.seq + 1).Ack(second_fin.seq + 1).From(client));
  ExpectState(TcpState::kTimeWait, client);
  ExpectState(TcpState::kClosed, server);
}

// --- The second FIN is lost, or the ACK of it ----------------------------------------------------

TEST_WITH(
    LossInCloseTest, LossInClose, WhileTheSecondFinIsLostTheFirstSideWaitsInFinWait2,
    .claims = {"rfc9293:3.6-retransmitted-until-acknowledged", "rfc9293:3.10.7.4-fin-wait-2-fin",
               "notes:L10"},
    .needs = {"states"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  ProgrammableWire::Rule& loss = wire.Drop(Fin().From(server)).Always();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ASSERT_THAT(far.Close(), Succeeds());
  const Segment lost = wire.Expect(Fin().Ack(fin.seq + 1).From(server));
  wire.Expect(Fin().Seq(lost.seq).From(server), FirstTimeout());
  ExpectState(TcpState::kFinWait2, client);
  ExpectState(TcpState::kLastAck, server);

  // The next one comes after twice the first timeout.
  loss.Stop();
  wire.Expect(Ack().Seq(fin.seq + 1).Ack(lost.seq + 1).From(client),
              Within(2 * FirstTimeout().value));
  EXPECT_THAT(near.Receive(64), IsEndOfFile());
  ExpectState(TcpState::kTimeWait, client);
  ExpectState(TcpState::kClosed, server);
}

TEST_WITH(LossInCloseTest, LossInClose, WhenTheLastAckIsLostTimeWaitAnswersTheSecondFinAgain,
          .claims = {"rfc9293:3.10.7.4-time-wait-fin", "rfc9293:3.10.7.4-last-ack-ack", "notes:L10",
                     "notes:L11", "notes:W2"},
          .needs = {"states"}) {
  ASSERT_THAT(near.Close(), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ProgrammableWire::Rule& loss = wire.Drop(Ack().From(client)).Always();
  ASSERT_THAT(far.Close(), Succeeds());
  const Segment second_fin = wire.Expect(Fin().Ack(fin.seq + 1).From(server));
  wire.Expect(Ack().Seq(fin.seq + 1).Ack(second_fin.seq + 1).From(client));
  ExpectState(TcpState::kTimeWait, client);
  ExpectState(TcpState::kLastAck, server);

  wire.Expect(Fin().Seq(second_fin.seq).From(server), FirstTimeout());
  loss.Stop();
  wire.Expect(Ack().Seq(fin.seq + 1).Ack(second_fin.seq + 1).From(client));
  ExpectState(TcpState::kClosed, server);
  ExpectState(TcpState::kTimeWait, client);
}

// The last ACK is lost again and again, until the other side's timeouts have grown so long that a
// TIME-WAIT counted from the first FIN cannot be taken for one counted from the last.
TEST_WITH(
    LossInCloseTest, LossInClose, EachRepeatedSecondFinStartsTimeWaitAnew,
    .claims = {"rfc9293:3.10.7.4-time-wait-fin", "system:time-wait", "notes:L11", "notes:C7"},
    .needs = {"states"},
    .lasts = [](const Facts& facts) -> Duration { return OwnTimeWait(facts) + 26s; }) {
  const Duration time_wait = OwnTimeWait(client.facts());
  ASSERT_THAT(near.Close(), Succeeds());
  const Segment fin = wire.Expect(Fin().From(client));
  wire.Expect(Ack().Ack(fin.seq + 1).From(server));
  ProgrammableWire::Rule& loss = wire.Drop(Ack().From(client)).Always();
  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  const Segment second_fin = wire.Expect(Fin().From(server));
  const PartialSegment last_ack = Ack().Ack(second_fin.seq + 1).From(client);
  Segment again = second_fin;
  while (again.time - second_fin.time < time_wait / 4) {
    wire.Expect(last_ack);
    again = wire.Expect(Fin().Seq(second_fin.seq).From(server), Within(time_wait));
  }
  loss.Stop();

  WaitUntilGone(server, time_wait);
  ExpectState(TcpState::kTimeWait, client);
  const Time gone = WaitUntilGone(client, FiresAfter(time_wait).latest() + kPatience);
  EXPECT_THAT(gone - wire.Seen(last_ack).back().time, FiresAfter(time_wait));
}

// --- Nothing of the close is ever acknowledged ---------------------------------------------------

namespace {

constexpr Duration kUserTimeout = 3s;
Duration ThreeSeconds(const Facts&) { return kUserTimeout; }

}  // namespace

TEST_WITH_PEER(LossInClose, TheUserTimeoutEndsAConnectionWhoseDataIsNotAcknowledged,
               .claims = {"rfc9293:3.10.8-user-timeout", "man:tcp(7)-TCP_USER_TIMEOUT",
                          "man:tcp(7)-ETIMEDOUT"},
               .lasts = ThreeSeconds) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 3000), Succeeds());
  Pending<std::string> receiving = socket.StartReceive(64);
  ASSERT_THAT(socket.Send("anyone there?"), Returns(13));
  const Segment data = peer.Expect(Data("anyone there?"));

  Deciding("rfc9293:3.10.8-user-timeout");
  const Outcome<std::string> received = receiving.Await(AtMost(2 * kUserTimeout));
  EXPECT_THAT(received, testing::Not(Succeeds()));
  const Segment late = peer.Send(Ack());
  peer.ExpectEventually(Rst().Seq(late.ack));
  ExpectStateIfShown(TcpState::kClosed, connection);
  Deciding("man:tcp(7)-TCP_USER_TIMEOUT");
  EXPECT_THAT(received.end - data.time, OwnTimer(kUserTimeout, sut.facts()));
  Deciding("man:tcp(7)-ETIMEDOUT");
  EXPECT_THAT(received, FailsWith(ETIMEDOUT));
}

TEST_WITH_PEER(LossInClose, TheUserTimeoutEndsLastAck,
               .claims = {"rfc9293:3.6-last-ack-timeout", "man:tcp(7)-TCP_USER_TIMEOUT"},
               .needs = {"states"}, .lasts = ThreeSeconds) {
  Connection connection = InState(TcpState::kCloseWait);
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 3000), Succeeds());
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = peer.Expect(Fin());

  Deciding("rfc9293:3.6-last-ack-timeout");
  const Time gone = WaitUntilGone(connection, AtMost(2 * kUserTimeout).value);
  EXPECT_NE(ErrnoName(socket.TakeError()), ErrnoName(0));
  Deciding("man:tcp(7)-TCP_USER_TIMEOUT");
  EXPECT_THAT(gone - fin.time, OwnTimer(kUserTimeout, sut.facts()));
}
