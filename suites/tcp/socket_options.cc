// Options of sockets that no other suite is about: socket(7) and tcp(7).
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

TEST_WITH_PEER(SocketOptions, SoDomainTellsTheDomainAndCannotBeSet,
               .claims = {"man:socket(7)-SO_DOMAIN"}) {
  Socket socket = sut.NewSocket(ip);
  const int domain = ip == IpVersion::kIpv4 ? AF_INET : AF_INET6;
  EXPECT_THAT(socket.GetOption("SO_DOMAIN"), Returns(domain));
  EXPECT_THAT(socket.SetOption("SO_DOMAIN", domain), testing::Not(Succeeds()));
}

TEST_WITH_PEER(SocketOptions, SoProtocolTellsTheProtocolAndCannotBeSet,
               .claims = {"man:socket(7)-SO_PROTOCOL"}) {
  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.GetOption("SO_PROTOCOL"), Returns(IPPROTO_TCP));
  EXPECT_THAT(socket.SetOption("SO_PROTOCOL", IPPROTO_TCP), testing::Not(Succeeds()));
}

TEST_WITH_PEER(SocketOptions, SoSndlowatCannotBeSet, .claims = {"man:socket(7)-SO_SNDLOWAT"}) {
  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.SetOption("SO_SNDLOWAT", 1), FailsWith(ENOPROTOOPT));
}

TEST_WITH_PEER(SocketOptions, SoRcvbufIsDoubled, .claims = {"man:socket(7)-SO_RCVBUF"}) {
  Socket socket = sut.NewSocket(ip);
  for (const int octets : {10'000, 50'000}) {
    ASSERT_THAT(socket.SetOption("SO_RCVBUF", octets), Succeeds());
    EXPECT_THAT(socket.GetOption("SO_RCVBUF"), Returns(2 * octets));
  }
}

TEST_WITH_PEER(SocketOptions, TcpWindowClampBoundsTheWindowThatIsSent,
               .claims = {"man:tcp(7)-TCP_WINDOW_CLAMP"}) {
  constexpr int kClamp = 5000;
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption("TCP_WINDOW_CLAMP", kClamp), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  peer.Send(SynAck());
  EXPECT_LE(peer.Expect(Ack()).window, kClamp);
  connecting.Await().value();
}

// --- SO_LINGER -----------------------------------------------------------------------------------

TEST_WITH_PEER(
    SocketOptions, WithSoLingerCloseWaitsForAsLongAsItSays, .claims = {"man:socket(7)-SO_LINGER"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetLinger(1), Succeeds());
  ASSERT_THAT(socket.Send("never acknowledged"), Returns(18));
  const Outcome<int> closed = socket.Close();
  EXPECT_THAT(closed.end - closed.begin, OwnTimer(1s, sut.facts()));
}

TEST_WITH_PEER(SocketOptions, WithSoLingerCloseReturnsOnceAllIsAcknowledged,
               .claims = {"man:socket(7)-SO_LINGER"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetLinger(60), Succeeds());
  ASSERT_THAT(socket.Send("acknowledged"), Returns(12));
  Pending<int> closing = socket.StartClose();
  peer.Expect(Data("acknowledged"));
  peer.Expect(Fin().Seq(peer.rcv_nxt));
  const Segment acknowledgment = peer.Send(Ack());
  const Outcome<int> closed = closing.Await();
  EXPECT_THAT(closed, Succeeds());
  EXPECT_GT(closed.end, acknowledgment.time) << "it does not wait";
}
