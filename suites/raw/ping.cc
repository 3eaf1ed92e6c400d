// Sockets of ICMP echo: Linux commit c319b4d76b9e, and icmp(7) of the Linux man-pages.
#include <initializer_list>
#include <string>

#include "harness/test/test.h"

namespace sockproof {
namespace {

inline constexpr Family kPingIpv4[] = {kIpv4Family};

class PingTest : public SocketsTest {
 protected:
  // The agent is in group 0.
  Socket EchoSocket() {
    sut.SetSysctl("net.ipv4.ping_group_range", "0 0");
    return sut.OpenSocket("AF_INET", "SOCK_DGRAM", {}, "IPPROTO_ICMP").value();
  }
  // An echo request with the identifier 0x1234, the number 1 and a checksum, and its text.
  static std::string Request() { return {"\x08\0\xe5\xca\x12\x34\0\x01", 8}; }
  // Of a message of ICMP.
  static int TypeIn(const std::string& message) {
    return message.empty() ? -1 : static_cast<std::uint8_t>(message[0]);
  }
  static int IdentifierIn(const std::string& message) {
    if (message.size() < 8) return -1;
    return static_cast<std::uint8_t>(message[4]) << 8 | static_cast<std::uint8_t>(message[5]);
  }
};

TEST_WITH(PingTest, EchoSockets, TheIdentifierOfTheirMessagesIsTheirPort,
          .claims = {"linux:ping-identifier"}, .over = kPingIpv4) {
  Socket socket = EchoSocket();
  ASSERT_THAT(socket.Bind(Loopback(0)), Succeeds());
  const std::uint16_t port = socket.LocalEndpoint().port;
  ASSERT_THAT(socket.SendTo(Loopback(0), Request()), Returns(8));
  const std::string reply = socket.Receive(64).value();
  EXPECT_EQ(TypeIn(reply), 0) << "no echo reply";
  EXPECT_EQ(IdentifierIn(reply), port);
}

TEST_WITH(PingTest, EchoSockets, PortZeroIsAFreeOneOfTheSystemsChoice,
          .claims = {"linux:ping-port-zero"}, .over = kPingIpv4) {
  Socket one = EchoSocket();
  Socket other = EchoSocket();
  for (Socket* socket : {&one, &other}) {
    ASSERT_THAT(socket->Bind(Loopback(0)), Succeeds());
    EXPECT_NE(socket->LocalEndpoint().port, 0);
  }
  EXPECT_NE(one.LocalEndpoint().port, other.LocalEndpoint().port);
}

TEST_WITH(PingTest, EchoSockets, ThePortOfAPeerIsIgnored, .claims = {"linux:ping-remote-port"},
          .over = kPingIpv4) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 7, 4711}) {
    Socket socket = EchoSocket();
    ASSERT_THAT(socket.Connect(Loopback(port)), Succeeds());
    ASSERT_THAT(socket.Send(Request()), Returns(8));
    EXPECT_EQ(TypeIn(socket.Receive(64).value()), 0) << "no echo reply, with port " << port;
  }
}

}  // namespace
}  // namespace sockproof
