// Times of sending: SO_TIMESTAMPING in Documentation/networking/timestamping.rst of Linux.
#include <cstdint>
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/options/headers.h"

namespace sockproof {
namespace {

using testing::EndsWith;
using testing::IsEmpty;

// Of linux/net_tstamp.h.
constexpr int kStampSoftware = 1 << 1;      // SOF_TIMESTAMPING_TX_SOFTWARE
constexpr int kReport = 1 << 4;             // SOF_TIMESTAMPING_SOFTWARE
constexpr int kNumbered = 1 << 7;           // SOF_TIMESTAMPING_OPT_ID
constexpr int kStampScheduled = 1 << 8;     // SOF_TIMESTAMPING_TX_SCHED
constexpr int kStampAcknowledged = 1 << 9;  // SOF_TIMESTAMPING_TX_ACK
constexpr int kTimeOnly = 1 << 11;          // SOF_TIMESTAMPING_OPT_TSONLY
// Of linux/errqueue.h.
constexpr int kOfTimestamping = 4;  // SO_EE_ORIGIN_TIMESTAMPING
constexpr int kTimeSent = 0;        // SCM_TSTAMP_SND
constexpr int kTimeScheduled = 1;   // SCM_TSTAMP_SCHED
constexpr int kTimeAcknowledged = 2;

// One entry of the error queue.
struct SendingTime {
  Duration time{0};
  ExtendedError error;
  std::string data;
  Time read;
};

SendingTime TakeSendingTime(const Socket& socket) {
  const Outcome<Received> got =
      socket.ReceiveMessage(256, ControlRoom::Octets(256), {"MSG_ERRQUEUE"});
  const ControlItem* time = got.value().Find("SCM_TIMESTAMPING");
  const ControlItem* error = got.value().Find("IP_RECVERR");
  if (error == nullptr) error = got.value().Find("IPV6_RECVERR");
  if (time == nullptr || error == nullptr) {
    throw Departure("the error queue gives no time with an extended error",
                    SourceLocation::Current());
  }
  return {std::get<std::vector<Duration>>(time->value).at(0), std::get<ExtendedError>(error->value),
          got.value().data, got.end};
}

class SendingTimesTest : public SocketsTest {
 protected:
  // The next entry, which sets POLLERR unasked.
  static SendingTime Next(const Socket& socket) {
    const Outcome<Events> events = socket.Poll({}, 1s);
    if (events.ok() && events.value().empty()) {
      throw Departure("no time of sending is told", SourceLocation::Current());
    }
    EXPECT_THAT(events, Returns(Events{"POLLERR"}));
    return TakeSendingTime(socket);
  }
};

struct Point {
  const char* name;
  int flag;
  std::uint32_t type;
  const char* claim;
};
constexpr Point kPoints[] = {
    {"software", kStampSoftware, kTimeSent, "linux:SO_TIMESTAMPING-TX_SOFTWARE"},
    {"scheduled", kStampScheduled, kTimeScheduled, "linux:SO_TIMESTAMPING-TX_SCHED"}};

TEST_WITH(SendingTimesTest, SendingTimes, AreToldInTheErrorQueue,
          .claims = {"linux:SO_TIMESTAMPING-TX_SOFTWARE", "linux:SO_TIMESTAMPING-TX_SCHED",
                     "linux:SO_TIMESTAMPING-error-queue"},
          .needs = {"messages"}, .over = kOptionKindsOfIp, .rows = kPoints) {
  const Point& point = RowOf(kPoints);
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", point.flag | kReport), Succeeds());
  const Outcome<int> sent = near.Send("when?");
  Deciding(point.claim);
  if (point.flag == kStampSoftware && near.Poll({}, 1s).value().empty()) {
    NotReached("the device tells no time of sending, which not all do");
  }
  const SendingTime told = Next(near);
  EXPECT_GE(told.time, sent.begin.time_since_epoch());
  EXPECT_LE(told.time, told.read.time_since_epoch());
  Deciding("linux:SO_TIMESTAMPING-error-queue");
  EXPECT_EQ(ErrnoName(told.error.error), "ENOMSG");
  EXPECT_EQ(told.error.origin, kOfTimestamping);
  EXPECT_EQ(told.error.info, point.type);
}

TEST_WITH(SendingTimesTest, SendingTimes, ComeWithWhatWasSent,
          .claims = {"linux:SO_TIMESTAMPING-payload", "linux:SO_TIMESTAMPING-OPT_TSONLY"},
          .needs = {"messages"}, .over = kOptionKindsOfIp) {
  auto [near, far] = ConnectedPair();
  Deciding("linux:SO_TIMESTAMPING-payload");
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", kStampScheduled | kReport), Succeeds());
  ASSERT_THAT(near.Send("with it"), Returns(7));
  EXPECT_THAT(Next(near).data, EndsWith("with it"));
  Deciding("linux:SO_TIMESTAMPING-OPT_TSONLY");
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", kStampScheduled | kReport | kTimeOnly), Succeeds());
  ASSERT_THAT(near.Send("without it"), Returns(10));
  EXPECT_THAT(Next(near).data, IsEmpty());
}

TEST_WITH(SendingTimesTest, SendingTimes, OfDatagramsAreNumberedFromZero,
          .claims = {"linux:SO_TIMESTAMPING-OPT_ID"}, .needs = {"messages"},
          .over = kOptionKindsOfUdp) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.Send("not counted"), Returns(11));
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", kStampScheduled | kReport | kNumbered), Succeeds());
  for (const std::uint32_t number : {0U, 1U, 2U}) {
    near.Send("counted").value();
    EXPECT_EQ(Next(near).error.data, number);
  }
}

TEST_WITH(SendingTimesTest, SendingTimes, OfAStreamAreNumberedByItsOctets,
          .claims = {"linux:SO_TIMESTAMPING-OPT_ID-stream"}, .needs = {"messages"},
          .over = kOptionKindsOfTcp) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", kStampScheduled | kReport | kNumbered), Succeeds());
  ASSERT_THAT(near.Send("first"), Returns(5));
  const std::uint32_t first = Next(near).error.data;
  ASSERT_THAT(near.Send("and second"), Returns(10));
  EXPECT_EQ(Next(near).error.data - first, 10U);
}

TEST_WITH(SendingTimesTest, SendingTimes, AreAskedForOfOneMessageByControlData,
          .claims = {"linux:SO_TIMESTAMPING-control"}, .needs = {"messages"},
          .over = kOptionKindsOfIp) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption("SO_TIMESTAMPING", kReport | kTimeOnly), Succeeds());
  ASSERT_THAT(near.Send("not this"), Returns(8));
  EXPECT_THAT(near.Poll({}), Returns(Events{}));
  const std::string flags{static_cast<char>(kStampScheduled & 0xff),
                          static_cast<char>(kStampScheduled >> 8), '\0', '\0'};
  ASSERT_THAT(near.SendMessage(
                  Message("but this").With(OctetsItem("SOL_SOCKET", "SCM_TIMESTAMPING", flags))),
              Returns(8));
  EXPECT_EQ(Next(near).error.info, static_cast<std::uint32_t>(kTimeScheduled));
}

TEST_WITH_PEER(SendingTimes, OfAnAcknowledgmentIsToldWhenItHasCome,
               .claims = {"linux:SO_TIMESTAMPING-TX_ACK"}, .needs = {"messages"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("SO_TIMESTAMPING", kStampAcknowledged | kReport), Succeeds());
  ASSERT_THAT(socket.Send("when?"), Returns(5));
  const Time arrived = peer.Expect(Data("when?")).time;
  EXPECT_THAT(socket.Poll({}), Returns(Events{})) << "before the acknowledgment";
  peer.Send(Ack());
  ASSERT_THAT(socket.Poll({}, 1s), Returns(Events{"POLLERR"}));
  const SendingTime told = TakeSendingTime(socket);
  EXPECT_GE(told.time, arrived.time_since_epoch());
  EXPECT_EQ(told.error.info, static_cast<std::uint32_t>(kTimeAcknowledged));
}

}  // namespace
}  // namespace sockproof
