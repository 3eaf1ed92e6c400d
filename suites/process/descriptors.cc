// Descriptors of several processes and threads: close(2), dup(2), fork(2), execve(2), _exit(2) of
// the Linux man-pages.
#include <string>

#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::AnyOf;

// --- a call that waits, and close() --------------------------------------------------------------

TEST_WITH_SOCKETS(SharedDescriptors, CloseDoesNotEndACallThatWaits,
                  .claims = {"man:close(2)-blocked-call"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(64);
  ASSERT_THAT(near.Close(), Succeeds());
  ExpectStillBlocked(receiving);
  ASSERT_THAT(far.Send("after close()"), Returns(13));
  EXPECT_THAT(receiving.Await(), Returns("after close()"));
}

TEST_WITH_SOCKETS(SharedDescriptors, AnotherSocketOfItsNumberIsNotWhatACallWaitsFor,
                  .claims = {"man:close(2)-blocked-call"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(64);
  near.Close().value();
  Socket other = NewSocket();
  while (other.fd() < near.fd()) other = NewSocket();
  ASSERT_THAT(far.Send("for the first"), Returns(13));
  EXPECT_THAT(receiving.Await(), Returns("for the first"));
}

// --- dup() ---------------------------------------------------------------------------------------

TEST_WITH_SOCKETS(SharedDescriptors, OnlyTheLastCloseEndsAConnection,
                  .claims = {"man:close(2)-last"}, .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  Socket duplicate = near.Dup().value();
  near.Close().value();
  ASSERT_THAT(duplicate.Send("still open"), Returns(10));
  EXPECT_THAT(far.Receive(64), Returns("still open"));
  duplicate.Close().value();
  EXPECT_THAT(far.Receive(64), IsEndOfFile());
}

TEST_WITH_SOCKETS(SharedDescriptors, ADuplicateIsNotClosedOnExec, .claims = {"man:dup(2)-cloexec"},
                  .over = kEachFamily) {
  Socket socket = NewSocket({"SOCK_CLOEXEC"});
  ASSERT_THAT(socket.IsClosedOnExec(), Returns(1));
  EXPECT_THAT(socket.Dup().value().IsClosedOnExec(), Returns(0));
}

TEST_WITH_SOCKETS(SharedDescriptors, ADuplicateSharesItsStatusFlags,
                  .claims = {"man:dup(2)-status-flags"}, .over = kEachFamily) {
  Socket socket = NewSocket({"SOCK_NONBLOCK"});
  EXPECT_THAT(socket.Dup().value().IsNonblocking(), Returns(1));
}

// --- fork() --------------------------------------------------------------------------------------

TEST_WITH_SOCKETS(ForkedDescriptors, AChildHasTheSocketsOfItsParent,
                  .claims = {"man:fork(2)-descriptors"}, .needs = {"processes"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Process child = sut.process().Fork().value();
  ASSERT_THAT(child.Of(near).Send("of the child"), Returns(12));
  EXPECT_THAT(far.Receive(64), Returns("of the child"));
}

TEST_WITH_SOCKETS(ForkedDescriptors, TheEndOfAChildEndsNoConnectionOfItsParent,
                  .claims = {"man:close(2)-last"}, .needs = {"processes"},
                  .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  Process child = sut.process().Fork().value();
  ASSERT_THAT(child.Of(near).Close(), Succeeds());
  ASSERT_THAT(child.Exit(), Succeeds());
  ASSERT_THAT(near.Send("still open"), Returns(10));
  EXPECT_THAT(far.Receive(64), Returns("still open"));
}

struct Ending {
  const char* name;
  Outcome<int> (*end)(Process& process);
};
constexpr Ending kEndings[] = {
    {"exit", [](Process& process) { return process.Exit(); }},
    {"sigkill", [](Process& process) { return process.Kill("SIGKILL"); }}};

TEST_WITH_SOCKETS(ForkedDescriptors, TheEndOfAProcessClosesWhatItAloneHad,
                  .claims = {"man:_exit(2)-closes"}, .needs = {"processes"},
                  .over = kEachConnection, .rows = kEndings) {
  auto [near, far] = ConnectedPair();
  Process child = sut.process().Fork().value();
  child.Of(far).Close().value();
  near.Close().value();
  Pending<std::string> receiving = far.StartReceive(64);
  ExpectStillBlocked(receiving);
  ASSERT_THAT(RowOf(kEndings).end(child), Succeeds());
  EXPECT_THAT(receiving.Await(), IsEndOfFile());
}

TEST_WITH_SOCKETS(ForkedDescriptors, AListenerLivesOnInTheChild,
                  .claims = {"man:fork(2)-descriptors", "man:close(2)-last"},
                  .needs = {"processes"}, .over = kEachConnection) {
  Socket listener = Listening();
  const Name name = listener.LocalName().value();
  Process child = sut.process().Fork().value();
  ASSERT_THAT(listener.Close(), Succeeds());
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(name), Succeeds());
  EXPECT_THAT(child.Of(listener).Accept(), Succeeds());
}

TEST_WITH_SOCKETS(ForkedDescriptors, TwoProcessesThatAcceptGetAConnectionEach,
                  .claims = {"man:fork(2)-descriptors"}, .needs = {"processes"},
                  .over = kEachConnection) {
  Socket listener = Listening();
  const Name name = listener.LocalName().value();
  Process child = sut.process().Fork().value();
  Pending<Accepted> here = listener.StartAccept();
  Pending<Accepted> there = child.Of(listener).StartAccept();
  for (int client = 0; client < 2; ++client) ASSERT_THAT(NewSocket().Connect(name), Succeeds());
  EXPECT_THAT(here.Await(), Succeeds());
  EXPECT_THAT(there.Await(), Succeeds());
}

// --- execve() ------------------------------------------------------------------------------------

TEST_WITH_SOCKETS(ForkedDescriptors, ExecveLeavesSocketsOpen, .claims = {"man:execve(2)-open"},
                  .needs = {"processes"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Process child = sut.process().Fork().value();
  ASSERT_THAT(child.Execute(), Succeeds());
  ASSERT_THAT(child.Of(near).Send("of another program"), Returns(18));
  EXPECT_THAT(far.Receive(64), Returns("of another program"));
}

TEST_WITH_SOCKETS(ForkedDescriptors, ExecveClosesThoseThatAreCloexec,
                  .claims = {"man:execve(2)-close-on-exec"}, .needs = {"processes"},
                  .over = kEachFamily) {
  Socket socket = NewSocket({"SOCK_CLOEXEC"});
  Process child = sut.process().Fork().value();
  ASSERT_THAT(child.Of(socket).LocalName(), Succeeds());
  ASSERT_THAT(child.Execute(), Succeeds());
  EXPECT_THAT(child.Of(socket).LocalName(), AnyOf(FailsWith(EBADF), FailsWith(ENOTSOCK)));
}

}  // namespace
}  // namespace sockproof
