// The queue of established connections that wait for accept(): how many it holds, and what becomes
// of those that find it full. listen(2), and what Linux documents.
#include "suites/listen/listen_test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// Three connections fill the queue of a backlog of 2 while a fourth is half-open. No more than two
// are half-open at a time: some systems remember no more of those than the backlog says.
class FullQueue : public ListenTest {
 protected:
  void Fill() {
    Established(first);
    Established(second);
    Settle();  // they are in the queue by now
    HalfOpen(third);
    HalfOpen(late);
    third.Send(Ack());
    Settle();
  }

  Socket listener = Listening(2);
  ScriptedTcp& first = Client();
  ScriptedTcp& second = Client();
  ScriptedTcp& third = Client();
  ScriptedTcp& late = Client();
};

}  // namespace

TEST_WITH(ListenTest, AcceptQueue, HoldsOneConnectionMoreThanTheBacklog,
          .claims = {"linux:backlog-plus-one", "man:listen(2)-full-queue"}, .needs = {"sysctl"}) {
  for (const int backlog : {0, 1, 5}) {
    SCOPED_TRACE("backlog " + std::to_string(backlog));
    const auto port = static_cast<std::uint16_t>(kPort + backlog);
    Socket listener = Listening(backlog, port);

    Deciding("linux:backlog-plus-one");
    const int holds = LinuxAcceptQueueHolds(backlog, sut.facts());
    for (int i = 0; i < holds; ++i) Established(Client(port));
    Settle();  // they are all in the queue by now
    ScriptedTcp& one_too_many = Client(port);
    EXPECT_FALSE(SynIsAnswered(one_too_many)) << "the SYN that finds the queue full is answered";

    // Once there is room, the same request gets in.
    Deciding("man:listen(2)-full-queue");
    ASSERT_THAT(listener.Accept(), Succeeds());
    one_too_many.Send(Syn().Seq(one_too_many.iss));
    one_too_many.Expect(SynAck().Ack(one_too_many.iss + 1));
  }
}

TEST_WITH(ListenTest, AcceptQueue, ABacklogAboveSomaxconnIsCutToIt,
          .claims = {"man:listen(2)-somaxconn", "linux:somaxconn"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.core.somaxconn", 3);
  Listening(100);
  const int holds = LinuxAcceptQueueHolds(100, sut.facts());
  for (int i = 0; i < holds; ++i) Established(Client());
  Settle();  // they are all in the queue by now
  EXPECT_FALSE(SynIsAnswered(Client()));
}

TEST_WITH(ListenTest, AcceptQueue, ABacklogOfSomaxconnIsTakenInFull,
          .claims = {"posix:listen-SOMAXCONN", "man:listen(2)-somaxconn", "linux:somaxconn"},
          .needs = {"diag", "sysctl"}) {
  const int somaxconn = sut.facts().Sysctl("net.core.somaxconn");
  Deciding("posix:listen-SOMAXCONN");
  Listening(somaxconn);
  EXPECT_EQ(Shown().send_queue, static_cast<std::uint32_t>(somaxconn));
  Listening(somaxconn + 1, kPort + 1);
  for (const char* claim : {"man:listen(2)-somaxconn", "linux:somaxconn"}) {
    Deciding(claim);
    EXPECT_EQ(Shown(kPort + 1).send_queue, static_cast<std::uint32_t>(somaxconn));
  }
}

// Linux takes a negative backlog for a huge one (net/socket.c, __sys_listen_socket()).
TEST_WITH(ListenTest, AcceptQueue, ANegativeBacklogActsAsZeroAsPosixSays,
          .claims = {"posix:listen-negative-backlog"}) {
  constexpr int kMany = 10;
  const auto gets_in = [&](int backlog, std::uint16_t port) {
    Listening(backlog, port);
    for (int count = 0; count < kMany; ++count) {
      ScriptedTcp& client = Client(port);
      if (!SynIsAnswered(client)) return count;
      client.Expect(SynAck());
      client.Send(Ack());
    }
    return kMany;
  };
  const int with_negative_backlog = gets_in(-1, kPort);
  EXPECT_EQ(with_negative_backlog, gets_in(0, kPort + 1));
}

TEST_WITH(ListenTest, AcceptQueue, ASecondListenChangesTheBacklog, .claims = {"linux:listen-again"},
          .needs = {"sysctl"}) {
  const int small = LinuxAcceptQueueHolds(0, sut.facts());
  const int large = LinuxAcceptQueueHolds(2, sut.facts());
  Socket listener = Listening(0);
  for (int i = 0; i < small; ++i) Established(Client());
  Settle();  // they are all in the queue by now
  EXPECT_FALSE(SynIsAnswered(Client()));

  ASSERT_THAT(listener.Listen(2), Succeeds());
  for (int i = small; i < large; ++i) Established(Client());
  Settle();  // they are all in the queue by now
  EXPECT_FALSE(SynIsAnswered(Client()));

  // A smaller one drops none of those that wait.
  ASSERT_THAT(listener.Listen(0), Succeeds());
  for (int i = 0; i < large; ++i) EXPECT_THAT(listener.Accept(), Succeeds());
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH(
    FullQueue, AcceptQueue, TheLastAckIsIgnoredWhenItIsFull,
    .claims = {"linux:tcp_abort_on_overflow", "man:listen(2)-full-queue"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Fill();
  late.Send(Ack());
  // Still half-open: its SYN,ACK comes again. Once there is room its ACK is taken.
  late.Expect(SynAck().Seq(late.irs), OpeningPatience());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), first.local().ToString());
  late.Send(Ack());
  for (const ScriptedTcp* client : {&second, &third, &late}) {
    EXPECT_EQ(listener.Accept().value().remote.ToString(), client->local().ToString());
  }
}

TEST_WITH(FullQueue, AcceptQueue, TheLastAckIsResetWhenItIsFullAndTcpAbortOnOverflowIsSet,
          .claims = {"linux:tcp_abort_on_overflow"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_abort_on_overflow", 1);
  Fill();
  const Segment ack = late.Send(Ack());
  late.Expect(Rst().Seq(ack.ack));
}

TEST_WITH_WIRE(
    AcceptQueue, AClientThatFindsItFullGetsInWhenItTriesAgain,
    .claims = {"man:listen(2)-full-queue"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Socket listener = Listening(0);
  for (int i = 0; i < LinuxAcceptQueueHolds(0, server.facts()); ++i) {
    EXPECT_THAT(client.NewSocket(ip).Connect(server.At(ip, 8080)), Succeeds());
    wire.Expect(SynAck());
  }

  Socket late = client.NewSocket(ip);
  Pending<int> connecting = late.StartConnect(server.At(ip, 8080));
  const Segment syn = wire.Expect(Syn());
  wire.Expect(Syn().Seq(syn.seq));
  EXPECT_THAT(wire.Seen(SynAck().Ack(syn.seq + 1)), testing::IsEmpty());

  ASSERT_THAT(listener.Accept(), Succeeds());
  EXPECT_THAT(connecting.Await(), Succeeds());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), late.LocalEndpoint().ToString());
}

TEST_WITH_WIRE(
    AcceptQueue, AConnectionWhoseLastAckWasIgnoredLosesNoData,
    .claims = {"linux:tcp_abort_on_overflow"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Socket listener = Listening(0);
  wire.Drop(Ack().From(client));  // of the first: the second fills the queue before it
  Socket first = client.NewSocket(ip);
  first.Connect(server.At(ip, 8080)).value();
  Socket second = client.NewSocket(ip);
  second.Connect(server.At(ip, 8080)).value();

  first.Send("hello").value();
  const Segment ignored = wire.Expect(Data("hello"));
  wire.Expect(Data("hello").Seq(ignored.seq));

  EXPECT_EQ(listener.Accept().value().remote.ToString(), second.LocalEndpoint().ToString());
  Accepted accepted = listener.Accept().value();
  EXPECT_EQ(accepted.remote.ToString(), first.LocalEndpoint().ToString());
  EXPECT_THAT(accepted.socket.Receive(64), Returns("hello"));
}

TEST_WITH(ListenTest, AcceptQueue, ConnectionsAreAcceptedInTheOrderInWhichTheyWereEstablished,
          .claims = {"man:accept(2)-queue"}) {
  Socket listener = Listening(8);
  std::vector<ScriptedTcp*> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(&HalfOpen(Client()));
  // Established in another order than they were asked for.
  for (const size_t i : {2U, 0U, 1U}) {
    clients[i]->Send(Ack());
    Settle();
  }
  for (const size_t i : {2U, 0U, 1U}) {
    EXPECT_EQ(listener.Accept().value().remote.ToString(), clients[i]->local().ToString());
  }
}

TEST_WITH(ListenTest, AcceptQueue, InetDiagShowsItsLengthAndItsLimit,
          .claims = {"man:sock_diag(7)-listening", "man:listen(2)-backlog"}, .needs = {"diag"}) {
  Socket listener = Listening(5);
  HalfOpen(Client());  // is not in this queue
  for (std::uint32_t queued = 0; queued < 3; ++queued) {
    EXPECT_EQ(Shown().receive_queue, queued);
    Established(Client());
    Settle();
  }
  EXPECT_EQ(Shown().receive_queue, 3U);
  EXPECT_EQ(Shown().send_queue, 5U);
  listener.Accept().value();
  EXPECT_EQ(Shown().receive_queue, 2U);
}

TEST_WITH(ListenTest, AcceptQueue, ASynThatFindsItFullIsCountedAsOverflowAndAsDrop,
          .claims = {"linux:ListenOverflows", "linux:ListenDrops"},
          .needs = {"fresh", "counters", "sysctl"}) {
  Listening(1);
  for (int i = 0; i < LinuxAcceptQueueHolds(1, sut.facts()); ++i) Established(Client());
  Settle();
  EXPECT_EQ(sut.Counter("TcpExt.ListenOverflows"), 0);
  EXPECT_EQ(sut.Counter("TcpExt.ListenDrops"), 0);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(SynIsAnswered(Client()));
  EXPECT_EQ(sut.Counter("TcpExt.ListenOverflows"), 3);
  EXPECT_EQ(sut.Counter("TcpExt.ListenDrops"), 3);
}

TEST_WITH(ListenTest, AcceptQueue, SynCookiesDoNotHelpWhenItIsFull,
          .claims = {"man:listen(2)-full-queue", "linux:ListenOverflows"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_syncookies", 2);
  Listening(1);
  for (int i = 0; i < LinuxAcceptQueueHolds(1, sut.facts()); ++i) Established(Client());
  Settle();  // they are all in the queue by now
  EXPECT_FALSE(SynIsAnswered(Client()));
}

// --- What becomes of a connection while it waits -------------------------------------------------

TEST_WITH(ListenTest, AcceptQueue, DataAndFinThatArriveBeforeAcceptAreKept,
          .claims = {"rfc9293:3.10.7.4-segment-text", "rfc9293:3.6-fin-is-acknowledged"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = Established(Client());
  Deciding("rfc9293:3.10.7.4-segment-text");
  client.Send(Data("early"));
  client.Expect(Ack().Ack(client.snd_nxt));
  Deciding("rfc9293:3.6-fin-is-acknowledged");
  client.Send(Fin());
  client.Expect(Ack().Ack(client.snd_nxt));

  Deciding("rfc9293:3.10.7.4-segment-text");
  Socket socket = listener.Accept().value().socket;
  EXPECT_THAT(socket.Receive(64), Returns("early"));
  Deciding("rfc9293:3.6-fin-is-acknowledged");
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
  // It is a connection in CLOSE-WAIT like any other.
  EXPECT_THAT(socket.Send("late"), Returns(4));
  client.Expect(Data("late").Ack(client.snd_nxt));
}

TEST_WITH(ListenTest, AcceptQueue, AResetBeforeAcceptIsNotTakenForANormalClose,
          .claims = {"rfc9293:MUST-12"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = Established(Client());
  client.Send(Rst());
  Settle();

  // By accept() itself, or by the first call on the socket that it gives; with which error no RFC
  // says. A connection that left the queue no application has ever had.
  Pending<Accepted> accepting = listener.StartAccept();
  if (accepting.BlocksFor(100ms)) NotReached("accept() gives no connection that was reset");
  const Outcome<Accepted> accepted = accepting.Await();
  if (!accepted.ok()) return;
  EXPECT_THAT(Socket(accepted.value().socket).Receive(64), testing::Not(Succeeds()));
}

// Linux hands out the socket all the same (inet_csk_accept() looks at the queue only).
TEST_WITH(ListenTest, AcceptQueue, AResetBeforeAcceptIsEconnabortedAsPosixSays,
          .claims = {"posix:accept-ECONNABORTED", "man:accept(2)-ECONNABORTED"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = Established(Client());
  client.Send(Rst());
  Settle();
  const Outcome<Accepted> accepted = listener.Accept();
  for (const char* claim : {"posix:accept-ECONNABORTED", "man:accept(2)-ECONNABORTED"}) {
    Deciding(claim);
    EXPECT_THAT(accepted, FailsWith(ECONNABORTED));
  }
}
