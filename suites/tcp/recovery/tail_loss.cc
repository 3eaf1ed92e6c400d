// Losses that time tells, RFC 8985: a probe of the tail instead of a timeout, and a segment that a
// later one has overtaken by more than the reordering window.
#include "suites/tcp/in_flight.h"
#include "suites/tcp/recovery/flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

// Long against what a machine may be late, short against a minimum of the timeout.
constexpr Duration kRoundTrip = 160ms;

class TailLossTest : public FlightTest {
 protected:
  // A connection whose handshake took a round trip, with so many full segments in flight; where
  // SACK was agreed on, without which there is no RACK-TLP (RFC 8985 section 5). The round trip as
  // the system has it: with the way to it and back.
  Connection WithTail(std::uint32_t segments, std::vector<Segment>& flight, Duration& sample) {
    ScriptedTcp& peer = host.Listen(ip, 80);
    peer.syn_options = {tcp_option::Mss(kMss), tcp_option::SackPermitted()};
    Socket socket = sut.NewSocket(ip);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    if (syn.FindOption(tcp_option::kSackPermitted) == nullptr) NotReached("SACK is not permitted");
    peer.ExpectSilence(kRoundTrip);
    const Segment syn_ack = peer.Send(SynAck());
    const Segment ack = peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    sample = ack.time - syn.time;
    way_ = ack.time - syn_ack.time;
    connecting.Await().value();
    Connection connection{socket, peer};
    Begin(connection);
    socket.Send(std::string(std::size_t{segments} * kMss, 'x')).value();
    Settle();
    flight = peer.TakeArrived();
    if (flight.size() < segments) NotReached("the initial window is smaller");
    return connection;
  }

  // How long what is sent to the system and its answer take together.
  Duration way() const { return way_; }

 private:
  Duration way_{0};
};

}  // namespace

TEST_WITH(
    TailLossTest, TailLoss, TheLastSegmentIsSentAgainBeforeTheTimeout,
    .claims = {"rfc8985:7.2-pto", "rfc8985:7.3-probe"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  const Segment again = peer.Expect(AnyData(), Within(10s));
  if (again.seq == flight.front().seq) NotReached("it waits for its timeout");
  Deciding("rfc8985:7.3-probe");
  EXPECT_GE(again.seq - flight.front().seq, 2 * kMss) << "it is not the last one";
  Deciding("rfc8985:7.2-pto");
  EXPECT_THAT(again.time - flight.back().time, OwnTimer(2 * round_trip, sut.facts()));
}

TEST_WITH(
    TailLossTest, TailLoss, NewDataIsTheProbeWhereThereIsSome, .claims = {"rfc8985:7.3-probe"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  Connection connection = WithTail(3, flight, round_trip);
  WriteMuch(connection);
  Settle();
  AllArrived(connection.peer);  // up to the end of the window
  const Segment probe = connection.peer.Expect(AnyData(), Within(10s));
  if (probe.seq == flight.front().seq) NotReached("it waits for its timeout");
  EXPECT_EQ(probe.seq + probe.length(), connection.peer.rcv_nxt) << "sent again";
}

TEST_WITH(
    TailLossTest, TailLoss, ASegmentThatALaterOneHasOvertakenIsLostAfterTheReorderingWindow,
    .claims = {"rfc8985:6.2-overtaken"}, .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::vector<Segment> flight;
  Duration round_trip{0};
  auto [socket, peer] = WithTail(3, flight, round_trip);
  peer.ExpectSilence(kRoundTrip);
  const Segment& second = flight[1];
  const Segment report = peer.Send(
      Ack().Ack(flight[0].seq).Sack({{second.seq, second.seq + second.length()}}));
  const Segment again = peer.Expect(AnyData().Seq(flight[0].seq), Within(10s));
  // At most min_RTT/4 by default, where no reordering was seen (RFC 8985 section 6.2, step 4). Who
  // takes no sample of the handshake has that of this report.
  if (again.time - report.time > round_trip) NotReached("it waits for its timeout");
  const Duration sample_of_report = report.time - second.time + way();
  EXPECT_LE(again.time - report.time - way(), FiresAfter(sample_of_report / 4).latest());
}
