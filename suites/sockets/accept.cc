// What accept() and listen() take and give: accept(2), listen(2) and ip(7) of the Linux man-pages,
// POSIX. Queues and their lengths are in suites/listen.
#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Accept, GivesTheNameOfTheClient,
                  .claims = {"man:accept(2)-address", "posix:accept-address"}, .over = kEachIp) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  const Accepted accepted = listener.Accept().value();
  EXPECT_EQ(accepted.remote, client.LocalName().value());
}

TEST_WITH_SOCKETS(Accept, OfASocketThatDoesNotListenFails,
                  .claims = {"man:accept(2)-EINVAL", "posix:accept-EINVAL"},
                  .over = kEachConnection) {
  EXPECT_THAT(NewSocket().Accept(), FailsWith(EINVAL));
  EXPECT_THAT(Bound().Accept(), FailsWith(EINVAL));
  EXPECT_THAT(ConnectedPair().client.Accept(), FailsWith(EINVAL));
}

TEST_WITH_SOCKETS(Accept, OfDatagramsFails,
                  .claims = {"man:accept(2)-EOPNOTSUPP", "posix:accept-EOPNOTSUPP"},
                  .over = kEachDatagram) {
  // It does not listen either, and no text says which error comes first.
  EXPECT_THAT(Bound().Accept(), testing::AnyOf(FailsWith(EOPNOTSUPP), FailsWith(EINVAL)));
}

TEST_WITH_SOCKETS(Accept, OfANonblockingListenerFailsWhileNobodyWaits,
                  .claims = {"man:accept(2)-queue", "posix:accept-EAGAIN"},
                  .over = kEachConnection) {
  Socket listener = Bound({"SOCK_NONBLOCK"});
  ASSERT_THAT(listener.Listen(1), Succeeds());
  EXPECT_THAT(listener.Accept(), FailsWith(EAGAIN));
}

TEST_WITH_SOCKETS(Accept, BlocksUntilSomeoneConnects, .claims = {"man:accept(2)-queue"},
                  .over = kEachConnection) {
  Socket listener = Listening();
  Pending<Accepted> accepting = listener.StartAccept();
  ExpectStillBlocked(accepting);
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(accepting.Await(), Succeeds());
}

TEST_WITH_SOCKETS(Accept, TheNewSocketHasNoStatusFlagsOfTheListener,
                  .claims = {"man:accept(2)-flags"}, .over = kEachConnection) {
  Socket listener = Bound({"SOCK_NONBLOCK"});
  ASSERT_THAT(listener.Listen(1), Succeeds());
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  ASSERT_THAT(listener.Poll({"POLLIN"}, 2000ms), Returns(Events{"POLLIN"}));
  Socket accepted = listener.Accept().value().socket;
  EXPECT_THAT(accepted.IsNonblocking(), Returns(0));
}

TEST_WITH_SOCKETS(Accept, SockNonblockSetsONonblockOfTheNewSocketAlone,
                  .claims = {"man:accept(2)-SOCK_NONBLOCK", "man:accept(2)-new-socket"},
                  .over = kEachConnection) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  Socket accepted = listener.Accept({"SOCK_NONBLOCK"}).value().socket;
  EXPECT_THAT(accepted.IsNonblocking(), Returns(1));
  EXPECT_THAT(listener.IsNonblocking(), Returns(0));
}

TEST_WITH_SOCKETS(Accept, TheNewSocketDoesNotListen,
                  .claims = {"man:accept(2)-new-socket", "man:socket(7)-SO_ACCEPTCONN"},
                  .over = kEachConnection) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  Socket accepted = listener.Accept().value().socket;
  EXPECT_THAT(accepted.GetOption("SO_ACCEPTCONN"), Returns(0));
  EXPECT_THAT(listener.GetOption("SO_ACCEPTCONN"), Returns(1));
}

TEST_WITH_SOCKETS(Accept, ServesInTheOrderOfArrival, .claims = {"man:accept(2)-queue"},
                  .over = kEachIp) {
  Socket listener = Listening();
  std::vector<Name> clients;
  for (int i = 0; i < 3; ++i) {
    Socket client = NewSocket();
    ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
    clients.push_back(client.LocalName().value());
  }
  for (const Name& client : clients) EXPECT_EQ(listener.Accept().value().remote, client);
}

TEST_WITH_SOCKETS(Listen, OfDatagramsFails,
                  .claims = {"man:listen(2)-EOPNOTSUPP", "posix:listen-EOPNOTSUPP"},
                  .over = kEachDatagram) {
  EXPECT_THAT(Bound().Listen(1), FailsWith(EOPNOTSUPP));
}

TEST_WITH_SOCKETS(Listen, BindsAnUnboundSocketOfTheInternet, .claims = {"man:ip(7)-listen-unbound"},
                  .over = kEachIp) {
  Socket listener = NewSocket();
  ASSERT_THAT(listener.Listen(1), Succeeds());
  EXPECT_NE(listener.LocalEndpoint().port, 0);
  EXPECT_THAT(NewSocket().Connect(Loopback(listener.LocalEndpoint().port)), Succeeds());
}

TEST_WITH_SOCKETS(Listen, OfAConnectedSocketFails, .claims = {"posix:listen-EINVAL"},
                  .over = kEachConnection) {
  EXPECT_THAT(ConnectedPair().client.Listen(1), FailsWith(EINVAL));
}

TEST_WITH_SOCKETS(Listen, OfASecondSocketThatSharesThePortFails,
                  .claims = {"man:listen(2)-EADDRINUSE"}, .over = kEachIp) {
  Socket first = NewSocket();
  Socket second = NewSocket();
  for (Socket socket : {first, second}) socket.SetOption("SO_REUSEADDR", 1).value();
  ASSERT_THAT(first.Bind(Loopback()), Succeeds());
  ASSERT_THAT(second.Bind(first.LocalName().value()), Succeeds());
  ASSERT_THAT(first.Listen(1), Succeeds());
  EXPECT_THAT(second.Listen(1), FailsWith(EADDRINUSE));
}

}  // namespace
}  // namespace sockproof
