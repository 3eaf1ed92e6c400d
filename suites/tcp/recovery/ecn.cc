// Congestion that is notified explicitly, once both ends have agreed on it: RFC 3168 sections 6.1.2
// to 6.1.6. What the SYNs say is in syn_ecn.cc.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class EcnTest : public FlightTest {
 protected:
  static constexpr std::uint8_t kEcnBits = 3;  // of the traffic class

  // By accept(), where systems grant ECN that do not ask for it.
  Connection Capable() {
    Offer offer = SmallSegments();
    offer.ecn = true;
    return ConnectedByAccept(offer);
  }

  // The same with so much in flight.
  Connection CapableWithFlight(std::uint32_t segments) {
    Connection connection = Capable();
    ChooseRfc5681(connection.socket);
    WriteMuch(connection);
    Begin(connection);
    Grow(connection, segments);
    return connection;
  }

  // As FlightTest::Acknowledge(), with an echo.
  void AcknowledgeWithEcho(Connection& connection) {
    connection.peer.Send(Ack().Ack(acknowledged()).With(kEce));
  }
};

}  // namespace

TEST_WITH(EcnTest, Ecn, NewDataIsEctAndAnAcknowledgmentIsNot,
          .claims = {"rfc3168:6.1.2-ect", "rfc3168:6.1.4-pure-ack-not-ect"}) {
  auto [socket, peer] = Capable();
  Deciding("rfc3168:6.1.4-pure-ack-not-ect");
  peer.Send(Data("answer me").Ect0());
  peer.Expect(Ack().Ack(peer.snd_nxt).NotEct());
  Deciding("rfc3168:6.1.2-ect");
  socket.Send("answer").value();
  const Segment answer = peer.Expect(Data("answer"));
  if (AnyData().NotEct().Matches(answer)) {
    NotTaken("rfc3168:6.1.2-ect", "data is sent as not ECN-capable, which section 6.1.1 allows");
    return;
  }
  EXPECT_TRUE(AnyData().Ect0().Matches(answer)) << "it is not ECT(0)";
}

TEST_WITH(
    EcnTest, Ecn, ARetransmissionIsNotEct, .claims = {"rfc3168:6.1.5-retransmission-not-ect"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Capable();
  socket.Send("lost").value();
  const Segment first = peer.Expect(Data("lost"));
  peer.Expect(Data("lost").Seq(first.seq).NotEct(), FirstTimeout());
}

TEST_WITH(EcnTest, Ecn, AFastRetransmissionIsNotEct,
          .claims = {"rfc3168:6.1.5-retransmission-not-ect"}) {
  Connection connection = CapableWithFlight(8);
  SendDuplicates(connection, 3);
  const Segment again =
      connection.peer.ExpectEventually(AnyData().Seq(acknowledged()), Within(10s));
  EXPECT_TRUE(AnyData().NotEct().Matches(again)) << "it is ECN-capable";
}

TEST_WITH(
    EcnTest, Ecn, AWindowProbeIsNotEct, .claims = {"rfc3168:6.1.6-probe-not-ect"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Capable();
  socket.Send("taken").value();
  peer.Expect(Data("taken"));
  // With new data acknowledged: that a window may only shrink then is no matter here.
  peer.Send(Ack().Window(0));
  Settle();
  socket.Send("let me in").value();
  peer.Expect(AnySegment().NotEct(), Within(15s));
}

TEST_WITH(EcnTest, Ecn, AMarkIsEchoedAgainAfterItWasUnderstood,
          .claims = {"rfc3168:6.1.3-echo", "rfc3168:6.1.3-again"}) {
  auto [socket, peer] = Capable();
  Deciding("rfc3168:6.1.3-echo");
  peer.Send(Data("marked").Ce());
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
  peer.Send(Data("not marked").Ect0());
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
  peer.Send(Data("understood").With(kCwr).Ect0());
  peer.Expect(Ack().Ack(peer.snd_nxt).Without(kEce));
  Deciding("rfc3168:6.1.3-again");
  peer.Send(Data("marked again").Ce());
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
}

TEST_WITH(EcnTest, Ecn, ItsDataTravelsWithTheEchoOfAMark, .claims = {"rfc3168:6.1.3-echo"}) {
  auto [socket, peer] = Capable();
  peer.Send(Data("marked").Ce());
  peer.Expect(Ack().Ack(peer.snd_nxt).With(kEce));
  socket.Send("data acknowledges as well").value();
  peer.Expect(AnyData().With(kEce));
}

TEST_WITH(EcnTest, Ecn, AMarkOnWhatLiesOutsideTheWindowIsNotEchoed,
          .claims = {"rfc3168:6.1.5-outside"}) {
  auto [socket, peer] = Capable();
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("received").Ect0());
  peer.Expect(Ack().Ack(start + 8));
  peer.Send(Data("received").Seq(start).Ce());
  peer.Expect(Ack().Ack(start + 8).Without(kEce));
  peer.Send(Data("goes on").Seq(start + 8).Ect0());
  peer.Expect(Ack().Ack(start + 15).Without(kEce));
}

TEST_WITH(EcnTest, Ecn, AnEchoHalvesTheWindow, .claims = {"rfc3168:6.1.2-halve"}) {
  Connection connection = CapableWithFlight(16);
  const std::uint32_t flight = in_flight(connection);
  AcknowledgeWithEcho(connection);
  Settle();
  // All of it acknowledged, and a segment that this may add.
  Acknowledge(connection, flight);
  EXPECT_LE(FlightSize(connection), flight / 2 + kMss);
}

TEST_WITH(EcnTest, Ecn, FurtherEchoesInOneRoundTripHalveNothing, .claims = {"rfc3168:6.1.2-once"}) {
  Connection connection = CapableWithFlight(16);
  const std::uint32_t flight = in_flight(connection);
  for (std::uint32_t octets = 0; octets < flight; octets += kMss) {
    connection.peer.Send(Ack().Ack(acknowledged() + octets).With(kEce));
  }
  Settle();
  Acknowledge(connection, flight);
  RequireInFlight(FlightSize(connection), flight / 2 - kMss);
}

// A window of one segment cannot be halved: what is next waits for the retransmission timer then.
TEST_WITH(
    EcnTest, Ecn, OnlyTheFirstNewDataAfterAReductionHasCwr, .claims = {"rfc3168:6.1.2-cwr"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Capable();
  socket.Send("congested").value();
  peer.Expect(Data("congested").Without(kCwr));
  peer.Send(Ack().With(kEce));
  Settle();
  socket.Send("reduced").value();
  peer.Expect(Data("reduced").With(kCwr), FirstTimeout());
  peer.Send(Ack());
  socket.Send("as before").value();
  peer.Expect(Data("as before").Without(kCwr), FirstTimeout());
}

TEST_WITH(
    EcnTest, Ecn, ARetransmissionHasNoCwr, .claims = {"rfc3168:6.1.2-cwr-not-again"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Capable();
  socket.Send("congested").value();
  peer.Expect(Data("congested"));
  peer.Send(Ack().With(kEce));
  Settle();
  socket.Send("reduced").value();
  const Segment reduced = peer.Expect(Data("reduced"), FirstTimeout());
  if ((reduced.flags & kCwr) == 0) NotReached("it does not set CWR");
  peer.Expect(Data("reduced").Seq(reduced.seq).Without(kCwr), FirstTimeout());
}

TEST_WITH(EcnTest, Ecn, ASynAckWithBothFlagsGrantsNothing,
          .claims = {"rfc3168:6.1.1-ecn-setup-syn-ack", "rfc3168:6.1.1-no-ect"},
          .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_ecn", 1);
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn().With(kEce | kCwr));
  peer.Send(SynAck().With(kEce | kCwr));  // as some reflect what they do not know
  peer.Expect(Ack());
  connecting.Await().value();
  socket.Send("plain").value();
  const Segment data = peer.Expect(Data("plain"));
  for (const char* claim : {"rfc3168:6.1.1-ecn-setup-syn-ack", "rfc3168:6.1.1-no-ect"}) {
    Deciding(claim);
    EXPECT_EQ(data.traffic_class & kEcnBits, 0) << "data that is ECN-capable";
  }
}
