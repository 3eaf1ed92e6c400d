// What options of SOL_SOCKET do that no other suite is about: socket(7) of the Linux man-pages and
// Documentation/networking/timestamping.rst of Linux.
#include <algorithm>
#include <string>
#include <variant>

#include "harness/sut/option_values.h"
#include "harness/test/filling.h"
#include "suites/options/headers.h"
#include "suites/options/privilege.h"
#include "suites/udp/udp_test.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Ge;
using testing::Le;
using testing::Not;

class SocketLevelTest : public SocketsTest {
 protected:
  // A process that cannot do what needs the capability CAP_NET_ADMIN, or CAP_NET_RAW, which newer
  // systems take for it.
  Process Ordinary() {
    return sut.process().Fork({.without_capabilities = {"CAP_NET_ADMIN", "CAP_NET_RAW"}}).value();
  }
};

// --- SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO ---------------------------------------------------------

TEST_WITH(SocketLevelTest, SocketLevel, SoLingerIsReadAsItWasSet,
          .claims = {"man:socket(7)-SO_LINGER-structure"}, .over = kOptionKinds) {
  Socket socket = NewSocket();
  for (const Lingering& lingering : {Lingering{true, 7}, {true, 0}}) {
    ASSERT_THAT(SetLingering(socket, lingering), Succeeds());
    EXPECT_EQ(GetLingering(socket).value(), lingering);
  }
  ASSERT_THAT(SetLingering(socket, {false, 0}), Succeeds());
  EXPECT_FALSE(GetLingering(socket).value().on);
  EXPECT_EQ(socket.GetOctets("SO_LINGER", 64).value().size(), 2 * sizeof(int));
}

TEST_WITH(SocketLevelTest, SocketLevel, TimeoutsAreNoneAtFirstAndReadAsTheyWereSet,
          .claims = {"man:socket(7)-SO_RCVTIMEO-default", "posix:setsockopt-timeouts"},
          .over = kOptionKinds) {
  for (const char* option : {"SO_RCVTIMEO", "SO_SNDTIMEO"}) {
    Deciding("man:socket(7)-SO_RCVTIMEO-default");
    Socket socket = NewSocket();
    EXPECT_THAT(GetTime(socket, option), Returns(0us));
    Deciding("posix:setsockopt-timeouts");
    for (const std::chrono::microseconds time : {2'500'000us, 1'000'000us, 10'000us}) {
      ASSERT_THAT(SetTime(socket, option, time), Succeeds());
      // It may be rounded up to the resolution of a clock, of a tenth of a second at most.
      EXPECT_THAT(GetTime(socket, option).value(), AllOf(Ge(time), Le(time + 100ms)));
    }
  }
}

TEST_WITH(SocketLevelTest, SocketLevel, WhatCameWithinSoRcvtimeoIsGiven,
          .claims = {"man:socket(7)-SO_RCVTIMEO-transferred"}, .lasts = 1s, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(SetTime(near, "SO_RCVTIMEO", 1s), Succeeds());
  ASSERT_THAT(far.Send("some"), Returns(4));
  const Outcome<std::string> received = near.Receive(64, {"MSG_WAITALL"});
  EXPECT_THAT(received, Returns("some"));
  EXPECT_THAT(received.end - received.begin, FiresAfter(1s));
}

TEST_WITH(SocketLevelTest, SocketLevel, ASendTimeoutEndsItWithEagain,
          .claims = {"man:socket(7)-SO_SNDTIMEO-send"}, .lasts = 1s, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  FillUp(near, std::string(100'000, 'x'));
  ASSERT_THAT(SetTime(near, "SO_SNDTIMEO", 1s), Succeeds());
  const Outcome<int> sent = near.Send(std::string(100'000, 'x'));
  EXPECT_THAT(sent, FailsWith(EAGAIN));
  EXPECT_THAT(sent.end - sent.begin, FiresAfter(1s));
}

TEST_WITH(SocketLevelTest, SocketLevel, PollDoesNotKnowTheTimeouts,
          .claims = {"man:socket(7)-SO_RCVTIMEO-poll"}, .lasts = 1s, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(SetTime(near, "SO_RCVTIMEO", 10ms), Succeeds());
  const Outcome<Events> polled = near.Poll({"POLLIN"}, 1s);
  EXPECT_THAT(polled, Returns(Events{}));
  EXPECT_THAT(polled.end - polled.begin, LastsAtLeast(1s));
}

// --- buffers -------------------------------------------------------------------------------------

struct Buffer {
  const char* name;
  const char* option;
  const char* forced;
  int least;
  const char* least_claim;
  const char* force_claim;
};
constexpr Buffer kBuffers[] = {{"receive", "SO_RCVBUF", "SO_RCVBUFFORCE", 256,
                                "man:socket(7)-SO_RCVBUF-minimum", "man:socket(7)-SO_RCVBUFFORCE"},
                               {"send", "SO_SNDBUF", "SO_SNDBUFFORCE", 2048,
                                "man:socket(7)-SO_SNDBUF-minimum", "man:socket(7)-SO_SNDBUFFORCE"}};

TEST_WITH(SocketLevelTest, SocketLevel, ABufferHasALeastSize,
          .claims = {"man:socket(7)-SO_RCVBUF-minimum", "man:socket(7)-SO_SNDBUF-minimum"},
          .over = kOptionKindsOfIp, .rows = kBuffers) {
  const Buffer& buffer = RowOf(kBuffers);
  Deciding(buffer.least_claim);
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption(buffer.option, 0), Succeeds());
  EXPECT_THAT(socket.GetOption(buffer.option), Returns(buffer.least));
}

TEST_WITH(SocketLevelTest, SocketLevel, APrivilegedProcessMayHaveALargerBuffer,
          .claims = {"man:socket(7)-SO_RCVBUFFORCE", "man:socket(7)-SO_SNDBUFFORCE"},
          .over = kOptionKindsOfIp, .rows = kBuffers) {
  const Buffer& buffer = RowOf(kBuffers);
  Deciding(buffer.force_claim);
  Socket socket = NewSocket();
  socket.SetOption(buffer.option, 1 << 29).value();
  const int most = socket.GetOption(buffer.option).value();
  if (most > 1 << 28) NotReached("any process may have a buffer that is as large");
  const Outcome<int> forced = socket.SetOption(buffer.forced, most);
  RequirePrivilege(forced);
  EXPECT_THAT(forced, Succeeds());
  EXPECT_THAT(socket.GetOption(buffer.option), Returns(2 * most));
}

TEST_WITH(SocketLevelTest, SocketLevel, AnOrdinaryProcessMayNot,
          .claims = {"man:socket(7)-SO_RCVBUFFORCE", "man:socket(7)-SO_SNDBUFFORCE"},
          .needs = {"processes"}, .over = kOptionKindsOfIp, .rows = kBuffers) {
  const Buffer& buffer = RowOf(kBuffers);
  Deciding(buffer.force_claim);
  Socket socket = NewSocket();
  EXPECT_THAT(Ordinary().Of(socket).SetOption(buffer.forced, 10'000), Not(Succeeds()));
}

// --- privileges ----------------------------------------------------------------------------------

struct Privileged {
  const char* name;
  const char* option;
  const char* claim;
  int free;     // a value that anybody may set
  int guarded;  // and one that nobody may without the capability
};
constexpr Privileged kPrivileged[] = {
    {"priority", "SO_PRIORITY", "man:socket(7)-SO_PRIORITY", 6, 7},
    {"mark", "SO_MARK", "man:socket(7)-SO_MARK", -1, 7}};

TEST_WITH(SocketLevelTest, SocketLevel, ACapabilityIsNeeded,
          .claims = {"man:socket(7)-SO_PRIORITY", "man:socket(7)-SO_MARK"}, .needs = {"processes"},
          .over = kOptionKindsOfIp, .rows = kPrivileged) {
  const Privileged& row = RowOf(kPrivileged);
  Deciding(row.claim);
  Socket socket = NewSocket();
  Socket of_ordinary = Ordinary().Of(socket);
  if (row.free >= 0) {
    EXPECT_THAT(of_ordinary.SetOption(row.option, row.free), Succeeds());
  }
  EXPECT_THAT(of_ordinary.SetOption(row.option, row.guarded), Not(Succeeds()));
  const Outcome<int> by_privileged = socket.SetOption(row.option, row.guarded);
  RequirePrivilege(by_privileged);
  EXPECT_THAT(by_privileged, Succeeds());
  EXPECT_THAT(socket.GetOption(row.option), Returns(row.guarded));
}

TEST_WITH(SocketLevelTest, SocketLevel, DebuggingIsForThePrivileged,
          .claims = {"man:socket(7)-SO_DEBUG"}, .needs = {"processes"}, .over = kOptionKinds) {
  Socket socket = NewSocket();
  const Outcome<Process> user =
      sut.process().Fork({.uid = 65534, .without_capabilities = {"CAP_NET_ADMIN"}});
  if (!user.ok()) NotReached("the agent cannot become an ordinary user");
  EXPECT_THAT(Process(user.value()).Of(socket).SetOption("SO_DEBUG", 1), Not(Succeeds()));
}

// --- SO_REUSEPORT, SO_BINDTODEVICE, SO_DONTROUTE, SO_INCOMING_CPU --------------------------------

TEST_WITH(SocketLevelTest, SocketLevel, ThePortOfAnotherUserIsNotShared,
          .claims = {"man:socket(7)-SO_REUSEPORT-uid"}, .needs = {"processes"},
          .over = kOptionKindsOfIp) {
  Socket mine = NewSocket();
  mine.SetOption("SO_REUSEPORT", 1).value();
  mine.Bind(Loopback()).value();
  Outcome<Process> user = sut.process().Fork({.uid = 65534});
  if (!user.ok()) NotReached("the agent cannot become another user");
  Process other = user.value();
  Socket theirs = other.OpenSocket(std::string(family.domain), std::string(family.type)).value();
  theirs.SetOption("SO_REUSEPORT", 1).value();
  EXPECT_THAT(theirs.Bind(mine.LocalName().value()), FailsWith(EADDRINUSE));
}

Bytes OctetsOf(const std::string& text) { return {text.begin(), text.end()}; }

TEST_WITH(SocketLevelTest, SocketLevel, TheDeviceThatASocketIsBoundToIsTold,
          .claims = {"man:socket(7)-SO_BINDTODEVICE-name"}, .over = kOptionKindsOfIp) {
  Socket socket = NewSocket();
  EXPECT_THAT(socket.GetOctets("SO_BINDTODEVICE", 16), Returns(""));
  const Outcome<int> bound = socket.SetOption("SO_BINDTODEVICE", OctetsOf("lo"));
  RequirePrivilege(bound);
  ASSERT_THAT(bound, Succeeds());
  // With its final zero or without: "the real device name length".
  EXPECT_THAT(socket.GetOctets("SO_BINDTODEVICE", 16),
              AnyOf(Returns("lo"), Returns(std::string("lo\0", 3))));
  ASSERT_THAT(socket.SetOption("SO_BINDTODEVICE", Bytes()), Succeeds());
  EXPECT_THAT(socket.GetOctets("SO_BINDTODEVICE", 16), Returns(""));
}

TEST_WITH(SocketLevelTest, SocketLevel, ACpuThatWasSetIsTold,
          .claims = {"man:socket(7)-SO_INCOMING_CPU"}, .over = kOptionKindsOfIp) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption("SO_INCOMING_CPU", 0), Succeeds());
  EXPECT_THAT(socket.GetOption("SO_INCOMING_CPU"), Returns(0));
}

class DeviceTest : public UdpTest {};

TEST_WITH(DeviceTest, SocketLevel, OnlyPacketsOfTheDeviceAreReceived,
          .claims = {"man:socket(7)-SO_BINDTODEVICE"}) {
  auto [socket, peer] = BoundToAll();
  const Outcome<int> bound = socket.SetOption("SO_BINDTODEVICE", OctetsOf("lo"));
  RequirePrivilege(bound);
  ASSERT_THAT(bound, Succeeds());
  peer.Send(Datagram("from the wire"));
  Settle();
  Socket neighbour = NewUdp();
  const Endpoint here{IpAddress(IsIpv4() ? "127.0.0.1" : "::1"), socket.LocalEndpoint().port};
  ASSERT_THAT(neighbour.SendTo(here, "from lo"), Returns(7));
  EXPECT_THAT(socket.Receive(64), Returns("from lo"));
}

TEST_WITH(DeviceTest, SocketLevel, WithSoDontrouteNoGatewayIsUsed,
          .claims = {"man:socket(7)-SO_DONTROUTE"}) {
  // The network behind the peer, as the address plan has it.
  const Endpoint beyond{IpAddress(IsIpv4() ? "198.51.100.9" : "2001:db8:f::9"), 4711};
  Socket socket = NewUdp();
  if (!socket.SendTo(beyond, "by a gateway").ok()) NotReached("there is no route by a gateway");
  ASSERT_THAT(socket.SetOption("SO_DONTROUTE", 1), Succeeds());
  EXPECT_THAT(socket.SendTo(beyond, "directly"), Not(Succeeds()));
  ScriptedUdp& neighbour = host.Udp(ip, NextPort());
  ASSERT_THAT(socket.SendTo(neighbour.local(), "directly"), Returns(8));
  neighbour.Expect(Datagram("directly"));
}

// --- errors --------------------------------------------------------------------------------------

TEST_WITH(SocketLevelTest, SocketLevel, SoSelectErrQueueMakesAnErrorPollpri,
          .claims = {"man:socket(7)-SO_SELECT_ERR_QUEUE"}, .over = kOptionKindsOfUdp) {
  Socket gone = Bound();
  Socket socket = NewSocket();
  socket.Connect(gone.LocalName().value()).value();
  gone.Close().value();
  ASSERT_THAT(socket.SetOption("SO_SELECT_ERR_QUEUE", 1), Succeeds());
  ASSERT_THAT(socket.Send("is anybody there?"), Succeeds());
  const Events events = socket.Poll({"POLLPRI"}, 1s).value();
  if (std::find(events.begin(), events.end(), "POLLERR") == events.end()) {
    NotReached("nobody's port is not reported");
  }
  EXPECT_THAT(events, testing::Contains("POLLPRI"));
}

// --- timestamps ----------------------------------------------------------------------------------

struct Stamp {
  const char* name;
  const char* option;
  int value;
  const char* type;
  const char* claim;
};
// SOF_TIMESTAMPING_RX_SOFTWARE and SOF_TIMESTAMPING_SOFTWARE.
constexpr int kSoftwareStamps = 1 << 3 | 1 << 4;
constexpr Stamp kStamps[] = {
    {"timestamp", "SO_TIMESTAMP", 1, "SCM_TIMESTAMP", "man:socket(7)-SO_TIMESTAMP"},
    {"timestampns", "SO_TIMESTAMPNS", 1, "SCM_TIMESTAMPNS", "man:socket(7)-SO_TIMESTAMPNS"},
    {"timestamping", "SO_TIMESTAMPING", kSoftwareStamps, "SCM_TIMESTAMPING",
     "linux:SO_TIMESTAMPING-receive"}};

TEST_WITH(SocketLevelTest, SocketLevel, TheTimeOfReceptionIsTold,
          .claims = {"man:socket(7)-SO_TIMESTAMP", "man:socket(7)-SO_TIMESTAMPNS",
                     "linux:SO_TIMESTAMPING-receive"},
          .needs = {"messages"}, .over = kOptionKindsOfUdp, .rows = kStamps) {
  const Stamp& stamp = RowOf(kStamps);
  Deciding(stamp.claim);
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(near.SetOption(stamp.option, stamp.value), Succeeds());
  const Outcome<int> sent = far.Send("when?");
  const Outcome<Received> received = near.ReceiveMessage(64, ControlRoom::Octets(256));
  const ControlItem* item = received.value().Find(stamp.type);
  ASSERT_NE(item, nullptr);
  const Duration told = std::get<std::vector<Duration>>(item->value).at(0);
  // To the microsecond.
  EXPECT_GE(told, sent.begin.time_since_epoch() - 1us);
  EXPECT_LE(told, received.end.time_since_epoch());
}

TEST_WITH(SocketLevelTest, SocketLevel, OneOfTheTwoTimestampsIsTold,
          .claims = {"man:socket(7)-SO_TIMESTAMP-exclusive"}, .over = kOptionKinds) {
  for (const auto& [first, second] :
       {std::pair("SO_TIMESTAMP", "SO_TIMESTAMPNS"), {"SO_TIMESTAMPNS", "SO_TIMESTAMP"}}) {
    Socket socket = NewSocket();
    ASSERT_THAT(socket.SetOption(first, 1), Succeeds());
    socket.SetOption(second, 1);
    const bool both = socket.GetOption(first).value() != 0 && socket.GetOption(second).value() != 0;
    EXPECT_FALSE(both) << first << " and " << second;
  }
}

TEST_WITH(SocketLevelTest, SocketLevel, AnUnknownTimestampIsInvalidAndChangesNothing,
          .claims = {"linux:SO_TIMESTAMPING-EINVAL"}, .over = kOptionKindsOfUdp) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption("SO_TIMESTAMPING", kSoftwareStamps), Succeeds());
  EXPECT_THAT(socket.SetOption("SO_TIMESTAMPING", 1 << 30), FailsWith(EINVAL));
  EXPECT_THAT(socket.GetOption("SO_TIMESTAMPING"), Returns(kSoftwareStamps));
}

}  // namespace
}  // namespace sockproof
