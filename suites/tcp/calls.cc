// The calls of RFC 9293 section 3.9.1 in states in which other suites make none.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(Calls, CloseInSynSentLeavesNothingBehind,
               .claims = {"rfc9293:3.10.4-close-syn-sent"}) {
  Connection connection = InState(TcpState::kSynSent);
  auto& [socket, peer] = connection;
  ASSERT_THAT(socket.Close(), Succeeds());
  const Segment answer = peer.Send(SynAck());
  peer.Expect(Rst().Seq(answer.ack));
}

TEST_WITH_PEER(Calls, CloseInListenLeavesNothingBehind, .claims = {"rfc9293:3.10.4-close-listen"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  ASSERT_THAT(listener.Close(), Succeeds());
  const Segment syn = peer.Send(Syn());
  peer.Expect(Rst().With(kAck).Seq(0).Ack(syn.seq + 1));
}

TEST_WITH_PEER(Calls, WithoutALocalAddressAListenerTakesConnectionsToAny,
               .claims = {"rfc9293:3.9.1.1-passive-any-address"}) {
  Socket listener = sut.NewSocket(ip);
  const IpAddress any(ip == IpVersion::kIpv4 ? "0.0.0.0" : "::");
  const Endpoint on_the_wire = sut.At(ip, 9100);
  ASSERT_THAT(listener.Bind({any, on_the_wire.port}), Succeeds());
  ASSERT_THAT(listener.Listen(4), Succeeds());
  ScriptedTcp& peer = host.Towards(on_the_wire, NextPort());
  peer.Send(Syn());
  peer.Expect(SynAck());
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;
  EXPECT_EQ(socket.LocalEndpoint().ToString(), on_the_wire.ToString());

  const IpAddress loopback(ip == IpVersion::kIpv4 ? "127.0.0.1" : "::1");
  Socket near = sut.NewSocket(ip);
  ASSERT_THAT(near.Connect({loopback, on_the_wire.port}), Succeeds());
  Socket near_end = listener.Accept().value().socket;
  EXPECT_EQ(near_end.LocalEndpoint().address.ToString(), loopback.ToString());
}

TEST_WITH_PEER(Calls, WithALocalAddressAListenerTakesConnectionsToItAlone,
               .claims = {"rfc9293:3.9.1.1-passive-one-address"}) {
  const IpAddress loopback(ip == IpVersion::kIpv4 ? "127.0.0.1" : "::1");
  Socket listener = sut.NewSocket(ip);
  const Endpoint on_the_wire = sut.At(ip, 9101);
  ASSERT_THAT(listener.Bind({loopback, on_the_wire.port}), Succeeds());
  ASSERT_THAT(listener.Listen(4), Succeeds());
  ScriptedTcp& peer = host.Towards(on_the_wire, NextPort());
  peer.Send(Syn());
  peer.Expect(Rst());

  Socket near = sut.NewSocket(ip);
  EXPECT_THAT(near.Connect({loopback, on_the_wire.port}), Succeeds());
}

TEST_WITH_PEER(Calls, WhoNamesALocalAddressAndPortConnectsFromThere,
               .claims = {"rfc9293:MUST-43"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  const Endpoint local = sut.At(ip, 50123);
  ASSERT_THAT(socket.Bind(local), Succeeds());
  socket.Connect(peer.local());  // EINPROGRESS
  peer.Expect(Syn().Source(local));
}

TEST_WITH_PEER(Calls, ALocalAddressThatIsNotTheHostsIsRefused,
               .claims = {"posix:bind-EADDRNOTAVAIL"}) {
  Socket socket = sut.NewSocket(ip);
  EXPECT_THAT(socket.Bind({host.Address(ip), 50124}), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH_PEER(Calls, DataThatIsSentDuringConnectGoesOutAfterIt,
               .claims = {"rfc9293:3.10.2-send-connecting"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  Pending<int> sending = socket.StartSend("early");
  sending.BlocksFor(100ms);  // long enough for the call to be made, whether it returns or not
  EXPECT_EQ(peer.waiting(), 0U) << "data before the SYN,ACK";
  peer.Send(SynAck());
  peer.ExpectEventually(Data("early").Seq(peer.rcv_nxt));
  EXPECT_THAT(connecting.Await(), Succeeds());
  EXPECT_THAT(sending.Await(), Returns(5));
}
