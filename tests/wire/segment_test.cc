// Segments to frames and back, against libtins as a second opinion.
#include "harness/wire/segment.h"

#include <gmock/gmock.h>
#include <tins/tins.h>

#include "harness/base/errors.h"
#include "harness/packet/fragments.h"

namespace sockproof {
namespace {

using testing::ElementsAre;

const MacAddress kFrom{2, 0, 0, 0, 0, 1};
const MacAddress kTo{2, 0, 0, 0, 0, 2};

Segment Example(const char* source, const char* destination) {
  Segment segment;
  segment.source = {IpAddress(source), 4321};
  segment.destination = {IpAddress(destination), 80};
  segment.seq = 0xfffffff0;
  segment.ack = 7;
  segment.flags = kAck | kPsh;
  segment.window = 1000;
  segment.urgent_pointer = 3;
  segment.hop_limit = 33;
  segment.traffic_class = 0x28;
  segment.options = {tcp_option::Mss(1400), tcp_option::Nop(), tcp_option::WindowScale(7),
                     tcp_option::Timestamps(1, 2)};
  segment.payload = {'o', 'd', 'd'};
  return segment;
}

class SegmentOfBothVersions : public testing::TestWithParam<bool> {
 protected:
  Segment example_ =
      GetParam() ? Example("2001:db8::1", "2001:db8::2") : Example("192.0.2.1", "192.0.2.2");
};

TEST_P(SegmentOfBothVersions, IsPutTogetherFromFragments) {
  example_.payload.assign(600, 'x');
  packet::Reassembly reassembly;
  std::optional<packet::Reassembly::Whole> whole;
  for (const packet::Packet& fragment : packet::FragmentsOfMtu(IpPacketOf(example_), 1, 296)) {
    EXPECT_FALSE(SegmentIn(fragment, Time()));
    whole = reassembly.Take(packet::ReadIp(packet::Write(fragment)));
  }
  ASSERT_TRUE(whole);
  const auto segment = SegmentIn(whole->packet, Time());
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->source, example_.source);
  EXPECT_EQ(segment->payload, example_.payload);
  EXPECT_TRUE(segment->checksum_valid);
}

TEST_P(SegmentOfBothVersions, SurvivesTheWayThroughAFrame) {
  const auto parsed = ParseSegment(BuildFrame(example_, kFrom, kTo), Time());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->source, example_.source);
  EXPECT_EQ(parsed->destination, example_.destination);
  EXPECT_EQ(parsed->seq, example_.seq);
  EXPECT_EQ(parsed->ack, example_.ack);
  EXPECT_EQ(parsed->flags, example_.flags);
  EXPECT_EQ(parsed->window, example_.window);
  EXPECT_EQ(parsed->urgent_pointer, example_.urgent_pointer);
  EXPECT_EQ(parsed->hop_limit, example_.hop_limit);
  EXPECT_EQ(parsed->traffic_class, example_.traffic_class);
  EXPECT_EQ(parsed->options, example_.options);
  EXPECT_EQ(parsed->payload, example_.payload);
  EXPECT_TRUE(parsed->checksum_valid);
  EXPECT_EQ(parsed->timestamps(), std::pair(1U, 2U));
}

TEST_P(SegmentOfBothVersions, IsWhatLibtinsReads) {
  const Bytes frame = BuildFrame(example_, kFrom, kTo);
  const Tins::EthernetII read(frame.data(), static_cast<std::uint32_t>(frame.size()));
  const auto& tcp = read.rfind_pdu<Tins::TCP>();
  EXPECT_EQ(tcp.seq(), example_.seq);
  EXPECT_EQ(tcp.mss(), 1400);
  EXPECT_EQ(tcp.winscale(), 7);
  EXPECT_EQ(tcp.rfind_pdu<Tins::RawPDU>().payload(), example_.payload);
  // libtins computes the checksum anew when it writes.
  Tins::EthernetII copy = read;
  EXPECT_EQ(copy.serialize(), frame);
}

TEST_P(SegmentOfBothVersions, CanHaveAWrongChecksum) {
  example_.checksum_valid = false;
  const auto parsed = ParseSegment(BuildFrame(example_, kFrom, kTo), Time());
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->checksum_valid);
}

TEST_P(SegmentOfBothVersions, CanLieAboutItsHeader) {
  example_.data_offset = 15;
  example_.reserved = 0xf;
  example_.raw_options = Bytes{253, 0, 1};
  const Bytes frame = BuildFrame(example_, kFrom, kTo);
  const size_t tcp = 14 + (GetParam() ? 40 : 20);
  EXPECT_EQ(frame[tcp + 12], 0xff);
  EXPECT_THAT(Bytes(frame.begin() + static_cast<long>(tcp) + 20,
                    frame.begin() + static_cast<long>(tcp) + 24),
              ElementsAre(253, 0, 1, 0));
  const auto parsed = ParseSegment(frame, Time());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->checksum_valid);
  EXPECT_EQ(parsed->reserved, 0xf);
  EXPECT_TRUE(parsed->options.empty()) << "an option of length 0 ends the list";
}

TEST_P(SegmentOfBothVersions, ShowsTheOctetsOfItsOptionsAsTheyCame) {
  example_.raw_options = Bytes{1, 2, 4, 5, 120, 0};
  const auto parsed = ParseSegment(BuildFrame(example_, kFrom, kTo), Time());
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->option_area, ElementsAre(1, 2, 4, 5, 120, 0, 0, 0));
  EXPECT_THAT(parsed->options, ElementsAre(tcp_option::Nop(), tcp_option::Mss(1400)));
}

TEST_P(SegmentOfBothVersions, IsNothingWhenCutShort) {
  const Bytes frame = BuildFrame(example_, kFrom, kTo);
  const size_t shortest = 14 + (GetParam() ? 40 : 20) + example_.payload.size() + 20 + 20;
  for (size_t size = 0; size < shortest; ++size) {
    const Bytes cut(frame.begin(), frame.begin() + static_cast<long>(size));
    EXPECT_FALSE(ParseSegment(cut, Time())) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Ip, SegmentOfBothVersions, testing::Bool(), [](const auto& version) {
  return version.param ? std::string("v6") : std::string("v4");
});

TEST(Segment, LengthCountsSynAndFin) {
  Segment segment = Example("192.0.2.1", "192.0.2.2");
  EXPECT_EQ(segment.length(), 3U);
  segment.flags = kSyn | kFin;
  EXPECT_EQ(segment.length(), 5U);
}

TEST(Segment, CanHaveIpOptions) {
  Segment segment = Example("192.0.2.1", "192.0.2.2");
  segment.ip_options = {0x9a, 4, 0xc0, 0xff};
  const Bytes frame = BuildFrame(segment, kFrom, kTo);
  const auto parsed = ParseSegment(frame, Time());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->ip_options, segment.ip_options);
  EXPECT_EQ(parsed->payload, segment.payload);
  EXPECT_TRUE(parsed->checksum_valid);
  // libtins computes the checksum of the IP header anew when it writes.
  Tins::EthernetII copy(frame.data(), static_cast<std::uint32_t>(frame.size()));
  EXPECT_EQ(copy.rfind_pdu<Tins::IP>().head_len(), 6);
  const Bytes written = copy.serialize();
  const auto headers = [](const Bytes& bytes) {
    return Bytes(bytes.begin(), bytes.begin() + 14 + 24);
  };
  EXPECT_EQ(headers(written), headers(frame));
}

TEST(Segment, CannotHaveIpOptionsThatDoNotFit) {
  Segment segment = Example("192.0.2.1", "192.0.2.2");
  segment.ip_options = {1, 1, 1};
  EXPECT_THROW(BuildFrame(segment, kFrom, kTo), HarnessError);
  segment.ip_options.assign(44, 1);
  EXPECT_THROW(BuildFrame(segment, kFrom, kTo), HarnessError);
  segment = Example("2001:db8::1", "2001:db8::2");
  segment.ip_options.assign(4, 1);
  EXPECT_THROW(BuildFrame(segment, kFrom, kTo), HarnessError);
}

TEST(Segment, PaddingOfAShortEthernetFrameIsNoPayload) {
  Segment segment = Example("192.0.2.1", "192.0.2.2");
  segment.options.clear();
  segment.payload.clear();
  Bytes frame = BuildFrame(segment, kFrom, kTo);
  frame.resize(60);
  const auto parsed = ParseSegment(frame, Time());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->payload.empty());
}

TEST(Segment, OtherFramesAreNone) {
  EXPECT_FALSE(ParseSegment({}, Time()));
  EXPECT_FALSE(ParseSegment(Bytes(100, 0), Time()));
  Tins::EthernetII udp = Tins::EthernetII() / Tins::IP("192.0.2.2", "192.0.2.1") / Tins::UDP(1, 2) /
                         Tins::RawPDU("123456789012345678901234567890");
  EXPECT_FALSE(ParseSegment(udp.serialize(), Time()));
}

TEST(Segment, IsDescribedRelativeToTheInitialNumbers) {
  Segment segment = Example("192.0.2.1", "192.0.2.2");
  EXPECT_EQ(Describe(segment, segment.seq - 1, segment.ack - 5), "PSH,ACK seq=1 ack=5 len=3");
}

}  // namespace
}  // namespace sockproof
