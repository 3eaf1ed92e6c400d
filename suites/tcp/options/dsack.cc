// Duplicates that are reported by SACK, RFC 2883.
#include "harness/test/test.h"
#include "suites/tcp/in_flight.h"

using namespace sockproof;

namespace {

using tcp_option::SackBlock;

class DuplicateSackTest : public PeerTest {
 protected:
  // So many octets of the stream from octet `from` on, counted from `start`.
  static PartialSegment Octets(std::uint32_t start, std::uint32_t from, std::uint32_t to) {
    return Data(std::string(to - from, 'x')).Seq(start + from);
  }
  static SackBlock Block(std::uint32_t start, std::uint32_t from, std::uint32_t to) {
    return {start + from, start + to};
  }

  // The blocks that answer a segment that must be answered.
  std::vector<SackBlock> BlocksFor(ScriptedTcp& peer, const PartialSegment& segment) {
    const std::vector<Segment> answers = AnswersTo(segment, peer, sut.loop());
    if (answers.empty()) NotReached("it is not answered");
    const TcpOption* option = answers.back().FindOption(tcp_option::kSack);
    return option == nullptr ? std::vector<SackBlock>() : tcp_option::SackBlocksOf(*option);
  }

  // Sends what is ahead. NotReached() where it is not held, as SHLD-31 of RFC 9293 allows.
  void Hold(ScriptedTcp& peer, std::uint32_t start, std::uint32_t from, std::uint32_t to) {
    if (BlocksFor(peer, Octets(start, from, to)).empty()) NotReached("it is not reported");
  }

  // A connection whose first 100 octets have been sent and acknowledged, of a system that reports a
  // duplicate.
  Connection Reporting(std::uint32_t& start) {
    Connection connection = Connected({.sack = true});
    ScriptedTcp& peer = connection.peer;
    start = peer.snd_nxt;
    peer.Send(Octets(start, 0, 100));
    peer.Expect(Ack().Ack(start + 100));
    if (BlocksFor(peer, Octets(start, 0, 10)).empty()) NotReached("duplicates are not reported");
    return connection;
  }
};

}  // namespace

TEST_WITH(DuplicateSackTest, DuplicateSack, HasTheEdgesOfTheDuplicate,
          .claims = {"rfc2883:4-duplicate", "rfc2883:4-edges"}) {
  auto [socket, peer] = Connected({.sack = true});
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Octets(start, 0, 100));
  peer.Expect(Ack().Ack(start + 100));
  for (const std::uint32_t from : {0U, 60U}) {
    const std::vector<SackBlock> blocks = BlocksFor(peer, Octets(start, from, from + 40));
    Deciding("rfc2883:4-duplicate");
    if (blocks.empty()) {
      NotTaken("rfc2883:4-duplicate", "duplicates are not reported");
      return;
    }
    Deciding("rfc2883:4-edges");
    EXPECT_EQ(blocks, std::vector{Block(start, from, from + 40)});
  }
}

TEST_WITH(DuplicateSackTest, DuplicateSack, IsSentOnce, .claims = {"rfc2883:4-once"}) {
  std::uint32_t start = 0;
  auto [socket, peer] = Reporting(start);
  ASSERT_EQ(BlocksFor(peer, Octets(start, 50, 100)), std::vector{Block(start, 50, 100)});
  peer.Send(Octets(start, 100, 150));
  peer.Expect(Ack().Ack(start + 150).Sack({}));
  socket.Send("data").value();
  peer.Expect(Data("data").Sack({}));
}

TEST_WITH(DuplicateSackTest, DuplicateSack, OfWhatIsHeldIsFollowedByTheWholeBlock,
          .claims = {"rfc2883:4-larger-block", "rfc2883:4-edges"}) {
  std::uint32_t start = 0;
  auto [socket, peer] = Reporting(start);
  Hold(peer, start, 200, 300);
  const std::vector<SackBlock> blocks = BlocksFor(peer, Octets(start, 220, 260));
  Deciding("rfc2883:4-edges");
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks[0], Block(start, 220, 260));
  Deciding("rfc2883:4-larger-block");
  ASSERT_GE(blocks.size(), 2U);
  EXPECT_EQ(blocks[1], Block(start, 200, 300));
}

TEST_WITH(DuplicateSackTest, DuplicateSack, IsFollowedByTheBlocksThatAreHeld,
          .claims = {"rfc2883:4-further-blocks"}) {
  std::uint32_t start = 0;
  auto [socket, peer] = Reporting(start);
  Hold(peer, start, 400, 500);
  Hold(peer, start, 200, 300);
  const std::vector<SackBlock> blocks = BlocksFor(peer, Octets(start, 0, 50));
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks[0], Block(start, 0, 50));
  if (blocks.size() == 1) NotTaken("rfc2883:4-further-blocks", "it reports the duplicate alone");
  // RFC 2018 section 4 leaves their order open.
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    EXPECT_TRUE(blocks[i] == Block(start, 200, 300) || blocks[i] == Block(start, 400, 500))
        << "block " << i << " is not held";
  }
}

TEST_WITH(DuplicateSackTest, DuplicateSack, ReportsThePartThatIsADuplicate,
          .claims = {"rfc2883:4.2-partial"}) {
  std::uint32_t start = 0;
  auto [socket, peer] = Reporting(start);
  EXPECT_EQ(BlocksFor(peer, Octets(start, 80, 120)), std::vector{Block(start, 80, 100)});
}

TEST_WITH(DuplicateSackTest, DuplicateSack, ReportsThePartOfWhatIsHeldThatIsADuplicate,
          .claims = {"rfc2883:4.2-partial"}) {
  std::uint32_t start = 0;
  auto [socket, peer] = Reporting(start);
  Hold(peer, start, 200, 300);
  const std::vector<SackBlock> blocks = BlocksFor(peer, Octets(start, 250, 350));
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks[0], Block(start, 250, 300));
}

TEST_WITH(DuplicateSackTest, DuplicateSack, IsTurnedOffByTcpDsack, .claims = {"linux:tcp_dsack"},
          .needs = {"sysctl"}) {
  for (const bool on : {true, false}) {
    sut.SetSysctl("net.ipv4.tcp_dsack", on ? 1 : 0);
    auto [socket, peer] = Connected({.sack = true});
    const std::uint32_t start = peer.snd_nxt;
    peer.Send(Octets(start, 0, 100));
    peer.Expect(Ack().Ack(start + 100));
    EXPECT_EQ(!BlocksFor(peer, Octets(start, 0, 10)).empty(), on);
  }
}
