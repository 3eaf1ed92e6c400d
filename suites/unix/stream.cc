// Stream sockets of AF_UNIX, and what SOCK_SEQPACKET shares with them: connections, their end, and
// what is queued. unix(7), send(2), recv(2), POSIX.
#include "harness/test/filling.h"
#include "suites/unix/unix_test.h"

using namespace sockproof;

TEST_WITH(UnixTest, UnixStream, DataIsReadInOrderInAnyPieces, .claims = {"posix:SOCK_STREAM"},
          .over = kUnixStreams) {
  auto [here, there] = Pair();
  here.Send("one, ").value();
  here.Send("two, three").value();
  EXPECT_THAT(there.Receive(7, {"MSG_WAITALL"}), Returns("one, tw"));
  EXPECT_THAT(there.Receive(8, {"MSG_WAITALL"}), Returns("o, three"));
}

TEST_WITH(UnixTest, UnixStream, TheEndOfTheFileComesBehindAllData,
          .claims = {"man:recv(2)-end-of-file"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  here.Send("last").value();
  here.Close().value();
  EXPECT_THAT(there.Receive(64), Returns("last"));
  EXPECT_THAT(there.Receive(64), IsEndOfFile());
  EXPECT_THAT(there.Receive(64), IsEndOfFile());
}

// unix(7) does not say when a close is unexpected.
TEST_WITH(UnixTest, UnixStream, ClosingWithUnreadDataIsAResetOrTheEndForTheOther,
          .claims = {"man:unix(7)-ECONNRESET"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  there.Send("unread").value();
  here.Close().value();
  const Outcome<std::string> received = there.Receive(64);
  EXPECT_THAT(received, testing::AnyOf(FailsWith(ECONNRESET), IsEndOfFile()));
  if (received.ok()) NotTaken("man:unix(7)-ECONNRESET", "it reads the end of the file");
}

TEST_WITH(UnixTest, UnixStream, SendingToAClosedPeerIsABrokenPipe, .claims = {"posix:send-EPIPE"},
          .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  there.Close().value();
  EXPECT_THAT(here.Send("x", {"MSG_NOSIGNAL"}), FailsWith(EPIPE));
}

TEST_WITH(UnixTest, UnixStream, ABrokenPipeRaisesSigpipeUnlessTold,
          .claims = {"man:unix(7)-EPIPE", "man:unix(7)-MSG_NOSIGNAL"}, .over = kUnixStreams) {
  auto [here, there] = Pair();
  there.Close().value();
  Deciding("man:unix(7)-EPIPE");
  const Outcome<int> sent = here.Send("x");
  EXPECT_THAT(sent, FailsWith(EPIPE));
  EXPECT_THAT(sent, Raises("SIGPIPE"));
  Deciding("man:unix(7)-MSG_NOSIGNAL");
  const Outcome<int> quiet = here.Send("x", {"MSG_NOSIGNAL"});
  EXPECT_THAT(quiet, FailsWith(EPIPE));
  EXPECT_THAT(quiet.signals, testing::IsEmpty());
}

TEST_WITH(UnixTest, UnixStream, ShutdownOfOneSideLeavesTheOther,
          .claims = {"posix:shutdown-SHUT_WR", "man:recv(2)-end-of-file"},
          .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  here.Shutdown("SHUT_WR").value();
  Deciding("man:recv(2)-end-of-file");
  EXPECT_THAT(there.Receive(64), IsEndOfFile());
  Deciding("posix:shutdown-SHUT_WR");
  EXPECT_THAT(here.Send("x", {"MSG_NOSIGNAL"}), FailsWith(EPIPE));
  EXPECT_THAT(there.Send("back"), Returns(4));
  EXPECT_THAT(here.Receive(64), Returns("back"));
}

TEST_WITH(UnixTest, UnixStream, ShutdownOfReceivingEndsReceiving,
          .claims = {"posix:shutdown-SHUT_RD"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  here.Shutdown("SHUT_RD").value();
  const auto is_refused = testing::Not(testing::AnyOf(Succeeds(), FailsWith(EAGAIN)));
  EXPECT_THAT(here.Receive(64), testing::AnyOf(IsEndOfFile(), is_refused));
}

TEST_WITH(UnixTest, UnixStream, AFullBufferBlocksTheSenderUntilThereIsRoom,
          .claims = {"man:send(2)-blocks", "man:send(2)-EAGAIN"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  Deciding("man:send(2)-EAGAIN");
  const Filled filled = FillUp(here, std::string(1024, 'x'));
  ASSERT_THAT(filled.last, FailsWith(EAGAIN));
  Deciding("man:send(2)-blocks");
  Pending<int> sending = here.StartSend(std::string(1024, 'y'));
  ExpectStillBlocked(sending);
  Drain(there);
  EXPECT_THAT(sending.Await(), Returns(1024));
}

TEST_WITH(UnixTest, UnixStream, SoSndbufBoundsWhatIsUnread, .claims = {"man:unix(7)-SO_SNDBUF"},
          .over = kEachUnixConnection) {
  const auto room_with = [this](int bytes) {
    auto [here, there] = Pair();
    here.SetOption("SO_SNDBUF", bytes).value();
    return FillUp(here, std::string(512, 'x')).octets;
  };
  EXPECT_LT(room_with(8192), room_with(65536));
}

TEST_WITH(UnixTest, UnixStream, SoRcvbufHasNoEffect, .claims = {"man:unix(7)-SO_RCVBUF"},
          .over = kEachUnixConnection) {
  const auto room_with = [this](int bytes) {
    auto [here, there] = Pair();
    there.SetOption("SO_RCVBUF", bytes).value();
    return FillUp(here, std::string(512, 'x')).octets;
  };
  EXPECT_EQ(room_with(8192), room_with(65536));
}

TEST_WITH(UnixTest, UnixStream, SiocinqTellsWhatIsUnread, .claims = {"man:unix(7)-SIOCINQ"},
          .over = kUnixStreams) {
  auto [here, there] = Pair();
  EXPECT_THAT(there.Inquire("SIOCINQ"), Returns(0));
  here.Send("12345").value();
  here.Send("678").value();
  EXPECT_THAT(there.Inquire("SIOCINQ"), Returns(8));
  EXPECT_THAT(there.Inquire("FIONREAD"), Returns(8));
  there.Receive(3).value();
  EXPECT_THAT(there.Inquire("SIOCINQ"), Returns(5));
}

TEST_WITH(UnixTest, UnixStream, SiocinqOfAListenerIsInvalid,
          .claims = {"man:unix(7)-SIOCINQ-listening"}, .needs = {"abstract_names"},
          .over = kUnixStreams) {
  EXPECT_THAT(Listening(FreshName()).Inquire("SIOCINQ"), FailsWith(EINVAL));
}

// The example of socket(7).
TEST_WITH(UnixTest, UnixStream, ThePeekOffsetMovesWithPeeksAndReads,
          .claims = {"man:socket(7)-SO_PEEK_OFF", "man:socket(7)-SO_PEEK_OFF-decreased"},
          .over = kUnixStreams) {
  auto [here, there] = Pair();
  here.Send("aabbccddeeff").value();
  there.SetOption("SO_PEEK_OFF", 4).value();
  Deciding("man:socket(7)-SO_PEEK_OFF");
  EXPECT_THAT(there.Receive(2, {"MSG_PEEK"}), Returns("cc"));
  EXPECT_THAT(there.GetOption("SO_PEEK_OFF"), Returns(6));
  EXPECT_THAT(there.Receive(2, {"MSG_PEEK"}), Returns("dd"));
  Deciding("man:socket(7)-SO_PEEK_OFF-decreased");
  EXPECT_THAT(there.Receive(2), Returns("aa"));
  EXPECT_THAT(there.GetOption("SO_PEEK_OFF"), Returns(6));
  EXPECT_THAT(there.Receive(2, {"MSG_PEEK"}), Returns("ee"));
}

TEST_WITH(UnixTest, UnixStream, ThePeekOffsetIsOffAtFirst,
          .claims = {"man:socket(7)-SO_PEEK_OFF-default"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  EXPECT_THAT(there.GetOption("SO_PEEK_OFF"), Returns(-1));
  here.Send("front").value();
  EXPECT_THAT(there.Receive(2, {"MSG_PEEK"}), Returns("fr"));
  EXPECT_THAT(there.Receive(2, {"MSG_PEEK"}), Returns("fr"));
}

TEST_WITH(UnixTest, UnixStream, OutOfBandDataIsNotSupported, .claims = {"man:unix(7)-MSG_OOB"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  EXPECT_THAT(here.Send("!", {"MSG_OOB"}), FailsWith(EOPNOTSUPP));
  EXPECT_THAT(there.Receive(1, {"MSG_OOB", "MSG_DONTWAIT"}), FailsWith(EOPNOTSUPP));
}

// send(2): either the error, or the name is ignored.
TEST_WITH(UnixTest, UnixStream, SendingToAnAddressIsRefusedOrTheAddressIgnored,
          .claims = {"man:send(2)-EISCONN"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  Connection connection = Connected();
  const Outcome<int> sent = connection.client.SendTo(FreshName(), "x");
  if (sent.ok()) {
    EXPECT_THAT(connection.server.Receive(64), Returns("x"));
  } else {
    EXPECT_THAT(sent, FailsWith(EISCONN));
  }
}

TEST_WITH(UnixTest, UnixStream, SendingUnconnectedFails, .claims = {"man:unix(7)-ENOTCONN"},
          .over = kEachUnixType) {
  // send(2) has EDESTADDRREQ for datagrams without a peer, and EPIPE for connections in BUGS.
  const int other = type() == "SOCK_DGRAM" ? EDESTADDRREQ : EPIPE;
  EXPECT_THAT(NewSocket().Send("x", {"MSG_NOSIGNAL"}),
              testing::AnyOf(FailsWith(ENOTCONN), FailsWith(other)));
}

TEST_WITH(UnixTest, UnixStream, ASecondConnectFails, .claims = {"man:unix(7)-EISCONN"},
          .needs = {"abstract_names"}, .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Socket client = NewSocket();
  client.Connect(name).value();
  EXPECT_THAT(client.Connect(name), FailsWith(EISCONN));
}

// ---- waiting connections ----

TEST_WITH(UnixTest, UnixBacklog, AConnectionNeedsNoAcceptToCarryData,
          .claims = {"man:accept(2)-queue"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(name), Succeeds());
  ASSERT_THAT(client.Send("early"), Returns(5));
  EXPECT_THAT(listener.Accept().value().socket.Receive(64), Returns("early"));
}

TEST_WITH(UnixTest, UnixBacklog, AFullOneLetsNonblockingClientsTryAgain,
          .claims = {"man:connect(2)-EAGAIN"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name, 1);
  Outcome<int> last = NewSocket({"SOCK_NONBLOCK"}).Connect(name);
  for (int i = 0; i < 16 && last.ok(); ++i) last = NewSocket({"SOCK_NONBLOCK"}).Connect(name);
  // listen(2) lets a full queue refuse.
  EXPECT_THAT(last, testing::AnyOf(FailsWith(EAGAIN), FailsWith(ECONNREFUSED)));
}

TEST_WITH(UnixTest, UnixBacklog, AFullOneBlocksOthersUntilAcceptMakesRoom,
          .claims = {"posix:connect-blocks"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name, 1);
  Outcome<int> last = NewSocket({"SOCK_NONBLOCK"}).Connect(name);
  for (int i = 0; i < 16 && last.ok(); ++i) last = NewSocket({"SOCK_NONBLOCK"}).Connect(name);
  if (last.error() == ECONNREFUSED) NotReached("a full queue refuses, as listen(2) lets it");
  Socket client = NewSocket();
  Pending<int> connecting = client.StartConnect(name);
  ExpectStillBlocked(connecting);
  listener.Accept().value();
  EXPECT_THAT(connecting.Await(), Returns(0));
}

// unix(7) does not say when a close is unexpected.
TEST_WITH(UnixTest, UnixBacklog, ClosingTheListenerEndsWhoWaits,
          .claims = {"man:unix(7)-ECONNRESET"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Socket client = NewSocket();
  client.Connect(name).value();
  listener.Close().value();
  const Outcome<std::string> received = client.Receive(64);
  EXPECT_THAT(received, testing::AnyOf(FailsWith(ECONNRESET), IsEndOfFile()));
  if (received.ok()) NotTaken("man:unix(7)-ECONNRESET", "it reads the end of the file");
}
