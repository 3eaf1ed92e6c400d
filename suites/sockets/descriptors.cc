// Calls on a descriptor that is not open, and on one that is no socket: EBADF and ENOTSOCK of each
// call, in POSIX and in the Linux man-pages. And what closing a descriptor does: close(2).
#include <functional>

#include "harness/test/matrix.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

struct CallOnSocket {
  std::string name;
  std::function<int(Socket)> error;  // of the call on that descriptor
};

const std::vector<CallOnSocket>& EachCallOnSocket() {
  static const Name here(IpAddress("127.0.0.1"), 80);
  static const std::vector<CallOnSocket> calls = {
      {"bind", [](Socket socket) { return socket.Bind(here).error(); }},
      {"connect", [](Socket socket) { return socket.Connect(here).error(); }},
      {"listen", [](Socket socket) { return socket.Listen(1).error(); }},
      {"accept", [](Socket socket) { return socket.Accept().error(); }},
      {"getsockname", [](Socket socket) { return socket.LocalName().error(); }},
      {"getpeername", [](Socket socket) { return socket.PeerName().error(); }},
      {"send", [](Socket socket) { return socket.Send("x").error(); }},
      {"recv", [](Socket socket) { return socket.Receive(1).error(); }},
      {"shutdown", [](Socket socket) { return socket.Shutdown("SHUT_RDWR").error(); }},
      {"getsockopt", [](Socket socket) { return socket.GetOption("SO_ERROR").error(); }},
      {"setsockopt", [](Socket socket) { return socket.SetOption("SO_KEEPALIVE", 1).error(); }},
  };
  return calls;
}

// The claim of a call about that error is decided by its own cell.
void CheckEachCall(const Socket& on, const std::string& kind, int expected) {
  for (const CallOnSocket& call : EachCallOnSocket()) {
    Deciding("man:" + call.name + "(2)-" + ErrnoName(expected));
    Matrix matrix({"call", "on"});
    matrix.Check({call.name, kind}, [&](Cell& cell) {
      cell.Expect(ErrnoName(call.error(on)), testing::Eq(ErrnoName(expected)));
    });
  }
}

TEST_WITH_SOCKETS(Descriptors, EachCallOnAClosedOneFails,
                  .claims = {"man:bind(2)-EBADF", "man:connect(2)-EBADF", "man:listen(2)-EBADF",
                             "man:accept(2)-EBADF", "man:getsockname(2)-EBADF",
                             "man:getpeername(2)-EBADF", "man:send(2)-EBADF", "man:recv(2)-EBADF",
                             "man:shutdown(2)-EBADF", "man:getsockopt(2)-EBADF",
                             "man:setsockopt(2)-EBADF"},
                  .over = kOnce) {
  Socket socket = sut.NewSocket("AF_INET", "SOCK_STREAM");
  socket.Close().value();
  CheckEachCall(socket, "a closed descriptor", EBADF);
}

TEST_WITH_SOCKETS(Descriptors, EachSocketCallOnWhatIsNoSocketFails,
                  .claims = {"man:bind(2)-ENOTSOCK", "man:connect(2)-ENOTSOCK",
                             "man:listen(2)-ENOTSOCK", "man:accept(2)-ENOTSOCK",
                             "man:getsockname(2)-ENOTSOCK", "man:getpeername(2)-ENOTSOCK",
                             "man:send(2)-ENOTSOCK", "man:recv(2)-ENOTSOCK",
                             "man:shutdown(2)-ENOTSOCK", "man:getsockopt(2)-ENOTSOCK",
                             "man:setsockopt(2)-ENOTSOCK"},
                  .needs = {"epoll"}, .over = kOnce) {
  CheckEachCall(Epoll(sut).AsSocket(), "an epoll descriptor", ENOTSOCK);
}

TEST_WITH_SOCKETS(Descriptors, ClosingAClosedOneFails,
                  .claims = {"man:close(2)-EBADF", "posix:close-EBADF"}, .over = kEachFamily) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Close(), Succeeds());
  EXPECT_THAT(socket.Close(), FailsWith(EBADF));
}

TEST_WITH_SOCKETS(Descriptors, ClosingADuplicateLeavesTheSocketOpen,
                  .claims = {"man:close(2)-last"}, .over = kEachStream) {
  auto [client, server] = ConnectedPair();
  Socket duplicate = client.Dup().value();
  ASSERT_THAT(client.Close(), Succeeds());
  EXPECT_THAT(duplicate.Send("still open"), Returns(10));
  EXPECT_THAT(server.Receive(64), Returns("still open"));
  ASSERT_THAT(duplicate.Close(), Succeeds());
  EXPECT_THAT(server.Receive(64), IsEndOfFile());
}

}  // namespace
}  // namespace sockproof
