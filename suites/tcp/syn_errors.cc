// How an application learns what became of its connect(): connect(2), poll(2), SO_ERROR of
// socket(7). Errors that come by ICMP are in syn_icmp.cc.
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;
using testing::AllOf;
using testing::Contains;

namespace {

using Events = std::vector<std::string>;

std::string ErrorOf(Socket& socket) { return ErrnoName(socket.TakeError()); }

// A nonblocking connect() whose SYN the peer has seen.
class ConnectInProgress : public PeerTest {
 protected:
  // Once the outcome is there: it is told once.
  void ExpectFailure(int error) {
    EXPECT_THAT(socket.Poll({"POLLOUT"}).value(), AllOf(Contains("POLLOUT"), Contains("POLLERR")));
    EXPECT_EQ(ErrorOf(socket), ErrnoName(error));
    EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
  }

  const Connection connection = InState(TcpState::kSynSent);
  Socket socket = connection.socket;
  ScriptedTcp& peer = connection.peer;
};

// How long an address is asked for in vain: three requests, one a second.
constexpr Duration kUnresolved = 3s;

class PeerIsAStranger : public PeerTest {
 protected:
  PeerIsAStranger() : PeerTest(Acquaintance::kStranger) {}

  void ExpectUnreachableWhenUnresolved() {
    host.AnswerNeighbours(false);
    Pending<int> connecting = sut.NewSocket(ip).StartConnect({host.Address(ip), 80});
    const Outcome<int> connected = connecting.Await(AtMost(kUnresolved));
    EXPECT_THAT(connected, FailsWith(EHOSTUNREACH));
    EXPECT_THAT(connected.end - connected.begin, FiresAfter(kUnresolved));
  }
};

}  // namespace

// --- Nonblocking ---------------------------------------------------------------------------------

TEST_WITH_PEER(SynErrors, ANonblockingConnectIsInProgress,
               .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-EALREADY"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  EXPECT_THAT(socket.Connect(peer.local()), FailsWith(EINPROGRESS));
  peer.Expect(Syn());
  EXPECT_THAT(socket.Connect(peer.local()), FailsWith(EALREADY));
  EXPECT_THAT(socket.Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));
  EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
}

TEST_WITH(ConnectInProgress, SynErrors, SuccessMakesTheSocketWritable,
          .claims = {"man:connect(2)-EINPROGRESS"}) {
  Pending<Events> polling = socket.StartPoll({"POLLIN", "POLLOUT"}, 10s);
  Settle();
  ExpectStillBlocked(polling);
  peer.Send(SynAck());
  EXPECT_THAT(polling.Await(), Returns(Events{"POLLOUT"}));
  EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
}

TEST_WITH(ConnectInProgress, SynErrors, ARefusalIsToldOnce,
          .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-ECONNREFUSED",
                     "man:socket(7)-SO_ERROR", "man:poll(2)-POLLERR", "rfc9293:3.10.7.3-rst"}) {
  peer.Send(Rst().With(kAck));
  Settle();
  ExpectFailure(ECONNREFUSED);
}

TEST_WITH(
    ConnectInProgress, SynErrors, ARefusalOfARetransmissionIsToldAsWell,
    .claims = {"man:connect(2)-ECONNREFUSED", "rfc9293:3.10.7.3-rst"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  peer.Expect(Syn().Seq(peer.irs));
  peer.Send(Rst().With(kAck));
  Settle();
  ExpectFailure(ECONNREFUSED);
}

TEST_WITH(
    ConnectInProgress, SynErrors, ATimeoutIsToldOnce,
    .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-ETIMEDOUT", "man:socket(7)-SO_ERROR",
               "man:poll(2)-POLLERR"},
    .lasts = [](const Facts&) -> Duration { return 2500ms; }) {
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 2500), Succeeds());
  Pending<Events> polling = socket.StartPoll({"POLLOUT"}, 10s);
  EXPECT_THAT(polling.Await(AtMost(2500ms)), Succeeds());
  ExpectFailure(ETIMEDOUT);
}

// --- An address that nobody answers for ----------------------------------------------------------

TEST_WITH(
    PeerIsAStranger, SynErrors, AnUnresolvedIpv4AddressIsUnreachable,
    .claims = {"man:arp(7)-mcast_solicit", "man:ip(7)-EHOSTUNREACH"},
    .lasts = [](const Facts&) -> Duration { return kUnresolved; },
    .ipv4_only_because = "ARP is of IPv4") {
  ExpectUnreachableWhenUnresolved();
}

TEST_WITH(
    PeerIsAStranger, SynErrors, AnUnresolvedIpv6AddressIsUnreachable,
    .claims = {"rfc4861:7.2.2-unresolved", "linux:icmpv6_err_convert"},
    .lasts = [](const Facts&) -> Duration { return kUnresolved; },
    .ipv6_only_because = "neighbour discovery is of IPv6") {
  ExpectUnreachableWhenUnresolved();
}

TEST_WITH(
    PeerIsAStranger, SynErrors, AnAddressThatIsResolvedLateStillConnects,
    .claims = {"man:arp(7)-mcast_solicit", "rfc4861:7.2.2-unresolved"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  host.AnswerNeighbours(false);
  ScriptedTcp& peer = host.Listen(ip, 80);
  Pending<int> connecting = sut.NewSocket(ip).StartConnect(peer.local());
  peer.ExpectSilence(500ms);
  host.AnswerNeighbours(true);
  peer.Expect(Syn());
  peer.Send(SynAck());
  EXPECT_THAT(connecting.Await(), Succeeds());
}
