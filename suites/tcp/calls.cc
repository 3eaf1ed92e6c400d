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

TEST_WITH_PEER(Calls, AsTheRfcSaysAReceiveDuringConnectWaitsForData,
               .claims = {"rfc9293:3.10.3-receive-connecting"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  Pending<std::string> receiving = socket.StartReceive(64);
  EXPECT_TRUE(receiving.BlocksFor(100ms)) << "recv() does not wait";
  peer.Send(SynAck());
  peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
  peer.Send(Data("welcome"));
  EXPECT_THAT(receiving.Await(), Returns("welcome"));
}

TEST_WITH_PEER(Calls, ASecondConnectFails,
               .claims = {"rfc9293:3.10.1-already-exists", "posix:connect-EALREADY",
                          "posix:connect-EISCONN"}) {
  auto [opening, opening_peer] = InState(TcpState::kSynSent);
  const Outcome<int> while_opening = opening.Connect(opening_peer.local());
  auto [open, peer] = Connected();
  ScriptedTcp& other = host.Listen(ip, 82);
  const Outcome<int> when_open = open.Connect(other.local());
  Settle();

  Deciding("rfc9293:3.10.1-already-exists");
  EXPECT_THAT(while_opening, testing::Not(Succeeds()));
  EXPECT_THAT(when_open, testing::Not(Succeeds()));
  EXPECT_EQ(other.waiting(), 0U) << "a SYN of a connection that exists";
  Deciding("posix:connect-EALREADY");
  EXPECT_THAT(while_opening, FailsWith(EALREADY));
  Deciding("posix:connect-EISCONN");
  EXPECT_THAT(when_open, FailsWith(EISCONN));
}

TEST_WITH_PEER(Calls, AnAbortInListenSendsNoReset,
               .claims = {"rfc9293:3.10.5-abort-unsynchronized"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  ASSERT_THAT(listener.SetLinger(0), Succeeds());
  ASSERT_THAT(listener.Close(), Succeeds());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a segment at the abort";
  const Segment syn = peer.Send(Syn());
  peer.Expect(Rst().With(kAck).Seq(0).Ack(syn.seq + 1));
}

TEST_WITH_PEER(Calls, AnAbortInSynSentSendsNoReset,
               .claims = {"rfc9293:3.10.5-abort-unsynchronized"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  ASSERT_THAT(socket.SetLinger(0), Succeeds());
  ASSERT_THAT(socket.Close(), Succeeds());
  Settle();
  EXPECT_EQ(peer.TakeArrived().size(), 0U) << "a segment at the abort";
  const Segment answer = peer.Send(SynAck());
  peer.Expect(Rst().Seq(answer.ack));
}
