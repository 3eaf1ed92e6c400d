// What the flags of send() and recv() do: send(2), recv(2), tcp(7), udp(7) and unix(7) of the Linux
// man-pages, POSIX.
#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Flags, PeekLeavesWhatItReads,
                  .claims = {"man:recv(2)-MSG_PEEK", "posix:recv-MSG_PEEK"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("stays"), Returns(5));
  EXPECT_THAT(near.Receive(64, {"MSG_PEEK"}), Returns("stays"));
  EXPECT_THAT(near.Receive(64), Returns("stays"));
  EXPECT_THAT(near.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH_SOCKETS(Flags, DontwaitFailsWhereItWouldBlock, .claims = {"man:recv(2)-MSG_DONTWAIT"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(near.Receive(1, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
  EXPECT_THAT(near.IsNonblocking(), Returns(0));
}

TEST_WITH_SOCKETS(Flags, WaitallWaitsForAllThatIsAskedFor,
                  .claims = {"man:recv(2)-MSG_WAITALL", "posix:recv-MSG_WAITALL"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(8, {"MSG_WAITALL"});
  ASSERT_THAT(far.Send("half"), Returns(4));
  ExpectStillBlocked(receiving);
  ASSERT_THAT(far.Send("half and more"), Returns(13));
  EXPECT_THAT(receiving.Await(), Returns("halfhalf"));
}

TEST_WITH_SOCKETS(Flags, WaitallGivesWhatThereIsAtTheEnd,
                  .claims = {"man:recv(2)-MSG_WAITALL", "posix:recv-MSG_WAITALL"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(8, {"MSG_WAITALL"});
  ASSERT_THAT(far.Send("half"), Returns(4));
  ExpectStillBlocked(receiving);
  ASSERT_THAT(far.Close(), Succeeds());
  EXPECT_THAT(receiving.Await(), Returns("half"));
}

TEST_WITH_SOCKETS(Flags, WaitallDoesNotWaitForMoreThanADatagram,
                  .claims = {"man:recv(2)-MSG_WAITALL-datagram"}, .over = kEachDatagram) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("half"), Returns(4));
  EXPECT_THAT(near.Receive(8, {"MSG_WAITALL"}), Returns("half"));
}

TEST_WITH_SOCKETS(Flags, TruncTellsTheTrueLengthOfADatagram, .claims = {"man:recv(2)-MSG_TRUNC"},
                  .over = kEachDatagram) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("longer than the buffer"), Returns(22));
  const ReceivedFrom received = near.ReceiveFrom(6, {"MSG_TRUNC"}).value();
  EXPECT_EQ(received.length, 22U);
  EXPECT_EQ(received.data, "longer");
}

TEST_WITH_SOCKETS(Flags, TruncDropsTheOctetsOfATcpStream, .claims = {"man:tcp(7)-MSG_TRUNC"},
                  .over = kEachIp) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("dropped kept"), Returns(12));
  ASSERT_THAT(near.Poll({"POLLIN"}, 2000ms), Returns(Events{"POLLIN"}));
  const ReceivedFrom received = near.ReceiveFrom(8, {"MSG_TRUNC"}).value();
  EXPECT_EQ(received.length, 8U);
  EXPECT_NE(received.data, "dropped ");
  EXPECT_THAT(near.Receive(64), Returns("kept"));
}

TEST_WITH_SOCKETS(Flags, NosignalRaisesNone,
                  .claims = {"man:send(2)-MSG_NOSIGNAL", "posix:send-MSG_NOSIGNAL"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  const Outcome<int> sent = near.Send("x", {"MSG_NOSIGNAL"});
  EXPECT_THAT(sent, FailsWith(EPIPE));
  EXPECT_THAT(sent, testing::Not(Raises("SIGPIPE")));
}

TEST_WITH_SOCKETS(Flags, SendingAfterShutdownRaisesSigpipe,
                  .claims = {"man:send(2)-EPIPE", "posix:send-EPIPE"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  const Outcome<int> sent = near.Send("x");
  // POSIX has the signal for a connection that is gone, not for one that was shut down here.
  Deciding("posix:send-EPIPE");
  EXPECT_THAT(sent, FailsWith(EPIPE));
  Deciding("man:send(2)-EPIPE");
  EXPECT_THAT(sent, FailsWith(EPIPE));
  EXPECT_THAT(sent, Raises("SIGPIPE"));
}

TEST_WITH_SOCKETS(Flags, OutOfBandDataOfDatagramsIsNotSupported,
                  .claims = {"man:send(2)-EOPNOTSUPP", "posix:send-EOPNOTSUPP"},
                  .over = kEachDatagram) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(near.Send("x", {"MSG_OOB"}), FailsWith(EOPNOTSUPP));
}

}  // namespace
}  // namespace sockproof
