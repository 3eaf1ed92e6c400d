// Which names sockets have: getsockname(2), getpeername(2), ip(7) and ipv6(7) of the Linux
// man-pages, POSIX.
#include <netinet/in.h>

#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Names, APeerHasNoneBeforeAConnection,
                  .claims = {"man:getpeername(2)-ENOTCONN", "posix:getpeername-ENOTCONN"},
                  .over = kEachFamily) {
  EXPECT_THAT(NewSocket().PeerName(), FailsWith(ENOTCONN));
  EXPECT_THAT(Bound().PeerName(), FailsWith(ENOTCONN));
}

TEST_WITH_SOCKETS(Names, EachEndHasTheOtherForItsPeer,
                  .claims = {"man:getpeername(2)-peer", "posix:getpeername-peer"},
                  .over = kEachIp) {
  auto [client, server] = ConnectedPair();
  EXPECT_THAT(client.PeerName(), Returns(server.LocalName().value()));
  EXPECT_THAT(server.PeerName(), Returns(client.LocalName().value()));
}

TEST_WITH_SOCKETS(Names, AConnectionThroughTheWildcardHasAConcreteOne,
                  .claims = {"posix:getsockname-bound"}, .over = kEachIp) {
  Socket listener = NewSocket();
  ASSERT_THAT(listener.Bind(Wildcard()), Succeeds());
  ASSERT_THAT(listener.Listen(1), Succeeds());
  Socket client = NewSocket();
  const Name destination = Loopback(listener.LocalEndpoint().port);
  ASSERT_THAT(client.Connect(destination), Succeeds());
  Socket server = listener.Accept().value().socket;
  EXPECT_THAT(server.LocalName(), Returns(destination));
}

TEST_WITH_SOCKETS(Names, AnIpv4ClientOfAnIpv6ListenerHasAMappedOne,
                  .claims = {"man:ipv6(7)-mapped-source"}, .over = kOnce) {
  Socket listener = sut.NewSocket("AF_INET6", "SOCK_STREAM");
  listener.SetOption("IPV6_V6ONLY", 0).value();
  ASSERT_THAT(listener.Bind(Name(IpAddress("::"), 0)), Succeeds());
  ASSERT_THAT(listener.Listen(1), Succeeds());
  Socket client = sut.NewSocket("AF_INET", "SOCK_STREAM");
  const std::uint16_t port = listener.LocalEndpoint().port;
  ASSERT_THAT(client.Connect(Name(IpAddress("127.0.0.1"), port)), Succeeds());
  const Name remote = listener.Accept().value().remote;
  EXPECT_EQ(remote, Name(IpAddress("::ffff:127.0.0.1"), client.LocalEndpoint().port));
}

TEST_WITH_SOCKETS(Names, OneThatDoesNotFitIsCutAndItsTrueLengthTold,
                  .claims = {"man:getsockname(2)-truncated", "man:getpeername(2)-truncated",
                             "posix:getsockname-truncated"},
                  .over = kEachIp) {
  auto [client, server] = ConnectedPair();
  const int length = client.LocalName(128).value().length().value();
  Deciding("posix:getsockname-truncated");
  EXPECT_THAT(client.LocalName(4), Succeeds());
  Deciding("man:getsockname(2)-truncated");
  EXPECT_EQ(client.LocalName(4).value().length(), length);
  EXPECT_EQ(client.LocalName(0).value().length(), length);
  Deciding("man:getpeername(2)-truncated");
  EXPECT_EQ(client.PeerName(4).value().length(), length);
  EXPECT_EQ(client.PeerName(0).value().length(), length);
}

TEST_WITH_SOCKETS(Names, ANegativeLengthFails,
                  .claims = {"man:getsockname(2)-EINVAL", "man:getpeername(2)-EINVAL"},
                  .over = kEachIp) {
  auto [client, server] = ConnectedPair();
  Deciding("man:getsockname(2)-EINVAL");
  EXPECT_THAT(client.LocalName(-1), FailsWith(EINVAL));
  Deciding("man:getpeername(2)-EINVAL");
  EXPECT_THAT(client.PeerName(-1), FailsWith(EINVAL));
}

TEST_WITH_SOCKETS(Names, OfTheInternetAreAsLongAsTheirStructure,
                  .claims = {"man:getsockname(2)-length"}) {
  const int length = Bound().LocalName(128).value().length().value();
  EXPECT_EQ(length, static_cast<int>(family.ip == IpVersion::kIpv4 ? sizeof(sockaddr_in)
                                                                   : sizeof(sockaddr_in6)));
}

}  // namespace
}  // namespace sockproof
