// Several calls that wait for one socket: accept(2), recv(2), poll(2), epoll(7) of the Linux
// man-pages, and POSIX.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/sut/epoll.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::AnyOf;
using testing::UnorderedElementsAre;

class WaitersTest : public SocketsTest {
 protected:
  static constexpr int kWaiters = 4;

  // So many receives that wait.
  std::vector<Pending<std::string>> Readers(Socket& socket, int count = kWaiters) {
    std::vector<Pending<std::string>> readers;
    for (int i = 0; i < count; ++i) readers.push_back(socket.StartReceive(64));
    for (Pending<std::string>& reader : readers) ExpectStillBlocked(reader);
    return readers;
  }
};

TEST_WITH(WaitersTest, Waiters, EachMessageGoesToOneReader,
          .claims = {"man:recv(2)-blocks", "posix:recv-message"}, .over = kEachMessage) {
  auto [near, far] = ConnectedPair();
  std::vector<Pending<std::string>> readers = Readers(near, 3);
  for (const char* message : {"one", "two", "three"}) far.Send(message).value();
  std::vector<std::string> got;
  for (Pending<std::string>& reader : readers) got.push_back(reader.Await().value());
  EXPECT_THAT(got, UnorderedElementsAre("one", "two", "three"));
  EXPECT_THAT(near.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(WaitersTest, Waiters, EachOctetOfAStreamGoesToOneReader, .claims = {"posix:SOCK_STREAM"},
          .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  std::vector<Pending<std::string>> readers = Readers(near, 2);
  far.Send("first").value();
  far.Send("second").value();
  far.Close().value();
  const std::string one = readers[0].Await().value();
  const std::string other = readers[1].Await().value();
  EXPECT_THAT("firstsecond", AnyOf(one + other, other + one));
}

TEST_WITH(WaitersTest, Waiters, EveryReaderIsToldOfTheEnd,
          .claims = {"man:recv(2)-end-of-file", "posix:recv-end-of-file"},
          .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  std::vector<Pending<std::string>> readers = Readers(near);
  ASSERT_THAT(far.Shutdown("SHUT_WR"), Succeeds());
  for (Pending<std::string>& reader : readers) EXPECT_THAT(reader.Await(), IsEndOfFile());
}

TEST_WITH(WaitersTest, Waiters, EachConnectionGoesToOneAccept,
          .claims = {"man:accept(2)-queue", "man:accept(2)-address"}, .over = kEachConnection) {
  Socket listener = Listening();
  std::vector<Pending<Accepted>> accepting;
  for (int i = 0; i < kWaiters; ++i) accepting.push_back(listener.StartAccept());
  for (Pending<Accepted>& call : accepting) ExpectStillBlocked(call);
  std::vector<std::string> clients;
  for (int i = 0; i < kWaiters; ++i) {
    Socket client = Bound();
    ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
    clients.push_back(client.LocalName().value().ToString());
  }
  std::vector<std::string> accepted;
  for (Pending<Accepted>& call : accepting) {
    accepted.push_back(call.Await().value().remote.ToString());
  }
  EXPECT_THAT(accepted, testing::UnorderedElementsAreArray(clients));
}

TEST_WITH(WaitersTest, Waiters, EveryPollIsToldOfWhatIsThere,
          .claims = {"man:poll(2)-POLLIN", "posix:poll-POLLIN"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  std::vector<Pending<Events>> polls;
  for (int i = 0; i < kWaiters; ++i) polls.push_back(near.StartPoll({"POLLIN"}, -1ms));
  for (Pending<Events>& poll : polls) ExpectStillBlocked(poll);
  far.Send("for all").value();
  for (Pending<Events>& poll : polls) EXPECT_THAT(poll.Await(), Returns(Events{"POLLIN"}));
}

TEST_WITH(WaitersTest, Waiters, AnEdgeAwakesOneThatWaitsForTheSameEpoll,
          .claims = {"man:epoll(7)-edge-one-waiter"}, .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLIN", "EPOLLET"});
  std::vector<Pending<Events>> waits;
  for (int i = 0; i < kWaiters; ++i) waits.push_back(epoll.StartWait(1s));
  for (Pending<Events>& wait : waits) ExpectStillBlocked(wait);
  const Outcome<int> sent = far.Send("for one");
  std::vector<Events> told;
  for (Pending<Events>& wait : waits) {
    const Outcome<Events> got = wait.Await();
    if (got.end < sent.end && got.value().empty()) throw Inconclusive("the data came too late");
    if (!got.value().empty()) told.push_back(got.value());
  }
  EXPECT_THAT(told, testing::ElementsAre(Events{"EPOLLIN"}));
}

}  // namespace
}  // namespace sockproof
