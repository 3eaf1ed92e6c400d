// Selective acknowledgments, RFC 2018: what a receiver reports, and what a sender makes of it.
#include <algorithm>

#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

using tcp_option::SackBlock;

class SackTest : public PeerTest {
 protected:
  static constexpr std::uint16_t kPieceSize = 10;
  static constexpr std::uint16_t kSackMss = 500;
  // Of the timeouts of systems: that of FreeBSD.
  static constexpr Duration kShortestTimeout = 30ms;

  // Data of kPieceSize octets that begins at piece `number`, counted from `start`.
  static PartialSegment Piece(std::uint32_t start, std::uint32_t number, std::uint32_t pieces = 1) {
    return Data(std::string(std::size_t{pieces} * kPieceSize, 'x'))
        .Seq(start + number * kPieceSize);
  }
  static SackBlock Pieces(std::uint32_t start, std::uint32_t first, std::uint32_t end) {
    return {start + first * kPieceSize, start + end * kPieceSize};
  }

  static std::vector<SackBlock> Sorted(std::vector<SackBlock> blocks) {
    std::sort(blocks.begin(), blocks.end());
    return blocks;
  }

  // Every SACK block of a segment.
  static std::vector<SackBlock> BlocksOf(const Segment& segment) {
    const TcpOption* option = segment.FindOption(tcp_option::kSack);
    return option == nullptr ? std::vector<SackBlock>() : tcp_option::SackBlocksOf(*option);
  }

  // The answer to data out of order. NotReached() where there is none, as MAY-13 of RFC 9293 leaves
  // open, or one without SACK, which RFC 2018 section 4 leaves open as long as none has any.
  Segment Report(ScriptedTcp& peer, const PartialSegment& ahead) {
    const std::vector<Segment> answers = AnswersTo(ahead, peer, sut.loop());
    if (answers.empty()) NotReached("a segment out of order is not answered");
    if (BlocksOf(answers.back()).empty()) NotReached("a segment out of order is not reported");
    return answers.back();
  }

  // RFC 2018 section 8 lets a receiver discard what it has reported, which it must not report any
  // longer then. NotReached() where these pieces, sent before what they follow, come to nothing.
  void NeedsToKeep(const std::vector<std::uint32_t>& numbers) {
    auto [socket, peer] = Connected({.sack = true});
    const std::uint32_t start = peer.snd_nxt;
    for (const std::uint32_t number : numbers) Report(peer, Piece(start, number));
    const std::uint32_t end = *std::max_element(numbers.begin(), numbers.end()) + 1;
    for (std::uint32_t number = 0; number < end; ++number) {
      if (std::count(numbers.begin(), numbers.end(), number) == 0) peer.Send(Piece(start, number));
    }
    Settle();
    const std::vector<Segment> answers = peer.TakeArrived();
    if (answers.empty() || answers.back().ack != start + end * kPieceSize) {
      NotReached("it discards what it has reported");
    }
  }

  // A connection with so many full segments of the system in flight, none of them acknowledged;
  // `first` is the number of the first octet.
  Connection InFlight(std::uint32_t segments, std::uint32_t& first) {
    Connection connection =
        Connected({.options = std::vector{tcp_option::Mss(kSackMss)}, .sack = true});
    GrowCongestionWindow(connection, kSackMss, segments);
    auto& [socket, peer] = connection;
    first = peer.rcv_nxt;
    const std::uint32_t end = first + segments * kSackMss;
    socket.Send(std::string(std::size_t{segments} * kSackMss, 'x')).value();
    while (peer.rcv_nxt != end) peer.Expect(AnyData().Seq(peer.rcv_nxt));
    return connection;
  }
  static SackBlock Segments(std::uint32_t first, std::uint32_t from, std::uint32_t to) {
    return {first + from * kSackMss, first + to * kSackMss};
  }
};

}  // namespace

// --- Permitted -----------------------------------------------------------------------------------

TEST_WITH(SackTest, Sack, IsPermittedInSynsAlone, .claims = {"rfc2018:2-syn-only"}) {
  auto [socket, peer] = Connected({.sack = true});
  const auto expect_none = [](const Segment& segment) {
    EXPECT_EQ(segment.FindOption(tcp_option::kSackPermitted), nullptr);
  };
  peer.Send(Data("in order"));
  expect_none(peer.Expect(Ack().Ack(peer.snd_nxt)));
  socket.Send("data").value();
  expect_none(peer.Expect(Data("data")));
  peer.Send(Ack());
  socket.Shutdown("SHUT_WR").value();
  expect_none(peer.Expect(Fin()));
}

TEST_WITH(SackTest, Sack, IsNotSentToWhoDidNotPermitIt, .claims = {"rfc2018:4-not-permitted"}) {
  for (const bool passive : {false, true}) {
    SCOPED_TRACE(passive ? "accept()" : "connect()");
    auto [socket, peer] = passive ? ConnectedByAccept() : Connected();
    const std::uint32_t start = peer.snd_nxt;
    for (const std::uint32_t number : {1U, 3U, 5U}) {
      peer.Send(Piece(start, number));
      Settle();
      for (const Segment& answer : peer.TakeArrived()) {
        EXPECT_EQ(answer.FindOption(tcp_option::kSack), nullptr) << "nobody has permitted SACK";
      }
    }
    peer.Send(Piece(start, 2));
    Settle();
    for (const Segment& answer : peer.TakeArrived()) {
      EXPECT_EQ(answer.FindOption(tcp_option::kSack), nullptr) << "nobody has permitted SACK";
    }
  }
}

TEST_WITH(SackTest, Sack, IsTurnedOffByTcpSack, .claims = {"linux:tcp_sack"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_sack", 0);
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn().Option(tcp_option::SackPermitted()));
  EXPECT_EQ(peer.Expect(SynAck()).FindOption(tcp_option::kSackPermitted), nullptr);
  ScriptedTcp& acceptor = host.Listen(ip, NextPort());
  Socket opener = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
  opener.Connect(acceptor.local());  // EINPROGRESS
  EXPECT_EQ(acceptor.Expect(Syn()).FindOption(tcp_option::kSackPermitted), nullptr);
}

// --- What a receiver reports ---------------------------------------------------------------------

TEST_WITH(SackTest, Sack, ReportsTheEdgesOfWhatIsHeld,
          .claims = {"rfc2018:3-edges", "rfc2018:3-acknowledgment-number"}) {
  for (const bool passive : {false, true}) {
    auto [socket, peer] = passive ? ConnectedByAccept({.sack = true}) : Connected({.sack = true});
    const std::uint32_t start = peer.snd_nxt;
    const Segment report = Report(peer, Piece(start, 1));
    Deciding("rfc2018:3-edges");
    EXPECT_EQ(BlocksOf(report), std::vector{Pieces(start, 1, 2)});
    Deciding("rfc2018:3-acknowledgment-number");
    EXPECT_EQ(report.ack, start);
  }
}

TEST_WITH(SackTest, Sack, ReportsTheBlockOfTheNewestSegmentFirst,
          .claims = {"rfc2018:4-first-block"}) {
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  for (const std::uint32_t number : {5U, 1U, 7U, 3U}) {
    const Segment report = Report(peer, Piece(start, number));
    EXPECT_EQ(BlocksOf(report).front(), Pieces(start, number, number + 1)) << "piece " << number;
  }
  // One that joins two blocks is in the block that both have become.
  EXPECT_EQ(BlocksOf(Report(peer, Piece(start, 6))).front(), Pieces(start, 5, 8));
}

TEST_WITH(SackTest, Sack, RepeatsWhatWasReportedLastInTheFurtherBlocks,
          .claims = {"rfc2018:4-repeated", "rfc2018:4-as-many"}) {
  NeedsToKeep({5, 1, 7, 3, 9});
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  std::vector<SackBlock> newest_first;
  for (const std::uint32_t number : {5U, 1U, 7U, 3U, 9U}) {
    newest_first.insert(newest_first.begin(), Pieces(start, number, number + 1));
    const std::vector<SackBlock> reported = BlocksOf(Report(peer, Piece(start, number)));
    Deciding("rfc2018:4-as-many");
    EXPECT_EQ(reported.size(), std::min<std::size_t>(newest_first.size(), 4));
    Deciding("rfc2018:4-repeated");
    newest_first.resize(std::min<std::size_t>(newest_first.size(), 4));
    // In any order: which one is the first is a claim of its own.
    EXPECT_EQ(Sorted(reported), Sorted(newest_first));
  }
}

TEST_WITH(SackTest, Sack, HasThreeBlocksBesideTimestamps, .claims = {"rfc2018:4-as-many"}) {
  NeedsToKeep({2, 4, 6, 8});
  auto [socket, peer] = Connected({.timestamps = true, .sack = true});
  const std::uint32_t start = peer.snd_nxt;
  for (std::uint32_t blocks = 1; blocks <= 4; ++blocks) {
    const Segment report = Report(peer, Piece(start, 2 * blocks));
    EXPECT_EQ(BlocksOf(report).size(), std::min(blocks, 3U));
  }
}

TEST_WITH(SackTest, Sack, IsInEveryAckUntilTheHighestIsAcknowledged,
          .claims = {"rfc2018:4-under-all-circumstances"}) {
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  Report(peer, Piece(start, 3));
  peer.Send(Piece(start, 0));  // in order, before the hole
  peer.Expect(Ack().Ack(start + kPieceSize).Sack({Pieces(start, 3, 4)}));
  socket.Send("data").value();
  peer.Expect(Data("data").Sack({Pieces(start, 3, 4)}));
  peer.Send(Piece(start, 1, 2));
  peer.Expect(Ack().Ack(start + 4 * kPieceSize).Sack({}));
}

TEST_WITH(SackTest, Sack, ReportsNeighboursAsOneBlock, .claims = {"rfc2018:3-isolated"}) {
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  Report(peer, Piece(start, 2));
  EXPECT_EQ(BlocksOf(Report(peer, Piece(start, 3))), std::vector{Pieces(start, 2, 4)});
  EXPECT_EQ(BlocksOf(Report(peer, Piece(start, 1))), std::vector{Pieces(start, 1, 4)});
  Report(peer, Piece(start, 6));
  EXPECT_EQ(BlocksOf(Report(peer, Piece(start, 4, 2))), std::vector{Pieces(start, 1, 7)});
}

TEST_WITH(SackTest, Sack, NoLongerReportsWhatIsAcknowledged, .claims = {"rfc2018:3-isolated"}) {
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  Report(peer, Piece(start, 1));
  Report(peer, Piece(start, 3));
  peer.Send(Piece(start, 0));
  for (const SackBlock& block : BlocksOf(peer.Expect(Ack().Ack(start + 2 * kPieceSize)))) {
    EXPECT_EQ(block, Pieces(start, 3, 4));
  }
  peer.Send(Piece(start, 2));
  peer.Expect(Ack().Ack(start + 4 * kPieceSize).Sack({}));
  EXPECT_THAT(socket.Receive(1000), Returns(std::string(std::size_t{4} * kPieceSize, 'x')));
}

// --- What a sender makes of it -------------------------------------------------------------------

TEST_WITH(SackTest, Sack, WhatWasReportedIsNotRetransmittedWithTheRest,
          .claims = {"rfc2018:5-skip"}) {
  std::uint32_t first = 0;
  auto [socket, peer] = InFlight(8, first);
  // The first and the fourth segment are lost.
  for (int times = 0; times < 3; ++times) {
    peer.Send(Ack().Ack(first).Sack({Segments(first, 4, 8), Segments(first, 1, 3)}));
  }
  Settle();
  const Time reported = Clock::now();
  // Whatever comes again, until both are acknowledged, lies in the holes.
  std::uint32_t acknowledged = first;
  while (acknowledged != first + 8 * kSackMss) {
    const Segment again = peer.Expect(AnySegment(), Within(10s));
    const bool in_hole = again.seq == first || again.seq == first + 3 * kSackMss;
    if (!in_hole && again.time < reported) continue;  // a probe of the tail, before the reports
    // What comes so late comes by a timeout, after which section 5.1 has all reports forgotten.
    if (again.seq == first && again.time - reported > kShortestTimeout) {
      NotReached("it waits for its timeout");
    }
    EXPECT_TRUE(in_hole) << Describe(again, first, peer.iss) << " was reported";
    EXPECT_LE(again.length(), kSackMss);
    if (again.seq == first) {
      acknowledged = first + 3 * kSackMss;
      peer.Send(Ack().Ack(acknowledged).Sack({Segments(first, 4, 8)}));
    } else if (again.seq == first + 3 * kSackMss && acknowledged != first) {
      acknowledged = first + 8 * kSackMss;
      peer.Send(Ack().Ack(acknowledged));
    }
  }
}

TEST_WITH(
    SackTest, Sack, TheLeftEdgeComesAgainAfterATimeoutThoughItWasReported,
    .claims = {"rfc2018:5-left-edge", "rfc2018:8-acknowledged"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  std::uint32_t first = 0;
  auto [socket, peer] = InFlight(2, first);
  // A receiver that has discarded what it reported.
  peer.Send(Ack().Ack(first).Sack({Segments(first, 0, 1)}));
  Deciding("rfc2018:5-left-edge");
  Segment again = peer.Expect(AnySegment(), Within(10s));
  for (int times = 0; again.seq != first && times < 3; ++times) {
    again = peer.Expect(AnySegment(), Within(10s));
  }
  EXPECT_EQ(again.seq, first) << "what was reported is not sent again";
  Deciding("rfc2018:8-acknowledged");
  EXPECT_EQ(again.payload, Bytes(again.payload.size(), 'x'));
}
