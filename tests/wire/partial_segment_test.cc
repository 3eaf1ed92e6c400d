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

// All of a payload in a segment that is wrong otherwise is no part of what is expected.
TEST(PartialSegment, KnowsWhatItsPayloadBeginsWith) {
  const Bytes part = {'a'}, whole = {'a', 'b'}, other = {'b'};
  EXPECT_TRUE(Data(whole).PayloadBeginsWith(part));
  EXPECT_FALSE(Data(whole).PayloadBeginsWith(other));
  EXPECT_FALSE(Data(whole).PayloadBeginsWith(whole));
  EXPECT_TRUE(Fin().Payload(whole).PayloadBeginsWith(whole));  // whose FIN may come apart
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

TEST(PartialSegment, ComparesTimestampsAndSackBlocks) {
  Segment seen = With(kAck);
  EXPECT_TRUE(Ack().Sack({}).NoTimestamps().Matches(seen));
  EXPECT_FALSE(Ack().TsVal(7).Matches(seen));
  EXPECT_FALSE(Ack().Sack({{1, 2}}).Matches(seen));
  seen.options = {tcp_option::Timestamps(7, 9), tcp_option::Sack({{30, 40}, {10, 20}})};
  EXPECT_TRUE(Ack().TsVal(7).TsEcr(9).Sack({{30, 40}, {10, 20}}).Matches(seen));
  EXPECT_TRUE(Ack().Matches(seen)) << "what is not named is open";
  EXPECT_FALSE(Ack().NoTimestamps().Matches(seen));
  EXPECT_FALSE(Ack().TsEcr(8).Matches(seen));
  EXPECT_FALSE(Ack().Sack({{10, 20}, {30, 40}}).Matches(seen)) << "in another order";
  EXPECT_FALSE(Ack().Sack({{30, 40}}).Matches(seen)) << "one more than that";
}

TEST(PartialSegment, ComparesTheEcnCodepointAlone) {
  Segment seen = With(kAck);
  seen.traffic_class = 0xb8 | 3;
  EXPECT_TRUE(Ack().Ce().Matches(seen));
  EXPECT_FALSE(Ack().Ect0().Matches(seen));
  EXPECT_FALSE(Ack().NotEct().Matches(seen));
  EXPECT_EQ(Ack().Ect1().Over(seen).traffic_class, 0xb8 | 1);
}

TEST(PartialSegment, FillsInTimestampsInPlaceOfTheNaturalOnes) {
  using tcp_option::Timestamps;
  EXPECT_EQ(Ack().TimestampsOver(Timestamps(1, 2)), Timestamps(1, 2));
  EXPECT_EQ(Ack().TsVal(7).TimestampsOver(Timestamps(1, 2)), Timestamps(7, 2));
  EXPECT_EQ(Ack().TsVal(7).TimestampsOver(std::nullopt), Timestamps(7, 0));
  EXPECT_EQ(Ack().NoTimestamps().TimestampsOver(Timestamps(1, 2)), std::nullopt);
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
  EXPECT_EQ(Ack().Ack(205).Sack({{210, 220}}).Describe(100, 200), "ACK ack=5 sack 10-20");
}

}  // namespace
}  // namespace sockproof
