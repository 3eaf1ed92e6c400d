// Half-closed connections, RFC 9293 section 3.6.1: who has sent FIN only stops sending.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(HalfClose, DataStillFlowsToTheSideThatSentItsFin,
               .claims = {"rfc9293:3.6.1-half-close", "rfc9293:3.6-user-may-receive",
                          "rfc9293:3.10.7.4-fin-wait-data", "man:shutdown(2)-SHUT_WR",
                          "notes:C3"}) {
  auto [socket, peer] = Connected();

  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.Expect(Fin().Seq(peer.rcv_nxt));
  peer.Send(Ack());

  peer.Send(Data("still here"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("still here"));
}

TEST_WITH_PEER(HalfClose, TheSideThatReceivedAFinMayStillSend,
               .claims = {"rfc9293:3.6.1-half-close", "rfc9293:3.6-fin-waits-for-user", "notes:C3",
                          "notes:C5"}) {
  auto [socket, peer] = InState(TcpState::kCloseWait);

  ASSERT_THAT(socket.Send("still here"), Returns(10));
  const Segment data = peer.Expect(Data("still here").Seq(peer.rcv_nxt));
  peer.Send(Ack());

  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.Expect(Fin().Seq(data.seq + 10).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(HalfClose, TheEndOfFileComesAfterTheLastByte,
               .claims = {"rfc9293:3.10.7.4-fin-signals-user", "man:recv(2)-end-of-file",
                          "notes:H5"}) {
  auto [socket, peer] = Connected();

  peer.Send(Data("last words"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  peer.Send(Fin());
  peer.Expect(Ack().Ack(peer.snd_nxt));

  EXPECT_THAT(socket.Receive(4), Returns("last"));
  EXPECT_THAT(socket.Receive(64), Returns(" words"));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
}

TEST_WITH_PEER(HalfClose, DataAndFinMayShareASegment,
               .claims = {"rfc9293:3.4-syn-and-fin-numbered",
                          "rfc9293:3.10.7.4-fin-signals-user"}) {
  auto [socket, peer] = Connected();

  const Segment fin = peer.Send(Fin().Payload("bye"));
  peer.Expect(Ack().Ack(fin.seq + 4));
  EXPECT_THAT(socket.Receive(64), Returns("bye"));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
}

TEST_WITH_PEER(HalfClose, QueuedDataGoesOutBeforeTheFin,
               .claims = {"rfc9293:3.6-data-before-fin", "rfc9293:3.6-close-fin"}) {
  auto [socket, peer] = Connected();

  peer.rcv_wnd = 0;  // nothing may leave yet
  peer.Send(Ack());
  ASSERT_THAT(socket.Send("last words"), Returns(10));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());

  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  // Zero-window probes may have come meanwhile.
  const Segment data = peer.ExpectEventually(AnySegment().Payload("last words"));
  EXPECT_EQ(data.seq, peer.irs + 1);
  if (!data.Has(kFin)) peer.Expect(Fin().Seq(data.seq + 10));
}

TEST_WITH_PEER(HalfClose, SendingAfterShutdownFailsWithEpipeAndSigpipe,
               .claims = {"man:shutdown(2)-SHUT_WR", "man:send(2)-EPIPE"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());

  const Outcome<int> sending = socket.Send("too late");
  EXPECT_THAT(sending, FailsWith(EPIPE));
  EXPECT_THAT(sending, Raises("SIGPIPE"));

  const Outcome<int> quietly = socket.Send("too late", {"MSG_NOSIGNAL"});
  EXPECT_THAT(quietly, FailsWith(EPIPE));
  EXPECT_THAT(quietly, testing::Not(Raises("SIGPIPE")));
}

TEST_WITH_WIRE(HalfClose, AWholeStreamFlowsAfterTheFin,
               .claims = {"rfc9293:3.6.1-half-close", "man:shutdown(2)-SHUT_WR", "notes:C3"}) {
  auto [near, far] = Connected();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  ASSERT_THAT(far.Receive(64), IsEndOfFile());

  std::string stream;
  for (int line = 0; stream.size() < 200'000; ++line) stream += std::to_string(line) + '\n';
  Pending<int> sending = far.StartSend(stream);
  std::string received;
  while (received.size() < stream.size()) {
    const std::string part = near.Receive(65536).value();
    if (part.empty()) break;
    received += part;
  }
  EXPECT_THAT(sending.Await(), Returns(static_cast<int>(stream.size())));
  EXPECT_TRUE(received == stream) << received.size() << " bytes received";

  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  EXPECT_THAT(near.Receive(64), IsEndOfFile());
}
