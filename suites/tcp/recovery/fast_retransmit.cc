// Which acknowledgments mean a loss, and what is sent then: RFC 5681 section 3.2, RFC 3042, RFC
// 6582.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"

using namespace sockproof;

namespace {

class FastRetransmitTest : public FlightTest {
 protected:
  // A connection with so many full segments in flight, and nothing more to send.
  Connection WithFlightOf(std::uint32_t segments) {
    Connection connection = Connected(SmallSegments());
    GrowCongestionWindow(connection, kMss, segments);
    const std::uint32_t end = Begin(connection) + segments * kMss;
    connection.socket.Send(std::string(std::size_t{segments} * kMss, 'x')).value();
    while (connection.peer.rcv_nxt != end) {
      connection.peer.Expect(AnyData().Seq(connection.peer.rcv_nxt));
    }
    return connection;
  }

  // Nothing of what is in flight has been sent again.
  void ExpectNoRetransmission(Connection& connection,
                              SourceLocation where = SourceLocation::Current()) {
    const std::uint32_t sent = connection.peer.rcv_nxt;
    Settle();
    for (const Segment& segment : AllArrived(connection.peer)) {
      const std::uint32_t end = segment.seq + segment.length();
      const bool is_again = segment.length() > 0 && static_cast<std::int32_t>(end - sent) <= 0;
      Require(!is_again, "nothing is sent again",
              Describe(segment, connection.peer.irs, connection.peer.iss), where);
    }
  }
};

}  // namespace

// It takes less than a round trip and a timeout to say that nothing comes: what comes at once is
// looked at, long before the timeout of any system.
TEST_WITH(FastRetransmitTest, FastRetransmit, TwoDuplicatesBringNothingAgain,
          .claims = {"rfc5681:3.2-three"}) {
  Connection connection = WithFlightOf(8);
  SendDuplicates(connection, 2);
  ExpectNoRetransmission(connection);
}

TEST_WITH(FastRetransmitTest, FastRetransmit, TwoDuplicatesLetOutTwoSegmentsAtMost,
          .claims = {"rfc3042:2-limit"}) {
  Connection connection = Connected(SmallSegments());
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = Grow(connection, 8);
  SendDuplicates(connection, 2);
  EXPECT_LE(FlightSize(connection), flight + 2 * kMss);
}

TEST_WITH(FastRetransmitTest, FastRetransmit, EachOfTwoDuplicatesLetsOutNewData,
          .claims = {"rfc3042:2-new-data", "rfc5681:3.2-limited-transmit"}) {
  constexpr Duration kRoundTripOfLoss = 100ms;
  Connection connection = OpenSlowly(kRoundTripOfLoss, false, ChooseRfc5681);
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = Grow(connection, 16);
  for (std::uint32_t duplicates = 1; duplicates <= 2; ++duplicates) {
    Pass(kRoundTripOfLoss / 10);  // who has just sent may wait for more to send along
    SendDuplicates(connection, 1);
    RequireInFlight(FlightSize(connection), flight + duplicates * kMss);
  }
}

// SACK was agreed on, and these duplicates report nothing.
TEST_WITH(FastRetransmitTest, FastRetransmit, WithSackADuplicateWithoutNewsLetsNothingOut,
          .claims = {"rfc3042:2-new-data", "rfc5681:3.2-limited-transmit"}) {
  Offer offer = SmallSegments();
  offer.sack = true;
  Connection connection = Connected(offer);
  ChooseRfc5681(connection.socket);
  WriteMuch(connection);
  Begin(connection);
  const std::uint32_t flight = Grow(connection, 16);
  SendDuplicates(connection, 2);
  EXPECT_EQ(FlightSize(connection), flight);
}

TEST_WITH(FastRetransmitTest, FastRetransmit, AnAcknowledgmentWithDataIsNoDuplicate,
          .claims = {"rfc5681:2-duplicate"}) {
  Connection connection = WithFlightOf(8);
  for (int i = 0; i < 4; ++i) connection.peer.Send(Data("data").Ack(acknowledged()));
  ExpectNoRetransmission(connection);
}

TEST_WITH(FastRetransmitTest, FastRetransmit, AnAcknowledgmentOfAnotherWindowIsNoDuplicate,
          .claims = {"rfc5681:2-duplicate"}) {
  Connection connection = WithFlightOf(8);
  for (std::uint16_t i = 1; i <= 4; ++i) {
    connection.peer.Send(Ack().Ack(acknowledged()).Window(static_cast<std::uint16_t>(60000 + i)));
  }
  ExpectNoRetransmission(connection);
}

TEST_WITH(FastRetransmitTest, FastRetransmit, ThreeDuplicatesBringTheFirstSegmentAlone,
          .claims = {"rfc5681:3.2-lost-segment"}) {
  Connection connection = WithFlightOf(8);
  SendDuplicates(connection, 3);
  connection.peer.Expect(AnyData().Seq(acknowledged()), Within(10s));
  Settle();
  for (const Segment& segment : AllArrived(connection.peer)) {
    EXPECT_LT(segment.seq - acknowledged(), kMss) << "another one with it";
  }
}

TEST_WITH(FastRetransmitTest, FastRetransmit, APartialAcknowledgmentBringsTheNextLostSegment,
          .claims = {"man:tcp(7)-NewReno"}) {
  Connection connection = WithFlightOf(8);
  ScriptedTcp& peer = connection.peer;
  const std::uint32_t first = acknowledged();
  // The first and the fourth are lost.
  SendDuplicates(connection, 6);
  peer.Expect(AnyData().Seq(first), Within(10s));
  Settle();
  AllArrived(peer);
  peer.Send(Ack().Ack(first + 3 * kMss));
  // What is outside the window is answered with an ACK: if the partial one is not enough, that is
  // what comes next.
  peer.Send(Ack().Ack(first + 3 * kMss).Seq(peer.snd_nxt - 1));
  peer.Expect(AnyData().Seq(first + 3 * kMss));
}
