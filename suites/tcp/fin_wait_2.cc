// FIN-WAIT-2, where one side has closed and the other has not: RFC 9293 sections 3.6 and 3.6.1, and
// how Linux limits it for connections that no application holds any more, ip-sysctl.rst and tcp(7).
#include "harness/test/test.h"

using namespace sockproof;

namespace {

constexpr const char* kFinTimeout = "net.ipv4.tcp_fin_timeout";

Duration FinTimeoutAndSlack(const Facts& facts) {
  return FiresAfter(LinuxFinTimeout(facts)).latest();
}

// Connections in FIN-WAIT-2, orphans once their sockets are closed.
class Orphans : public PeerTest {
 protected:
  // Closes the socket; returns when.
  static Time Orphan(Connection& connection) {
    const Outcome<int> closed = connection.socket.Close();
    closed.value();
    return closed.begin;
  }

  void ExpectGoneAfter(Duration documented, const Connection& connection, Time orphaned) {
    const Time gone = WaitUntilGone(connection, FiresAfter(documented).latest() + kPatience);
    EXPECT_THAT(gone - orphaned, FiresAfter(documented, "FIN-WAIT-2"));
  }
};

}  // namespace

// --- How long an orphan stays --------------------------------------------------------------------

TEST_WITH(Orphans, FinWait2, AnOrphanStaysForTcpFinTimeoutByDefault,
          .claims = {"linux:tcp_fin_timeout"}, .needs = {"sysctl", "states"},
          .lasts = LinuxFinTimeout) {
  Connection connection = InState(TcpState::kFinWait2);
  const Time orphaned = Orphan(connection);
  ExpectGoneAfter(LinuxFinTimeout(sut.facts()), connection, orphaned);
}

TEST_WITH(
    Orphans, FinWait2, TcpFinTimeoutSetsIt, .claims = {"linux:tcp_fin_timeout"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 5s; }) {
  sut.SetSysctl(kFinTimeout, 5);
  Connection connection = InState(TcpState::kFinWait2);
  const Time orphaned = Orphan(connection);
  ExpectGoneAfter(LinuxFinTimeout(sut.facts()), connection, orphaned);
}

// Linux counts the part of it that is beyond its TIME-WAIT apart.
TEST_WITH(
    Orphans, FinWait2, TcpFinTimeoutMayBeLongerThanTimeWait, .claims = {"linux:tcp_fin_timeout"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 75s; }) {
  sut.SetSysctl(kFinTimeout, 75);
  Connection connection = InState(TcpState::kFinWait2);
  const Time orphaned = Orphan(connection);
  ExpectGoneAfter(LinuxFinTimeout(sut.facts()), connection, orphaned);
}

TEST_WITH(
    Orphans, FinWait2, TcpLinger2TakesThePlaceOfTcpFinTimeout, .claims = {"man:tcp(7)-TCP_LINGER2"},
    .needs = {"sysctl", "states"}, .lasts = [](const Facts&) -> Duration { return 9s; }) {
  sut.SetSysctl(kFinTimeout, 6);
  Connection shorter = InState(TcpState::kFinWait2);
  Connection longer = InState(TcpState::kFinWait2);
  ASSERT_THAT(shorter.socket.SetOption("TCP_LINGER2", 3), Succeeds());
  ASSERT_THAT(longer.socket.SetOption("TCP_LINGER2", 9), Succeeds());
  const Time shorter_orphaned = Orphan(shorter);
  const Time longer_orphaned = Orphan(longer);
  ExpectGoneAfter(3s, shorter, shorter_orphaned);
  ExpectGoneAfter(9s, longer, longer_orphaned);
}

// Seen from the wire alone: the FIN that a connection waits for is acknowledged, that of one that
// is gone is reset.
TEST_WITH(Orphans, FinWait2, AFinIsAcknowledgedUntilThenAndResetAfterwards,
          .claims = {"linux:tcp_fin_timeout", "rfc9293:3.10.7.4-fin-wait-2-fin"},
          .needs = {"sysctl"}, .lasts = FinTimeoutAndSlack) {
  sut.SetSysctl(kFinTimeout, 8);
  const FiresAfter documented(LinuxFinTimeout(sut.facts()));
  Connection in_time = InState(TcpState::kFinWait2);
  Connection too_late = InState(TcpState::kFinWait2);
  Orphan(in_time);
  Orphan(too_late);
  const Time orphaned = Clock::now();

  in_time.peer.ExpectSilence(documented.earliest() - 2s);
  Deciding("rfc9293:3.10.7.4-fin-wait-2-fin");
  in_time.peer.Send(Fin());
  in_time.peer.Expect(Ack().Ack(in_time.peer.snd_nxt));
  Deciding("linux:tcp_fin_timeout");
  too_late.peer.ExpectSilence(orphaned + documented.latest() - Clock::now());
  const Segment fin = too_late.peer.Send(Fin());
  too_late.peer.Expect(Rst().Seq(fin.ack));
}

TEST_WITH_PEER(FinWait2, ANegativeTcpLinger2ResetsAtTheClose, .claims = {"linux:TCPAbortOnLinger"},
               .needs = {"counters"}) {
  auto [socket, peer] = InState(TcpState::kFinWait2);
  ASSERT_THAT(socket.SetOption("TCP_LINGER2", -1), Succeeds());
  const std::int64_t before = sut.Counter("TcpExt.TCPAbortOnLinger");
  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Rst().Seq(peer.rcv_nxt));
  EXPECT_EQ(sut.Counter("TcpExt.TCPAbortOnLinger"), before + 1);

  const Segment fin = peer.Send(Fin());
  peer.Expect(Rst().Seq(fin.ack));
}

// --- What ends it otherwise ----------------------------------------------------------------------

TEST_WITH(
    Orphans, FinWait2, AConnectionThatAnApplicationHoldsDoesNotTimeOut,
    .claims = {"linux:tcp_fin_timeout", "rfc9293:3.6.1-half-close"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 8s; }) {
  sut.SetSysctl(kFinTimeout, 2);
  auto [socket, peer] = InState(TcpState::kFinWait2);
  Deciding("linux:tcp_fin_timeout");
  peer.ExpectSilence(4 * LinuxFinTimeout(sut.facts()));

  Deciding("rfc9293:3.6.1-half-close");
  peer.Send(Data("still here"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("still here"));
}

// The timeout of FIN-WAIT-2 is not that of TIME-WAIT.
TEST_WITH(Orphans, FinWait2, AFinLeadsAnOrphanToAFullTimeWait,
          .claims = {"rfc9293:3.10.7.4-fin-wait-2-fin", "system:time-wait"},
          .needs = {"sysctl", "states"}, .lasts = OwnTimeWait) {
  sut.SetSysctl(kFinTimeout, 5);
  Connection connection = InState(TcpState::kFinWait2);
  Orphan(connection);
  Deciding("rfc9293:3.10.7.4-fin-wait-2-fin");
  connection.peer.Send(Fin());
  const Segment last_ack = connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
  ExpectState(TcpState::kTimeWait, connection);
  Deciding("system:time-wait");
  ExpectGoneAfter(OwnTimeWait(sut.facts()), connection, last_ack.time);
}

TEST_WITH(Orphans, FinWait2, DataToAnOrphanIsReset, .claims = {"rfc9293:SHLD-3"}) {
  Connection connection = InState(TcpState::kFinWait2);
  auto& [socket, peer] = connection;
  Orphan(connection);
  const Segment data = peer.Send(Data("too late"));
  peer.Expect(Rst().Seq(data.ack));
  const Segment fin = peer.Send(Fin());
  peer.Expect(Rst().Seq(fin.ack));
}
