// What bind() takes and what it gives: bind(2), ip(7) and ipv6(7) of the Linux man-pages, POSIX.
// Which addresses conflict is in bind_conflicts.cc.
#include <netinet/in.h>

#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Bind, ASecondOneFails, .claims = {"man:bind(2)-EINVAL", "posix:bind-EINVAL"},
                  .over = kEachFamily) {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Bind(Loopback()), Succeeds());
  const Name bound = socket.LocalName().value();
  const Name another = family.is_unix() ? Name(UnixName::Abstract("another")) : Loopback();
  const auto again = socket.Bind(another);
  // POSIX lets a protocol support a new address.
  Deciding("posix:bind-EINVAL");
  EXPECT_THAT(again, testing::AnyOf(Succeeds(), FailsWith(EINVAL)));
  Deciding("man:bind(2)-EINVAL");
  EXPECT_THAT(again, FailsWith(EINVAL));
  EXPECT_THAT(socket.LocalName(), Returns(bound));
}

TEST_WITH_SOCKETS(Bind, OfAConnectedSocketFails,
                  .claims = {"man:bind(2)-EINVAL", "posix:bind-connected"}, .over = kEachIp) {
  auto [client, server] = ConnectedPair();
  const auto bound = client.Bind(Loopback());
  Deciding("man:bind(2)-EINVAL");
  EXPECT_THAT(bound, FailsWith(EINVAL));
  // POSIX lets a protocol support a new address.
  Deciding("posix:bind-connected");
  EXPECT_THAT(bound, testing::AnyOf(Succeeds(), FailsWith(EINVAL), FailsWith(EISCONN)));
}

TEST_WITH_SOCKETS(Bind, PortZeroGivesOneOfTheRange, .claims = {"man:ip(7)-ip_local_port_range"},
                  .needs = {"sysctl"}, .over = kEachIp) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "45000 45009");
  for (int i = 0; i < 5; ++i) {
    Socket socket = NewSocket();
    ASSERT_THAT(socket.Bind(Loopback()), Succeeds());
    EXPECT_THAT(socket.LocalEndpoint().port,
                testing::AllOf(testing::Ge(45000), testing::Le(45009)));
  }
}

TEST_WITH_SOCKETS(Bind, PortZeroGivesEachSocketItsOwn, .claims = {"man:ip(7)-ephemeral-port"},
                  .over = kEachIp) {
  Socket one = NewSocket();
  Socket other = NewSocket();
  ASSERT_THAT(one.Bind(Loopback()), Succeeds());
  ASSERT_THAT(other.Bind(Loopback()), Succeeds());
  EXPECT_NE(one.LocalEndpoint().port, 0);
  EXPECT_NE(one.LocalEndpoint().port, other.LocalEndpoint().port);
}

TEST_WITH_SOCKETS(Bind, FailsWhenThePortsHaveRunOut, .claims = {"man:bind(2)-EADDRINUSE-ports"},
                  .needs = {"sysctl"}, .over = kEachIp) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "45000 45001");
  for (int i = 0; i < 2; ++i) ASSERT_THAT(NewSocket().Bind(Loopback()), Succeeds());
  EXPECT_THAT(NewSocket().Bind(Loopback()), FailsWith(EADDRINUSE));
}

TEST_WITH_SOCKETS(Bind, AnAddressOfAnotherFamilyFails,
                  .claims = {"posix:bind-EAFNOSUPPORT", "man:bind(2)-EINVAL-address"}) {
  const char* const other = family.ip == IpVersion::kIpv4 ? "::1" : "127.0.0.1";
  // Whatever the family says, what follows it is long enough for either.
  const auto bound = NewSocket().Bind(Name(IpAddress(other), 0).WithLength(sizeof(sockaddr_in6)));
  Deciding("posix:bind-EAFNOSUPPORT");
  EXPECT_THAT(bound, FailsWith(EAFNOSUPPORT));
  Deciding("man:bind(2)-EINVAL-address");
  EXPECT_THAT(bound, FailsWith(EINVAL));
}

TEST_WITH_SOCKETS(Bind, AnAddressThatIsTooShortFails, .claims = {"man:bind(2)-EINVAL-length"},
                  .over = kEachIp) {
  // The port ends after 4 octets, the address of IPv4 after 8.
  for (const int length : {0, 1, 4, 7}) {
    EXPECT_THAT(NewSocket().Bind(Loopback().WithLength(length)), FailsWith(EINVAL)) << length;
  }
}

TEST_WITH_SOCKETS(Bind, AnAddressThatIsNotLocalFails,
                  .claims = {"posix:bind-EADDRNOTAVAIL", "man:bind(2)-EADDRNOTAVAIL"}) {
  const char* const elsewhere = family.ip == IpVersion::kIpv4 ? "203.0.113.7" : "2001:db8:7::7";
  EXPECT_THAT(NewSocket().Bind(Name(IpAddress(elsewhere), 0)), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH_SOCKETS(Bind, FreebindTakesAnAddressThatIsNotLocal, .claims = {"man:ip(7)-IP_FREEBIND"},
                  .ipv4_only_because = "ipv6(7) has no such option") {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.SetOption("IP_FREEBIND", 1), Succeeds());
  EXPECT_THAT(socket.Bind(Name(IpAddress("203.0.113.7"), 0)), Succeeds());
}

TEST_WITH_SOCKETS(Bind, TheUnspecifiedFamilyWithTheWildcardIsTakenForIpv4,
                  .claims = {"linux:bind-AF_UNSPEC"},
                  .ipv4_only_because = "of IPv6 no comment says it") {
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Bind(Name::Unspecified()), Succeeds());
  EXPECT_EQ(socket.LocalEndpoint().address, IpAddress("0.0.0.0"));
  EXPECT_NE(socket.LocalEndpoint().port, 0);
}

}  // namespace
}  // namespace sockproof
