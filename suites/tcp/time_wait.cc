// TIME-WAIT, RFC 9293 sections 3.4.2 and 3.6.1: who enters it, for how long, and what it answers.
// SYNs that reopen a connection are in time_wait_reopen.cc, its port in time_wait_reuse.cc.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

// Until the documented duration has certainly passed.
Duration TimeWaitAndSlack(const Facts& facts) { return FiresAfter(LinuxTimeWait(facts)).latest(); }

class InTimeWait : public PeerTest {
 protected:
  // Its acknowledgment shows that the connection is remembered.
  void ExpectFinIsAcknowledged() {
    peer.Send(Fin().Seq(peer.snd_nxt - 1));
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  }

  // Its reset shows that nothing remembers the connection.
  void ExpectFinIsReset() {
    const Segment fin = peer.Send(Fin().Seq(peer.snd_nxt - 1));
    peer.Expect(Rst().Seq(fin.ack));
  }

  Connection connection = InState(TcpState::kTimeWait);
  ScriptedTcp& peer = connection.peer;
};

}  // namespace

// --- For how long --------------------------------------------------------------------------------

TEST_WITH_PEER(TimeWait, LastsAsLongAsDocumented, .claims = {"linux:TCP_TIMEWAIT_LEN"},
               .needs = {"states"}, .lasts = LinuxTimeWait) {
  Connection connection = InState(TcpState::kFinWait2);
  connection.peer.Send(Fin());
  const Segment last_ack = connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
  ExpectState(TcpState::kTimeWait, connection);

  const Time gone = WaitUntilGone(connection, TimeWaitAndSlack(sut.facts()) + kPatience);
  EXPECT_THAT(gone - last_ack.time, FiresAfter(LinuxTimeWait(sut.facts()), "TIME-WAIT"));
  Observe("TIME-WAIT", gone - last_ack.time);
}

// Seen from the wire alone: a segment of a connection in TIME-WAIT is acknowledged, one of a
// connection that is gone is reset. Two connections, because the question restarts the timer.
TEST_WITH_PEER(TimeWait, OnTheWireLastsAsLongAsDocumented, .claims = {"linux:TCP_TIMEWAIT_LEN"},
               .lasts = TimeWaitAndSlack) {
  const FiresAfter documented(LinuxTimeWait(sut.facts()));
  ScriptedTcp& asked_before = InState(TcpState::kTimeWait).peer;
  ScriptedTcp& asked_after = InState(TcpState::kTimeWait).peer;
  const Time entered = Clock::now();

  asked_before.ExpectSilence(documented.earliest() - 3s);
  asked_before.Send(Fin().Seq(asked_before.snd_nxt - 1));
  asked_before.Expect(Ack().Ack(asked_before.snd_nxt));

  asked_after.ExpectSilence(entered + documented.latest() - Clock::now());
  const Segment again = asked_after.Send(Fin().Seq(asked_after.snd_nxt - 1));
  asked_after.Expect(Rst().Seq(again.ack));
}

// So long after the first one that the timer would be far too early if it had not been restarted.
TEST_WITH(
    InTimeWait, TimeWait, ARepeatedFinRestartsTheTimer,
    .claims = {"rfc9293:3.10.7.4-time-wait-fin", "notes:L11"}, .needs = {"states"},
    .lasts = [](const Facts& facts) -> Duration { return OwnTimeWait(facts) + 15s; }) {
  peer.ExpectSilence(15s);
  Deciding("notes:L11");
  peer.Send(Fin().Seq(peer.snd_nxt - 1));
  const Segment again = peer.Expect(Ack().Ack(peer.snd_nxt));

  Deciding("rfc9293:3.10.7.4-time-wait-fin");
  const FiresAfter documented(OwnTimeWait(sut.facts()));
  const Time gone = WaitUntilGone(connection, documented.latest() + kPatience);
  EXPECT_THAT(gone - again.time, documented);
}

// The MSL of 2 minutes is an engineering choice, says RFC 9293, and may be changed.
TEST_WITH_PEER(
    TimeWait, LastsTwiceTheMslOfTheRfcOrOfTheSystem, .claims = {"rfc9293:3.4.2-msl"},
    .needs = {"states"}, .lasts = [](const Facts&) -> Duration { return RfcTimeWait(); }) {
  Connection connection = InState(TcpState::kFinWait2);
  connection.peer.Send(Fin());
  const Segment last_ack = connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));

  const FiresAfter by_rfc(RfcTimeWait(), "TIME-WAIT");
  const Duration lasted = WaitUntilGone(connection, by_rfc.latest()) - last_ack.time;
  if (lasted < by_rfc.earliest()) {
    NotTaken("rfc9293:3.4.2-msl", "TIME-WAIT lasts " + FormatDuration(lasted));
  } else {
    EXPECT_THAT(lasted, by_rfc);
  }
}

// --- Who enters it -------------------------------------------------------------------------------

TEST_WITH_PEER(TimeWait, ThePassiveSideNeverEntersIt,
               .claims = {"rfc9293:3.10.7.4-last-ack-ack", "notes:C8"}) {
  Connection connection = InState(TcpState::kLastAck);
  auto& [socket, peer] = connection;

  peer.Send(Ack());
  // Nothing remembers the connection: its segments are answered like any stranger's.
  const Segment stray = peer.Send(Ack());
  const Segment answer = peer.Expect(AnySegment());
  for (const char* claim : {"rfc9293:3.10.7.4-last-ack-ack", "notes:C8"}) {
    Deciding(claim);
    EXPECT_TRUE(Rst().Seq(stray.ack).Matches(answer)) << testing::PrintToString(answer);
    ExpectStateIfShown(TcpState::kClosed, connection);
  }
}

TEST_WITH_WIRE(TimeWait, BothSidesEnterItWhenTheirFinsCross,
               .claims = {"rfc9293:3.6-simultaneous-close", "rfc9293:3.10.7.4-closing-ack"},
               .needs = {"states"}) {
  auto [near, far] = Connected();
  // Neither FIN arrives before both are sent; nor do the probes that repeat them.
  wire.Delay(Fin().From(client), 500ms).Always();
  wire.Delay(Fin().From(server), 500ms).Always();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  ExpectState(TcpState::kTimeWait, client);
  ExpectState(TcpState::kTimeWait, server);
}

TEST_WITH_PEER(TimeWait, AZeroLingerTimeResetsAndSkipsIt,
               .claims = {"linux:SO_LINGER-zero", "rfc9293:3.10.5-abort"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetLinger(0), Succeeds());
  Deciding("linux:SO_LINGER-zero");
  ASSERT_THAT(socket.Close(), Succeeds());
  const Segment reset = peer.Expect(Rst());

  // Where this close is an abort, it is that of the RFC.
  Deciding("rfc9293:3.10.5-abort");
  EXPECT_EQ(reset.seq, peer.rcv_nxt);
  const Segment stray = peer.Send(Ack());
  peer.Expect(Rst().Seq(stray.ack));
}

TEST_WITH_PEER(TimeWait, AZeroLingerTimeDiscardsWhatIsUnsent, .claims = {"linux:SO_LINGER-zero"},
               .needs = {"counters"}) {
  auto [socket, peer] = Connected();
  peer.rcv_wnd = 0;  // nothing may leave yet
  peer.Send(Ack());
  ASSERT_THAT(socket.Send("never sent"), Returns(10));
  ASSERT_THAT(socket.SetLinger(0), Succeeds());
  const std::int64_t before = sut.Counter("TcpExt.TCPAbortOnData");
  ASSERT_THAT(socket.Close(), Succeeds());
  // A zero-window probe may have come before.
  peer.ExpectEventually(Rst().Seq(peer.rcv_nxt));
  EXPECT_EQ(sut.Counter("TcpExt.TCPAbortOnData"), before + 1);
}

TEST_WITH_PEER(TimeWait, AboveTcpMaxTwBucketsAFurtherOneIsDestroyedAtOnce,
               .claims = {"linux:tcp_max_tw_buckets"}, .needs = {"fresh", "sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_max_tw_buckets", 1);
  ScriptedTcp& first = InState(TcpState::kTimeWait).peer;
  ScriptedTcp& second = InState(TcpState::kFinWait2).peer;
  second.Send(Fin());
  second.Expect(Ack().Ack(second.snd_nxt));

  const Segment fin = second.Send(Fin().Seq(second.snd_nxt - 1));
  second.Expect(Rst().Seq(fin.ack));
  first.Send(Fin().Seq(first.snd_nxt - 1));
  first.Expect(Ack().Ack(first.snd_nxt));
}

TEST_WITH_PEER(TimeWait, AnOverflowIsCounted, .claims = {"linux:TCPTimeWaitOverflow"},
               .needs = {"fresh", "sysctl", "counters"}) {
  sut.SetSysctl("net.ipv4.tcp_max_tw_buckets", 1);
  InState(TcpState::kTimeWait);
  EXPECT_EQ(sut.Counter("TcpExt.TCPTimeWaitOverflow"), 0);
  for (int overflows = 1; overflows <= 2; ++overflows) {
    ScriptedTcp& peer = InState(TcpState::kFinWait2).peer;
    peer.Send(Fin());
    peer.Expect(Ack().Ack(peer.snd_nxt));
    Settle();  // it is counted after the ACK has been sent
    EXPECT_EQ(sut.Counter("TcpExt.TCPTimeWaitOverflow"), overflows);
  }
}

// --- What it answers -----------------------------------------------------------------------------

TEST_WITH(InTimeWait, TimeWait, ARepeatedFinIsAcknowledgedAgain,
          .claims = {"rfc9293:3.10.7.4-time-wait-fin", "rfc9293:3.10.7.4-repeated-fin", "notes:W2",
                     "notes:L11"}) {
  ExpectFinIsAcknowledged();
  ExpectFinIsAcknowledged();
}

TEST_WITH(InTimeWait, TimeWait, OldDataIsAcknowledged,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  peer.Send(Data("old").Seq(peer.iss - 1000));
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  ExpectFinIsAcknowledged();
}

TEST_WITH(InTimeWait, TimeWait, AResetEndsIt,
          .claims = {"rfc9293:3.10.7.4-time-wait-rst", "man:tcp(7)-tcp_rfc1337"},
          .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_rfc1337", 0);
  peer.Send(Rst());
  ExpectFinIsReset();
}

TEST_WITH(InTimeWait, TimeWait, AnOldResetIsIgnored,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment",
                     "rfc9293:3.10.7.4-reset-outside-window"}) {
  peer.Send(Rst().Seq(peer.snd_nxt - 1000));
  ExpectFinIsAcknowledged();
}

TEST_WITH(InTimeWait, TimeWait, AResetIsIgnoredWithTcpRfc1337,
          .claims = {"rfc1337:3-F1", "linux:tcp_rfc1337"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_rfc1337", 1);
  peer.Send(Rst());
  ExpectFinIsAcknowledged();
}

TEST_WITH(InTimeWait, TimeWait, AnIcmpErrorDoesNotEndIt, .claims = {"rfc9293:MUST-56"}) {
  peer.Send(Fin().Seq(peer.snd_nxt - 1));
  const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
  host.Report(icmp::HostUnreachable(ip), ack);
  ExpectFinIsAcknowledged();
}
