// What epoll tells and what it takes: epoll(7), epoll_ctl(2) and epoll_wait(2) of the Linux
// man-pages. Its events at the end of a connection are in suites/tcp/hangup.cc.
#include "harness/test/test.h"

namespace sockproof {
namespace {

using ReadySockets = std::map<int, Events>;

TEST_WITH_SOCKETS(Epoll, TellsWhatIsReadyAgainAndAgain, .claims = {"man:epoll(7)-level-triggered"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLIN"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  ASSERT_THAT(far.Send("x"), Returns(1));
  for (int i = 0; i < 2; ++i) EXPECT_THAT(epoll.Wait(2000ms), Returns(Events{"EPOLLIN"}));
  ASSERT_THAT(near.Receive(64), Returns("x"));
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH_SOCKETS(Epoll, EdgeTriggeredTellsNewDataThoughOldIsUnread,
                  .claims = {"man:epoll(7)-edge-triggered", "man:epoll(7)-edge-new-data"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLIN", "EPOLLET"});
  ASSERT_THAT(far.Send("x"), Returns(1));
  ASSERT_THAT(epoll.Wait(2000ms), Returns(Events{"EPOLLIN"}));
  Deciding("man:epoll(7)-edge-triggered");
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  Deciding("man:epoll(7)-edge-new-data");
  ASSERT_THAT(far.Send("y"), Returns(1));
  EXPECT_THAT(epoll.Wait(2000ms), Returns(Events{"EPOLLIN"}));
}

TEST_WITH_SOCKETS(Epoll, OneshotTellsOnceUntilItIsArmedAgain,
                  .claims = {"man:epoll_ctl(2)-EPOLLONESHOT"}, .needs = {"epoll"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLIN", "EPOLLONESHOT"});
  ASSERT_THAT(far.Send("x"), Returns(1));
  EXPECT_THAT(epoll.Wait(2000ms), Returns(Events{"EPOLLIN"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  ASSERT_THAT(epoll.Modify(near, {"EPOLLIN", "EPOLLONESHOT"}), Succeeds());
  EXPECT_THAT(epoll.Wait(2000ms), Returns(Events{"EPOLLIN"}));
}

TEST_WITH_SOCKETS(Epoll, ModChangesWhatIsToldAtOnce, .claims = {"man:epoll_ctl(2)-EPOLL_CTL_MOD"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLIN"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  ASSERT_THAT(epoll.Modify(near, {"EPOLLOUT"}), Succeeds());
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLOUT"}));
}

TEST_WITH_SOCKETS(Epoll, DelEndsIt, .claims = {"man:epoll_ctl(2)-EPOLL_CTL_DEL"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLOUT"});
  ASSERT_THAT(epoll.Wait(), Returns(Events{"EPOLLOUT"}));
  ASSERT_THAT(epoll.Remove(near), Succeeds());
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH_SOCKETS(Epoll, AClosedSocketIsForgotten, .claims = {"man:epoll(7)-close"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLOUT"});
  ASSERT_THAT(near.Close(), Succeeds());
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH_SOCKETS(Epoll, WhileADuplicateIsOpenAClosedOneIsNot,
                  .claims = {"man:epoll(7)-close-duplicate"}, .needs = {"epoll"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLOUT"});
  Socket duplicate = near.Dup().value();
  ASSERT_THAT(near.Close(), Succeeds());
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLOUT"}));
  ASSERT_THAT(duplicate.Close(), Succeeds());
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}

TEST_WITH_SOCKETS(Epoll, TellsOfEachSocketThatIsReady, .claims = {"man:epoll_wait(2)-number"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll epoll(near, {"EPOLLOUT"});
  ASSERT_THAT(epoll.Add(far, {"EPOLLOUT"}), Succeeds());
  const ReadySockets both{{near.fd(), {"EPOLLOUT"}}, {far.fd(), {"EPOLLOUT"}}};
  EXPECT_THAT(epoll.WaitForAll(8), Returns(both));
  EXPECT_EQ(epoll.WaitForAll(1).value().size(), 1U);
}

TEST_WITH_SOCKETS(Epoll, ASecondAddFails, .claims = {"man:epoll_ctl(2)-EEXIST"}, .needs = {"epoll"},
                  .over = kEachFamily) {
  Socket socket = NewSocket();
  Epoll epoll(socket, {"EPOLLIN"});
  EXPECT_THAT(epoll.Add(socket, {"EPOLLOUT"}), FailsWith(EEXIST));
  Socket duplicate = socket.Dup().value();
  EXPECT_THAT(epoll.Add(duplicate, {"EPOLLIN"}), Succeeds());
}

TEST_WITH_SOCKETS(Epoll, ModAndDelOfAStrangerFail, .claims = {"man:epoll_ctl(2)-ENOENT"},
                  .needs = {"epoll"}, .over = kEachFamily) {
  Socket socket = NewSocket();
  Epoll epoll(sut);
  EXPECT_THAT(epoll.Modify(socket, {"EPOLLIN"}), FailsWith(ENOENT));
  EXPECT_THAT(epoll.Remove(socket), FailsWith(ENOENT));
}

TEST_WITH_SOCKETS(Epoll, AClosedDescriptorFails, .claims = {"man:epoll_ctl(2)-EBADF"},
                  .needs = {"epoll"}, .over = kOnce) {
  Socket closed = sut.NewSocket("AF_INET", "SOCK_STREAM");
  Epoll epoll(sut);
  ASSERT_THAT(closed.Close(), Succeeds());
  EXPECT_THAT(epoll.Add(closed, {"EPOLLIN"}), FailsWith(EBADF));
}

TEST_WITH_SOCKETS(Epoll, CannotWatchItself, .claims = {"man:epoll_ctl(2)-EINVAL"},
                  .needs = {"epoll"}, .over = kOnce) {
  Epoll epoll(sut);
  EXPECT_THAT(epoll.Add(epoll.AsSocket(), {"EPOLLIN"}), FailsWith(EINVAL));
}

TEST_WITH_SOCKETS(Epoll, MayWatchAnother, .claims = {"man:epoll(7)-nested"}, .needs = {"epoll"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Epoll inner(near, {"EPOLLIN"});
  Epoll outer(inner.AsSocket(), {"EPOLLIN"});
  EXPECT_THAT(outer.Wait(), Returns(Events{}));
  ASSERT_THAT(far.Send("x"), Returns(1));
  EXPECT_THAT(outer.Wait(2000ms), Returns(Events{"EPOLLIN"}));
}

TEST_WITH_SOCKETS(Epoll, AWaitIsAsLongAsItsTimeout, .claims = {"man:epoll_wait(2)-timeout"},
                  .needs = {"epoll"}, .lasts = 300ms, .over = kOnce) {
  Epoll epoll(sut);
  const Outcome<Events> waited = epoll.Wait(300ms);
  EXPECT_THAT(waited, Returns(Events{}));
  EXPECT_THAT(waited.end - waited.begin, FiresAfter(300ms));
}

}  // namespace
}  // namespace sockproof
