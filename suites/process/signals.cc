// Signals into calls that wait: signal(7) of the Linux man-pages, and EINTR of POSIX.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "harness/sut/option_values.h"
#include "harness/test/filling.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::Gt;
using testing::Lt;

// A call that waits, whatever it gives, and what lets it go on.
struct WaitingCall {
  template <typename T>
  WaitingCall(Pending<T> pending, std::function<void()> release_in)
      : release(std::move(release_in)) {
    auto shared = std::make_shared<Pending<T>>(std::move(pending));
    call = shared;
    end = [shared] { return shared->Await().error(); };
  }

  std::shared_ptr<PendingCall> call;
  std::function<int()> end;  // its errno
  std::function<void()> release;
};

class InterruptedTest : public SocketsTest {
 public:
  enum class Timeouts { kNone, kSet };

  // ---- the calls of the table below: each waits ----

  WaitingCall Accept(Timeouts timeouts) {
    Socket listener = Limited(Listening(), timeouts);
    return {listener.StartAccept(),
            [this, listener] { NewSocket().Connect(listener.LocalName().value()).value(); }};
  }
  WaitingCall Receive(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {near.StartReceive(1), Sends(far)};
  }
  WaitingCall ReceiveFrom(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {near.StartReceiveFrom(1), Sends(far)};
  }
  WaitingCall ReceiveMessage(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {near.StartReceiveMessage({1}), Sends(far)};
  }
  WaitingCall Read(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {near.StartRead(1), Sends(far)};
  }
  WaitingCall Send(Timeouts timeouts) {
    auto [near, far] = FullPair(timeouts);
    return {near.StartSend("more"), Empties(far)};
  }
  WaitingCall SendMessage(Timeouts timeouts) {
    auto [near, far] = FullPair(timeouts);
    return {near.StartSendMessage(Message("more")), Empties(far)};
  }
  WaitingCall Write(Timeouts timeouts) {
    auto [near, far] = FullPair(timeouts);
    return {near.StartWrite("more"), Empties(far)};
  }
  WaitingCall Poll(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {near.StartPoll({"POLLIN"}, 60s), Sends(far)};
  }
  WaitingCall Select(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    return {sut.process().StartSelect({.read = {near}}, 60s), Sends(far)};
  }
  WaitingCall EpollWait(Timeouts timeouts) {
    auto [near, far] = Pair(timeouts);
    Epoll epoll(near, {"EPOLLIN"});
    return {epoll.StartWait(60s), Sends(far)};
  }

 protected:
  // With a buffer that is soon full.
  StackConnection SmallPair() {
    StackConnection pair = ConnectedPair();
    pair.client.SetOption("SO_SNDBUF", 8000).value();
    pair.server.SetOption("SO_RCVBUF", 8000);
    return pair;
  }

 private:
  static Socket Limited(Socket socket, Timeouts timeouts) {
    if (timeouts == Timeouts::kNone) return socket;
    for (const char* option : {"SO_RCVTIMEO", "SO_SNDTIMEO"}) SetTime(socket, option, 60s).value();
    return socket;
  }
  StackConnection Pair(Timeouts timeouts) {
    StackConnection pair = ConnectedPair();
    return {Limited(pair.client, timeouts), pair.server};
  }
  StackConnection FullPair(Timeouts timeouts) {
    StackConnection pair = SmallPair();
    FillUp(pair.client, std::string(20'000, 'x'));
    return {Limited(pair.client, timeouts), pair.server};
  }
  static std::function<void()> Sends(Socket far) {
    return [far] { far.Send("x").value(); };
  }
  static std::function<void()> Empties(Socket far) {
    return [far] {
      for (int rounds = 0; rounds < 100; ++rounds) {
        Drain(far, 100'000);
        if (far.Poll({"POLLIN"}, 100ms).value().empty()) break;
      }
    };
  }
};

struct InterruptedCall {
  const char* name;
  WaitingCall (InterruptedTest::*start)(InterruptedTest::Timeouts);
};
constexpr InterruptedCall kInputAndOutput[] = {{"accept", &InterruptedTest::Accept},
                                               {"recv", &InterruptedTest::Receive},
                                               {"recvfrom", &InterruptedTest::ReceiveFrom},
                                               {"recvmsg", &InterruptedTest::ReceiveMessage},
                                               {"read", &InterruptedTest::Read},
                                               {"send", &InterruptedTest::Send},
                                               {"sendmsg", &InterruptedTest::SendMessage},
                                               {"write", &InterruptedTest::Write}};
// Of read() and write() with a timeout signal(7) does not speak.
constexpr InterruptedCall kSocketCalls[] = {kInputAndOutput[0], kInputAndOutput[1],
                                            kInputAndOutput[2], kInputAndOutput[3],
                                            kInputAndOutput[5], kInputAndOutput[6]};
constexpr InterruptedCall kMultiplexing[] = {{"poll", &InterruptedTest::Poll},
                                             {"select", &InterruptedTest::Select},
                                             {"epoll_wait", &InterruptedTest::EpollWait}};

TEST_WITH(InterruptedTest, Interruption, ACallThatWaitsFailsWithEintr,
          .claims = {"man:signal(7)-EINTR", "posix:EINTR"}, .over = kEachStream,
          .rows = kInputAndOutput) {
  WaitingCall waiting = (this->*RowOf(kInputAndOutput).start)(Timeouts::kNone);
  waiting.call->Interrupt();
  EXPECT_EQ(ErrnoName(waiting.end()), "EINTR");
}

TEST_WITH(InterruptedTest, Interruption, WithSaRestartItGoesOn,
          .claims = {"man:signal(7)-SA_RESTART"}, .over = kEachStream, .rows = kInputAndOutput) {
  WaitingCall waiting = (this->*RowOf(kInputAndOutput).start)(Timeouts::kNone);
  waiting.call->InterruptAndRestart();
  waiting.call->ExpectStillBlocked();
  waiting.release();
  EXPECT_EQ(waiting.end(), 0);
}

TEST_WITH(InterruptedTest, Interruption, WithATimeoutItFailsWithEintrEvenSo,
          .claims = {"man:signal(7)-timeout"}, .over = kEachStream, .rows = kSocketCalls) {
  WaitingCall waiting = (this->*RowOf(kSocketCalls).start)(Timeouts::kSet);
  waiting.call->InterruptAndRestart();
  EXPECT_EQ(ErrnoName(waiting.end()), "EINTR");
}

TEST_WITH(InterruptedTest, Interruption, WaitingForSeveralDescriptorsIsNeverRestarted,
          .claims = {"man:signal(7)-multiplexing"}, .over = kEachStream, .rows = kMultiplexing) {
  WaitingCall waiting = (this->*RowOf(kMultiplexing).start)(Timeouts::kNone);
  waiting.call->InterruptAndRestart();
  EXPECT_EQ(ErrnoName(waiting.end()), "EINTR");
}

TEST_WITH(InterruptedTest, Interruption, AReceiveThatHasSomeTellsHowMuch,
          .claims = {"man:signal(7)-transferred", "posix:recv-MSG_WAITALL"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("some"), Returns(4));
  Pending<std::string> receiving = near.StartReceive(64, {"MSG_WAITALL"});
  receiving.Interrupt();
  EXPECT_THAT(receiving.Await(), Returns("some"));
}

TEST_WITH(InterruptedTest, Interruption, ASendThatHasSentSomeTellsHowMuch,
          .claims = {"man:signal(7)-transferred"}, .over = kEachStream) {
  constexpr int kMuch = 4'000'000;
  auto [near, far] = SmallPair();
  Pending<int> sending = near.StartSend(std::string(kMuch, 'x'));
  sending.Interrupt();
  EXPECT_THAT(sending.Await().value(), AllOf(Gt(0), Lt(kMuch)));
}

class InterruptedConnectTest : public PeerTest {};

TEST_WITH(InterruptedConnectTest, Interruption, AConnectFailsWithEintrAndTheHandshakeGoesOn,
          .claims = {"posix:connect-EINTR"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  connecting.Interrupt();
  EXPECT_THAT(connecting.Await(), FailsWith(EINTR));
  peer.Send(SynAck());
  peer.Expect(Ack());
  EXPECT_THAT(socket.Poll({"POLLOUT"}, 1s), Returns(Events{"POLLOUT"}));
  EXPECT_EQ(socket.TakeError(), 0);
}

TEST_WITH(InterruptedConnectTest, Interruption, AConnectIsRestarted,
          .claims = {"man:signal(7)-SA_RESTART"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Pending<int> connecting = sut.NewSocket(ip).StartConnect(peer.local());
  peer.Expect(Syn());
  connecting.InterruptAndRestart();
  peer.Send(SynAck());
  peer.Expect(Ack());
  EXPECT_THAT(connecting.Await(), Succeeds());
}

}  // namespace
}  // namespace sockproof
