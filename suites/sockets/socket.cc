// Making sockets: socket(2), socketpair(2), socket(7) and ip(7) of the Linux man-pages, POSIX.
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Socket, AnUnknownFamilyFails,
                  .claims = {"man:socket(2)-EAFNOSUPPORT", "posix:socket-EAFNOSUPPORT"},
                  .over = kOnce) {
  const auto opened = sut.OpenSocket("0x7fff", "SOCK_STREAM");
  Deciding("posix:socket-EAFNOSUPPORT");
  EXPECT_THAT(opened, FailsWith(EAFNOSUPPORT));
  // socket(2) has EINVAL for a family that is not available.
  Deciding("man:socket(2)-EAFNOSUPPORT");
  EXPECT_THAT(opened, testing::AnyOf(FailsWith(EAFNOSUPPORT), FailsWith(EINVAL)));
}

TEST_WITH_SOCKETS(Socket, ATypeThatTheFamilyDoesNotHaveFails,
                  .claims = {"man:ip(7)-ESOCKTNOSUPPORT"}) {
  // Not SOCK_SEQPACKET, which SCTP has. socket(2) has EPROTONOSUPPORT for it, POSIX EPROTOTYPE.
  EXPECT_THAT(sut.OpenSocket(std::string(family.domain), "SOCK_RDM"),
              testing::AnyOf(FailsWith(ESOCKTNOSUPPORT), FailsWith(EPROTONOSUPPORT),
                             FailsWith(EPROTOTYPE)));
}

TEST_WITH_SOCKETS(Socket, AProtocolThatTheTypeDoesNotHaveFails,
                  .claims = {"man:socket(2)-EPROTONOSUPPORT", "posix:socket-EPROTONOSUPPORT"}) {
  const auto opened = sut.OpenSocket(std::string(family.domain), "SOCK_STREAM", {}, "IPPROTO_UDP");
  Deciding("man:socket(2)-EPROTONOSUPPORT");
  EXPECT_THAT(opened, FailsWith(EPROTONOSUPPORT));
  Deciding("posix:socket-EPROTONOSUPPORT");
  EXPECT_THAT(opened, testing::AnyOf(FailsWith(EPROTONOSUPPORT), FailsWith(EPROTOTYPE)));
}

TEST_WITH_SOCKETS(Socket, TheLowestFreeDescriptorIsGiven,
                  .claims = {"man:socket(2)-lowest-descriptor", "posix:lowest-descriptor"},
                  .over = kEachFamily) {
  Socket first = NewSocket();
  Socket second = NewSocket();
  EXPECT_GT(second.fd(), first.fd());
  ASSERT_THAT(first.Close(), Succeeds());
  EXPECT_EQ(NewSocket().fd(), first.fd());
}

TEST_WITH_SOCKETS(Socket, SockNonblockSetsONonblock, .claims = {"man:socket(2)-SOCK_NONBLOCK"},
                  .over = kEachFamily) {
  for (const bool nonblocking : {false, true}) {
    std::vector<std::string> flags;
    if (nonblocking) flags.emplace_back("SOCK_NONBLOCK");
    Socket socket =
        sut.OpenSocket(std::string(family.domain), std::string(family.type), flags).value();
    EXPECT_THAT(socket.IsNonblocking(), Returns(nonblocking ? 1 : 0));
  }
}

TEST_WITH_SOCKETS(Socket, TellsItsDomain, .claims = {"man:socket(7)-SO_DOMAIN"},
                  .over = kEachFamily) {
  const std::string domain(family.domain);
  const int expected = domain == "AF_INET" ? AF_INET : domain == "AF_INET6" ? AF_INET6 : AF_UNIX;
  EXPECT_THAT(NewSocket().GetOption("SO_DOMAIN"), Returns(expected));
}

TEST_WITH_SOCKETS(Socket, TellsItsType, .claims = {"man:socket(7)-SO_TYPE", "posix:SO_TYPE"},
                  .over = kEachFamily) {
  const std::string type(family.type);
  const int expected = type == "SOCK_STREAM"  ? SOCK_STREAM
                       : type == "SOCK_DGRAM" ? SOCK_DGRAM
                                              : SOCK_SEQPACKET;
  EXPECT_THAT(NewSocket().GetOption("SO_TYPE"), Returns(expected));
}

struct DefaultProtocol {
  const char* name;
  const char* type;
  int number;
};
constexpr DefaultProtocol kDefaultProtocols[] = {{"tcp", "SOCK_STREAM", IPPROTO_TCP},
                                                 {"udp", "SOCK_DGRAM", IPPROTO_UDP}};

TEST_WITH_SOCKETS(Socket, ProtocolZeroIsTheOneOfTheType,
                  .claims = {"man:socket(2)-protocol-0", "man:socket(7)-SO_PROTOCOL"},
                  .rows = kDefaultProtocols) {
  const DefaultProtocol& row = RowOf(kDefaultProtocols);
  Socket socket = sut.NewSocket(std::string(family.domain), row.type);
  EXPECT_THAT(socket.GetOption("SO_PROTOCOL"), Returns(row.number));
}

TEST_WITH_SOCKETS(Socket, OptionsThatTellWhatItIsCannotBeSet,
                  .claims = {"man:socket(7)-SO_DOMAIN", "man:socket(7)-SO_PROTOCOL",
                             "man:socket(7)-SO_TYPE"}) {
  Socket socket = NewSocket();
  Deciding("man:socket(7)-SO_DOMAIN");
  EXPECT_THAT(socket.SetOption("SO_DOMAIN", AF_INET), testing::Not(Succeeds()));
  Deciding("man:socket(7)-SO_PROTOCOL");
  EXPECT_THAT(socket.SetOption("SO_PROTOCOL", IPPROTO_TCP), testing::Not(Succeeds()));
  Deciding("man:socket(7)-SO_TYPE");
  EXPECT_THAT(socket.SetOption("SO_TYPE", SOCK_STREAM), testing::Not(Succeeds()));
}

TEST_WITH_SOCKETS(SocketPair, IsConnectedBothWays,
                  .claims = {"man:socketpair(2)-connected", "posix:socketpair-connected"},
                  .over = kEachUnixType) {
  auto [one, other] = sut.SocketPair(std::string(family.type));
  EXPECT_THAT(one.Send("to the other"), Returns(12));
  EXPECT_THAT(other.Send("and back"), Returns(8));
  EXPECT_THAT(other.Receive(64), Returns("to the other"));
  EXPECT_THAT(one.Receive(64), Returns("and back"));
}

TEST_WITH_SOCKETS(SocketPair, HasNoNames, .claims = {"man:socketpair(2)-unnamed"},
                  .over = kEachUnixType) {
  auto [one, other] = sut.SocketPair(std::string(family.type));
  EXPECT_THAT(one.LocalName(), Returns(Name(UnixName::Unnamed())));
  EXPECT_THAT(other.PeerName(), Returns(Name(UnixName::Unnamed())));
}

TEST_WITH_SOCKETS(SocketPair, OfTheInternetFailsAndMakesNothing,
                  .claims = {"man:socketpair(2)-EOPNOTSUPP", "posix:socketpair-EOPNOTSUPP"}) {
  Socket before = NewSocket();
  const std::string domain(family.domain);
  EXPECT_THAT(sut.OpenSocketPair("SOCK_STREAM", {}, domain), FailsWith(EOPNOTSUPP));
  EXPECT_EQ(NewSocket().fd(), before.fd() + 1);
}

}  // namespace
}  // namespace sockproof
