// The port of a connection in TIME-WAIT: who else may bind it, ip(7) and socket(7), and when a new
// outgoing connection may take it, tcp_tw_reuse in ip-sysctl.rst.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

constexpr std::uint16_t kPort = 8080;

// A server that closed its connections and its listener.
class RestartedServer : public PeerTest {
 protected:
  void CloseEverything(bool reuse_address) {
    Socket listener = sut.NewSocket(ip);
    listener.SetOption("SO_REUSEADDR", reuse_address ? 1 : 0).value();
    listener.Bind(kPort).value();
    listener.Listen(4).value();
    peer.Send(Syn());
    peer.Expect(SynAck());
    peer.Send(Ack());
    Socket accepted = listener.Accept().value().socket;
    listener.Close().value();
    accepted.Close().value();
    peer.Expect(Fin().Seq(peer.rcv_nxt));
    peer.Send(Fin());
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }

  Socket Restarted(bool reuse_address) {
    Socket socket = sut.NewSocket(ip);
    socket.SetOption("SO_REUSEADDR", reuse_address ? 1 : 0).value();
    return socket;
  }

  ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), NextPort());
};

// A client with a single ephemeral port, whose only connection is in TIME-WAIT.
class SinglePort : public PeerTest {
 protected:
  void Allow(int tcp_tw_reuse) {
    sut.SetSysctl("net.ipv4.tcp_tw_reuse", tcp_tw_reuse);
    sut.SetSysctl("net.ipv4.tcp_timestamps", 1);
    sut.SetSysctl("net.ipv4.ip_local_port_range", "50001 50001");
  }

  void CloseConnectionToPeer() {
    Pending<int> connecting = sut_socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    const auto timestamps = syn.timestamps();
    if (!timestamps) throw Skip("the system under test does not use TCP timestamps");
    peer.syn_options.push_back(
        tcp_option::Timestamps(ScriptedTcp::TimestampNow(), timestamps->first));
    peer.Send(SynAck());
    peer.Expect(Ack().Ack(peer.snd_nxt));
    connecting.Await().value();
    sut_socket.Close().value();
    peer.Expect(Fin().Seq(peer.rcv_nxt));
    peer.Send(Fin());
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }

  // Until no delay stands against a reuse any more.
  void LetReuseDelayPass() { peer.ExpectSilence(LinuxTimeWaitReuseDelay(sut.facts()) + 100ms); }

  Outcome<int> ConnectAgain() {
    return sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"}).Connect(peer.local());
  }

  // What connect() of the one port gives, over loopback, after a connection that was closed.
  Outcome<int> ConnectAgainOverLoopback() {
    const Endpoint server{IpAddress(ip == IpVersion::kIpv4 ? "127.0.0.1" : "::1"), kPort};
    Socket listener = sut.NewSocket(ip);
    listener.Bind(server).value();
    listener.Listen(4).value();
    sut_socket.Connect(server).value();
    Socket accepted = listener.Accept().value().socket;
    sut_socket.Close().value();
    accepted.Receive(1).value();  // the end of the file
    accepted.Close().value();
    LetReuseDelayPass();
    return sut.NewSocket(ip).Connect(server);
  }

  Socket sut_socket = sut.NewSocket(ip);
  ScriptedTcp& peer = host.Listen(ip, kPort);
};

Duration ReuseDelay(const Facts& facts) { return LinuxTimeWaitReuseDelay(facts); }

}  // namespace

// --- bind() --------------------------------------------------------------------------------------

TEST_WITH(RestartedServer, TimeWaitReuse, TheAddressCannotBeBound,
          .claims = {"man:ip(7)-closed-address"}) {
  CloseEverything(/*reuse_address=*/false);
  EXPECT_THAT(Restarted(/*reuse_address=*/false).Bind(kPort), FailsWith(EADDRINUSE));
}

TEST_WITH(RestartedServer, TimeWaitReuse, WithSoReuseaddrTheServerCanStartAgain,
          .claims = {"man:ip(7)-closed-address", "man:socket(7)-SO_REUSEADDR"}) {
  CloseEverything(/*reuse_address=*/true);
  Socket listener = Restarted(/*reuse_address=*/true);
  ASSERT_THAT(listener.Bind(kPort), Succeeds());
  ASSERT_THAT(listener.Listen(4), Succeeds());

  ScriptedTcp& new_client = host.Towards(sut.At(ip, kPort), NextPort());
  new_client.Send(Syn());
  new_client.Expect(SynAck());
  new_client.Send(Ack());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

TEST_WITH(RestartedServer, TimeWaitReuse, OnLinuxSoReuseaddrOfTheNewSocketAloneIsNotEnough,
          .claims = {"man:socket(7)-SO_REUSEADDR"}) {
  CloseEverything(/*reuse_address=*/false);
  EXPECT_THAT(Restarted(/*reuse_address=*/true).Bind(kPort), FailsWith(EADDRINUSE));
}

TEST_WITH(RestartedServer, TimeWaitReuse, OnLinuxSoReuseaddrOfTheOldSocketAloneIsNotEnough,
          .claims = {"man:socket(7)-SO_REUSEADDR"}) {
  CloseEverything(/*reuse_address=*/true);
  EXPECT_THAT(Restarted(/*reuse_address=*/false).Bind(kPort), FailsWith(EADDRINUSE));
}

TEST_WITH(
    RestartedServer, TimeWaitReuse, AfterwardsTheAddressCanBeBound,
    .claims = {"man:ip(7)-closed-address", "linux:TCP_TIMEWAIT_LEN"},
    .lasts = [](const Facts& facts) { return FiresAfter(LinuxTimeWait(facts)).latest(); }) {
  CloseEverything(/*reuse_address=*/false);
  const FiresAfter documented(LinuxTimeWait(sut.facts()));
  const Time closed = Clock::now();
  Socket socket = Restarted(/*reuse_address=*/false);
  peer.ExpectSilence(documented.earliest() - 3s);
  EXPECT_THAT(socket.Bind(kPort), FailsWith(EADDRINUSE));
  peer.ExpectSilence(closed + documented.latest() - Clock::now());
  EXPECT_THAT(socket.Bind(kPort), Succeeds());
}

// --- connect() -----------------------------------------------------------------------------------

TEST_WITH(SinglePort, TimeWaitReuse, WithTcpTwReuseANewConnectionTakesThePort,
          .claims = {"linux:tcp_tw_reuse", "linux:tcp_tw_reuse_delay"}, .needs = {"sysctl"},
          .lasts = ReuseDelay) {
  Allow(1);
  CloseConnectionToPeer();
  LetReuseDelayPass();
  EXPECT_THAT(ConnectAgain(), FailsWith(EINPROGRESS));
  peer.Expect(Syn());
  peer.syn_options = {tcp_option::Mss(1200)};
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
}

TEST_WITH(SinglePort, TimeWaitReuse, WithoutTcpTwReuseItDoesNot,
          .claims = {"linux:tcp_tw_reuse", "man:connect(2)-EADDRNOTAVAIL"}, .needs = {"sysctl"},
          .lasts = ReuseDelay) {
  Allow(0);
  CloseConnectionToPeer();
  LetReuseDelayPass();
  EXPECT_THAT(ConnectAgain(), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH(SinglePort, TimeWaitReuse, ByDefaultItDoesNotAcrossAWire,
          .claims = {"linux:tcp_tw_reuse", "man:connect(2)-EADDRNOTAVAIL"}, .needs = {"sysctl"},
          .lasts = ReuseDelay) {
  Allow(2);
  CloseConnectionToPeer();
  LetReuseDelayPass();
  EXPECT_THAT(ConnectAgain(), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH(SinglePort, TimeWaitReuse, ByDefaultItDoesOverLoopback, .claims = {"linux:tcp_tw_reuse"},
          .needs = {"sysctl"}, .lasts = ReuseDelay) {
  Allow(2);
  EXPECT_THAT(ConnectAgainOverLoopback(), Succeeds());
}

TEST_WITH(SinglePort, TimeWaitReuse, WithoutTcpTwReuseItDoesNotOverLoopbackEither,
          .claims = {"linux:tcp_tw_reuse", "man:connect(2)-EADDRNOTAVAIL"}, .needs = {"sysctl"},
          .lasts = ReuseDelay) {
  Allow(0);
  EXPECT_THAT(ConnectAgainOverLoopback(), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH(
    SinglePort, TimeWaitReuse, ItDoesNotBeforeTcpTwReuseDelayHasPassed,
    .claims = {"linux:tcp_tw_reuse_delay", "man:connect(2)-EADDRNOTAVAIL"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 10s; }) {
  Allow(1);
  sut.SetSysctl("net.ipv4.tcp_tw_reuse_delay", 10'000);
  CloseConnectionToPeer();
  peer.ExpectSilence(5s);
  EXPECT_THAT(ConnectAgain(), FailsWith(EADDRNOTAVAIL));
  LetReuseDelayPass();
  EXPECT_THAT(ConnectAgain(), FailsWith(EINPROGRESS));
  peer.Expect(Syn());
}
