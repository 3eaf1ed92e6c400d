// What connect() takes, and what it does to a socket: connect(2), ip(7) and udp(7) of the Linux
// man-pages, POSIX. Over loopback; the segments of it are in suites/tcp.
#include <netinet/in.h>

#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::AnyOf;

TEST_WITH_SOCKETS(Connect, OfAConnectedSocketFails,
                  .claims = {"man:connect(2)-EISCONN", "posix:connect-EISCONN"},
                  .over = kEachConnection) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(client.Connect(listener.LocalName().value()), FailsWith(EISCONN));
  EXPECT_THAT(client.Send("still connected"), Returns(15));
  Socket server = listener.Accept().value().socket;
  EXPECT_THAT(server.Receive(64), Returns("still connected"));
}

TEST_WITH_SOCKETS(Connect, OfAListenerMayFailWithEopnotsupp, .claims = {"posix:connect-EOPNOTSUPP"},
                  .over = kEachIp) {
  Socket listener = Listening();
  const auto connected = listener.Connect(listener.LocalName().value());
  if (connected.error() == EOPNOTSUPP) return;
  NotTaken("posix:connect-EOPNOTSUPP",
           connected.ok() ? "it succeeds" : "it fails with " + ErrnoName(connected.error()));
}

TEST_WITH_SOCKETS(Connect, WhereNobodyListensIsRefused,
                  .claims = {"man:connect(2)-ECONNREFUSED", "posix:connect-ECONNREFUSED"},
                  .over = kEachConnection) {
  Socket nobody = Bound();
  const auto connected = NewSocket().Connect(nobody.LocalName().value());
  // POSIX has ECONNRESET for a request that the other host resets, which is how TCP refuses one.
  Deciding("posix:connect-ECONNREFUSED");
  EXPECT_THAT(connected, AnyOf(FailsWith(ECONNREFUSED), FailsWith(ECONNRESET)));
  Deciding("man:connect(2)-ECONNREFUSED");
  EXPECT_THAT(connected, FailsWith(ECONNREFUSED));
}

TEST_WITH_SOCKETS(Connect, ToAnAddressOfAnotherFamilyFails,
                  .claims = {"man:connect(2)-EAFNOSUPPORT", "posix:connect-EAFNOSUPPORT"}) {
  const char* const other = family.ip == IpVersion::kIpv4 ? "::1" : "127.0.0.1";
  // Whatever the family says, what follows it is long enough for either.
  const Name name = Name(IpAddress(other), 80).WithLength(sizeof(sockaddr_in6));
  const auto connected = NewSocket().Connect(name);
  // POSIX has EINVAL for an invalid family too.
  Deciding("posix:connect-EAFNOSUPPORT");
  EXPECT_THAT(connected, AnyOf(FailsWith(EAFNOSUPPORT), FailsWith(EINVAL)));
  Deciding("man:connect(2)-EAFNOSUPPORT");
  EXPECT_THAT(connected, FailsWith(EAFNOSUPPORT));
}

TEST_WITH_SOCKETS(Connect, AnAddressThatIsTooShortMayFailWithEinval,
                  .claims = {"posix:connect-EINVAL-length"}, .over = kEachIp) {
  Socket listener = Listening();
  for (const int length : {0, 1, 4, 7}) {
    const Name name = listener.LocalName().value().WithLength(length);
    const auto connected = NewSocket().Connect(name);
    if (connected.error() == EINVAL) continue;
    NotTaken("posix:connect-EINVAL-length",
             connected.ok() ? "it succeeds" : "it fails with " + ErrnoName(connected.error()));
    return;
  }
}

TEST_WITH_SOCKETS(Connect, WithoutARouteFailsAtOnce,
                  .claims = {"man:connect(2)-ENETUNREACH", "posix:connect-ENETUNREACH"},
                  .needs = {"fresh"}) {
  const char* const elsewhere = family.ip == IpVersion::kIpv4 ? "203.0.113.7" : "2001:db8:7::7";
  // ip(7) has EHOSTUNREACH for a table of routes without one; in POSIX, too, it fits as well.
  EXPECT_THAT(NewSocket().Connect(Name(IpAddress(elsewhere), 80)),
              AnyOf(FailsWith(ENETUNREACH), FailsWith(EHOSTUNREACH)));
}

TEST_WITH_SOCKETS(Connect, BindsAnUnboundSocket, .claims = {"man:ip(7)-connect-unbound"},
                  .over = kEachIp) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_NE(client.LocalEndpoint().port, 0);
}

TEST_WITH_SOCKETS(Connect, ToTheUnspecifiedFamilyEndsAConnectionAndTheSocketMayConnectAnew,
                  .claims = {"man:connect(2)-AF_UNSPEC"}, .over = kEachIp) {
  Socket listener = Listening();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(client.Connect(Name::Unspecified()), Succeeds());
  EXPECT_THAT(client.PeerName(), FailsWith(ENOTCONN));
  EXPECT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(client.PeerName(), Returns(listener.LocalName().value()));
}

TEST_WITH_SOCKETS(Connect, OfANonblockingSocketIsInProgressOrDone,
                  .claims = {"man:connect(2)-EINPROGRESS", "posix:connect-EINPROGRESS"},
                  .over = kEachIp) {
  Socket listener = Listening();
  Socket client = NewSocket({"SOCK_NONBLOCK"});
  ASSERT_THAT(client.Connect(listener.LocalName().value()),
              AnyOf(Succeeds(), FailsWith(EINPROGRESS)));
  EXPECT_THAT(client.Poll({"POLLOUT"}, 2000ms), Returns(Events{"POLLOUT"}));
  EXPECT_EQ(client.TakeError(), 0);
}

// --- datagrams -----------------------------------------------------------------------------------

TEST_WITH_SOCKETS(ConnectDatagrams, SaysWhereTheyGo, .claims = {"man:connect(2)-datagram"},
                  .over = kEachDatagram) {
  Socket receiver = Bound();
  Socket sender = NewSocket();
  ASSERT_THAT(sender.Connect(receiver.LocalName().value()), Succeeds());
  EXPECT_THAT(sender.Send("to you"), Returns(6));
  EXPECT_THAT(receiver.Receive(64), Returns("to you"));
}

TEST_WITH_SOCKETS(ConnectDatagrams, MaySayItAnew, .claims = {"man:connect(2)-datagram-again"},
                  .over = kEachDatagram) {
  Socket first = Bound();
  Socket second = Bound();
  Socket sender = NewSocket();
  ASSERT_THAT(sender.Connect(first.LocalName().value()), Succeeds());
  ASSERT_THAT(sender.Connect(second.LocalName().value()), Succeeds());
  EXPECT_THAT(sender.Send("to the second"), Returns(13));
  EXPECT_THAT(second.Receive(64), Returns("to the second"));
  EXPECT_THAT(first.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH_SOCKETS(ConnectDatagrams, TakesThoseOfTheOthersAway,
                  .claims = {"man:connect(2)-datagram"}, .over = kEachIpDatagram) {
  Socket peer = Bound();
  Socket stranger = NewSocket();
  Socket socket = Bound();
  ASSERT_THAT(socket.Connect(peer.LocalName().value()), Succeeds());
  const Name here = socket.LocalName().value();
  EXPECT_THAT(stranger.SendTo(here, "of a stranger"), Returns(13));
  EXPECT_THAT(peer.SendTo(here, "of the peer"), Returns(11));
  EXPECT_THAT(socket.Receive(64), Returns("of the peer"));
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH_SOCKETS(ConnectDatagrams, ToTheUnspecifiedFamilyEndsIt,
                  .claims = {"man:connect(2)-AF_UNSPEC", "posix:connect-dissolve"},
                  .over = kEachDatagram) {
  Socket peer = Bound();
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Connect(peer.LocalName().value()), Succeeds());
  ASSERT_THAT(socket.Connect(Name::Unspecified()),
              AnyOf(Succeeds(), FailsWith(EAFNOSUPPORT)));  // as BSD does, which resets it too
  EXPECT_THAT(socket.PeerName(), FailsWith(ENOTCONN));
}

}  // namespace
}  // namespace sockproof
