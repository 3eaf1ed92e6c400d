// What poll() and epoll say of a connection that one side, both sides or nobody has closed:
// poll(2), epoll_ctl(2), and how Linux documents POLLHUP.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

const Events kAll = {"POLLIN", "POLLOUT", "POLLRDHUP"};

}  // namespace

TEST_WITH_PEER(Hangup, AnOpenConnectionIsOnlyWritable, .claims = {"man:poll(2)-POLLRDHUP"}) {
  EXPECT_THAT(Connected().socket.Poll(kAll), Returns(Events{"POLLOUT"}));
}

TEST_WITH_PEER(Hangup, ThePeersFinIsReportedAsPollrdhupAndReadable,
               .claims = {"man:poll(2)-POLLRDHUP", "linux:POLLHUP"}) {
  Socket socket = InState(TcpState::kCloseWait).socket;
  EXPECT_THAT(socket.Poll(kAll), Returns(Events{"POLLIN", "POLLOUT", "POLLRDHUP"}));
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{"POLLIN"}));
  // Reading the end of the file does not make it go away.
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
  EXPECT_THAT(socket.Poll(kAll), Returns(Events{"POLLIN", "POLLOUT", "POLLRDHUP"}));
}

// Linux reports POLLHUP for both directions only (the comment in tcp_poll()).
TEST_WITH_PEER(Hangup, ThePeersFinIsReportedAsPollhupAsSocket7Says,
               .claims = {"man:socket(7)-POLLHUP"}) {
  Socket socket = InState(TcpState::kCloseWait).socket;
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{"POLLHUP", "POLLIN"}));
}

TEST_WITH_PEER(Hangup, ThePeersFinEndsAPollThatWaits, .claims = {"man:poll(2)-POLLRDHUP"}) {
  auto [socket, peer] = Connected();
  Pending<Events> polling = socket.StartPoll({"POLLRDHUP"}, 60s);
  ExpectStillBlocked(polling);
  peer.Send(Data("no reason to return"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  ExpectStillBlocked(polling);
  peer.Send(Fin());
  EXPECT_THAT(polling.Await(), Returns(Events{"POLLRDHUP"}));
}

TEST_WITH_PEER(Hangup, TheOwnFinIsNotReported, .claims = {"linux:POLLHUP"}) {
  Socket socket = InState(TcpState::kFinWait2).socket;
  EXPECT_THAT(socket.Poll({"POLLIN", "POLLRDHUP"}), Returns(Events{}));
}

TEST_WITH_PEER(Hangup, BothFinsAreReportedAsPollhup, .claims = {"linux:POLLHUP"}) {
  for (const TcpState state : {TcpState::kClosing, TcpState::kLastAck, TcpState::kTimeWait}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    Socket socket = InState(state).socket;
    EXPECT_THAT(socket.Poll({"POLLIN", "POLLRDHUP"}),
                Returns(Events{"POLLHUP", "POLLIN", "POLLRDHUP"}));
    // Also where it is not asked for.
    EXPECT_THAT(socket.Poll({}), Returns(Events{"POLLHUP"}));
  }
}

// Linux reports both: better too many bits than too few, says the comment in tcp_poll().
TEST_WITH_PEER(Hangup, PollhupAndPolloutExcludeEachOtherAsPosixSays,
               .claims = {"posix:poll-POLLHUP"}) {
  for (const TcpState state : {TcpState::kClosing, TcpState::kLastAck, TcpState::kTimeWait}) {
    SCOPED_TRACE(std::string(TcpStateName(state)));
    Socket socket = InState(state).socket;
    const Events events = socket.Poll({"POLLOUT"}).value();
    EXPECT_THAT(events, testing::Not(testing::IsSupersetOf({"POLLHUP", "POLLOUT"})));
    Observe("poll() in " + std::string(TcpStateName(state)),
            fmt::format("{}", fmt::join(events, "|")));
  }
}

TEST_WITH_PEER(Hangup, AResetIsReportedAsErrorAndHangup,
               .claims = {"man:poll(2)-POLLERR", "man:socket(7)-POLLHUP-broken",
                          "man:socket(7)-SO_ERROR"}) {
  auto [socket, peer] = Connected();
  Pending<Events> polling = socket.StartPoll({}, 60s);
  ExpectStillBlocked(polling);
  peer.Send(Rst());
  const Events events = polling.Await().value();
  Deciding("man:poll(2)-POLLERR");
  EXPECT_THAT(events, testing::Contains("POLLERR"));
  Deciding("man:socket(7)-POLLHUP-broken");
  EXPECT_THAT(events, testing::Contains("POLLHUP"));
  Deciding("man:socket(7)-SO_ERROR");
  EXPECT_NE(ErrnoName(socket.TakeError()), ErrnoName(0));
  EXPECT_THAT(socket.Poll({}).value(), testing::Not(testing::Contains("POLLERR")))
      << "the error has been taken";
}

TEST_WITH_PEER(Hangup, LevelTriggeredEpollReportsThePeersFinAgainAndAgain,
               .claims = {"man:epoll_ctl(2)-EPOLLRDHUP", "man:epoll(7)-level-triggered"},
               .needs = {"epoll"}) {
  auto [socket, peer] = Connected();
  Epoll epoll(socket, {"EPOLLRDHUP"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
  peer.Send(Fin());
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLRDHUP"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLRDHUP"}));
}

TEST_WITH_PEER(Hangup, EdgeTriggeredEpollReportsDataAndFinOnceEach,
               .claims = {"man:epoll_ctl(2)-EPOLLRDHUP", "man:epoll(7)-edge-triggered"},
               .needs = {"epoll"}) {
  auto [socket, peer] = Connected();
  Epoll epoll(socket, {"EPOLLIN", "EPOLLRDHUP", "EPOLLET"});
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));

  peer.Send(Data("unread"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));

  peer.Send(Fin());
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(epoll.Wait(), Returns(Events{"EPOLLIN", "EPOLLRDHUP"}));
  EXPECT_THAT(epoll.Wait(), Returns(Events{}));
}
