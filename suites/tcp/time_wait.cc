// TIME-WAIT, RFC 9293 sections 3.4.2 and 3.6.1: who enters it, and for how long.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

// Until the documented duration has certainly passed.
Duration TimeWaitAndSlack(const Facts& facts) { return FiresAfter(LinuxTimeWait(facts)).latest(); }

}  // namespace

TEST_WITH_PEER(TimeWait, LastsAsLongAsDocumented,
               .claims = {"linux:TCP_TIMEWAIT_LEN", "rfc9293:3.10.8-time-wait", "notes:C7"},
               .needs = {"diag"}, .lasts = LinuxTimeWait) {
  Connection connection = InState(TcpState::kFinWait2);
  connection.peer.Send(Fin());
  const Segment last_ack = connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
  ExpectState(TcpState::kTimeWait, connection);

  const Time gone = WaitUntilGone(connection, TimeWaitAndSlack(sut.facts()) + kPatience);
  EXPECT_THAT(gone - last_ack.time, FiresAfter(LinuxTimeWait(sut.facts())));
  Observe("TIME-WAIT", gone - last_ack.time);
}

// Seen from the wire alone: a segment of a connection in TIME-WAIT is acknowledged, one of a
// connection that is gone is reset. Two connections, because the question restarts the timer.
TEST_WITH_PEER(TimeWait, OnTheWireLastsAsLongAsDocumented,
               .claims = {"linux:TCP_TIMEWAIT_LEN", "rfc9293:3.10.7.4-time-wait-fin", "notes:C7",
                          "notes:W2"},
               .lasts = TimeWaitAndSlack) {
  const FiresAfter documented(LinuxTimeWait(sut.facts()));
  ScriptedTcp& asked_before = InState(TcpState::kTimeWait).peer;
  ScriptedTcp& asked_after = InState(TcpState::kTimeWait).peer;
  const Time entered = Clock::now();

  asked_before.ExpectSilence(documented.earliest() - 1s);
  asked_before.Send(Fin().Seq(asked_before.snd_nxt - 1));
  asked_before.Expect(Ack().Ack(asked_before.snd_nxt));

  asked_after.ExpectSilence(entered + documented.latest() - Clock::now());
  const Segment again = asked_after.Send(Fin().Seq(asked_after.snd_nxt - 1));
  asked_after.Expect(Rst().Seq(again.ack));
}

TEST_WITH_PEER(TimeWait, ARepeatedFinIsAcknowledgedAgain,
               .claims = {"rfc9293:3.10.7.4-time-wait-fin", "rfc9293:3.10.7.4-repeated-fin",
                          "notes:W2", "notes:L11"}) {
  Connection connection = InState(TcpState::kTimeWait);
  auto& [socket, peer] = connection;

  peer.Send(Fin().Seq(peer.snd_nxt - 1));
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  ExpectState(TcpState::kTimeWait, connection);
}

TEST_WITH_PEER(TimeWait, ThePassiveSideNeverEntersIt,
               .claims = {"rfc9293:MUST-13", "rfc9293:3.10.7.4-last-ack-ack", "notes:C8"}) {
  Connection connection = InState(TcpState::kLastAck);
  auto& [socket, peer] = connection;

  peer.Send(Ack());
  ExpectState(TcpState::kClosed, connection);
  // Nothing remembers the connection: its segments are answered like any stranger's.
  const Segment stray = peer.Send(Ack());
  peer.Expect(Rst().Seq(stray.ack));
}
