// Calls through io_uring, which end as the plain ones do: io_uring_enter(2) of liburing.
#include <sstream>
#include <string>

#include "harness/sut/ring_calls.h"
#include "harness/test/matrix.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::Contains;

// How a call ended, in words: its errno, or its value.
template <typename T>
std::string EndOf(const Outcome<T>& outcome) {
  if (!outcome.ok()) return ErrnoName(outcome.error());
  std::ostringstream text;
  text << outcome.value();
  return text.str();
}

class RingTest : public SocketsTest {
 protected:
  // `situation` makes its sockets anew, and a call of them by the callers that `By` makes.
  template <typename Situation>
  static void Compare(Matrix& matrix, const std::string& name, const Situation& situation) {
    matrix.Check({name}, [&](Cell& cell) {
      const std::string plain = situation([](const Socket& socket) { return socket; });
      cell.Expect(situation([](const Socket& socket) { return RingCalls(socket); }),
                  testing::Eq(plain));
    });
  }
};

TEST_WITH(RingTest, RingCallsOf, AcceptEndAsThePlainOne,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ACCEPT"}, .over = kEachConnection) {
  Matrix matrix({"situation"});
  Compare(matrix, "a connection waits", [&](const auto& by) {
    Socket listener = Listening();
    Socket client = Bound();
    client.Connect(listener.LocalName().value()).value();
    const auto accepted = by(listener).Accept();
    if (!accepted.ok()) return EndOf(Outcome<int>::Failed("", accepted.error()));
    return std::string(accepted.value().remote == client.LocalName().value() ? "it" : "another");
  });
  const auto fails = [&](const std::string& name, const Socket& socket) {
    Compare(matrix, name, [&](const auto& by) { return ErrnoName(by(socket).Accept().error()); });
  };
  fails("it does not listen", Bound());
  fails("it is not open", NewSocket().WithDescriptor(9999));
  fails("it is no socket", sut.process().Pipe().value().first);
}

TEST_WITH(RingTest, RingCallsOf, ConnectEndAsThePlainOne,
          .claims = {"man:io_uring_enter(2)-IORING_OP_CONNECT"}, .over = kEachConnection) {
  Matrix matrix({"situation"});
  Socket listener = Listening();
  const Name somebody = listener.LocalName().value();
  const Name nobody = Bound().LocalName().value();
  Compare(matrix, "somebody listens",
          [&](const auto& by) { return EndOf(by(NewSocket()).Connect(somebody)); });
  Compare(matrix, "nobody listens",
          [&](const auto& by) { return EndOf(by(NewSocket()).Connect(nobody)); });
  Compare(matrix, "it is connected", [&](const auto& by) {
    Socket client = NewSocket();
    client.Connect(somebody).value();
    return EndOf(by(client).Connect(somebody));
  });
}

TEST_WITH(RingTest, RingCallsOf, SendEndAsThePlainOne,
          .claims = {"man:io_uring_enter(2)-IORING_OP_SEND"}, .over = kEachConnection) {
  Matrix matrix({"situation"});
  const std::vector<std::string> quietly = {"MSG_NOSIGNAL"};
  Compare(matrix, "connected", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    const Outcome<int> sent = by(near).Send("by a ring", quietly);
    return EndOf(sent) + ", " + (sent.ok() ? EndOf(far.Receive(64)) : "");
  });
  Compare(matrix, "shut down", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    near.Shutdown("SHUT_WR").value();
    return EndOf(by(near).Send("nobody reads it", quietly));
  });
  Compare(matrix, "not connected",
          [&](const auto& by) { return EndOf(by(NewSocket()).Send("to nobody", quietly)); });
}

TEST_WITH(RingTest, RingCallsOf, RecvEndAsThePlainOne,
          .claims = {"man:io_uring_enter(2)-IORING_OP_RECV"}, .over = kEachConnection) {
  Matrix matrix({"situation"});
  Compare(matrix, "data waits", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    far.Send("for a ring").value();
    const std::string peeked = EndOf(by(near).Receive(64, {"MSG_PEEK"}));
    return peeked + ", " + EndOf(by(near).Receive(64));
  });
  Compare(matrix, "the end", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    far.Close().value();
    return EndOf(by(near).Receive(64));
  });
  Compare(matrix, "reset", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    near.Send("unread").value();
    if (!family.is_unix()) far.SetLinger(0).value();
    far.Close().value();
    return EndOf(by(near).Receive(64));
  });
  Compare(matrix, "nothing waits", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    return EndOf(by(near).Receive(64, {"MSG_DONTWAIT"}));
  });
  Compare(matrix, "not connected",
          [&](const auto& by) { return EndOf(by(NewSocket()).Receive(64, {"MSG_DONTWAIT"})); });
}

TEST_WITH(RingTest, RingCallsOf, ShutdownEndAsThePlainOne,
          .claims = {"man:io_uring_enter(2)-IORING_OP_SHUTDOWN"}, .over = kEachConnection) {
  Matrix matrix({"situation"});
  Compare(matrix, "connected", [&](const auto& by) {
    auto [near, far] = ConnectedPair();
    const Outcome<int> end = by(near).Shutdown("SHUT_WR");
    return EndOf(end) + ", " + (end.ok() ? EndOf(far.Receive(64)) : "");
  });
  Compare(matrix, "not connected",
          [&](const auto& by) { return EndOf(by(NewSocket()).Shutdown("SHUT_RD")); });
}

TEST_WITH(RingTest, RingCallsOf, SendmsgAndRecvmsgPassADescriptor,
          .claims = {"man:io_uring_enter(2)-IORING_OP_SENDMSG",
                     "man:io_uring_enter(2)-IORING_OP_RECVMSG"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  Deciding("man:io_uring_enter(2)-IORING_OP_SENDMSG");
  ASSERT_THAT(RingCalls(near).SendMessage(Message("take it").With(Rights({read}))), Returns(7));
  Deciding("man:io_uring_enter(2)-IORING_OP_RECVMSG");
  const Received got = RingCalls(far).ReceiveMessage(64, RoomFor(Rights(1))).value();
  EXPECT_EQ(got.data, "take it");
  ASSERT_THAT(write.Write("through it"), Returns(10));
  EXPECT_THAT(got.Passed().Read(64), Returns("through it"));
}

// --- calls that wait -----------------------------------------------------------------------------

TEST_WITH(RingTest, RingCallsOf, RecvWaitForData,
          .claims = {"man:io_uring_enter(2)-IORING_OP_RECV"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = RingCalls(near).StartReceive(64);
  ExpectStillBlocked(receiving);
  ASSERT_THAT(far.Send("late"), Returns(4));
  EXPECT_THAT(receiving.Await(), Returns("late"));
}

TEST_WITH(RingTest, RingCallsOf, AcceptWaitForAConnection,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ACCEPT"}, .over = kEachConnection) {
  Socket listener = Listening();
  Pending<Accepted> accepting = RingCalls(listener).StartAccept();
  ExpectStillBlocked(accepting);
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  Socket server = accepting.Await().value().socket;
  ASSERT_THAT(server.Send("welcome"), Returns(7));
  EXPECT_THAT(client.Receive(64), Returns("welcome"));
}

TEST_WITH(RingTest, RingCallsOf, PollWaitForAnEvent,
          .claims = {"man:io_uring_enter(2)-IORING_OP_POLL_ADD"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Pending<Events> polling = RingCalls(near).StartPoll({"POLLIN"});
  ExpectStillBlocked(polling);
  ASSERT_THAT(far.Send("now"), Returns(3));
  EXPECT_THAT(polling.Await().value(), Contains("POLLIN"));
}

TEST_WITH(RingTest, RingCallsOf, ARecvThatIsCancelledTakesNothing,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ASYNC_CANCEL"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = RingCalls(near).StartReceive(64);
  ExpectStillBlocked(receiving);
  ASSERT_THAT(RingCalls(near).Cancel(), Succeeds());
  EXPECT_THAT(receiving.Await(), FailsWith(ECANCELED));
  ASSERT_THAT(far.Send("for the next"), Returns(12));
  EXPECT_THAT(near.Receive(64), Returns("for the next"));
}

TEST_WITH(RingTest, RingCallsOf, AnAcceptThatIsCancelledTakesNothing,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ASYNC_CANCEL"}, .over = kEachConnection) {
  Socket listener = Listening();
  Pending<Accepted> accepting = RingCalls(listener).StartAccept();
  ExpectStillBlocked(accepting);
  ASSERT_THAT(RingCalls(listener).Cancel(), Succeeds());
  EXPECT_THAT(accepting.Await(), FailsWith(ECANCELED));
  ASSERT_THAT(NewSocket().Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

TEST_WITH(RingTest, RingCallsOf, CloseEndAConnection,
          .claims = {"man:io_uring_enter(2)-IORING_OP_CLOSE"}, .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(RingCalls(near).Close(), Succeeds());
  EXPECT_THAT(far.Receive(64), IsEndOfFile());
  EXPECT_THAT(near.Send("closed"), FailsWith(EBADF));
}

}  // namespace
}  // namespace sockproof
