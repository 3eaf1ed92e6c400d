// What poll(), select() and epoll tell of sockets of AF_UNIX. poll(2), select(2), epoll(7).
#include "suites/unix/unix_test.h"

using namespace sockproof;

TEST_WITH(UnixTest, UnixReadiness, APairIsWritableAndNotReadable,
          .claims = {"man:poll(2)-POLLOUT", "man:poll(2)-POLLIN"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Deciding("man:poll(2)-POLLOUT");
  EXPECT_THAT(here.Poll({"POLLIN", "POLLOUT"}), Returns(Events{"POLLOUT"}));
  Deciding("man:poll(2)-POLLIN");
  there.Send("x").value();
  EXPECT_THAT(here.Poll({"POLLIN", "POLLOUT"}), Returns(Events{"POLLIN", "POLLOUT"}));
  here.Receive(1).value();
  EXPECT_THAT(here.Poll({"POLLIN", "POLLOUT"}), Returns(Events{"POLLOUT"}));
}

TEST_WITH(UnixTest, UnixReadiness, AListenerWithAConnectionIsReadable,
          .claims = {"man:accept(2)-readable"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
  Socket client = NewSocket();
  client.Connect(name).value();
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{"POLLIN"}));
  listener.Accept().value();
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH(UnixTest, UnixReadiness, PollThatWaitsEndsWithData, .claims = {"man:poll(2)-POLLIN"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  Pending<Events> polling = here.StartPoll({"POLLIN"}, 10s);
  ExpectStillBlocked(polling);
  there.Send("x").value();
  EXPECT_THAT(polling.Await(), Returns(Events{"POLLIN"}));
}

TEST_WITH(UnixTest, UnixReadiness, ShutdownOfThePeersSendingIsPollrdhup,
          .claims = {"man:poll(2)-POLLRDHUP"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  there.Shutdown("SHUT_WR").value();
  const Events events = here.Poll({"POLLIN", "POLLRDHUP"}).value();
  EXPECT_THAT(events, testing::Contains("POLLRDHUP"));
}

TEST_WITH(UnixTest, UnixReadiness, ThePeersCloseIsPollhup, .claims = {"man:poll(2)-POLLHUP"},
          .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  EXPECT_THAT(here.Poll({}), Returns(Events{}));
  there.Close().value();
  EXPECT_THAT(here.Poll({}).value(), testing::Contains("POLLHUP"));
}

TEST_WITH(UnixTest, UnixReadiness, AFullBufferIsNotWritable, .claims = {"man:poll(2)-POLLOUT"},
          .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  // To the last octet: what has room for one is writable.
  while (here.Send(std::string(1024, 'x'), {"MSG_DONTWAIT"}).ok()) continue;
  while (here.Send("x", {"MSG_DONTWAIT"}).ok()) continue;
  EXPECT_THAT(here.Poll({"POLLOUT"}), Returns(Events{}));
  Pending<Events> polling = here.StartPoll({"POLLOUT"}, 10s);
  ExpectStillBlocked(polling);
  while (there.Receive(1 << 16, {"MSG_DONTWAIT"}).ok()) continue;
  EXPECT_THAT(polling.Await(), Returns(Events{"POLLOUT"}));
}

TEST_WITH(UnixTest, UnixReadiness, PollTellsOfEachDescriptor, .claims = {"man:poll(2)-revents"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.Send("x").value();
  EXPECT_THAT(sut.process().Poll({{here, {"POLLIN"}}, {there, {"POLLIN", "POLLOUT"}}}),
              Returns(std::vector<Events>{{"POLLIN"}, {"POLLOUT"}}));
}

TEST_WITH(UnixTest, UnixReadiness, ADescriptorThatIsNotOpenIsPollnval,
          .claims = {"man:poll(2)-POLLNVAL"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [closed, other] = Pair();
  closed.Close().value();
  EXPECT_THAT(sut.process().Poll({{closed, {"POLLIN"}}, {here, {"POLLOUT"}}}),
              Returns(std::vector<Events>{{"POLLNVAL"}, {"POLLOUT"}}));
}

TEST_WITH(UnixTest, UnixReadiness, SelectLeavesWhatIsReady, .claims = {"man:select(2)-sets"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.Send("x").value();
  const Selected selected = sut.process().Select({.read = {here, there}, .write = {here}}).value();
  EXPECT_EQ(selected.ready, 2);
  EXPECT_EQ(selected.read, std::vector<int>{here.fd()});
  EXPECT_EQ(selected.write, std::vector<int>{here.fd()});
}

TEST_WITH(UnixTest, UnixReadiness, SelectOfAClosedDescriptorFails,
          .claims = {"man:select(2)-EBADF"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  here.Close().value();
  EXPECT_THAT(sut.process().Select({.read = {here}}), FailsWith(EBADF));
}

TEST_WITH(UnixTest, UnixReadiness, SelectOfANegativeCountIsInvalid,
          .claims = {"man:select(2)-EINVAL"}, .over = kOnce) {
  EXPECT_THAT(sut.process().Select({.nfds = -1}), FailsWith(EINVAL));
}

TEST_WITH(UnixTest, UnixReadiness, LevelTriggeredEpollTellsAsLongAsThereIsData,
          .claims = {"man:epoll(7)-level-triggered"}, .needs = {"epoll"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Epoll epoll(here, {"EPOLLIN"});
  there.Send("xy").value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  here.Receive(64).value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH(UnixTest, UnixReadiness, EdgeTriggeredEpollTellsOfNewDataOnce,
          .claims = {"man:epoll(7)-edge-triggered"}, .needs = {"epoll"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Epoll epoll(here, {"EPOLLIN", "EPOLLET"});
  there.Send("one").value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  there.Send("two").value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
}

TEST_WITH(UnixTest, UnixReadiness, EpollOneshotTellsOnce,
          .claims = {"man:epoll_ctl(2)-EPOLLONESHOT"}, .needs = {"epoll"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Epoll epoll(here, {"EPOLLIN", "EPOLLONESHOT"});
  there.Send("one").value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  there.Send("two").value();
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}
