// Signals that tell of events: SIGIO and SIGURG, by socket(7), tcp(7) and fcntl(2) of the Linux
// man-pages.
#include <chrono>
#include <string_view>
#include <utility>

#include "harness/test/test.h"

namespace sockproof {
namespace {

class NotificationTest : public SocketsTest {
 public:
  // This process is told of what happens to the socket.
  void AskForSignals(const Socket& socket) {
    const int self = sut.process().pid();
    ASSERT_THAT(socket.Control("SIOCSPGRP", self), Returns(self));
    ASSERT_GE(socket.Control("FIOASYNC", 1).value(), 0);
    sut.process().TakeSignal({"SIGIO"});  // of what was before, if any
  }

  // What happens, and the socket to which it does.
  void DataComes() {
    auto [near, far] = ConnectedPair();
    AskForSignals(near);
    ASSERT_THAT(far.Send("data"), Returns(4));
  }
  void TheOtherEndCloses() {
    auto [near, far] = ConnectedPair();
    AskForSignals(near);
    ASSERT_THAT(far.Close(), Succeeds());
  }
  void AConnectionComes() {
    Socket listener = Listening();
    AskForSignals(listener);
    NewSocket().Connect(listener.LocalName().value()).value();
  }
};

struct Happening {
  std::string_view name;
  void (NotificationTest::*happens)();
};
constexpr Happening kHappenings[] = {{"data", &NotificationTest::DataComes},
                                     {"close", &NotificationTest::TheOtherEndCloses},
                                     {"connection", &NotificationTest::AConnectionComes}};

TEST_WITH(NotificationTest, Notification, SigioTellsTheOwnerOfAnEvent,
          .claims = {"man:socket(7)-SIGIO"}, .over = kEachStream, .rows = kHappenings) {
  (this->*RowOf(kHappenings).happens)();
  EXPECT_THAT(sut.process().TakeSignal({"SIGIO"}, 2s), Returns("SIGIO"));
}

TEST_WITH(NotificationTest, Notification, SigioGoesToTheProcessThatWasNamed,
          .claims = {"man:socket(7)-SIGIO"}, .needs = {"processes"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Process child = sut.process().Fork().value();
  AskForSignals(near);
  ASSERT_THAT(near.Control("SIOCSPGRP", child.pid()), Returns(child.pid()));
  ASSERT_THAT(far.Send("data"), Returns(4));
  EXPECT_THAT(child.TakeSignal({"SIGIO"}, 2s), Returns("SIGIO"));
  EXPECT_THAT(sut.process().TakeSignal({"SIGIO"}), FailsWith(EAGAIN));
}

TEST_WITH(NotificationTest, Notification, FioasyncDecidesWhetherThereIsASignal,
          .claims = {"man:socket(7)-FIOASYNC"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  AskForSignals(near);
  EXPECT_THAT(near.IsAsynchronous(), Returns(1));
  ASSERT_GE(near.Control("FIOASYNC", 0).value(), 0);
  EXPECT_THAT(near.IsAsynchronous(), Returns(0));
  ASSERT_THAT(far.Send("data"), Returns(4));
  ASSERT_THAT(near.Poll({"POLLIN"}, 2s), Returns(Events{"POLLIN"}));
  EXPECT_THAT(sut.process().TakeSignal({"SIGIO"}), FailsWith(EAGAIN));
}

TEST_WITH_SOCKETS(Notification, TheOwnerIsTheOneThatWasSet, .claims = {"man:socket(7)-SIOCGPGRP"},
                  .over = kEachFamily) {
  Socket socket = NewSocket();
  EXPECT_THAT(socket.Inquire("SIOCGPGRP"), Returns(0));
  const int self = sut.process().pid();
  ASSERT_THAT(socket.Control("SIOCSPGRP", self), Returns(self));
  EXPECT_THAT(socket.Inquire("SIOCGPGRP"), Returns(self));
}

TEST_WITH_SOCKETS(Notification, SigurgTellsTheOwnerOfUrgentData, .claims = {"man:tcp(7)-SIGURG"}) {
  auto [near, far] = ConnectedPair();
  const int self = sut.process().pid();
  ASSERT_THAT(near.Control("SIOCSPGRP", self), Returns(self));
  ASSERT_THAT(far.Send("normal"), Returns(6));
  ASSERT_THAT(near.Receive(64), Returns("normal"));
  EXPECT_THAT(sut.process().TakeSignal({"SIGURG"}), FailsWith(EAGAIN));
  ASSERT_THAT(far.Send("!", {"MSG_OOB"}), Returns(1));
  EXPECT_THAT(sut.process().TakeSignal({"SIGURG"}, 2s), Returns("SIGURG"));
}

}  // namespace
}  // namespace sockproof
