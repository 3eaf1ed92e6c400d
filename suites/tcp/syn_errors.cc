// How an application learns what became of its connect(): connect(2), poll(2), SO_ERROR of
// socket(7). Errors that come by ICMP are in syn_icmp.cc.
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;
using testing::Contains;

namespace {

using Events = std::vector<std::string>;

std::string ErrorOf(Socket& socket) { return ErrnoName(socket.TakeError()); }

// A nonblocking connect() whose SYN the peer has seen.
class ConnectInProgress : public PeerTest {
 protected:
  // Once the outcome is there: it is told once, as `claim` says. Returns its name.
  std::string ExpectFailure(int error, const char* claim) {
    const Events ready = socket.Poll({"POLLOUT"}).value();
    Deciding("man:connect(2)-EINPROGRESS");
    EXPECT_THAT(ready, Contains("POLLOUT"));
    Deciding("man:poll(2)-POLLERR");
    EXPECT_THAT(ready, Contains("POLLERR"));
    const std::string told = ErrorOf(socket);
    Deciding(claim);
    EXPECT_EQ(told, ErrnoName(error));
    Deciding("man:socket(7)-SO_ERROR");
    EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
    return told;
  }

  const Connection connection = InState(TcpState::kSynSent);
  Socket socket = connection.socket;
  ScriptedTcp& peer = connection.peer;
};

class PeerIsAStranger : public PeerTest {
 protected:
  PeerIsAStranger() : PeerTest(Acquaintance::kStranger) {}

  void ExpectUnreachableWhenUnresolved() {
    host.AnswerNeighbours(false);
    Pending<int> connecting = sut.NewSocket(ip).StartConnect({host.Address(ip), 80});
    const Duration unresolved = LinuxUnresolved(sut.facts());
    const Outcome<int> connected = connecting.Await(AtMost(unresolved));
    EXPECT_THAT(connected, FailsWith(EHOSTUNREACH));
    EXPECT_THAT(connected.end - connected.begin, FiresAfter(unresolved));
  }
};

}  // namespace

// --- Nonblocking ---------------------------------------------------------------------------------

TEST_WITH_PEER(SynErrors, ANonblockingConnectIsInProgress,
               .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-EALREADY"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  Deciding("man:connect(2)-EINPROGRESS");
  EXPECT_THAT(socket.Connect(peer.local()), FailsWith(EINPROGRESS));
  peer.Expect(Syn());
  Deciding("man:connect(2)-EALREADY");
  EXPECT_THAT(socket.Connect(peer.local()), FailsWith(EALREADY));
  Deciding("man:connect(2)-EINPROGRESS");
  EXPECT_THAT(socket.Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));
  EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
}

TEST_WITH(ConnectInProgress, SynErrors, SuccessMakesTheSocketWritable,
          .claims = {"man:connect(2)-EINPROGRESS"}) {
  Pending<Events> polling = socket.StartPoll({"POLLIN", "POLLOUT"}, 10s);
  Settle();
  const Segment answer = peer.Send(SynAck());
  const Outcome<Events> polled = polling.Await();
  EXPECT_THAT(polled, Returns(Events{"POLLOUT"}));
  EXPECT_GT(polled.end, answer.time) << "writable before it was connected";
  EXPECT_EQ(ErrorOf(socket), ErrnoName(0));
}

// Linux tells of the success first, by 0 and once, when nobody has asked for it yet.
TEST_WITH(ConnectInProgress, SynErrors, AFurtherConnectOnceItSucceededFailsWithEisconn,
          .claims = {"man:connect(2)-EISCONN", "posix:connect-EISCONN"}) {
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  const Outcome<int> again = socket.Connect(peer.local());
  for (const char* claim : {"man:connect(2)-EISCONN", "posix:connect-EISCONN"}) {
    Deciding(claim);
    EXPECT_THAT(again, FailsWith(EISCONN));
  }
}

TEST_WITH(ConnectInProgress, SynErrors, ARefusalIsToldOnce,
          .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-ECONNREFUSED",
                     "man:socket(7)-SO_ERROR", "man:poll(2)-POLLERR", "rfc9293:3.10.7.3-rst"}) {
  peer.Send(Rst().With(kAck).Seq(0));  // as a closed port does
  Settle();
  const std::string told = ExpectFailure(ECONNREFUSED, "man:connect(2)-ECONNREFUSED");
  Deciding("rfc9293:3.10.7.3-rst");
  EXPECT_NE(told, ErrnoName(0));
}

TEST_WITH(
    ConnectInProgress, SynErrors, ARefusalOfARetransmissionIsToldAsWell,
    .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-ECONNREFUSED",
               "man:socket(7)-SO_ERROR", "man:poll(2)-POLLERR", "rfc9293:3.10.7.3-rst"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  peer.Expect(Syn().Seq(peer.irs), OpeningPatience());
  peer.Send(Rst().With(kAck).Seq(0));  // as a closed port does
  Settle();
  const std::string told = ExpectFailure(ECONNREFUSED, "man:connect(2)-ECONNREFUSED");
  Deciding("rfc9293:3.10.7.3-rst");
  EXPECT_NE(told, ErrnoName(0));
}

TEST_WITH(
    ConnectInProgress, SynErrors, ATimeoutIsToldOnce,
    .claims = {"man:connect(2)-EINPROGRESS", "man:connect(2)-ETIMEDOUT", "man:socket(7)-SO_ERROR",
               "man:poll(2)-POLLERR"},
    .lasts = [](const Facts&) -> Duration { return 2500ms; }) {
  ASSERT_THAT(socket.SetOption("TCP_USER_TIMEOUT", 2500), Succeeds());
  Pending<Events> polling = socket.StartPoll({"POLLOUT"}, 10s);
  if (polling.BlocksFor(AtMost(2500ms).value)) NotReached("the user timeout ends no attempt");
  EXPECT_THAT(polling.Await(), Succeeds());
  ExpectFailure(ETIMEDOUT, "man:connect(2)-ETIMEDOUT");
}

// --- An address that nobody answers for ----------------------------------------------------------

TEST_WITH(PeerIsAStranger, SynErrors, AnUnresolvedIpv4AddressIsUnreachable,
          .claims = {"man:arp(7)-mcast_solicit", "man:ip(7)-EHOSTUNREACH"},
          .lasts = LinuxUnresolved, .ipv4_only_because = "ARP is of IPv4") {
  ExpectUnreachableWhenUnresolved();
}

TEST_WITH(PeerIsAStranger, SynErrors, AnUnresolvedIpv6AddressIsUnreachable,
          .claims = {"linux:icmpv6_err_convert"}, .lasts = LinuxUnresolved,
          .ipv6_only_because = "neighbour discovery is of IPv6") {
  ExpectUnreachableWhenUnresolved();
}

TEST_WITH(
    PeerIsAStranger, SynErrors, AnAddressThatIsResolvedLateStillConnects,
    .claims = {"man:arp(7)-mcast_solicit", "rfc4861:7.2.2-unresolved"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Deciding(ip == IpVersion::kIpv4 ? "man:arp(7)-mcast_solicit" : "rfc4861:7.2.2-unresolved");
  host.AnswerNeighbours(false);
  ScriptedTcp& peer = host.Listen(ip, 80);
  Pending<int> connecting = sut.NewSocket(ip).StartConnect(peer.local());
  peer.ExpectSilence(500ms);
  host.AnswerNeighbours(true);
  peer.Expect(Syn());
  peer.Send(SynAck());
  EXPECT_THAT(connecting.Await(), Succeeds());
}
