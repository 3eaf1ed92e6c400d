// What options of TCP do that no other suite is about: tcp(7) of the Linux man-pages, ip-sysctl.rst
// and tcp-thin.rst of Linux.
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/options/headers.h"
#include "suites/tcp/schedule.h"

namespace sockproof {
namespace {

using testing::Contains;
using testing::Not;

// Of linux/tcp.h: tcpi_state is the first octet of struct tcp_info.
constexpr int kTcpEstablished = 1;
constexpr int kTcpClosed = 7;
constexpr int kTcpListening = 10;

TEST_WITH_SOCKETS(TcpLevel, TcpInfoBeginsWithTheState, .claims = {"man:tcp(7)-TCP_INFO"}) {
  auto [near, far] = ConnectedPair();
  const auto state_of = [](const Socket& socket) {
    const std::string info = socket.GetOctets("TCP_INFO", 1).value();
    return info.empty() ? -1 : static_cast<int>(info[0]);
  };
  EXPECT_EQ(state_of(NewSocket()), kTcpClosed);
  EXPECT_EQ(state_of(Listening()), kTcpListening);
  EXPECT_EQ(state_of(near), kTcpEstablished);
}

TEST_WITH_SOCKETS(TcpLevel, TcpInfoIsCutToTheBuffer, .claims = {"man:tcp(7)-TCP_INFO"}) {
  // struct tcp_info grows from release to release: who was built with a shorter one gets that much.
  Socket socket = Listening();
  const std::string whole = socket.GetOctets("TCP_INFO", 1024).value();
  constexpr std::size_t kFirst = 104;  // as long as the first struct was
  ASSERT_GE(whole.size(), kFirst);
  for (const int room : {8, 64, 104}) {
    const std::string part = socket.GetOctets("TCP_INFO", room).value();
    EXPECT_EQ(part, whole.substr(0, static_cast<std::size_t>(room)));
  }
}

TEST_WITH_PEER(TcpLevel, PolloutWaitsUntilLessIsUnsentThanTcpNotsentLowat,
               .claims = {"linux:TCP_NOTSENT_LOWAT"}) {
  auto [socket, peer] = Connected({.window = 1000});
  ASSERT_THAT(socket.SetOption("TCP_NOTSENT_LOWAT", 500), Succeeds());
  ASSERT_THAT(socket.Poll({"POLLOUT"}), Returns(Events{"POLLOUT"}));
  // A thousand octets may be sent, and no more than 500 are taken beside them.
  const int taken = socket.Send(std::string(2000, 'x'), {"MSG_DONTWAIT"}).value();
  if (taken < 1500) NotReached("less is waiting than TCP_NOTSENT_LOWAT says");
  EXPECT_THAT(socket.Poll({"POLLOUT"}).value(), Not(Contains("POLLOUT")));
  peer.Expect(AnyData());
  peer.Send(Ack().Window(60'000));
  EXPECT_THAT(socket.Poll({"POLLOUT"}, 1s), Returns(Events{"POLLOUT"}));
}

TEST_WITH_SOCKETS(TcpLevel, TcpNotsentLowatIsReadAsItWasSet,
                  .claims = {"linux:TCP_NOTSENT_LOWAT"}) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption("TCP_NOTSENT_LOWAT", 4711), Succeeds());
  EXPECT_THAT(socket.GetOption("TCP_NOTSENT_LOWAT"), Returns(4711));
}

TEST_WITH_PEER(
    TcpLevel, OfAThinStreamTheFirstTimeoutsAreLinear, .claims = {"linux:tcp_thin_linear_timeouts"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("TCP_THIN_LINEAR_TIMEOUTS", 1), Succeeds());
  ASSERT_THAT(socket.Send("thin"), Returns(4));
  std::vector<Time> sent = {peer.Expect(Data("thin")).time};
  for (int time = 0; time < 5; ++time) {
    sent.push_back(peer.Expect(Data("thin"), OpeningPatience()).time);
  }
  // Not counting the probe that may come before the first timeout (RFC 8985).
  const Duration second = sent[3] - sent[2];
  const Duration fourth = sent[5] - sent[4];
  EXPECT_THAT(fourth, LastsAtMost(second * 3 / 2));
}

TEST_WITH_SOCKETS(TcpLevel, TheKeyOfFastOpenCookiesIsSetForASocket,
                  .claims = {"linux:TCP_FASTOPEN_KEY"}) {
  Socket socket = NewSocket();
  Bytes key;
  for (std::uint8_t octet = 1; octet <= 16; ++octet) key.push_back(octet);
  ASSERT_THAT(socket.SetOption("TCP_FASTOPEN_KEY", key), Succeeds());
  EXPECT_THAT(socket.GetOctets("TCP_FASTOPEN_KEY", 64),
              Returns(std::string(key.begin(), key.end())));
}

}  // namespace
}  // namespace sockproof
