// Protection against wrapped sequence numbers, RFC 7323 section 5: what is too old, and what may
// say so.
#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

class PawsTest : public PeerTest {
 protected:
  static constexpr std::uint32_t kLongAgo = 1000;

  // A connection that has TS.Recent of `recent`, by some data that came last.
  Connection Recent(std::uint32_t& recent) {
    Connection connection = Connected({.timestamps = true});
    recent = ScriptedTcp::TimestampNow() + 10;
    connection.peer.Send(Data("recent").TsVal(recent));
    connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
    connection.socket.Receive(64).value();
    return connection;
  }

  // Section 5.3 leaves open whether PAWS is used: where it is not, old data is taken.
  static void RequirePaws(ScriptedTcp& peer, std::uint32_t recent) {
    const std::uint32_t start = peer.snd_nxt;
    peer.Send(Data("old").TsVal(recent - kLongAgo));
    if (peer.Expect(Ack()).ack == peer.snd_nxt) NotReached("PAWS is not used");
    peer.snd_nxt = start;
  }

  // As Recent(), of a system that uses PAWS.
  Connection Protected(std::uint32_t& recent) {
    Connection connection = Recent(recent);
    RequirePaws(connection.peer, recent);
    return connection;
  }

  // After something that must have left TS.Recent as it was: data with a TSval that is not older
  // than that is taken.
  static void ExpectNotUpdated(Connection& connection, std::uint32_t recent) {
    auto& [socket, peer] = connection;
    peer.Send(Data("in time").TsVal(recent));
    peer.ExpectEventually(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("in time"));
  }
};

}  // namespace

TEST_WITH(PawsTest, Paws, DataThatIsTooOldIsAcknowledgedAndDropped, .claims = {"rfc7323:5.3-R1"}) {
  for (const std::uint32_t age : {2U, kLongAgo, 0x7fffffffU}) {
    SCOPED_TRACE(age);
    std::uint32_t recent = 0;
    auto [socket, peer] = Protected(recent);
    const std::uint32_t start = peer.snd_nxt;
    peer.Send(Data("too old").TsVal(recent - age));
    peer.Expect(Ack().Ack(start));
    peer.Send(Data("in time").Seq(start).TsVal(recent));
    peer.Expect(Ack().Ack(start + 7));
    EXPECT_THAT(socket.Receive(64), Returns("in time"));
  }
}

TEST_WITH(PawsTest, Paws, DataThatIsOlderByOneTickIsTooOld, .claims = {"rfc7323:5.3-R1"}) {
  std::uint32_t recent = 0;
  auto [socket, peer] = Protected(recent);
  peer.Send(Data("too old").TsVal(recent - 1));
  peer.Expect(Ack().Ack(peer.snd_nxt - 7));
}

TEST_WITH(PawsTest, Paws, DataThatIsNoOlderIsTaken, .claims = {"rfc7323:5.3-modulo"}) {
  for (const std::uint32_t later : {0U, 1U, 0x7fffffffU}) {
    std::uint32_t recent = 0;
    auto [socket, peer] = Recent(recent);
    peer.Send(Data("no older").TsVal(recent + later));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("no older"));
  }
}

TEST_WITH(PawsTest, Paws, TimestampsWrapAround, .claims = {"rfc7323:5.3-modulo"}) {
  constexpr std::uint32_t kLast = 0xffffffff;
  auto [listener, peer] = InState(TcpState::kListen);
  peer.syn_timestamps = true;
  peer.Send(Syn().TsVal(kLast - 1));
  if (!peer.Expect(SynAck()).timestamps()) NotReached("timestamps are not used");
  peer.Send(Ack().TsVal(kLast - 1));
  listener.Accept().value();
  RequirePaws(peer, kLast - 1);
  for (const std::uint32_t ts_val : {kLast, 0U, 1U}) {
    peer.Send(Data("goes on").TsVal(ts_val));
    peer.Expect(Ack().Ack(peer.snd_nxt).TsEcr(ts_val));
  }
  peer.Send(Data("too old").TsVal(kLast));
  peer.Expect(Ack().Ack(peer.snd_nxt - 7));
}

TEST_WITH(PawsTest, Paws, AFinThatIsTooOldEndsNothing, .claims = {"rfc7323:5.3-R1"}) {
  std::uint32_t recent = 0;
  auto [socket, peer] = Protected(recent);
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Fin().TsVal(recent - kLongAgo));
  peer.Expect(Ack().Ack(start));
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
  peer.Send(Fin().Seq(start).TsVal(recent));
  peer.Expect(Ack().Ack(start + 1));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
}

TEST_WITH(
    PawsTest, Paws, AnAcknowledgmentThatIsTooOldAcknowledgesNothing, .claims = {"rfc7323:5.3-R1"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  std::uint32_t recent = 0;
  auto [socket, peer] = Protected(recent);
  socket.Send("unacknowledged").value();
  const Segment data = peer.Expect(Data("unacknowledged"));
  peer.Send(Ack().TsVal(recent - kLongAgo));
  peer.ExpectEventually(Data("unacknowledged").Seq(data.seq), FirstTimeout());
}

TEST_WITH(PawsTest, Paws, AResetIsTakenHoweverOldItsTimestampIs, .claims = {"rfc7323:5.2-reset"}) {
  std::uint32_t recent = 0;
  auto [socket, peer] = Recent(recent);
  peer.Send(Rst().TsVal(recent - kLongAgo));
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}

TEST_WITH(PawsTest, Paws, AResetWithoutTimestampsIsTaken, .claims = {"rfc7323:5.2-reset"}) {
  std::uint32_t recent = 0;
  auto [socket, peer] = Recent(recent);
  peer.Send(Rst().NoTimestamps());
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}

TEST_WITH(PawsTest, Paws, AResetThatIsNotTakenSetsNoTimestamp,
          .claims = {"rfc7323:5.2-reset-updates-nothing"}) {
  std::uint32_t recent = 0;
  Connection connection = Recent(recent);
  auto& [socket, peer] = connection;
  // Below the window: no stack takes it.
  peer.Send(Rst().Seq(peer.snd_nxt - 1).TsVal(recent + 100'000));
  ExpectNotUpdated(connection, recent + 1);
}

TEST_WITH(PawsTest, Paws, ASegmentBeyondTheWindowSetsNoTimestamp, .claims = {"rfc7323:5.3-R2"}) {
  std::uint32_t recent = 0;
  Connection connection = Recent(recent);
  auto& [socket, peer] = connection;
  peer.Send(Data("far away").Seq(peer.snd_nxt + 0x40000000).TsVal(recent + 100'000));
  Settle();
  peer.TakeArrived();
  ExpectNotUpdated(connection, recent + 1);
}

TEST_WITH(PawsTest, Paws, ASegmentOutOfOrderSetsNoTimestamp, .claims = {"rfc7323:5.3-R3"}) {
  std::uint32_t recent = 0;
  Connection connection = Recent(recent);
  auto& [socket, peer] = connection;
  peer.Send(Data("ahead").Seq(peer.snd_nxt + 100).TsVal(recent + 100'000));
  Settle();
  peer.TakeArrived();
  ExpectNotUpdated(connection, recent + 1);
}

TEST_WITH(
    PawsTest, Paws, AfterTwentyFourIdleDaysNothingIsTooOld, .claims = {"rfc7323:5.5-outdated"},
    .needs = {"virtual-time"}, .lasts = [](const Facts&) -> Duration { return 24 * 24h + 1h; },
    .ipv4_only_because = "so many days of virtual time take two minutes, and TCP does not differ") {
  std::uint32_t recent = 0;
  auto [socket, peer] = Protected(recent);
  peer.ExpectSilence(24 * 24h + 1h);
  peer.Send(Data("after all").TsVal(recent - kLongAgo));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("after all"));
}
