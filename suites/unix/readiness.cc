// What poll() and select() tell of sockets of AF_UNIX: poll(2), select(2). What is so of every
// family is in suites/readiness.
#include "suites/unix/unix_test.h"

using namespace sockproof;

TEST_WITH(UnixTest, UnixReadiness, ShutdownOfThePeersSendingIsPollrdhup,
          .claims = {"man:poll(2)-POLLRDHUP"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  there.Shutdown("SHUT_WR").value();
  const Events events = here.Poll({"POLLIN", "POLLRDHUP"}).value();
  EXPECT_THAT(events, testing::Contains("POLLRDHUP"));
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
