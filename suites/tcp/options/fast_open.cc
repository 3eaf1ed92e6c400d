// TCP Fast Open, RFC 7413: a cookie that is asked for, and data that travels with a SYN.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class FastOpenTest : public PeerTest {
 protected:
  static std::optional<Bytes> CookieIn(const Segment& segment) {
    const TcpOption* option = segment.FindOption(tcp_option::kFastOpen);
    if (option == nullptr) return std::nullopt;
    return option->data;
  }

  // A listener that takes data with a SYN, of so many connections at a time, and an endpoint
  // towards it.
  Connection Taking(int connections = 8) {
    sut.SetSysctl("net.ipv4.tcp_fastopen", 3);
    Connection listening = InState(TcpState::kListen);
    listening.socket.SetOption("TCP_FASTOPEN", connections).value();
    return listening;
  }

  // The cookie that the listener gives to this address. NotReached() when there is none.
  Bytes CookieFrom(const Connection& listening) {
    ScriptedTcp& asking = host.Towards(listening.local(), NextPort());
    asking.Send(Syn().Option(tcp_option::FastOpen({})));
    const Segment syn_ack = asking.Expect(SynAck().Ack(asking.snd_nxt));
    const std::optional<Bytes> cookie = CookieIn(syn_ack);
    asking.Send(Rst());
    if (!cookie || cookie->empty()) NotReached("it gives no cookie");
    return *cookie;
  }

  // connect() with TCP_FASTOPEN_CONNECT and a first send(), which goes with the SYN if it can.
  void Opening(const ScriptedTcp& acceptor, const std::string& data) {
    Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    if (!socket.SetOption("TCP_FASTOPEN_CONNECT", 1).ok()) {
      NotReached("there is no TCP_FASTOPEN_CONNECT");
    }
    socket.Connect(acceptor.local());
    socket.Send(data);  // EINPROGRESS where nothing could be sent
  }

  // The system under test has a cookie of the peer.
  void Learn(const Bytes& cookie) {
    ScriptedTcp& acceptor = host.Listen(ip, NextPort());
    Opening(acceptor, "?");
    const std::optional<Bytes> request = CookieIn(acceptor.Expect(Syn()));
    if (!request) NotReached("it asks for no cookie");
    acceptor.Send(SynAck().Option(tcp_option::FastOpen(cookie)));
    acceptor.Expect(Ack());
    acceptor.Send(Rst());
  }
};

}  // namespace

// --- Server --------------------------------------------------------------------------------------

TEST_WITH(FastOpenTest, FastOpen, ACookieThatIsAskedForHasFourToSixteenOctets,
          .claims = {"rfc7413:4.1.1-cookie"}) {
  const Bytes cookie = CookieFrom(Taking());
  EXPECT_GE(cookie.size(), 4U);
  EXPECT_LE(cookie.size(), 16U);
  EXPECT_EQ(cookie.size() % 2, 0U) << "an odd number of octets";
}

TEST_WITH(FastOpenTest, FastOpen, ACookieIsOfTheAddressAndNotOfTheConnection,
          .claims = {"rfc7413:4.1.2-cookie"}) {
  const Connection listening = Taking();
  const Bytes cookie = CookieFrom(listening);
  // Another time the cookie may be another (section 4.1.2); this one is good for any connection.
  for (int connections = 0; connections < 2; ++connections) {
    ScriptedTcp& peer = host.Towards(listening.local(), NextPort());
    peer.Send(Syn().Payload("early").Option(tcp_option::FastOpen(cookie)));
    peer.Expect(SynAck().Ack(peer.snd_nxt));
  }
}

TEST_WITH(FastOpenTest, FastOpen, WhoIsNotAskedGivesNone, .claims = {"rfc7413:4.1.2-cookie"}) {
  auto [listener, peer] = Taking();
  peer.Send(Syn());
  EXPECT_FALSE(CookieIn(peer.Expect(SynAck())));
}

TEST_WITH(FastOpenTest, FastOpen, AListenerWithoutTcpFastopenGivesNoCookie,
          .claims = {"rfc7413:4.2-default-off", "man:tcp(7)-TCP_FASTOPEN"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_fastopen", 3);
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().Option(tcp_option::FastOpen({})));
  EXPECT_FALSE(CookieIn(peer.Expect(SynAck())));
}

TEST_WITH(FastOpenTest, FastOpen, DataWithACookieIsDeliveredBeforeTheHandshakeEnds,
          .claims = {"rfc7413:4.2.2-data", "rfc7413:4.2.2-before-ack"}) {
  Connection listening = Taking();
  const Bytes cookie = CookieFrom(listening);
  auto& [listener, peer] = listening;
  peer.Send(Syn().Payload("early").Option(tcp_option::FastOpen(cookie)));
  Deciding("rfc7413:4.2.2-data");
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  Socket socket = listener.Accept().value().socket;
  EXPECT_THAT(socket.Receive(64), Returns("early"));
  // It may answer at once.
  Deciding("rfc7413:4.2.2-before-ack");
  ASSERT_THAT(socket.Send("answer"), Returns(6));
  Settle();
  if (peer.waiting() == 0) {
    NotTaken("rfc7413:4.2.2-before-ack", "it sends nothing before the handshake has ended");
    peer.Send(Ack());
  }
  peer.Expect(Data("answer").Seq(peer.irs + 1));
  peer.Send(Ack());
  peer.Send(Data("goes on"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("goes on"));
}

TEST_WITH(FastOpenTest, FastOpen, DataWithAWrongCookieIsNotTaken,
          .claims = {"rfc7413:4.2.2-wrong-cookie"}) {
  Connection listening = Taking();
  Bytes cookie = CookieFrom(listening);
  cookie.front() ^= 0xff;
  auto& [listener, peer] = listening;
  peer.Send(Syn().Payload("early").Option(tcp_option::FastOpen(cookie)));
  peer.Expect(SynAck().Ack(peer.iss + 1));
  peer.snd_nxt = peer.iss + 1;
  peer.Send(Data("later"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  Socket socket = listener.Accept().value().socket;
  EXPECT_THAT(socket.Receive(64), Returns("later"));
}

TEST_WITH(FastOpenTest, FastOpen, DataWithoutACookieIsNotDeliveredBeforeTheHandshakeEnds,
          .claims = {"rfc7413:4.2.2-wrong-cookie"}) {
  auto [listener, peer] = Taking();
  peer.Send(Syn().Payload("early").Option(tcp_option::FastOpen({})));
  peer.Expect(SynAck());
  Settle();
  EXPECT_TRUE(listener.Poll({"POLLIN"}).value().empty()) << "accept() has something";
}

TEST_WITH(FastOpenTest, FastOpen, NoMoreThanItsQueueArePendingAtATime,
          .claims = {"rfc7413:4.2-limit", "man:tcp(7)-TCP_FASTOPEN"}) {
  constexpr int kQueue = 2;
  const Connection listening = Taking(kQueue);
  const Bytes cookie = CookieFrom(listening);
  int taken = 0;
  for (int attempts = 0; attempts < 3 * kQueue; ++attempts) {
    ScriptedTcp& peer = host.Towards(listening.local(), NextPort());
    peer.Send(Syn().Payload("early").Option(tcp_option::FastOpen(cookie)));
    if (peer.Expect(SynAck()).ack == peer.snd_nxt) ++taken;
  }
  Deciding("rfc7413:4.2-limit");
  EXPECT_LE(taken, kQueue + 1) << "only what goes over the limit must turn it off";
  Deciding("man:tcp(7)-TCP_FASTOPEN");
  EXPECT_LE(taken, kQueue);
}

TEST_WITH(
    FastOpenTest, FastOpen, ASynAckThatComesAgainHasNeitherDataNorCookie,
    .claims = {"rfc7413:4.2.2-syn-ack-again"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [listener, peer] = Taking();
  peer.Send(Syn().Option(tcp_option::FastOpen({})));
  const Segment first = peer.Expect(SynAck());
  if (!CookieIn(first)) NotReached("it gives no cookie");
  const Segment again = peer.Expect(SynAck().Seq(first.seq), OpeningPatience());
  EXPECT_FALSE(CookieIn(again)) << "a cookie";
  EXPECT_TRUE(again.payload.empty()) << "data";
}

// --- Client --------------------------------------------------------------------------------------

TEST_WITH(FastOpenTest, FastOpen, TheFirstSynAsksForACookieAndHasNoData,
          .claims = {"rfc7413:4.1.1-request"}, .needs = {"fresh"}) {
  ScriptedTcp& acceptor = host.Listen(ip, 80);
  Opening(acceptor, "later");
  const Segment syn = acceptor.Expect(Syn());
  ASSERT_TRUE(CookieIn(syn)) << "no request";
  EXPECT_TRUE(CookieIn(syn)->empty()) << "a cookie that nobody has given";
  EXPECT_TRUE(syn.payload.empty()) << "data without a cookie";
}

TEST_WITH(FastOpenTest, FastOpen, WithACookieDataGoesWithTheSyn,
          .claims = {"rfc7413:4.2.2-client", "rfc7413:4.1.3-cache",
                     "man:tcp(7)-TCP_FASTOPEN_CONNECT"},
          .needs = {"fresh"}) {
  const Bytes cookie = {1, 2, 3, 4, 5, 6, 7, 8};
  Learn(cookie);
  ScriptedTcp& acceptor = host.Listen(ip, 80);
  Opening(acceptor, "early");
  const Segment syn = acceptor.Expect(Syn());
  Deciding("rfc7413:4.1.3-cache");
  ASSERT_FALSE(CookieIn(syn).value_or(Bytes()).empty()) << "no cookie";
  Deciding("rfc7413:4.2.2-client");
  ASSERT_EQ(CookieIn(syn), cookie);
  Deciding("man:tcp(7)-TCP_FASTOPEN_CONNECT");
  EXPECT_EQ(syn.payload_text(), "early");
  acceptor.Send(SynAck());
  acceptor.Expect(Ack().Seq(syn.seq + 6));
}

TEST_WITH(FastOpenTest, FastOpen, DataThatWasNotAcknowledgedWithTheSynComesAgainAtOnce,
          .claims = {"rfc7413:4.2.2-not-acknowledged"}, .needs = {"fresh"}) {
  Learn({1, 2, 3, 4, 5, 6, 7, 8});
  ScriptedTcp& acceptor = host.Listen(ip, 80);
  Opening(acceptor, "early");
  const Segment syn = acceptor.Expect(Syn());
  if (syn.payload.empty()) NotReached("no data goes with the SYN");
  acceptor.Send(SynAck().Ack(syn.seq + 1));
  acceptor.ExpectEventually(Data("early").Seq(syn.seq + 1));
}

TEST_WITH(
    FastOpenTest, FastOpen, ASynThatComesAgainHasNeitherDataNorCookie,
    .claims = {"rfc7413:4.2.2-syn-again"}, .needs = {"fresh"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Learn({1, 2, 3, 4, 5, 6, 7, 8});
  ScriptedTcp& acceptor = host.Listen(ip, 80);
  Opening(acceptor, "early");
  const Segment syn = acceptor.Expect(Syn());
  if (syn.payload.empty()) NotReached("no data goes with the SYN");
  const Segment again = acceptor.Expect(Syn().Seq(syn.seq), OpeningPatience());
  EXPECT_FALSE(CookieIn(again)) << "a cookie";
  EXPECT_TRUE(again.payload.empty()) << "data";
}

TEST_WITH_PEER(FastOpen, AnOptionWithoutSynOrOfAnOddLengthIsIgnored,
               .claims = {"rfc7413:4.1.1-syn-only"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().Option({tcp_option::kFastOpen, {1, 2, 3}}));
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;
  for (const Bytes& cookie : {Bytes(), Bytes{1, 2, 3, 4, 5, 6, 7, 8}}) {
    peer.Send(Data("data").Option(tcp_option::FastOpen(cookie)));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("data"));
  }
}

TEST_WITH(FastOpenTest, FastOpen, AServerThatDidNotTakeDataWithItsSynGetsNoneTheNextTime,
          .claims = {"rfc7413:4.1.3.1-disable"}, .needs = {"fresh"}) {
  Learn({1, 2, 3, 4, 5, 6, 7, 8});
  ScriptedTcp& acceptor = host.Listen(ip, 80);
  Opening(acceptor, "early");
  const Segment syn = acceptor.Expect(Syn());
  if (syn.payload.empty()) NotReached("no data goes with the SYN");
  acceptor.Send(SynAck().Ack(syn.seq + 1));
  acceptor.ExpectEventually(Data("early").Seq(syn.seq + 1));
  ScriptedTcp& later = host.Listen(ip, 80);
  Opening(later, "later");
  EXPECT_TRUE(later.Expect(Syn()).payload.empty()) << "data goes with the SYN again";
}
