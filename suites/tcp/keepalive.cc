// Keepalive: probes of an idle connection. RFC 9293 section 3.8.4, what Linux documents in tcp(7)
// and ip-sysctl.rst, and the study notes, which count ten probes.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

int Seconds(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

class KeepaliveTest : public PeerTest {
 protected:
  // Turns keepalive on, with times of this socket's own.
  static void TurnOn(Socket& socket, const KeepaliveSchedule& schedule) {
    socket.SetOption("TCP_KEEPIDLE", Seconds(schedule.idle)).value();
    socket.SetOption("TCP_KEEPINTVL", Seconds(schedule.interval)).value();
    socket.SetOption("TCP_KEEPCNT", schedule.probes).value();
    socket.SetOption("SO_KEEPALIVE", 1).value();
  }

  // Lets the system under test receive something. Returns what was sent.
  static Segment EndIdleness(ScriptedTcp& peer) {
    const Segment sent = peer.Send(Data("x"));
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    return sent;
  }

  static PartialSegment Probe(const ScriptedTcp& peer) {
    return KeepaliveProbe().Seq(peer.rcv_nxt - 1).Ack(peer.snd_nxt);
  }

  FiresAfter Timer(Duration nominal, const std::string& name = "") const {
    return OwnTimer(nominal, sut.facts(), name);
  }

  // The whole course of `schedule`, unanswered, from the last segment received on: each probe in
  // its time, none too many, then the end, of which the application is told.
  void ExpectCourse(Connection& connection, const KeepaliveSchedule& schedule) {
    auto& [socket, peer] = connection;
    const Segment last = EndIdleness(peer);
    socket.Receive(64).value();
    Pending<std::string> receiving = socket.StartReceive(64);

    Segment previous = peer.Expect(Probe(peer), AtMost(schedule.idle));
    ASSERT_THAT(previous.time - last.time, Timer(schedule.idle, "keepalive probe 1"));
    for (int probe = 2; probe <= schedule.probes; ++probe) {
      const Segment next = peer.Expect(Probe(peer), AtMost(schedule.interval));
      const std::string name = "keepalive probe " + std::to_string(probe);
      ASSERT_THAT(next.time - previous.time, Timer(schedule.interval, name)) << "probe " << probe;
      ASSERT_LE(next.payload.size(), 1U);
      previous = next;
    }
    const Outcome<std::string> received = receiving.Await(AtMost(schedule.interval));
    EXPECT_THAT(received, testing::Not(Succeeds()));
    EXPECT_THAT(received.end - previous.time, Timer(schedule.interval));
    Settle();
    // Linux resets the connection, which is not documented, and no harm.
    if (peer.waiting() > 0) peer.Expect(Rst());
    EXPECT_EQ(peer.waiting(), 0U) << "a probe too many";
  }
};

constexpr KeepaliveSchedule kShort{.idle = 2s, .interval = 1s, .probes = 3};

Duration ShortGiveUp(const Facts&) { return kShort.give_up(); }
Duration TwoSeconds(const Facts&) { return 2s; }
Duration FourSeconds(const Facts&) { return 4s; }
Duration NotesGiveUp(const Facts&) { return NotesKeepalive().give_up(); }

}  // namespace

// --- Off by default, and what is set where -------------------------------------------------------

TEST_WITH_PEER(Keepalive, IsOffByDefault, .claims = {"rfc9293:MUST-25"}, .lasts = TwoSeconds) {
  auto [socket, peer] = Connected();
  EXPECT_THAT(socket.GetOption("SO_KEEPALIVE"), Returns(0));
  EXPECT_THAT(ConnectedByAccept().socket.GetOption("SO_KEEPALIVE"), Returns(0));

  ASSERT_THAT(socket.SetOption("TCP_KEEPIDLE", 1), Succeeds());
  peer.ExpectSilence(2s);
}

TEST_WITH_PEER(Keepalive, DefaultsAreThoseThatLinuxDocuments,
               .claims = {"linux:tcp_keepalive_time", "linux:tcp_keepalive_intvl",
                          "linux:tcp_keepalive_probes"},
               .needs = {"sysctl"}) {
  const KeepaliveSchedule documented = LinuxKeepaliveDefaults();
  const KeepaliveSchedule said = LinuxKeepalive(sut.facts());
  EXPECT_EQ(said.idle, documented.idle);
  EXPECT_EQ(said.interval, documented.interval);
  EXPECT_EQ(said.probes, documented.probes);

  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.GetOption("TCP_KEEPIDLE"), Returns(Seconds(documented.idle)));
  EXPECT_THAT(socket.GetOption("TCP_KEEPINTVL"), Returns(Seconds(documented.interval)));
  EXPECT_THAT(socket.GetOption("TCP_KEEPCNT"), Returns(documented.probes));
}

TEST_WITH_PEER(Keepalive, TheIdleTimeIsTwoHoursOrMoreUntilItIsSet,
               .claims = {"rfc9293:MUST-27", "rfc9293:MUST-28", "man:tcp(7)-TCP_KEEPIDLE"}) {
  Socket socket = sut.NewSocket(ip);
  const int by_default = socket.GetOption("TCP_KEEPIDLE").value();
  Deciding("rfc9293:MUST-28");
  EXPECT_GE(by_default, Seconds(RfcKeepaliveIdleMinimum()));
  Deciding("rfc9293:MUST-27");
  ASSERT_THAT(socket.SetOption("TCP_KEEPIDLE", 10), Succeeds());
  Deciding("man:tcp(7)-TCP_KEEPIDLE");
  EXPECT_THAT(socket.GetOption("TCP_KEEPIDLE"), Returns(10));
}

TEST_WITH_PEER(Keepalive, ByDefaultTheTimesAreThoseOfTheNotes, .claims = {"notes:K1", "notes:K2"}) {
  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.GetOption("TCP_KEEPIDLE"), Returns(Seconds(NotesKeepalive().idle)));
  EXPECT_THAT(socket.GetOption("TCP_KEEPINTVL"), Returns(Seconds(NotesKeepalive().interval)));
}

TEST_WITH(KeepaliveTest, Keepalive, IsTurnedOnAndOffForEachConnection,
          .claims = {"rfc9293:MUST-24", "rfc9293:MAY-5", "man:socket(7)-SO_KEEPALIVE",
                     "man:tcp(7)-TCP_KEEPIDLE"},
          .lasts = TwoSeconds) {
  Connection on = Connected();
  Connection off = Connected();
  Deciding("rfc9293:MUST-24");
  TurnOn(off.socket, {.idle = 1s, .interval = 1s, .probes = 3});
  ASSERT_THAT(off.socket.SetOption("SO_KEEPALIVE", 0), Succeeds());
  EXPECT_THAT(off.socket.GetOption("SO_KEEPALIVE"), Returns(0));
  TurnOn(on.socket, {.idle = 1s, .interval = 1s, .probes = 3});
  EXPECT_NE(on.socket.GetOption("SO_KEEPALIVE").value(), 0);

  Deciding("man:socket(7)-SO_KEEPALIVE");
  on.peer.Expect(Probe(on.peer));
  Deciding("man:tcp(7)-TCP_KEEPIDLE");
  on.peer.Expect(Probe(on.peer));
  Deciding("rfc9293:MUST-24");
  EXPECT_EQ(off.peer.waiting(), 0U) << "a probe where keepalive is off";
  Deciding("rfc9293:MAY-5");
}

TEST_WITH(KeepaliveTest, Keepalive, SysctlsSetTheTimesOfSocketsThatSetNone,
          .claims = {"linux:tcp_keepalive_time", "linux:tcp_keepalive_intvl",
                     "linux:tcp_keepalive_probes", "notes:K2", "notes:K3"},
          .needs = {"sysctl"}, .lasts = FourSeconds) {
  sut.SetSysctl("net.ipv4.tcp_keepalive_time", 1);
  sut.SetSysctl("net.ipv4.tcp_keepalive_intvl", 2);
  sut.SetSysctl("net.ipv4.tcp_keepalive_probes", 2);
  Connection connection = Connected();
  ASSERT_THAT(connection.socket.SetOption("SO_KEEPALIVE", 1), Succeeds());
  ExpectCourse(connection, LinuxKeepalive(sut.facts()));
}

// --- Probes --------------------------------------------------------------------------------------

TEST_WITH(KeepaliveTest, Keepalive, ProbesGoOutInTheirTimesAndThenTheConnectionIsClosed,
          .claims = {"rfc9293:3.8.4-probe", "rfc9293:MUST-27", "man:tcp(7)-TCP_KEEPIDLE",
                     "man:tcp(7)-TCP_KEEPINTVL", "man:tcp(7)-TCP_KEEPCNT", "notes:K1", "notes:K2",
                     "notes:K3"},
          .lasts = ShortGiveUp) {
  Connection connection = Connected();
  TurnOn(connection.socket, kShort);
  ExpectCourse(connection, kShort);

  // Nothing remembers the connection.
  const Segment stray = connection.peer.Send(Ack());
  connection.peer.Expect(Rst().Seq(stray.ack));
}

TEST_WITH(KeepaliveTest, Keepalive, ProbesCarryNoData, .claims = {"rfc9293:SHLD-12"},
          .lasts = TwoSeconds) {
  auto [socket, peer] = Connected();
  TurnOn(socket, {.idle = 1s, .interval = 1s, .probes = 3});
  EXPECT_EQ(peer.Expect(Probe(peer)).payload.size(), 0U);
  EXPECT_EQ(peer.Expect(Probe(peer)).payload.size(), 0U);
}

TEST_WITH(KeepaliveTest, Keepalive, TheEndOfUnansweredProbesIsToldAsEtimedout,
          .claims = {"man:tcp(7)-ETIMEDOUT"}, .lasts = TwoSeconds) {
  auto [socket, peer] = Connected();
  TurnOn(socket, {.idle = 1s, .interval = 1s, .probes = 1});
  Pending<std::string> receiving = socket.StartReceive(64);
  peer.Expect(Probe(peer));
  EXPECT_THAT(receiving.Await(), FailsWith(ETIMEDOUT));
}

TEST_WITH(
    KeepaliveTest, Keepalive, TurningItOffEndsProbesThatAreUnderWay, .claims = {"rfc9293:MUST-24"},
    .lasts = [](const Facts&) -> Duration { return 5s; }) {
  auto [socket, peer] = Connected();
  TurnOn(socket, {.idle = 1s, .interval = 1s, .probes = 2});
  peer.Expect(Probe(peer));
  ASSERT_THAT(socket.SetOption("SO_KEEPALIVE", 0), Succeeds());
  peer.ExpectSilence(4s);  // longer than the probes would have gone on
  ASSERT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
}

TEST_WITH(KeepaliveTest, Keepalive, EverySegmentReceivedStartsTheIdleTimeAnew,
          .claims = {"rfc9293:MUST-26", "linux:tcp_keepalive_time", "notes:K1"},
          .lasts = FourSeconds) {
  auto [socket, peer] = Connected();
  TurnOn(socket, kShort);

  Deciding("rfc9293:MUST-26");
  peer.ExpectSilence(kShort.idle / 2);
  EndIdleness(peer);
  peer.ExpectSilence(kShort.idle / 2);
  const Segment last = peer.Send(Ack().Window(1000));
  Deciding("linux:tcp_keepalive_time");
  const Segment probe = peer.Expect(Probe(peer), AtMost(kShort.idle));
  Deciding("rfc9293:MUST-26");
  EXPECT_GE(probe.time - last.time, Timer(kShort.idle).earliest());
  Deciding("linux:tcp_keepalive_time");
  EXPECT_THAT(probe.time - last.time, Timer(kShort.idle));
  Deciding("notes:K1");
  EXPECT_GE(probe.time - last.time, Timer(kShort.idle).earliest());
}

TEST_WITH(
    KeepaliveTest, Keepalive, AnAnsweredProbeKeepsTheConnection,
    .claims = {"rfc9293:3.8.4-probe", "linux:tcp_keepalive_probes", "notes:K1", "notes:K3"},
    .lasts = [](const Facts&) -> Duration { return 5 * kShort.idle; }) {
  auto [socket, peer] = Connected();
  TurnOn(socket, kShort);

  Segment last = EndIdleness(peer);
  for (int i = 0; i < kShort.probes + 1; ++i) {
    const Segment probe = peer.Expect(Probe(peer), AtMost(kShort.idle));
    if (probe.time < last.time) throw Inconclusive("the answer to a probe came after the next one");
    EXPECT_THAT(probe.time - last.time, Timer(kShort.idle));
    last = peer.Send(Ack());
  }
  ASSERT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
}

TEST_WITH(
    KeepaliveTest, Keepalive, OneProbeWithoutAnswerDoesNoHarm,
    .claims = {"rfc9293:MUST-29", "linux:tcp_keepalive_probes"},
    .lasts = [](const Facts&) -> Duration { return kShort.give_up() + 4s; }) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  TurnOn(socket, kShort);

  EndIdleness(peer);
  peer.Expect(Probe(peer), AtMost(kShort.idle));
  Deciding("rfc9293:MUST-29");
  peer.Expect(Probe(peer), AtMost(kShort.interval));
  peer.Send(Ack());
  EXPECT_THAT(socket.Receive(64), Returns("x"));
  ASSERT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
  peer.Send(Ack());
  // The two are forgiven: all of them are needed again.
  Deciding("linux:tcp_keepalive_probes");
  ExpectCourse(connection, kShort);
}

TEST_WITH(
    KeepaliveTest, Keepalive, NoProbeIsSentWhileDataIsOutstanding, .claims = {"rfc9293:MUST-26"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [socket, peer] = Connected();
  TurnOn(socket, {.idle = 1s, .interval = 1s, .probes = 1});

  ASSERT_THAT(socket.Send("outstanding"), Returns(11));
  const Segment data = peer.Expect(Data("outstanding").Seq(peer.rcv_nxt));
  Segment again = data;
  while (again.time - data.time < 2500ms) {
    again = peer.Expect(Data("outstanding").Seq(data.seq), FirstTimeout());
  }
  const Segment acknowledgment = peer.Send(Ack());
  const Segment probe = peer.Expect(Probe(peer));
  EXPECT_GE(probe.time - acknowledgment.time, Timer(1s).earliest());
}

TEST_WITH(
    KeepaliveTest, Keepalive, TheUserTimeoutDecidesInsteadOfTheCount,
    .claims = {"man:tcp(7)-TCP_USER_TIMEOUT-keepalive"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [socket, peer] = Connected();
  TurnOn(socket, {.idle = 1s, .interval = 1s, .probes = 8});
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 3000), Succeeds());
  const Segment last = EndIdleness(peer);
  ASSERT_THAT(socket.Receive(64), Returns("x"));
  Pending<std::string> receiving = socket.StartReceive(64);

  peer.Expect(Probe(peer));
  peer.Expect(Probe(peer));
  const Outcome<std::string> received = receiving.Await();
  EXPECT_THAT(received, testing::Not(Succeeds()));
  EXPECT_THAT(received.end - last.time, Timer(3s));
}

// The other side of keepalive: what is probed answers, and takes nothing in.
TEST_WITH_PEER(Keepalive, AProbeIsAnsweredAndItsGarbageIsNotRead,
               .claims = {"rfc9293:3.8.4-probe", "rfc9293:3.10.7.4-unacceptable-segment"}) {
  auto [socket, peer] = Connected();

  peer.Send(Ack().Seq(peer.snd_nxt - 1));
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  peer.Send(Data("g").Seq(peer.snd_nxt - 1));
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  peer.Send(Data("no garbage"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("no garbage"));
}

TEST_WITH_WIRE(Keepalive, TwoStacksKeepAnIdleConnection,
               .claims = {"rfc9293:3.8.4-probe", "man:socket(7)-SO_KEEPALIVE", "notes:K1"},
               .lasts = FourSeconds) {
  auto [near, far] = Connected();
  for (const char* option : {"TCP_KEEPIDLE", "TCP_KEEPINTVL", "SO_KEEPALIVE"}) {
    ASSERT_THAT(far.SetOption(option, 1), Succeeds());
  }
  ASSERT_THAT(far.SetOption("TCP_KEEPCNT", 2), Succeeds());
  const Segment syn_ack = wire.Expect(SynAck().From(server));
  for (int i = 0; i < 4; ++i) {
    wire.Expect(KeepaliveProbe().Seq(syn_ack.seq).From(server));
    wire.Expect(Ack().Seq(syn_ack.ack).Ack(syn_ack.seq + 1).From(client));
  }
  ASSERT_THAT(far.Send("still here"), Returns(10));
  EXPECT_THAT(near.Receive(64), Returns("still here"));
}

// --- The default times in full -------------------------------------------------------------------

TEST_WITH(
    KeepaliveTest, Keepalive, ByDefaultItTakesTwoHoursAndElevenMinutes,
    .claims = {"linux:tcp_keepalive_time", "linux:tcp_keepalive_intvl",
               "linux:tcp_keepalive_probes", "rfc9293:MUST-28", "notes:K1", "notes:K2"},
    .needs = {"virtual-time"},
    .lasts = [](const Facts&) { return LinuxKeepaliveDefaults().give_up(); }) {
  Connection connection = Connected();
  ASSERT_THAT(connection.socket.SetOption("SO_KEEPALIVE", 1), Succeeds());
  ExpectCourse(connection, LinuxKeepaliveDefaults());
}

TEST_WITH_PEER(
    Keepalive, WithoutItAConnectionIsIdleForHours, .claims = {"rfc9293:MUST-25"},
    .needs = {"virtual-time"}, .lasts = [](const Facts&) -> Duration { return 24h; }) {
  auto [socket, peer] = Connected();
  peer.ExpectSilence(24h);
  ASSERT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here").Seq(peer.rcv_nxt));
}

TEST_WITH(KeepaliveTest, Keepalive, AsTheNotesSayTenProbesFollowTwoHoursOfIdleness,
          .claims = {"notes:K1", "notes:K2", "notes:K3"}, .needs = {"virtual-time"},
          .lasts = NotesGiveUp) {
  Connection connection = Connected();
  ASSERT_THAT(connection.socket.SetOption("SO_KEEPALIVE", 1), Succeeds());
  ExpectCourse(connection, NotesKeepalive());
}

// The count alone, which the socket leaves as it is by default.
TEST_WITH(
    KeepaliveTest, Keepalive, AsTheNotesSayTenUnansweredProbesCloseTheConnection,
    .claims = {"notes:K3"}, .lasts = [](const Facts&) -> Duration { return 11s; }) {
  const KeepaliveSchedule notes{.idle = 1s, .interval = 1s, .probes = NotesKeepalive().probes};
  Connection connection = Connected();
  for (const char* option : {"TCP_KEEPIDLE", "TCP_KEEPINTVL", "SO_KEEPALIVE"}) {
    ASSERT_THAT(connection.socket.SetOption(option, 1), Succeeds());
  }
  ExpectCourse(connection, notes);
}
