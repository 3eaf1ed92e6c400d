// Half-closed connections, RFC 9293 section 3.6.1: who has sent FIN only stops sending.
#include "harness/test/test.h"

using namespace sockproof;

namespace {

// Takes in the stream as it comes, acknowledging each segment, up to and including the FIN.
std::string ReceiveUntilFin(ScriptedTcp& peer) {
  std::string stream;
  while (true) {
    const std::uint32_t next = peer.rcv_nxt;
    const Segment segment = peer.Expect(AnySegment());
    const std::uint32_t had = next - segment.seq;  // octets of it that came before
    if (had >= segment.length()) continue;         // nothing new: a probe of the window
    stream += segment.payload_text().substr(had);
    peer.rcv_nxt = segment.seq + segment.length();
    peer.Send(Ack());
    if (segment.Has(kFin)) return stream;
  }
}

std::string Lines(size_t size) {
  std::string lines;
  for (int line = 0; lines.size() < size; ++line) lines += std::to_string(line) + '\n';
  return lines;
}

}  // namespace

// --- Data goes on in the other direction ---------------------------------------------------------

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
               .claims = {"rfc9293:3.6.1-half-close", "rfc9293:3.6-fin-waits-for-user",
                          "rfc9293:3.10.2-send-close-wait", "notes:C3", "notes:C5"}) {
  auto [socket, peer] = InState(TcpState::kCloseWait);

  ASSERT_THAT(socket.Send("still here"), Returns(10));
  const Segment data = peer.Expect(Data("still here").Seq(peer.rcv_nxt));
  peer.Send(Ack());

  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.Expect(Fin().Seq(data.seq + 10).Ack(peer.snd_nxt));
}

TEST_WITH_WIRE(HalfClose, AWholeStreamFlowsAfterTheFin,
               .claims = {"rfc9293:3.6.1-half-close", "man:shutdown(2)-SHUT_WR", "notes:C3"}) {
  auto [near, far] = Connected();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  ASSERT_THAT(far.Receive(64), IsEndOfFile());

  const std::string stream = Lines(200'000);
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

TEST_WITH_WIRE(HalfClose, ARequestEndsWithAFinAndItsAnswerComesAfterIt,
               .claims = {"rfc9293:3.6.1-half-close", "man:recv(2)-end-of-file", "notes:C3",
                          "notes:C5"}) {
  auto [near, far] = Connected();
  near.Send("request").value();
  near.Shutdown("SHUT_WR").value();
  EXPECT_THAT(far.Receive(64), Returns("request"));
  EXPECT_THAT(far.Receive(64), IsEndOfFile());

  far.Send("answer").value();
  far.Shutdown("SHUT_WR").value();
  EXPECT_THAT(near.Receive(64), Returns("answer"));
  EXPECT_THAT(near.Receive(64), IsEndOfFile());
  const Segment answer = wire.Expect(AnyData().From(server));
  const Segment fin = wire.Seen(Fin().From(client)).at(0);
  EXPECT_EQ(answer.ack, fin.seq + fin.length());
}

// tcp_fin_timeout ends FIN-WAIT-2 only where no application holds the socket any more.
TEST_WITH_PEER(
    HalfClose, LastsLongerThanTcpFinTimeoutWhileAnApplicationHoldsIt,
    .claims = {"linux:tcp_fin_timeout", "rfc9293:3.6.1-half-close"}, .needs = {"states", "sysctl"},
    .lasts = [](const Facts&) -> Duration { return 4s; }) {
  sut.SetSysctl("net.ipv4.tcp_fin_timeout", 2);
  const Connection held = InState(TcpState::kFinWait2);
  const Connection orphan = InState(TcpState::kFinWait2);
  Socket(orphan.socket).Close().value();
  WaitUntilGone(orphan, FiresAfter(LinuxFinTimeout(sut.facts())).latest() + kPatience);
  held.peer.ExpectSilence(1s);

  held.peer.Send(Data("still here"));
  held.peer.Expect(Ack().Ack(held.peer.snd_nxt));
  EXPECT_THAT(Socket(held.socket).Receive(64), Returns("still here"));
  ExpectState(TcpState::kFinWait2, held);
}

// --- The end of the file -------------------------------------------------------------------------

TEST_WITH_PEER(HalfClose, TheEndOfFileComesAfterTheLastByte,
               .claims = {"rfc9293:3.10.7.4-fin-signals-user", "rfc9293:3.10.3-receive-close-wait",
                          "man:recv(2)-end-of-file", "notes:H5"}) {
  auto [socket, peer] = Connected();

  peer.Send(Data("last words"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  peer.Send(Fin());
  peer.Expect(Ack().Ack(peer.snd_nxt));

  Deciding("notes:H5");
  EXPECT_THAT(socket.Receive(4), Returns("last"));
  EXPECT_THAT(socket.Receive(64), Returns(" words"));
  const Outcome<std::string> end = socket.Receive(64);
  const Outcome<std::string> again = socket.Receive(64);
  // "Connection closing" is an error to the RFC, and the end of the file to recv(2).
  const auto says_closing = testing::AllOf(
      testing::AnyOf(IsEndOfFile(), testing::Not(Succeeds())), testing::Not(FailsWith(EAGAIN)));
  Deciding("rfc9293:3.10.7.4-fin-signals-user");
  EXPECT_THAT(end, says_closing);
  Deciding("rfc9293:3.10.3-receive-close-wait");
  EXPECT_THAT(again, says_closing);
  Deciding("man:recv(2)-end-of-file");
  EXPECT_THAT(end, IsEndOfFile());
  EXPECT_THAT(again, IsEndOfFile());
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

TEST_WITH_PEER(HalfClose, AFinEndsAReceiveThatWaits,
               .claims = {"rfc9293:3.10.7.4-fin-signals-user", "man:recv(2)-end-of-file"}) {
  auto [socket, peer] = Connected();
  Pending<std::string> receiving = socket.StartReceive(64);
  ExpectStillBlocked(receiving);
  peer.Send(Fin());
  EXPECT_THAT(receiving.Await(), IsEndOfFile());
}

TEST_WITH_PEER(HalfClose, AFinBehindAGapIsHeldUntilTheGapIsFilled,
               .claims = {"rfc9293:SHLD-31", "rfc9293:3.10.7.4-fin-signals-user"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;

  const Segment early = peer.Send(Fin().Seq(peer.snd_nxt + 5));
  Settle();
  peer.TakeArrived();  // it may be acknowledged or not (MAY-13)
  ExpectStateIfShown(TcpState::kEstablished, connection);
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), testing::Not(Succeeds()));

  peer.Send(Data("hello"));
  peer.ExpectEventually(Ack().Ack(early.seq + 1));
  EXPECT_THAT(socket.Receive(64), Returns("hello"));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
  ExpectStateIfShown(TcpState::kCloseWait, connection);
}

TEST_WITH_PEER(HalfClose, DataPastAFinIsIgnored,
               .claims = {"rfc9293:3.10.7.4-segment-text-after-fin"}) {
  auto [socket, peer] = InState(TcpState::kCloseWait);
  const std::uint32_t end = peer.snd_nxt;
  peer.Send(Data("ghost"));
  Settle();
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
  EXPECT_THAT(socket.Send("x"), Returns(1));
  peer.ExpectEventually(Data("x").Ack(end));
}

TEST_WITH_PEER(HalfClose, ARepeatedFinIsAcknowledgedAgain,
               .claims = {"rfc9293:3.10.7.4-repeated-fin"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const Segment fin = peer.Send(Fin());
  peer.Expect(Ack().Ack(fin.seq + 1));
  peer.Send(Fin().Seq(fin.seq));
  peer.Expect(Ack().Ack(fin.seq + 1));
  ExpectStateIfShown(TcpState::kCloseWait, connection);
}

// An ACK at once, and no earlier than the timeout what sends the own FIN again: some stacks have it
// in every acknowledgment as long as it is outstanding.
TEST_WITH_PEER(HalfClose, ARepeatedFinIsAcknowledgedAgainAfterTheOwnFin,
               .claims = {"rfc9293:3.10.7.4-repeated-fin"}) {
  for (const TcpState state : {TcpState::kClosing, TcpState::kLastAck}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    Connection connection = InState(state);
    auto& [socket, peer] = connection;
    const std::uint32_t own_fin = peer.rcv_nxt - 1;
    peer.Send(Fin().Seq(peer.snd_nxt - 1).Ack(own_fin));
    Settle();
    ASSERT_GE(peer.waiting(), 1U) << "it is not acknowledged at once";
    peer.Expect(AnySegment().Ack(peer.snd_nxt));
    ExpectStateIfShown(state, connection);
  }
}

TEST_WITH_PEER(HalfClose, AFinPushesWhatAReaderWaitsFor,
               .claims = {"rfc9293:3.10.7.4-fin-pushes"}) {
  auto [socket, peer] = Connected();
  Pending<std::string> receiving = socket.StartReceive(64, {"MSG_WAITALL"});
  ExpectStillBlocked(receiving);
  peer.Send(Data("last words").Without(kPsh));
  peer.Send(Fin());
  EXPECT_THAT(receiving.Await(), Returns("last words"));
}

// --- Data of the own before the own FIN ----------------------------------------------------------

TEST_WITH_PEER(HalfClose, QueuedDataGoesOutBeforeTheFin,
               .claims = {"rfc9293:3.6-data-before-fin", "rfc9293:3.6-close-fin"}) {
  auto [socket, peer] = Connected();

  peer.rcv_wnd = 0;  // nothing may leave yet
  peer.Send(Ack());
  Settle();
  ASSERT_THAT(socket.Send("last words"), Returns(10));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());

  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  // Zero-window probes may have come meanwhile.
  const Segment data = peer.ExpectEventually(AnySegment().Payload("last words"));
  EXPECT_EQ(data.seq, peer.irs + 1);
  if (!data.Has(kFin)) peer.Expect(Fin().Seq(data.seq + 10));
}

TEST_WITH_PEER(HalfClose, TheFinComesAfterAFullSendBufferThatWaitedForTheWindow,
               .claims = {"rfc9293:3.6-data-before-fin", "rfc9293:3.6-close-fin"}) {
  auto [socket, peer] = Connected();
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  Settle();
  socket.SetOption("SO_SNDBUF", 16384).value();
  const std::string stream = Lines(200'000);
  const Outcome<int> sending = socket.Send(stream, {"MSG_DONTWAIT"});
  const auto sent = static_cast<size_t>(sending.value());
  ASSERT_LT(sent, stream.size());
  ASSERT_THAT(socket.Send("x", {"MSG_DONTWAIT"}), testing::Not(Succeeds()));
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());

  peer.rcv_wnd = 65535;
  peer.Send(Ack());
  const std::string received = ReceiveUntilFin(peer);
  EXPECT_TRUE(received == stream.substr(0, sent))
      << received.size() << " bytes received, " << sent << " sent";
}

TEST_WITH_PEER(HalfClose, SendingAfterShutdownFails,
               .claims = {"rfc9293:3.10.2-send-after-close", "posix:shutdown-SHUT_WR",
                          "man:shutdown(2)-SHUT_WR"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Segment fin = peer.Expect(Fin());
  peer.Send(Ack());
  EXPECT_THAT(socket.Send("too late"), testing::Not(Succeeds()));
  peer.Send(Data("still here"));
  peer.Expect(Ack().Seq(fin.seq + 1).Ack(peer.snd_nxt));
}

TEST_WITH_PEER(HalfClose, SendingAfterShutdownFailsWithEpipeAndSigpipe,
               .claims = {"posix:send-EPIPE", "man:send(2)-EPIPE"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());

  const Outcome<int> sending = socket.Send("too late");
  Deciding("posix:send-EPIPE");
  EXPECT_THAT(sending, FailsWith(EPIPE));
  Deciding("man:send(2)-EPIPE");
  EXPECT_THAT(sending, FailsWith(EPIPE));
  EXPECT_THAT(sending, Raises("SIGPIPE"));

  const Outcome<int> quietly = socket.Send("too late", {"MSG_NOSIGNAL"});
  EXPECT_THAT(quietly, FailsWith(EPIPE));
  EXPECT_THAT(quietly, testing::Not(Raises("SIGPIPE")));
}
