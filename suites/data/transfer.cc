// What arrives of what is sent, in streams and in datagrams: socket(2), send(2), recv(2), udp(7)
// and unix(7) of the Linux man-pages, POSIX.
#include <algorithm>

#include "harness/test/filling.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Stream, KeepsTheOrderAndNoBoundaries, .claims = {"man:socket(2)-stream"},
                  .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  for (const char* part : {"one ", "two ", "three"}) far.Send(part).value();
  EXPECT_THAT(near.Receive(13, {"MSG_WAITALL"}), Returns("one two three"));
}

TEST_WITH_SOCKETS(Stream, EndsWithTheEndOfTheFileAfterTheLastOctet,
                  .claims = {"man:recv(2)-end-of-file", "posix:recv-end-of-file"},
                  .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("the last"), Returns(8));
  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  EXPECT_THAT(near.Receive(64), Returns("the last"));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(near.Receive(64), IsEndOfFile());
}

TEST_WITH_SOCKETS(Stream, OneDirectionGoesOnWhenTheOtherHasEnded,
                  .claims = {"man:shutdown(2)-SHUT_WR", "posix:shutdown-SHUT_WR"},
                  .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.Shutdown("SHUT_WR"), Succeeds());
  EXPECT_THAT(far.Send("still here"), Returns(10));
  EXPECT_THAT(near.Receive(64), Returns("still here"));
}

TEST_WITH_SOCKETS(Stream, ReceivingBlocksUntilDataComes,
                  .claims = {"man:recv(2)-blocks", "posix:recv-blocks"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(64);
  ExpectStillBlocked(receiving);
  ASSERT_THAT(far.Send("now"), Returns(3));
  EXPECT_THAT(receiving.Await(), Returns("now"));
}

TEST_WITH_SOCKETS(Stream, SendingBlocksWhileThePeerReadsNothing,
                  .claims = {"man:send(2)-blocks", "posix:send-blocks"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  const std::string much(1 << 16, 'x');
  const Filled filled = FillUp(near, much);
  ASSERT_THAT(filled.last, FailsWith(EAGAIN));
  Pending<int> sending = near.StartSend(much);
  ExpectStillBlocked(sending);
  for (std::size_t left = filled.octets + much.size(); left > 0;) {
    const std::size_t came = far.Receive(std::min<std::size_t>(left, 1 << 16)).value().size();
    ASSERT_GT(came, 0U);
    left -= came;
  }
  EXPECT_THAT(sending.Await(), Returns(1 << 16));
}

TEST_WITH_SOCKETS(Stream, SendingUnconnectedFails,
                  .claims = {"man:send(2)-ENOTCONN", "posix:send-ENOTCONN"},
                  .over = kEachConnection) {
  const Outcome<int> sent = NewSocket().Send("x", {"MSG_NOSIGNAL"});
  Deciding("posix:send-ENOTCONN");
  EXPECT_THAT(sent, FailsWith(ENOTCONN));
  // BUGS of send(2) has EPIPE in its place.
  Deciding("man:send(2)-ENOTCONN");
  EXPECT_THAT(sent, testing::AnyOf(FailsWith(ENOTCONN), FailsWith(EPIPE)));
}

TEST_WITH_SOCKETS(Stream, ReceivingUnconnectedFails,
                  .claims = {"man:recv(2)-ENOTCONN", "posix:recv-ENOTCONN"}, .over = kEachIp) {
  EXPECT_THAT(NewSocket().Receive(1), FailsWith(ENOTCONN));
  EXPECT_THAT(Listening().Receive(1), FailsWith(ENOTCONN));
}

TEST_WITH_SOCKETS(Stream, ADestinationOfAConnectionIsIgnoredOrRefused,
                  .claims = {"man:send(2)-EISCONN"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(near.SendTo(near.PeerName().value(), "x"),
              testing::AnyOf(Returns(1), FailsWith(EISCONN)));
}

TEST_WITH_SOCKETS(Stream, AReceiveTimeoutEndsItWithEagain,
                  .claims = {"man:socket(7)-SO_RCVTIMEO", "posix:SO_RCVTIMEO"}, .lasts = 1s,
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("SO_RCVTIMEO", 1), Succeeds());
  const Outcome<std::string> received = near.Receive(1);
  EXPECT_THAT(received, FailsWith(EAGAIN));
  EXPECT_THAT(received.end - received.begin, FiresAfter(1s));
}

TEST_WITH_SOCKETS(Datagrams, KeepTheirBoundaries,
                  .claims = {"man:socket(2)-datagram", "posix:recv-message"},
                  .over = kEachMessage) {
  auto [near, far] = ConnectedPair();
  for (const char* one : {"one", "two!", "three"}) far.Send(one).value();
  for (const char* one : {"one", "two!", "three"}) EXPECT_THAT(near.Receive(64), Returns(one));
}

TEST_WITH_SOCKETS(Datagrams, WhatDoesNotFitIsLost,
                  .claims = {"man:recv(2)-excess", "posix:recv-excess"}, .over = kEachMessage) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("longer than the buffer"), Returns(22));
  ASSERT_THAT(far.Send("next"), Returns(4));
  EXPECT_THAT(near.Receive(6), Returns("longer"));
  EXPECT_THAT(near.Receive(64), Returns("next"));
}

TEST_WITH_SOCKETS(Datagrams, MayBeEmpty, .claims = {"man:recv(2)-zero-length"},
                  .over = kEachDatagram) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(far.Send(""), Returns(0));
  ASSERT_THAT(far.Send("next"), Returns(4));
  EXPECT_THAT(near.Receive(64), Returns(""));
  EXPECT_THAT(near.Receive(64), Returns("next"));
}

TEST_WITH_SOCKETS(Datagrams, ComeWithTheNameOfTheSender,
                  .claims = {"man:recv(2)-source", "posix:recvfrom-source"},
                  .over = kEachDatagram) {
  Socket receiver = Bound();
  Socket sender = Bound();
  ASSERT_THAT(sender.SendTo(receiver.LocalName().value(), "hello"), Returns(5));
  EXPECT_EQ(receiver.ReceiveFrom(64).value().from, sender.LocalName().value());
}

TEST_WITH_SOCKETS(Datagrams, WithoutDestinationTheyFail,
                  .claims = {"man:send(2)-EDESTADDRREQ", "posix:send-EDESTADDRREQ"},
                  .over = kEachIpDatagram) {
  // ENOTCONN fits as well, in both documents.
  EXPECT_THAT(NewSocket().Send("x"), testing::AnyOf(FailsWith(EDESTADDRREQ), FailsWith(ENOTCONN)));
}

TEST_WITH_SOCKETS(Datagrams, OneThatIsTooLongFails,
                  .claims = {"man:send(2)-EMSGSIZE", "posix:send-EMSGSIZE"},
                  .over = kEachDatagram) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("SO_SNDBUF", 4096), Succeeds());
  // More than any datagram of UDP, and than any buffer that was asked for.
  EXPECT_THAT(near.Send(std::string(70000, 'x')), FailsWith(EMSGSIZE));
  EXPECT_THAT(near.Send("short"), Returns(5));
}

TEST_WITH_SOCKETS(Datagrams, ARefusalIsToldByTheNextCallOnce,
                  .claims = {"man:udp(7)-ECONNREFUSED", "man:socket(2)-pending-error"},
                  .over = kEachIpDatagram) {
  Socket gone = Bound();
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Connect(gone.LocalName().value()), Succeeds());
  ASSERT_THAT(gone.Close(), Succeeds());
  ASSERT_THAT(socket.Send("x"), Returns(1));
  ASSERT_THAT(socket.Poll({}, 2000ms), Returns(Events{"POLLERR"}));
  EXPECT_THAT(socket.Send("y"), FailsWith(ECONNREFUSED));
  EXPECT_THAT(socket.Send("z"), Returns(1));
}

}  // namespace
}  // namespace sockproof
