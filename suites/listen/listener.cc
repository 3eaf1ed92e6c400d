// A listening socket itself: what it says of itself, how accept() and readiness tell of
// connections, and what its end means for those that wait. listen(2), accept(2), poll(2), epoll(7).
#include "suites/listen/listen_test.h"

using namespace sockproof;

TEST_WITH(ListenTest, Listener, ListenMakesTheSocketPassive,
          .claims = {"man:listen(2)-passive", "notes:B1"}) {
  Deciding("man:listen(2)-passive");
  Socket listener = sut.NewSocket(ip);
  ASSERT_THAT(listener.Bind(kPort), Succeeds());
  ScriptedTcp& early = Client();
  early.Send(Syn());
  early.Expect(Rst());

  ASSERT_THAT(listener.Listen(1), Succeeds());
  ScriptedTcp& client = Client();
  HalfOpen(client);
  if (!sut.Can("states")) return;
  Deciding("notes:B1");
  ExpectState(TcpState::kListen, {listener, Client()});
}

TEST_WITH(ListenTest, Listener, SoAcceptconnTellsAListenerFromOtherSockets,
          .claims = {"man:socket(7)-SO_ACCEPTCONN", "man:accept(2)-new-socket"}) {
  Socket listener = sut.NewSocket(ip);
  listener.Bind(kPort).value();
  EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(0));
  listener.Listen(1).value();
  EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(1));

  Established(Client());
  Socket accepted = listener.Accept().value().socket;
  EXPECT_THAT(accepted.GetOption("SO_ACCEPTCONN"), Returns(0));
  EXPECT_THAT(accepted.Accept(), FailsWith(EINVAL));
  EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(1));
}

TEST_WITH(ListenTest, Listener, SoAcceptconnIsReadOnly, .claims = {"man:socket(7)-SO_ACCEPTCONN"}) {
  Socket listener = Listening(1);
  EXPECT_THAT(listener.SetOption("SO_ACCEPTCONN", 0), testing::Not(Succeeds()));
  EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(1));
}

TEST_WITH(ListenTest, Listener, AConnectedSocketCannotListen, .claims = {"posix:listen-EINVAL"}) {
  auto [socket, peer] = Connected();
  EXPECT_THAT(socket.Listen(1), FailsWith(EINVAL));
  EXPECT_THAT(socket.Send("still connected"), Returns(15));
  peer.Expect(Data("still connected"));
}

TEST_WITH(ListenTest, Listener, ASecondOneOnTheSamePortFailsAndLeavesTheFirstAlone,
          .claims = {"rfc9293:MUST-41", "man:listen(2)-EADDRINUSE"}) {
  Socket first = sut.NewSocket(ip);
  Socket second = sut.NewSocket(ip);
  // Or bind() would refuse the second, as it may all the same.
  for (Socket* socket : {&first, &second}) socket->SetOption("SO_REUSEADDR", 1).value();
  first.Bind(kPort).value();
  const bool refused = !second.Bind(kPort).ok();
  ASSERT_THAT(first.Listen(8), Succeeds());
  if (!refused) {
    Deciding("man:listen(2)-EADDRINUSE");
    EXPECT_THAT(second.Listen(8), FailsWith(EADDRINUSE));
  }
  Deciding("rfc9293:MUST-41");
  ScriptedTcp& client = Established(Client());
  EXPECT_EQ(first.Accept().value().remote.ToString(), client.local().ToString());
}

TEST_WITH(ListenTest, Listener, MayHaveThePortOfAConnectionThatIsOpening,
          .claims = {"rfc9293:MUST-42"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket opening = sut.NewSocket(ip);
  opening.SetOption("SO_REUSEADDR", 1).value();
  opening.Bind(kPort).value();
  Pending<int> connecting = opening.StartConnect(peer.local());
  peer.Expect(Syn());

  Socket listener = sut.NewSocket(ip);
  listener.SetOption("SO_REUSEADDR", 1).value();
  ASSERT_THAT(listener.Bind(kPort), Succeeds());
  ASSERT_THAT(listener.Listen(8), Succeeds());
  Established(Client());
  EXPECT_THAT(listener.Accept(), Succeeds());
  peer.Send(SynAck());
  EXPECT_THAT(connecting.Await(), Succeeds());
}

TEST_WITH(ListenTest, Listener, IgnoresReset, .claims = {"rfc9293:3.10.7.2-rst"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = Client();
  client.Send(Rst());
  client.Send(Rst().With(kAck));
  Settle();
  EXPECT_EQ(client.waiting(), 0U);
  Established(client);
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}

// Whether shutdown() ends a listener POSIX leaves open: without one the port is closed.
TEST_WITH(ListenTest, Listener, IsSilentToAResetAlsoWhenItWasShutDown,
          .claims = {"rfc9293:3.10.7.1-rst"}) {
  Socket listener = Listening(8);
  listener.Shutdown("SHUT_RD");
  ScriptedTcp& client = Client();
  client.Send(Rst());
  client.Send(Rst().With(kAck));
  Settle();
  EXPECT_EQ(client.waiting(), 0U);
}

// --- accept() ------------------------------------------------------------------------------------

TEST_WITH(ListenTest, Accept, FailsWithEagainOnANonblockingListenerWithoutConnections,
          .claims = {"man:accept(2)-queue"}) {
  Socket listener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  listener.Bind(kPort).value();
  listener.Listen(8).value();
  EXPECT_THAT(listener.Accept(), FailsWith(EAGAIN));
  ScriptedTcp& client = HalfOpen(Client());
  EXPECT_THAT(listener.Accept(), FailsWith(EAGAIN));
  client.Send(Ack());
  Settle();
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
  EXPECT_THAT(listener.Accept(), FailsWith(EAGAIN));
}

TEST_WITH(ListenTest, Accept, FailsWithEinvalOnASocketThatDoesNotListen,
          .claims = {"man:accept(2)-EINVAL"}) {
  Socket socket = sut.NewSocket(ip);
  socket.Bind(kPort).value();
  EXPECT_THAT(socket.Accept(), FailsWith(EINVAL));
}

TEST_WITH(
    ListenTest, Accept, FailsWithEagainAfterTheReceiveTimeout,
    .claims = {"man:socket(7)-SO_RCVTIMEO"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Socket listener = Listening(8);
  listener.SetOption("SO_RCVTIMEO", 1).value();
  const Outcome<Accepted> accepting = listener.Accept();
  EXPECT_THAT(accepting, FailsWith(EAGAIN));
  // How late it returns, the scheduler decides.
  EXPECT_THAT(accepting.end - accepting.begin, LastsAtLeast(FiresAfter(1s).earliest()));
}

TEST_WITH(ListenTest, Accept, GivesASocketWithoutTheStatusFlagsOfItsListener,
          .claims = {"man:accept(2)-flags", "man:accept(2)-SOCK_NONBLOCK"}) {
  Socket listener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  listener.Bind(kPort).value();
  listener.Listen(8).value();
  Established(Client());
  Established(Client());
  Settle();
  Deciding("man:accept(2)-flags");
  EXPECT_THAT(Socket(listener.Accept().value().socket).IsNonblocking(), Returns(0));
  Deciding("man:accept(2)-SOCK_NONBLOCK");
  EXPECT_THAT(Socket(listener.Accept({"SOCK_NONBLOCK"}).value().socket).IsNonblocking(),
              Returns(1));
}

TEST_WITH(ListenTest, Accept, GivesASocketWithTheUserTimeoutOfItsListener,
          .claims = {"man:tcp(7)-TCP_USER_TIMEOUT-inherited"}) {
  Socket listener = Listening(8);
  ASSERT_THAT(listener.SetOption("TCP_USER_TIMEOUT", 12'345), Succeeds());
  Established(Client());
  EXPECT_THAT(Socket(listener.Accept().value().socket).GetOption("TCP_USER_TIMEOUT"),
              Returns(12'345));
}

TEST_WITH(ListenTest, Listener, WithoutBindItHasAFreePortOfAnyAddress,
          .claims = {"man:ip(7)-listen-unbound"}) {
  Socket listener = sut.NewSocket(ip);
  ASSERT_THAT(listener.Listen(8), Succeeds());
  const Endpoint local = listener.LocalEndpoint();
  EXPECT_EQ(local.address.ToString(), ip == IpVersion::kIpv4 ? "0.0.0.0" : "::");
  ASSERT_NE(local.port, 0);
  ScriptedTcp& client = host.Towards({sut.Address(ip), local.port}, NextPort());
  Established(client);
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}

// --- Readiness -----------------------------------------------------------------------------------

TEST_WITH(ListenTest, Listener, IsReadableWhileAConnectionWaits,
          .claims = {"man:accept(2)-readable"}) {
  Socket listener = Listening(8);
  EXPECT_THAT(listener.Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));
  ScriptedTcp& client = HalfOpen(Client());
  EXPECT_THAT(listener.Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));

  client.Send(Ack());
  Settle();
  EXPECT_THAT(listener.Poll({"POLLIN", "POLLOUT"}), Returns(Events{"POLLIN"}));
  listener.Accept().value();
  EXPECT_THAT(listener.Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));
}

TEST_WITH(ListenTest, Listener, ABlockedPollReturnsWhenAConnectionArrives,
          .claims = {"man:accept(2)-readable"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = HalfOpen(Client());
  Pending<Events> polling = listener.StartPoll({"POLLIN"}, 60s);
  const Segment ack = client.Send(Ack());
  const Outcome<Events> polled = polling.Await();
  EXPECT_THAT(polled, Returns(Events{"POLLIN"}));
  EXPECT_GT(polled.end, ack.time) << "it returns before a connection has arrived";
}

TEST_WITH(ListenTest, Listener, LevelTriggeredEpollReportsItUntilTheQueueIsEmpty,
          .claims = {"man:epoll(7)-level-triggered", "man:accept(2)-readable"},
          .needs = {"epoll"}) {
  Socket listener = Listening(8);
  Epoll epoll(listener, {"EPOLLIN"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  Established(Client());
  Established(Client());
  Settle();
  for (int queued = 2; queued > 0; --queued) {
    EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
    EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
    listener.Accept().value();
  }
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH(ListenTest, Listener, EdgeTriggeredEpollReportsArrivalsOnly,
          .claims = {"man:epoll(7)-edge-triggered", "man:accept(2)-readable"}, .needs = {"epoll"}) {
  Socket listener = Listening(8);
  Epoll epoll(listener, {"EPOLLIN", "EPOLLET"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  Established(Client());
  Settle();
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{})) << "the connection that still waits is no news";

  Pending<Events> waiting = epoll.StartWait(60s);
  const Segment ack = HalfOpen(Client()).Send(Ack());
  const Outcome<Events> waited = waiting.Await();
  EXPECT_THAT(waited, Returns(Events{"EPOLLIN"}));
  EXPECT_GT(waited.end, ack.time) << "it returns before another connection has arrived";
}

// --- The end of a listener -----------------------------------------------------------------------

TEST_WITH(ListenTest, Listener, ItsCloseAbortsTheConnectionsThatWait,
          .claims = {"linux:listener-closed", "rfc9293:3.10.7.1-reset-with-ack",
                     "rfc9293:3.10.7.1-reset-without-ack"}) {
  Socket listener = Listening(8);
  ScriptedTcp& queued = Established(Client());
  ScriptedTcp& half_open = HalfOpen(Client());
  Settle();
  Deciding("linux:listener-closed");
  ASSERT_THAT(listener.Close(), Succeeds());
  queued.Expect(Rst().Seq(queued.rcv_nxt));

  Deciding("rfc9293:3.10.7.1-reset-with-ack");
  const Segment ack = half_open.Send(Ack());
  half_open.Expect(Rst().Seq(ack.ack));
  Deciding("rfc9293:3.10.7.1-reset-without-ack");
  ScriptedTcp& late = Client();
  const Segment syn = late.Send(Syn());
  late.Expect(Rst().With(kAck).Seq(0).Ack(syn.seq + 1));
}

TEST_WITH(
    ListenTest, Listener, ItsCloseEndsTheRetransmissionOfSynAcks,
    .claims = {"linux:listener-closed"}, .needs = {"states"},
    .lasts = [](const Facts&) -> Duration { return 1300ms; }) {
  Socket listener = Listening(8);
  ScriptedTcp& half_open = HalfOpen(Client());
  ASSERT_THAT(listener.Close(), Succeeds());
  half_open.ExpectSilence(FiresAfter(1s).latest());  // the first retransmission is due after 1 s
  EXPECT_THAT(ShownInSynReceived(), testing::IsEmpty());
}

TEST_WITH(ListenTest, Listener, ItsCloseLeavesAcceptedConnectionsAlone,
          .claims = {"man:accept(2)-new-socket"}) {
  Socket listener = Listening(8);
  ScriptedTcp& client = Established(Client());
  Socket accepted = listener.Accept().value().socket;
  ASSERT_THAT(listener.Close(), Succeeds());

  client.Send(Data("still here"));
  client.Expect(Ack().Ack(client.snd_nxt));
  EXPECT_THAT(accepted.Receive(64), Returns("still here"));
  EXPECT_THAT(accepted.Send("so am I"), Returns(7));
  client.Expect(Data("so am I"));
}
