#include "harness/wire/partial_segment.h"

#include <gmock/gmock.h>

namespace sockproof {
namespace {

Segment With(TcpFlags flags, const std::string& payload = "") {
  Segment segment;
  segment.flags = flags;
  segment.seq = 100;
  segment.ack = 200;
  segment.payload.assign(payload.begin(), payload.end());
  return segment;
}

TEST(PartialSegment, ComparesControlFlags) {
  EXPECT_TRUE(Syn().Matches(With(kSyn)));
  EXPECT_FALSE(Syn().Matches(With(kSyn | kAck)));
  EXPECT_TRUE(SynAck().Matches(With(kSyn | kAck)));
  EXPECT_FALSE(Ack().Matches(With(kAck | kFin)));
  EXPECT_FALSE(Fin().Matches(With(kAck | kFin | kRst)));
  EXPECT_FALSE(Ack().Matches(With(kAck | kUrg)));
}

TEST(PartialSegment, LeavesPshAndEcnFlagsOpenUnlessNamed) {
  EXPECT_TRUE(Data("x").Matches(With(kAck, "x")));
  EXPECT_TRUE(Data("x").Matches(With(kAck | kPsh, "x")));
  EXPECT_TRUE(Syn().Matches(With(kSyn | kEce | kCwr)));
  EXPECT_FALSE(Syn().With(kEce).Matches(With(kSyn)));
  EXPECT_FALSE(Syn().Without(kEce).Matches(With(kSyn | kEce)));
}

TEST(PartialSegment, AResetMayCarryAckOrNot) {
  EXPECT_TRUE(Rst().Matches(With(kRst)));
  EXPECT_TRUE(Rst().Matches(With(kRst | kAck)));
  EXPECT_FALSE(Rst().With(kAck).Matches(With(kRst)));
  EXPECT_FALSE(Rst().Without(kAck).Matches(With(kRst | kAck)));
}

TEST(PartialSegment, ComparesPayloadWhereTheKindSpeaksOfIt) {
  EXPECT_FALSE(Ack().Matches(With(kAck, "data")));
  EXPECT_TRUE(Fin().Matches(With(kAck | kFin, "data")));
  EXPECT_FALSE(Data("other").Matches(With(kAck, "data")));
  EXPECT_TRUE(AnyData().Matches(With(kAck, "data")));
  EXPECT_FALSE(AnyData().Matches(With(kAck)));
  EXPECT_TRUE(AnySegment().Matches(With(kRst, "data")));
}

TEST(PartialSegment, ComparesTheFieldsThatAreSet) {
  EXPECT_TRUE(Ack().Seq(100).Ack(200).Matches(With(kAck)));
  EXPECT_FALSE(Ack().Seq(101).Matches(With(kAck)));
  EXPECT_FALSE(Ack().Ack(201).Matches(With(kAck)));
  EXPECT_FALSE(Ack().Window(1).Matches(With(kAck)));
  EXPECT_FALSE(Syn().Option(tcp_option::SackPermitted()).Matches(With(kSyn)));
}

TEST(PartialSegment, FillsInWhatIsSetAndKeepsTheRest) {
  Segment natural = With(0);
  natural.window = 5;
  const Segment sent = Fin().Seq(7).Over(natural);
  EXPECT_EQ(sent.flags, kFin | kAck);
  EXPECT_EQ(sent.seq, 7U);
  EXPECT_EQ(sent.ack, 200U);
  EXPECT_EQ(sent.window, 5);
  EXPECT_TRUE(sent.checksum_valid);
  EXPECT_EQ(Syn().Over(natural).ack, 0U) << "no acknowledgment number without ACK";
  EXPECT_FALSE(Syn().BadChecksum().Over(natural).checksum_valid);
}

TEST(PartialSegment, DescribesItselfRelativeToTheInitialNumbers) {
  EXPECT_EQ(Fin().Seq(101).Ack(205).Describe(100, 200), "FIN seq=1 ack=5");
  EXPECT_EQ(Data("hello").Describe(), "data \"hello\"");
  EXPECT_EQ(Syn().From("client").Describe(), "SYN from client");
}

}  // namespace
}  // namespace sockproof
