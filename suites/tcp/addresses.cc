// Which addresses a connection has, and which it can never have. RFC 9293 sections 3.9.1.1 and
// 3.9.2.3.
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// Addresses that stand for more than one host: all ones, the broadcast of the link of every test,
// and groups.
std::vector<IpAddress> GroupAddresses(IpVersion ip) {
  if (ip == IpVersion::kIpv6) return {IpAddress("ff02::1"), IpAddress("ff0e::1")};
  return {IpAddress("255.255.255.255"), IpAddress("192.0.2.255"), IpAddress("224.0.0.1")};
}

// As sources of frames. That of the link's broadcast is left out: on Linux the administrator
// decides (rp_filter).
std::vector<IpAddress> GroupSources(IpVersion ip) {
  if (ip == IpVersion::kIpv6) return GroupAddresses(ip);
  return {IpAddress("255.255.255.255"), IpAddress("224.0.0.1")};
}

class AddressesTest : public PeerTest {
 protected:
  // A listener for all addresses of the system under test.
  Socket ListeningOn(std::uint16_t port) {
    Socket listener = sut.NewSocket(ip);
    const IpAddress any(ip == IpVersion::kIpv4 ? "0.0.0.0" : "::");
    listener.Bind({any, sut.At(ip, port).port}).value();
    listener.Listen(4).value();
    return listener;
  }

  // Data and its retransmission, an ACK, the FIN: all have the source that `peer` knows.
  static void ExpectConversation(Socket socket, ScriptedTcp& peer) {
    const Endpoint source = *peer.remote();
    ASSERT_THAT(socket.Send("question"), Returns(8));
    const Segment data = peer.Expect(Data("question").Source(source));
    peer.Expect(Data("question").Seq(data.seq).Source(source), FirstTimeout());
    peer.Send(Data("answer"));
    peer.Expect(Ack().Ack(peer.snd_nxt).Source(source));
    ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
    peer.Expect(Fin().Source(source));
  }

  // A connection that can be made: what was not answered before was not lost.
  void ExpectAnswered(Socket& listener, std::uint16_t port) {
    ScriptedTcp& peer = host.Towards(sut.At(ip, port), NextPort());
    peer.Send(Syn());
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack());
    EXPECT_EQ(listener.Accept().value().remote.ToString(), peer.local().ToString());
  }
};

}  // namespace

// A host with a network of its own for each address: the other end is on that of the first.
TEST_WITH_PEER(Addresses, OfAHostWithTwoOneIsChosenBeforeTheSyn, .claims = {"rfc9293:MUST-44"},
               .needs = {"second-address"}) {
  sut.SecondAddress(ip);
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  socket.Connect(peer.local());  // EINPROGRESS
  const Endpoint chosen = socket.LocalEndpoint();
  EXPECT_EQ(chosen.address.ToString(), sut.Address(ip).ToString());
  peer.Expect(Syn().Source(chosen));
}

// The second address is none that a segment to this peer would get by itself.
TEST_WITH(AddressesTest, Addresses, AllSegmentsOfAnAcceptedConnectionHaveThatOfItsSyn,
          .claims = {"rfc9293:MUST-45"}, .needs = {"second-address"}) {
  Socket listener = sut.NewSocket(ip);
  const Endpoint local{sut.SecondAddress(ip), sut.At(ip, 9202).port};
  ASSERT_THAT(listener.Bind(local), Succeeds());
  ASSERT_THAT(listener.Listen(4), Succeeds());
  ScriptedTcp& peer = host.Towards(local, NextPort());
  peer.Send(Syn());
  peer.Expect(SynAck().Source(local));
  peer.Send(Ack());
  ExpectConversation(listener.Accept().value().socket, peer);
}

TEST_WITH(AddressesTest, Addresses, AllSegmentsOfAConnectionHaveTheOneThatWasChosen,
          .claims = {"rfc9293:MUST-43", "rfc9293:MUST-45"}, .needs = {"second-address"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  const Endpoint local{sut.SecondAddress(ip), sut.At(ip, 50125).port};
  ASSERT_THAT(socket.Bind(local), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  Deciding("rfc9293:MUST-43");
  peer.Expect(Syn().Source(local));
  Deciding("rfc9293:MUST-45");
  peer.Send(SynAck());
  peer.Expect(Ack().Source(local));
  ASSERT_THAT(connecting.Await(), Succeeds());
  ExpectConversation(socket, peer);
}

TEST_WITH_PEER(Addresses, AConnectToManyHostsIsRefused, .claims = {"rfc9293:MUST-46"}) {
  for (const IpAddress& group : GroupAddresses(ip)) {
    SCOPED_TRACE(group.ToString());
    Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    const Outcome<int> connecting = socket.Connect({group, 80});
    EXPECT_THAT(connecting, testing::Not(Succeeds()));
    EXPECT_THAT(connecting, testing::Not(FailsWith(EINPROGRESS)));
  }
}

TEST_WITH(AddressesTest, Addresses, ASynToManyHostsIsIgnored, .claims = {"rfc9293:MUST-57"}) {
  constexpr std::uint16_t kPort = 9200;
  Socket listener = ListeningOn(kPort);
  for (const IpAddress& group : GroupAddresses(ip)) {
    SCOPED_TRACE(group.ToString());
    const std::uint16_t port = NextPort();
    ScriptedTcp& whoever = host.Listen(ip, port);
    ScriptedTcp& peer = host.Towards({group, sut.At(ip, kPort).port}, port);
    peer.Send(Syn());
    Settle();
    EXPECT_EQ(peer.waiting() + whoever.waiting(), 0U) << "it is answered";
  }
  ExpectAnswered(listener, kPort);
}

// RFC 1122 says so of all segments; RFC 9293 repeats it.
TEST_WITH(AddressesTest, Addresses, AnAcknowledgmentToManyHostsIsIgnored,
          .claims = {"rfc9293:3.9.2.3-all-segments"}) {
  constexpr std::uint16_t kPort = 9203;
  Socket listener = ListeningOn(kPort);
  for (const IpAddress& group : GroupAddresses(ip)) {
    SCOPED_TRACE(group.ToString());
    const std::uint16_t port = NextPort();
    ScriptedTcp& whoever = host.Listen(ip, port);
    ScriptedTcp& peer = host.Towards({group, sut.At(ip, kPort).port}, port);
    peer.Send(Ack());  // a listener would answer it with RST
    Settle();
    EXPECT_EQ(peer.waiting() + whoever.waiting(), 0U) << "it is answered";
  }
  ExpectAnswered(listener, kPort);
}

TEST_WITH(AddressesTest, Addresses, ASynFromManyHostsIsIgnored, .claims = {"rfc9293:MUST-63"}) {
  constexpr std::uint16_t kPort = 9201;
  Socket listener = ListeningOn(kPort);
  for (const IpAddress& source : GroupSources(ip)) {
    SCOPED_TRACE(source.ToString());
    ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), {source, NextPort()});
    peer.Send(Syn());
    Settle();
    EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
    ExpectStateIfShown(TcpState::kClosed, {listener, peer});
  }
  ExpectAnswered(listener, kPort);
}

TEST_WITH(AddressesTest, Addresses, AnAcknowledgmentFromManyHostsIsIgnored,
          .claims = {"rfc9293:3.9.2.3-all-segments"}) {
  constexpr std::uint16_t kPort = 9204;
  Socket listener = ListeningOn(kPort);
  for (const IpAddress& source : GroupSources(ip)) {
    SCOPED_TRACE(source.ToString());
    ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), {source, NextPort()});
    peer.Send(Ack());
    Settle();
    EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  }
  ExpectAnswered(listener, kPort);
}

// Who takes such a SYN answers it over its own loopback, where nobody waits for it: the reset that
// comes of that shows in a counter alone.
TEST_WITH(AddressesTest, Addresses, ASynFromTheLoopbackAddressIsIgnored,
          .claims = {"rfc9293:MUST-63"}, .needs = {"counters", "fresh"}) {
  constexpr std::uint16_t kPort = 9205;
  Socket listener = ListeningOn(kPort);
  const IpAddress loopback(ip == IpVersion::kIpv4 ? "127.0.0.1" : "::1");
  const std::int64_t resets = sut.Counter("Tcp.OutRsts");
  host.Towards(sut.At(ip, kPort), {loopback, NextPort()}).Send(Syn());
  Settle();
  EXPECT_EQ(sut.Counter("Tcp.OutRsts"), resets + 1) << "one is that of Settle()";
  ExpectAnswered(listener, kPort);
}
