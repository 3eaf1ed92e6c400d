// close() as the end of everything, and RST as the end of a connection that was not closed: what
// the peer gets, and what the application is told. RFC 9293 sections 3.6 and 3.10.7.4.
#include "harness/test/test.h"

using namespace sockproof;

// --- close() -------------------------------------------------------------------------------------

TEST_WITH_PEER(CloseAndReset, CloseWithUnreadDataSendsRst,
               .claims = {"rfc9293:SHLD-3", "rfc2525:2.17-reset", "linux:TCPAbortOnClose"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  peer.Send(Data("unread"));
  peer.Expect(Ack().Ack(peer.snd_nxt));

  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Rst().Seq(peer.rcv_nxt));
  ExpectStateIfShown(TcpState::kClosed, connection);
}

TEST_WITH_PEER(CloseAndReset, CloseWithHalfOfTheDataReadSendsRst,
               .claims = {"rfc9293:SHLD-3", "rfc2525:2.17-reset"}) {
  auto [socket, peer] = Connected();
  peer.Send(Data("half read"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(4), Returns("half"));
  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Rst().Seq(peer.rcv_nxt));
}

TEST_WITH_PEER(CloseAndReset, CloseWithAllDataReadSendsFin,
               .claims = {"rfc9293:3.6-close-fin", "rfc9293:3.6-second-fin"}) {
  auto [socket, peer] = Connected();
  peer.Send(Data("all read"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("all read"));
  ASSERT_THAT(socket.Close(), Succeeds());
  peer.Expect(Fin().Seq(peer.rcv_nxt));

  // An end of file that was not read is no data.
  Connection closing = InState(TcpState::kCloseWait);
  ASSERT_THAT(closing.socket.Close(), Succeeds());
  closing.peer.Expect(Fin().Seq(closing.peer.rcv_nxt));
}

TEST_WITH_PEER(CloseAndReset, CloseWithUnreadDataIsCounted, .claims = {"linux:TCPAbortOnClose"},
               .needs = {"fresh", "counters"}) {
  auto [socket, peer] = Connected();
  peer.Send(Data("unread"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_EQ(sut.Counter("TcpExt.TCPAbortOnClose"), 0);
  socket.Close().value();
  EXPECT_EQ(sut.Counter("TcpExt.TCPAbortOnClose"), 1);
}

TEST_WITH_PEER(CloseAndReset, DataThatArrivesAfterCloseIsAnsweredWithRst,
               .claims = {"rfc9293:SHLD-3", "rfc9293:MAY-1"}) {
  for (const TcpState state : {TcpState::kFinWait1, TcpState::kFinWait2}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    auto [socket, peer] = InState(state);
    socket.Close().value();
    const Segment late = peer.Send(Data("late"));
    const Segment answer = peer.Expect(AnySegment());
    if (!answer.Has(kRst)) NotTaken("rfc9293:MAY-1", "data that arrives after close() is taken");
    Deciding("rfc9293:SHLD-3");
    ASSERT_TRUE(Rst().Seq(late.ack).Matches(answer)) << Describe(answer, peer.irs, peer.iss);
    const Segment later = peer.Send(Data("later"));
    peer.Expect(Rst().Seq(later.ack));
    Deciding("rfc9293:MAY-1");
  }
}

TEST_WITH_WIRE(CloseAndReset, CloseDeliversEverythingThatWasSent,
               .claims = {"rfc9293:3.6-data-before-fin",
                          "rfc9293:3.6-retransmitted-until-acknowledged"}) {
  auto [near, far] = Connected();
  near.SetOption("SO_SNDBUF", 200'000).value();
  wire.Drop(AnyData().From(client));  // is sent again by a socket that nobody holds any more
  std::string stream;
  while (stream.size() < 40'000) stream += std::to_string(stream.size()) + '\n';
  ASSERT_THAT(near.Send(stream), Returns(static_cast<int>(stream.size())));
  ASSERT_THAT(near.Close(), Succeeds());

  std::string received;
  for (std::string part = "x"; !part.empty(); received += part) part = far.Receive(65536).value();
  EXPECT_TRUE(received == stream) << received.size() << " bytes received";
}

TEST_WITH_WIRE(CloseAndReset, TheFirstSendToAPeerThatIsGoneSucceedsAndTheNextFails,
               .claims = {"rfc9293:SHLD-3", "man:poll(2)-POLLERR", "man:socket(7)-POLLHUP-broken",
                          "linux:reset-error", "posix:send-SIGPIPE"}) {
  auto [near, far] = Connected();
  ASSERT_THAT(far.Close(), Succeeds());
  ASSERT_THAT(near.Receive(64), IsEndOfFile());

  Deciding("rfc9293:SHLD-3");
  ASSERT_THAT(near.Send("anybody there?"), Returns(14));
  wire.Expect(Rst().From(server));
  // Reported even where no event is asked for.
  const Events events = near.Poll({}, 5s).value();
  Deciding("man:poll(2)-POLLERR");
  EXPECT_THAT(events, testing::Contains("POLLERR"));
  Deciding("man:socket(7)-POLLHUP-broken");
  EXPECT_THAT(events, testing::Contains("POLLHUP"));
  const Outcome<int> sending = near.Send("anybody there?");
  Deciding("rfc9293:SHLD-3");
  EXPECT_THAT(sending, testing::Not(Succeeds()));
  Deciding("linux:reset-error");
  EXPECT_THAT(sending, FailsWith(EPIPE));
  Deciding("posix:send-SIGPIPE");
  EXPECT_THAT(sending, Raises("SIGPIPE"));
}

// --- RST from the peer ---------------------------------------------------------------------------

TEST_WITH_PEER(CloseAndReset, AResetEndsAReceiveThatWaits,
               .claims = {"rfc9293:3.10.7.4-reset", "rfc9293:MUST-12", "posix:recv-ECONNRESET"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  Pending<std::string> receiving = socket.StartReceive(64);
  ExpectStillBlocked(receiving);
  Deciding("rfc9293:3.10.7.4-reset");
  peer.Send(Rst());
  const Outcome<std::string> received = receiving.Await();
  EXPECT_THAT(received, testing::Not(Succeeds()));
  ExpectStateIfShown(TcpState::kClosed, connection);
  Deciding("rfc9293:MUST-12");
  EXPECT_THAT(received, testing::Not(IsEndOfFile()));
  Deciding("posix:recv-ECONNRESET");
  EXPECT_THAT(received, FailsWith(ECONNRESET));
}

TEST_WITH_PEER(CloseAndReset, AResetEndsASendThatWaits,
               .claims = {"rfc9293:3.10.7.4-reset", "man:send(2)-ECONNRESET"}) {
  auto [socket, peer] = Connected();
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  Settle();
  socket.SetOption("SO_SNDBUF", 16384).value();
  socket.Send(std::string(200'000, 'x'), {"MSG_DONTWAIT"}).value();
  Pending<int> sending = socket.StartSend("one more");
  ExpectStillBlocked(sending);
  Deciding("rfc9293:3.10.7.4-reset");
  peer.Send(Rst());
  const Outcome<int> sent = sending.Await();
  EXPECT_THAT(sent, testing::Not(Succeeds()));
  Deciding("man:send(2)-ECONNRESET");
  EXPECT_THAT(sent, FailsWith(ECONNRESET));
}

TEST_WITH_PEER(CloseAndReset, AResetIsReportedBySoErrorOnce,
               .claims = {"rfc9293:3.10.7.4-reset", "linux:reset-error",
                          "man:socket(7)-SO_ERROR"}) {
  auto [socket, peer] = Connected();
  peer.Send(Rst());
  Settle();
  const std::string told = ErrnoName(socket.TakeError());
  Deciding("rfc9293:3.10.7.4-reset");
  EXPECT_NE(told, ErrnoName(0));
  Deciding("linux:reset-error");
  EXPECT_EQ(told, "ECONNRESET");
  Deciding("man:socket(7)-SO_ERROR");
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
  EXPECT_THAT(socket.Receive(64), testing::Not(FailsWith(ECONNRESET)));
}

TEST_WITH_PEER(CloseAndReset, AfterTheErrorOfAResetSendingFailsWithEpipe,
               .claims = {"man:send(2)-ECONNRESET", "posix:send-EPIPE", "posix:send-SIGPIPE"}) {
  auto [socket, peer] = Connected();
  peer.Send(Rst());
  Settle();
  const Outcome<int> first = socket.Send("x");
  Deciding("man:send(2)-ECONNRESET");
  EXPECT_THAT(first, FailsWith(ECONNRESET));
  EXPECT_THAT(first, testing::Not(Raises("SIGPIPE")));
  const Outcome<int> second = socket.Send("x");
  Deciding("posix:send-EPIPE");
  EXPECT_THAT(second, FailsWith(EPIPE));
  Deciding("posix:send-SIGPIPE");
  EXPECT_THAT(second, Raises("SIGPIPE"));
  EXPECT_THAT(socket.Send("x", {"MSG_NOSIGNAL"}), testing::Not(Raises("SIGPIPE")));
}

TEST_WITH_PEER(CloseAndReset, AResetInCloseWaitIsReportedAsEpipe, .claims = {"linux:reset-error"}) {
  auto [socket, peer] = InState(TcpState::kCloseWait);
  peer.Send(Rst());
  Settle();
  EXPECT_EQ(ErrnoName(socket.TakeError()), "EPIPE");
}

TEST_WITH_PEER(CloseAndReset, AResetIsNotTakenForTheEndOfTheFile, .claims = {"rfc9293:MUST-12"}) {
  auto [closed, closing] = Connected();
  auto [aborted, aborting] = Connected();
  closing.Send(Fin());
  aborting.Send(Rst());
  EXPECT_THAT(closed.Receive(64), IsEndOfFile());
  EXPECT_EQ(ErrnoName(closed.TakeError()), ErrnoName(0));
  EXPECT_THAT(aborted.Receive(64), testing::Not(Succeeds()));
}

// Linux leaves what it has acknowledged to the application, and reports the reset after it.
TEST_WITH_PEER(CloseAndReset, AResetDiscardsDataThatWasNotReadAsTheRfcSays,
               .claims = {"rfc9293:3.10.7.4-reset-flushes"}) {
  auto [socket, peer] = Connected();
  peer.Send(Data("unread"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  peer.Send(Rst());
  Settle();
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}

TEST_WITH_PEER(CloseAndReset, DataForAConnectionThatWasResetIsAnsweredWithRst,
               .claims = {"rfc9293:3.10.7.1-reset-with-ack", "rfc9293:3.10.7.4-reset"}) {
  auto [socket, peer] = Connected();
  peer.Send(Rst());
  const Segment late = peer.Send(Data("late"));
  Deciding("rfc9293:3.10.7.1-reset-with-ack");
  peer.Expect(Rst().Seq(late.ack));
  Deciding("rfc9293:3.10.7.4-reset");
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}
