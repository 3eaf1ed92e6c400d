// MSG_ZEROCOPY and its notifications: Documentation/networking/msg_zerocopy.rst of Linux.
#include <algorithm>
#include <string>
#include <variant>

#include "harness/test/test.h"

namespace sockproof {
namespace {

constexpr int kOriginZerocopy = 5;  // SO_EE_ORIGIN_ZEROCOPY of linux/errqueue.h

class ZerocopyTest : public SocketsTest {
 protected:
  static constexpr int kLength = 20'000;

  // A connection whose near end may send so.
  StackConnection Pair() {
    StackConnection pair = ConnectedPair();
    const Outcome<int> set = pair.client.SetOption("SO_ZEROCOPY", 1);
    if (!set.ok()) throw Skip("the system has no SO_ZEROCOPY for this socket");
    return pair;
  }
  static void SendSo(Socket& near, Socket& far) {
    const Outcome<int> sent = near.Send(std::string(kLength, 'z'), {"MSG_ZEROCOPY"});
    if (sent.error() == ENOBUFS) NotReached("the limit of locked memory is too low");
    ASSERT_THAT(sent, Returns(kLength));
    ASSERT_THAT(far.Receive(kLength, {"MSG_WAITALL"}), Succeeds());
  }
  // The next notification, which sets POLLERR unasked.
  static ExtendedError Notification(Socket& near) {
    EXPECT_THAT(near.Poll({}, 1s), Returns(Events{"POLLERR"}));
    const Received got = near.ReceiveMessage(1, ControlRoom::Octets(256), {"MSG_ERRQUEUE"}).value();
    for (const ControlItem& item : got.control) {
      if (const auto* error = std::get_if<ExtendedError>(&item.value)) return *error;
    }
    throw Departure("  Expected: IP_RECVERR or IPV6_RECVERR in the control data\n  Observed: none",
                    SourceLocation::Current());
  }
};

TEST_WITH(ZerocopyTest, Zerocopy, TheErrorQueueTellsThatASendIsDone,
          .claims = {"linux:MSG_ZEROCOPY-notification"}, .needs = {"messages"}) {
  auto [near, far] = Pair();
  SendSo(near, far);
  const ExtendedError told = Notification(near);
  EXPECT_EQ(told.origin, kOriginZerocopy);
  EXPECT_EQ(told.error, 0);
}

TEST_WITH(ZerocopyTest, Zerocopy, CallsAreCountedFromZero, .claims = {"linux:MSG_ZEROCOPY-counter"},
          .needs = {"messages"}) {
  auto [near, far] = Pair();
  for (const std::uint32_t call : {0U, 1U, 2U}) {
    SendSo(near, far);
    const ExtendedError told = Notification(near);
    EXPECT_EQ(told.info, call);
    EXPECT_EQ(told.data, call);
  }
}

TEST_WITH(ZerocopyTest, Zerocopy, ACallWithoutTheFlagIsNotCounted,
          .claims = {"linux:MSG_ZEROCOPY-counter"}, .needs = {"messages"}) {
  auto [near, far] = Pair();
  ASSERT_THAT(near.Send("copied"), Returns(6));
  ASSERT_THAT(far.Receive(6), Returns("copied"));
  SendSo(near, far);
  EXPECT_EQ(Notification(near).info, 0U);
}

TEST_WITH(ZerocopyTest, Zerocopy, ANotificationDoesNotStopOtherCalls,
          .claims = {"linux:MSG_ZEROCOPY-no-error"}, .needs = {"messages"}) {
  auto [near, far] = Pair();
  SendSo(near, far);
  ASSERT_THAT(near.Poll({}, 1s), Returns(Events{"POLLERR"}));
  EXPECT_THAT(near.Send("goes on"), Returns(7));
  ASSERT_THAT(far.Receive(7), Returns("goes on"));
  ASSERT_THAT(far.Send("and back"), Returns(8));
  EXPECT_THAT(near.Receive(64), Returns("and back"));
}

}  // namespace
}  // namespace sockproof
