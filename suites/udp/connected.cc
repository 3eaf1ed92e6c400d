// connect() of a datagram socket: POSIX, connect(2), udp(7).
#include "suites/udp/udp_test.h"

using namespace sockproof;

TEST_WITH(UdpTest, UdpConnect, SetsTheDestinationAndSendsNothing,
          .claims = {"posix:connect-datagram", "man:udp(7)-connect"}) {
  auto [socket, peer] = Connected();
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "connect() sends something";
  ASSERT_THAT(socket.Send("there"), Returns(5));
  peer.Expect(Datagram("there"));
}

TEST_WITH(UdpTest, UdpConnect, KeepsOthersOut, .claims = {"posix:connect-datagram"}) {
  Dialogue dialogue = Connected();
  ScriptedUdp& other = host.UdpTowards(*dialogue.peer.remote(), NextPort());
  other.Send(Datagram("from another port"));
  const IpAddress elsewhere(IsIpv4() ? "192.0.2.77" : "2001:db8::77");
  dialogue.peer.Send(Datagram("from another address").Source(elsewhere));
  ExpectNothingReceived(dialogue);
}

TEST_WITH(UdpTest, UdpConnect, TellsThePeerAndTheLocalAddress,
          .claims = {"posix:connect-datagram", "posix:connect-binds"}) {
  auto [socket, peer] = Connected();
  Deciding("posix:connect-datagram");
  EXPECT_EQ(socket.RemoteEndpoint(), peer.local());
  Deciding("posix:connect-binds");
  EXPECT_EQ(socket.LocalEndpoint().address, sut.Address(ip));
  EXPECT_NE(socket.LocalEndpoint().port, 0);
}

TEST_WITH(UdpTest, UdpConnect, AgainChangesBoth, .claims = {"man:connect(2)-again"}) {
  auto [socket, peer] = Connected();
  ScriptedUdp& other = host.UdpTowards(*peer.remote(), NextPort());
  ASSERT_THAT(socket.Connect(other.local()), Succeeds());
  ASSERT_THAT(socket.Send("to the other"), Returns(12));
  other.Expect(Datagram("to the other"));
  peer.Send(Datagram("no more"));
  other.Send(Datagram("instead"));
  EXPECT_THAT(socket.Receive(64), Returns("instead"));
  EXPECT_EQ(peer.waiting(), 0U);
}

TEST_WITH(UdpTest, UdpConnect, ToNoFamilyDissolvesIt,
          .claims = {"man:connect(2)-AF_UNSPEC", "posix:connect-reset",
                     "posix:getpeername-ENOTCONN", "posix:send-EDESTADDRREQ"}) {
  auto [socket, peer] = Connected();
  const Outcome<int> dissolved = socket.Connect(Name::Unspecified());
  Deciding("man:connect(2)-AF_UNSPEC");
  EXPECT_THAT(dissolved, Succeeds());
  if (!dissolved.ok()) NotReached("the association stands");
  Deciding("posix:connect-reset");
  const Outcome<int> sent = socket.Send("to whom?");
  EXPECT_THAT(sent, testing::Not(Succeeds()));
  Deciding("posix:getpeername-ENOTCONN");
  EXPECT_THAT(socket.PeerName(), FailsWith(ENOTCONN));
  Deciding("posix:send-EDESTADDRREQ");
  EXPECT_THAT(sent, testing::AnyOf(FailsWith(EDESTADDRREQ), FailsWith(ENOTCONN)));
}

TEST_WITH(UdpTest, UdpConnect, DissolvedOthersAreLetIn, .claims = {"man:connect(2)-AF_UNSPEC"}) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.Connect(peer.local()), Succeeds());
  ASSERT_THAT(socket.Connect(Name::Unspecified()), Succeeds());
  ScriptedUdp& other = host.UdpTowards(*peer.remote(), NextPort());
  other.Send(Datagram("me too"));
  ExpectReceived(socket, "me too", other.local());
}

TEST_WITH(UdpTest, UdpConnect, DoesNotKeepFromSendingElsewhere, .claims = {"man:udp(7)-sendto"}) {
  auto [socket, peer] = Connected();
  ScriptedUdp& other = host.UdpTowards(*peer.remote(), NextPort());
  ASSERT_THAT(socket.SendTo(other.local(), "elsewhere"), Returns(9));
  other.Expect(Datagram("elsewhere"));
  ASSERT_THAT(socket.Send("as always"), Returns(9));
  peer.Expect(Datagram("as always"));
}

TEST_WITH(UdpTest, UdpConnect, WithoutItThereIsNoPeer, .claims = {"posix:getpeername-ENOTCONN"}) {
  auto [socket, peer] = Bound();
  EXPECT_THAT(socket.PeerName(), FailsWith(ENOTCONN));
}

TEST_WITH(UdpTest, UdpConnect, ToBroadcastNeedsTheFlag, .claims = {"man:connect(2)-EACCES-broadcast"},
          .ipv4_only_because = "IPv6 has no broadcast") {
  Socket socket = NewUdp();
  const Endpoint everybody{IpAddress("192.0.2.255"), 9};
  const Outcome<int> refused = socket.Connect(everybody);
  EXPECT_TRUE(refused.error() == EACCES || refused.error() == EPERM)
      << "  Observed: " << testing::PrintToString(refused);
  ASSERT_THAT(socket.SetOption("SO_BROADCAST", 1), Succeeds());
  EXPECT_THAT(socket.Connect(everybody), Succeeds());
}
