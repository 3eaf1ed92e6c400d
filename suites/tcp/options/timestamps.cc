// The Timestamps option, RFC 7323 sections 3, 4 and 5.4: which segments have it, and with what
// numbers.
#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr Duration kClockWatched = 2500ms;

class TimestampsTest : public PeerTest {
 protected:
  // Random offsets of 32 bits are as near as that to each other in one of 70000 pairs, at ticks of
  // 1 ms.
  static constexpr std::uint32_t kMinute = 60000;

  // A number of the peer's clock so many ticks later.
  static std::uint32_t In(std::uint32_t ticks) { return ScriptedTcp::TimestampNow() + ticks; }

  // A connection by connect() or by accept(), where timestamps were agreed on.
  Connection Stamped(bool passive = false) {
    return passive ? ConnectedByAccept({.timestamps = true}) : Connected({.timestamps = true});
  }

  // The system has something to send back, so that it may hold its next acknowledgments.
  static void Converse(Connection& connection) {
    auto& [socket, peer] = connection;
    for (int rounds = 0; rounds < 2; ++rounds) {
      peer.Send(Data("question"));
      socket.Receive(64).value();
      socket.Send("answer").value();
      peer.ExpectEventually(Data("answer"));
      peer.Send(Ack());
    }
  }

  // A SYN of the system under test.
  Segment OwnSyn() {
    ScriptedTcp& acceptor = host.Listen(ip, NextPort());
    Socket opener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    opener.Connect(acceptor.local());  // EINPROGRESS
    return acceptor.Expect(Syn());
  }

  // How far the clocks of two connections, one right after the other, are from each other.
  std::uint32_t BetweenTwoConnections() {
    const auto first = OwnSyn().timestamps();
    const auto second = OwnSyn().timestamps();
    if (!first || !second) NotReached("timestamps are not used");
    return second->first - first->first;
  }

  Segment StampedSynAckFor(const PartialSegment& syn) {
    auto [listener, peer] = InState(TcpState::kListen);
    peer.Send(syn);
    return peer.Expect(SynAck().Ack(peer.snd_nxt));
  }
};

}  // namespace

// --- Where they are ------------------------------------------------------------------------------

TEST_WITH(TimestampsTest, Timestamps, AreInASynAckOnlyWhenTheyWereInTheSyn,
          .claims = {"rfc7323:3.2-only-if-received"}) {
  EXPECT_FALSE(StampedSynAckFor(Syn()).timestamps()) << "timestamps that nobody has asked for";
  if (!StampedSynAckFor(Syn().TsVal(In(0))).timestamps()) {
    NotTaken("rfc7323:3.2-only-if-received", "it answers without timestamps");
  }
}

TEST_WITH(TimestampsTest, Timestamps, AreTurnedOffByTcpTimestamps,
          .claims = {"linux:tcp_timestamps"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_timestamps", 0);
  EXPECT_FALSE(StampedSynAckFor(Syn().TsVal(In(0))).timestamps());
  EXPECT_FALSE(OwnSyn().timestamps());
}

TEST_WITH(TimestampsTest, Timestamps, AreInEverySegmentOnceTheyWereAgreedOn,
          .claims = {"rfc7323:3.2-every-segment"}) {
  for (const bool passive : {false, true}) {
    SCOPED_TRACE(passive ? "accept()" : "connect()");
    auto [socket, peer] = Stamped(passive);
    const auto expect_stamped = [&peer = peer](const Segment& segment) {
      EXPECT_TRUE(segment.timestamps()) << Describe(segment, peer.irs, peer.iss);
    };
    peer.Send(Data("in order"));
    expect_stamped(peer.Expect(Ack().Ack(peer.snd_nxt)));
    peer.Send(Data("behind a gap").Seq(peer.snd_nxt + 1));
    Settle();
    for (const Segment& segment : peer.TakeArrived()) expect_stamped(segment);
    socket.Send("data").value();
    expect_stamped(peer.Expect(Data("data")));
    peer.Send(Ack());
    socket.Shutdown("SHUT_WR").value();
    expect_stamped(peer.Expect(Fin()));
    peer.Send(Fin().Seq(peer.snd_nxt));
    expect_stamped(peer.Expect(Ack().Ack(peer.snd_nxt)));
    peer.Send(Fin().Seq(peer.snd_nxt - 1));  // TIME-WAIT answers as well
    expect_stamped(peer.Expect(Ack().Ack(peer.snd_nxt)));
  }
}

TEST_WITH(
    TimestampsTest, Timestamps, OfARetransmissionAreThoseOfItsOwnTime,
    .claims = {"rfc7323:3.2-tsval", "rfc7323:3.2-every-segment"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Stamped();
  socket.Send("again").value();
  const Segment first = peer.Expect(Data("again"));
  const Segment again = peer.Expect(Data("again").Seq(first.seq), FirstTimeout());
  Deciding("rfc7323:3.2-every-segment");
  ASSERT_TRUE(first.timestamps() && again.timestamps());
  // A clock that ticks once a second may have stood still.
  if (again.time - first.time < 1s && again.timestamps()->first == first.timestamps()->first) {
    NotReached("the clock has not ticked");
  }
  Deciding("rfc7323:3.2-tsval");
  const std::uint32_t ticks = again.timestamps()->first - first.timestamps()->first;
  EXPECT_GT(ticks, 0U);
  EXPECT_LE(std::chrono::milliseconds(ticks), (again.time - first.time) * 9 / 8 + 20ms);
}

TEST_WITH(TimestampsTest, Timestamps, AreInTheResetOfAnAbortToo, .claims = {"rfc7323:3.2-reset"}) {
  auto [socket, peer] = Stamped();
  socket.SetLinger(0).value();
  socket.Close().value();
  EXPECT_TRUE(peer.Expect(Rst()).timestamps()) << "an RST without timestamps";
}

TEST_WITH(TimestampsTest, Timestamps, AreInTheResetThatAnswersSome,
          .claims = {"rfc7323:5.2-reset-answer"}) {
  Stamped();  // or there are none on this system
  auto [socket, peer] = InState(TcpState::kClosed);
  peer.Send(Syn().Option(tcp_option::Timestamps(4711, 0)));
  const auto timestamps = peer.Expect(Rst()).timestamps();
  ASSERT_TRUE(timestamps) << "an RST without timestamps";
  EXPECT_EQ(timestamps->second, 4711U);
  EXPECT_EQ(timestamps->first, 0U);
}

TEST_WITH(TimestampsTest, Timestamps, ThatWereNotAgreedOnAreIgnored,
          .claims = {"rfc7323:3.2-not-agreed"}) {
  auto [socket, peer] = Connected();
  for (const std::uint32_t ts_val : {In(1000), In(0), In(0) - 1000}) {
    peer.Send(Data("taken").TsVal(ts_val).TsEcr(7));
    const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_FALSE(ack.timestamps()) << "they were not agreed on";
    EXPECT_THAT(socket.Receive(64), Returns("taken"));
  }
}

TEST_WITH(TimestampsTest, Timestamps, ThatAreMissingCostTheSegmentAndNotTheConnection,
          .claims = {"rfc7323:3.2-missing", "rfc7323:3.2-missing-no-abort"}) {
  auto [socket, peer] = Stamped();
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("lacks them").NoTimestamps());
  Settle();
  const std::vector<Segment> answers = peer.TakeArrived();
  peer.Send(Data("has them  ").Seq(start));
  Deciding("rfc7323:3.2-missing-no-abort");
  peer.ExpectEventually(Ack().Ack(start + 10));
  const Outcome<std::string> received = socket.Receive(64);
  ASSERT_THAT(received, Succeeds());
  Deciding("rfc7323:3.2-missing");
  EXPECT_TRUE(answers.empty()) << "it is answered";
  EXPECT_THAT(received, Returns("has them  "));
}

// --- TSecr ---------------------------------------------------------------------------------------

TEST_WITH(TimestampsTest, Timestamps, OfASynEchoNothing, .claims = {"rfc7323:3.2-tsecr-zero"}) {
  const Segment syn = OwnSyn();
  if (!syn.timestamps()) NotReached("timestamps are not used");
  EXPECT_EQ(syn.timestamps()->second, 0U);
}

TEST_WITH(TimestampsTest, Timestamps, OfASynMayEchoAnything,
          .claims = {"rfc7323:3.2-tsecr-ignored"}) {
  for (const std::uint32_t ts_ecr : {1U, 0x7fffffffU, 0xffffffffU}) {
    auto [listener, peer] = InState(TcpState::kListen);
    peer.syn_timestamps = true;
    peer.Send(Syn().TsEcr(ts_ecr));
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack());
    EXPECT_THAT(listener.Accept(), Succeeds()) << "TSecr " << ts_ecr;
  }
}

TEST_WITH(TimestampsTest, Timestamps, OfASynAckEchoTheSyn, .claims = {"rfc7323:3.2-echo"}) {
  for (const std::uint32_t ts_val : {1U, In(0), 0xffffffffU}) {
    const Segment syn_ack = StampedSynAckFor(Syn().TsVal(ts_val));
    if (!syn_ack.timestamps()) NotReached("timestamps are not used");
    EXPECT_EQ(syn_ack.timestamps()->second, ts_val);
  }
}

TEST_WITH(TimestampsTest, Timestamps, EchoTheLastSegmentInOrder, .claims = {"rfc7323:3.2-echo"}) {
  auto [socket, peer] = Stamped();
  for (const std::uint32_t later : {1U, 2U, 1000U}) {
    const std::uint32_t ts_val = In(later);
    peer.Send(Data("next").TsVal(ts_val));
    peer.Expect(Ack().Ack(peer.snd_nxt).TsEcr(ts_val));
  }
  const std::uint32_t ts_val = In(2000);
  peer.Send(Fin().TsVal(ts_val));
  peer.Expect(Ack().Ack(peer.snd_nxt).TsEcr(ts_val));
  socket.Send("data echoes too").value();
  peer.Expect(AnyData().TsEcr(ts_val));
}

TEST_WITH(TimestampsTest, Timestamps, EchoTheEarliestSegmentOfThoseAcknowledgedTogether,
          .claims = {"rfc7323:4.3-delayed-ack"}) {
  Connection connection = Stamped();
  auto& [socket, peer] = connection;
  Converse(connection);
  const std::uint32_t earliest = In(10);
  const std::uint32_t first_end = peer.snd_nxt + 5;
  const Time sent = peer.Send(Data("early").TsVal(earliest)).time;
  const Duration gap = peer.Send(Data("later").TsVal(earliest + 20)).time - sent;
  Segment ack = peer.Expect(Ack(), Within(RfcAckDelayMaximum() + kPatience));
  if (ack.ack == first_end) {
    if (gap > 10ms) throw Inconclusive("between the two segments lie " + FormatDuration(gap));
    NotReached("its acknowledgments are not delayed");
  }
  ASSERT_EQ(ack.ack, peer.snd_nxt);
  ASSERT_TRUE(ack.timestamps());
  EXPECT_EQ(ack.timestamps()->second, earliest);
}

TEST_WITH(TimestampsTest, Timestamps, BehindAHoleEchoTheLastSegmentBeforeIt,
          .claims = {"rfc7323:4.3-hole"}) {
  auto [socket, peer] = Stamped();
  const std::uint32_t before = In(5);
  peer.Send(Data("before").TsVal(before));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  for (const std::uint32_t gap : {10U, 30U}) {
    const PartialSegment behind = Data("behind").Seq(peer.snd_nxt + gap).TsVal(before + gap);
    const std::vector<Segment> answers = AnswersTo(behind, peer, sut.loop());
    if (answers.empty()) NotReached("a segment out of order is not answered");  // MAY-13
    ASSERT_TRUE(answers.back().timestamps());
    EXPECT_EQ(answers.back().timestamps()->second, before);
  }
}

TEST_WITH(TimestampsTest, Timestamps, EchoTheSegmentThatFillsAHole,
          .claims = {"rfc7323:4.3-filled-hole"}) {
  auto [socket, peer] = Stamped();
  const std::uint32_t start = peer.snd_nxt;
  const std::uint32_t behind = In(5);
  AnswersTo(Data("behind").Seq(start + 4).TsVal(behind), peer, sut.loop());
  peer.Send(Data("hole").Seq(start).TsVal(behind + 100));
  const Segment ack = peer.Expect(Ack());
  ASSERT_TRUE(ack.timestamps());
  EXPECT_EQ(ack.timestamps()->second, behind + 100);
}

TEST_WITH(
    TimestampsTest, Timestamps, AreNoSampleInASegmentThatAcknowledgesNothingNew,
    .claims = {"rfc7323:4.1-rttm"}, .needs = {"tcp_info"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  auto [socket, peer] = Stamped();
  socket.Send("sampled").value();
  const Segment first = peer.Expect(Data("sampled"));
  peer.Send(Ack());
  Settle();
  const std::int64_t before = socket.Info("rtt");
  peer.ExpectSilence(500ms);
  peer.Send(Data("old echo").TsEcr(first.timestamps()->first));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_EQ(socket.Info("rtt"), before);
}

// --- The clock -----------------------------------------------------------------------------------

TEST_WITH(
    TimestampsTest, Timestamps, TickAtLeastOnceASecondAndAtMostOnceAMillisecond,
    .claims = {"rfc7323:5.4-tick"},
    .lasts = [](const Facts&) -> Duration { return kClockWatched; }) {
  auto [socket, peer] = Stamped();
  const auto ask = [&peer = peer] {
    peer.Send(Data("?"));
    return peer.Expect(Ack().Ack(peer.snd_nxt));
  };
  const Segment early = ask();
  peer.ExpectSilence(kClockWatched);
  const Segment late = ask();
  const std::chrono::milliseconds ticks(late.timestamps()->first - early.timestamps()->first);
  EXPECT_GE(ticks.count(), (late.time - early.time) / 1s - 1);
  EXPECT_LE(ticks, (late.time - early.time) * 9 / 8);
}

TEST_WITH(TimestampsTest, Timestamps, HaveAnotherOffsetInEachConnection,
          .claims = {"rfc7323:7.1-offset", "linux:tcp_timestamps-offset"}) {
  const std::uint32_t between = BetweenTwoConnections();
  for (const char* claim : {"rfc7323:7.1-offset", "linux:tcp_timestamps-offset"}) {
    Deciding(claim);
    EXPECT_GT(between, kMinute) << "the clock of the connection before goes on";
  }
}

TEST_WITH(TimestampsTest, Timestamps, HaveNoOffsetWithTcpTimestampsOf2,
          .claims = {"linux:tcp_timestamps-offset"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_timestamps", 2);
  EXPECT_LE(BetweenTwoConnections(), kMinute) << "each connection has a clock of its own";
}
