// Which addresses a connection has, and which it can never have. RFC 9293 sections 3.9.1.1 and
// 3.9.2.3.
#include <string>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

// Addresses that stand for more than one host: all ones, the broadcast of the link of every test,
// and groups.
std::vector<IpAddress> GroupAddresses(IpVersion ip) {
  if (ip == IpVersion::kIpv6) return {IpAddress("ff02::1"), IpAddress("ff0e::1")};
  return {IpAddress("255.255.255.255"), IpAddress("192.0.2.255"), IpAddress("224.0.0.1")};
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

TEST_WITH_PEER(Addresses, OneIsChosenBeforeTheSynWhereTheApplicationNamesNone,
               .claims = {"rfc9293:MUST-44"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  EXPECT_EQ(peer.remote()->address.ToString(), sut.Address(ip).ToString());
  EXPECT_EQ(socket.LocalEndpoint().ToString(), peer.remote()->ToString());
}

TEST_WITH_WIRE(Addresses, AllSegmentsOfAConnectionHaveTheSame, .claims = {"rfc9293:MUST-45"}) {
  auto [near, far] = Connected();
  ASSERT_THAT(near.Send("question"), Returns(8));
  ASSERT_THAT(far.Receive(64), Returns("question"));
  ASSERT_THAT(far.Send("answer"), Returns(6));
  ASSERT_THAT(near.Receive(64), Returns("answer"));
  ASSERT_THAT(near.Close(), Succeeds());
  ASSERT_THAT(far.Close(), Succeeds());
  wire.Expect(Fin().From(server));

  const Segment syn = wire.Seen(Syn().From(client)).at(0);
  for (const Segment& segment : wire.Seen(AnySegment())) {
    const bool there = segment.source == syn.source && segment.destination == syn.destination;
    const bool back = segment.source == syn.destination && segment.destination == syn.source;
    EXPECT_TRUE(there || back) << segment.source.ToString() << " to "
                               << segment.destination.ToString();
  }
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

// That of the link's broadcast is left out: on Linux it depends on the administrator (rp_filter).
TEST_WITH(AddressesTest, Addresses, ASynFromAnAddressThatNoHostHasIsIgnored,
          .claims = {"rfc9293:MUST-63"}, .needs = {"states"}) {
  constexpr std::uint16_t kPort = 9201;
  Socket listener = ListeningOn(kPort);
  const std::vector<const char*> sources =
      ip == IpVersion::kIpv4 ? std::vector{"255.255.255.255", "224.0.0.1", "127.0.0.1"}
                             : std::vector{"ff02::1", "ff0e::1", "::1"};
  for (const char* source : sources) {
    SCOPED_TRACE(source);
    const Endpoint from{IpAddress(source), NextPort()};
    ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), from);
    peer.Send(Syn());
    Settle();
    // One that the system resets itself, over its loopback, has been nothing to anyone else.
    ExpectState(TcpState::kClosed, {listener, peer});
    EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  }
  ExpectAnswered(listener, kPort);
}
