// The blocks of a pcapng file, read back by the rules of the draft.
#include "harness/trace/pcapng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Tins::TCP;

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6;

struct Block {
  std::uint32_t type = 0;
  Bytes body;  // without type, lengths and options
  std::multimap<std::uint16_t, std::string> options;

  std::vector<std::string> Options(std::uint16_t code) const {
    std::vector<std::string> values;
    for (auto [at, end] = options.equal_range(code); at != end; ++at) values.push_back(at->second);
    return values;
  }
  std::vector<std::string> Comments() const { return Options(1); }
};

std::uint32_t U16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes.at(at) | bytes.at(at + 1) << 8);
}
std::uint32_t U32(const Bytes& bytes, std::size_t at) {
  return U16(bytes, at) | U16(bytes, at + 2) << 16;
}

std::size_t Padded(std::size_t size) { return (size + 3) / 4 * 4; }

// The bytes of a block before its options.
std::size_t FixedSize(std::uint32_t type, const Bytes& body) {
  if (type == kSection) return 16;
  if (type == kInterface) return 8;
  return 20 + Padded(U32(body, 12));
}

std::vector<Block> Parse(const Bytes& file) {
  std::vector<Block> blocks;
  for (std::size_t at = 0; at < file.size();) {
    const std::uint32_t length = U32(file, at + 4);
    EXPECT_EQ(length % 4, 0u);
    EXPECT_EQ(U32(file, at + length - 4), length) << "the two lengths differ";
    Block block;
    block.type = U32(file, at);
    const auto begin = file.begin() + static_cast<long>(at);
    const Bytes all(begin + 8, begin + length - 4);
    const std::size_t fixed = FixedSize(block.type, all);
    block.body.assign(all.begin(), all.begin() + static_cast<long>(fixed));
    bool has_end = fixed == all.size();
    for (std::size_t option = fixed; option < all.size();) {
      const auto code = static_cast<std::uint16_t>(U16(all, option));
      const std::size_t size = U16(all, option + 2);
      const auto value = all.begin() + static_cast<long>(option + 4);
      if (code != 0)
        block.options.emplace(code, std::string(value, value + static_cast<long>(size)));
      has_end = code == 0;
      option += 4 + Padded(size);
    }
    EXPECT_TRUE(has_end);
    blocks.push_back(block);
    at += length;
  }
  return blocks;
}

Bytes Payload(const Block& packet) {
  return {packet.body.begin() + 20, packet.body.begin() + 20 + U32(packet.body, 12)};
}

Time TimeOf(const Block& packet) {
  return FromNanoseconds(static_cast<std::int64_t>(
      static_cast<std::uint64_t>(U32(packet.body, 4)) << 32 | U32(packet.body, 8)));
}

TEST(Pcapng, StartsWithASectionThatNamesTheTest) {
  const auto blocks = Parse(RenderPcapng({}, "HalfClose.Works/ipv4"));
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].type, kSection);
  EXPECT_EQ(U32(blocks[0].body, 0), 0x1a2b3c4du);
  EXPECT_EQ(U16(blocks[0].body, 4), 1u);
  EXPECT_EQ(U16(blocks[0].body, 6), 0u);
  EXPECT_THAT(blocks[0].Comments(), ElementsAre("HalfClose.Works/ipv4"));
  EXPECT_THAT(blocks[0].Options(4), ElementsAre(HasSubstr("sockproof ")));
}

TEST(Pcapng, HasAnInterfaceForEachSenderAndEveryFrameInOrder) {
  const Bytes syn = Frame(kSutAddress, kPeerAddress, Segment(TCP::SYN, 1));
  const Bytes syn_ack = Frame(kPeerAddress, kSutAddress, Reply(TCP::SYN | TCP::ACK, 9, 2), "odd");
  const auto blocks =
      Parse(RenderPcapng({FromPeer(2ms, syn_ack), FromSut(1ms, syn), FromSut(3ms, syn)}, "id"));
  ASSERT_EQ(blocks.size(), 6u);
  EXPECT_EQ(blocks[1].type, kInterface);
  EXPECT_EQ(U16(blocks[1].body, 0), 1u);  // Ethernet
  EXPECT_THAT(blocks[1].Options(2), ElementsAre("sut"));
  EXPECT_THAT(blocks[1].Options(9), ElementsAre("\x09"));
  EXPECT_THAT(blocks[2].Options(2), ElementsAre("peer"));
  const std::pair<std::uint32_t, Bytes> expected[] = {{0, syn}, {1, syn_ack}, {0, syn}};
  for (std::size_t index = 0; index < 3; ++index) {
    const Block& packet = blocks[3 + index];
    EXPECT_EQ(packet.type, kPacket);
    EXPECT_EQ(U32(packet.body, 0), expected[index].first);
    EXPECT_EQ(TimeOf(packet), At(1ms * static_cast<int>(index + 1)));
    EXPECT_EQ(U32(packet.body, 12), U32(packet.body, 16));
    EXPECT_EQ(Payload(packet), expected[index].second);
    EXPECT_THAT(packet.Comments(), IsEmpty());
  }
}

TEST(Pcapng, PutsCallsAtTheNextFrameAndTheRestAtTheLast) {
  const auto blocks = Parse(RenderPcapng(
      {
          {At(0s), CallEvent{1, "sut", "connect(3, 192.0.2.2:80)"}},
          FromSut(112us, Segment(TCP::SYN, 1)),
          {At(200us), CallEvent{2, "sut", "accept(4)"}},
          FromPeer(300us, Reply(TCP::SYN | TCP::ACK, 9, 2)),
          {At(2s), ReturnEvent{1, "sut", "0", std::nullopt, {}}},
          {At(3s), ExpectationEvent{"sut", "ACK seq=1", false}},
          {At(3s), ExpectationEvent{"sut", "ACK seq=0", true}},
          {At(3s), FailureEvent{"half_close.cc", 42, "no ACK"}},
          {At(3s), BlockedEvent{2}},
          {At(3s), CallEvent{3, "sut", "send(3)"}},
          {At(3s), ReturnEvent{3, "sut", "EPIPE", std::nullopt, {"SIGPIPE"}}},
      },
      "id"));
  ASSERT_EQ(blocks.size(), 5u);
  EXPECT_THAT(blocks[3].Comments(),
              ElementsAre("+0.000000 s sut: connect(3, 192.0.2.2:80) = 0 after 2.000 s"));
  EXPECT_THAT(blocks[4].Comments(),
              ElementsAre("+0.000200 s sut: accept(4) did not return",
                          "+3.000000 s sut: send(3) = EPIPE, SIGPIPE",
                          "+3.000000 s expected from sut, never seen: ACK seq=1",
                          "+3.000000 s FAILED half_close.cc:42\nno ACK"));
}

TEST(Pcapng, SaysWhatTheWireDid) {
  std::vector<Event> events;
  for (const Fate fate : {Fate::kForwarded, Fate::kDropped, Fate::kDelayed, Fate::kDuplicated}) {
    events.push_back({At(0s), FrameEvent{"client", "server", fate,
                                         fate == Fate::kDelayed ? 300ms : 0ms, Bytes(60)}});
  }
  const auto blocks = Parse(RenderPcapng(events, "id"));
  ASSERT_EQ(blocks.size(), 6u);
  EXPECT_THAT(blocks[2].Comments(), IsEmpty());
  EXPECT_THAT(blocks[3].Comments(), ElementsAre("lost on the wire"));
  EXPECT_THAT(blocks[4].Comments(), ElementsAre("delayed on the wire by 300 ms"));
  EXPECT_THAT(blocks[5].Comments(), ElementsAre("second copy, made on the wire"));
}

TEST(Pcapng, KeepsCommentsWithoutAnyFrame) {
  const auto blocks =
      Parse(RenderPcapng({{At(0s), FailureEvent{"x.cc", 1, "nothing came"}}}, "id"));
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_THAT(blocks[0].Comments(), ElementsAre("id", "+0.000000 s FAILED x.cc:1\nnothing came"));
}

TEST(Pcapng, CutsACommentThatIsTooLong) {
  const auto blocks = Parse(RenderPcapng({}, std::string(70000, 'x')));
  EXPECT_EQ(blocks.at(0).Comments().at(0).size(), 65535u);
}

}  // namespace
}  // namespace sockproof
