#include "harness/mutants/wire_alterer.h"

#include <gmock/gmock.h>

#include "harness/wire/addresses.h"
#include "harness/wire/digest.h"
#include "harness/wire/icmp.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Duration kAtOnce{0};

WireAlteration WireOf(const std::string& keys) {
  return ParseAlterations("[[wire]]\nid = \"x\"\nwhat = \"y\"\n" + keys, AlterationKind::kMutant)[0]
      .wire.value();
}

class WireAltererTest : public testing::TestWithParam<IpVersion> {
 protected:
  // A segment of the system, or to it.
  Segment Of(bool system, TcpFlags flags, std::uint32_t seq, std::uint32_t ack,
             const std::string& text = "") const {
    Segment segment;
    segment.source = {WireAddress(GetParam(), system ? 1 : 2), 1000};
    segment.destination = {WireAddress(GetParam(), system ? 2 : 1), 1000};
    segment.flags = flags;
    segment.seq = seq;
    segment.ack = ack;
    segment.payload.assign(text.begin(), text.end());
    return segment;
  }
  static Bytes Frame(const Segment& segment) { return BuildFrame(segment, WireMac(1), WireMac(2)); }

  std::vector<Segment> Sent(WireAlterer& alterer, const Segment& segment) {
    return Parsed(alterer.FromSystem(Frame(segment)));
  }
  std::vector<Segment> Received(WireAlterer& alterer, const Segment& segment) {
    return Parsed(alterer.ToSystem(Frame(segment)));
  }

  int applied_ = 0;

 private:
  static std::vector<Segment> Parsed(const std::vector<WirePort::Tampered>& frames) {
    std::vector<Segment> segments;
    for (const WirePort::Tampered& tampered : frames) {
      EXPECT_EQ(tampered.delay, kAtOnce);
      segments.push_back(ParseSegment(tampered.frame, Time()).value());
      EXPECT_TRUE(segments.back().checksum_valid);
    }
    return segments;
  }
};

INSTANTIATE_TEST_SUITE_P(EachVersion, WireAltererTest,
                         testing::Values(IpVersion::kIpv4, IpVersion::kIpv6));

TEST_P(WireAltererTest, RenumbersBothDirections) {
  WireAlterer alterer(WireOf("with = \"SYN\"\ndo = \"renumber\"\nisn = 4294967295"),
                      [this] { ++applied_; });
  EXPECT_EQ(Sent(alterer, Of(true, kSyn, 100, 0))[0].seq, 4294967295U);
  EXPECT_EQ(Received(alterer, Of(false, kSyn | kAck, 7, 0))[0].ack, 101U);
  EXPECT_EQ(Sent(alterer, Of(true, kAck, 101, 8, "data"))[0].seq, 0U);
  Segment sack = Of(false, kAck, 8, 0);
  sack.options = {tcp_option::Nop(), {tcp_option::kSack, {0, 0, 0, 2, 0, 0, 0, 4}}};
  EXPECT_EQ(Received(alterer, sack)[0].FindOption(tcp_option::kSack)->data,
            Bytes({0, 0, 0, 103, 0, 0, 0, 105}));
  EXPECT_EQ(applied_, 1);
}

TEST_P(WireAltererTest, ChangesAnOctetOfAnOption) {
  Segment segment = Of(true, kAck, 1, 1);
  segment.options = {tcp_option::Mptcp({0x20, 3, 1, 2})};
  WireAlterer flips(WireOf("has_option = 30\noption_octet = 1"), [] {});
  EXPECT_EQ(Sent(flips, segment)[0].options[0].data, Bytes({0x20, 0xfc, 1, 2}));
  WireAlterer sets(WireOf("has_option = 30\noption_octet = 3\noption_value = 9"), [] {});
  EXPECT_EQ(Sent(sets, segment)[0].options[0].data, Bytes({0x20, 3, 1, 9}));
  WireAlterer beyond(WireOf("has_option = 30\noption_octet = 4"), [] {});
  EXPECT_EQ(Sent(beyond, segment)[0].options[0].data, segment.options[0].data);
}

TEST_P(WireAltererTest, SignsAnewWhatItAlters) {
  Segment segment = Of(true, kAck, 1, 1, "text");
  Sign(segment, "key");
  WireAlterer alterer(WireOf("has_option = 19\nwindow = 7\nsigned_by = \"key\""), [] {});
  const Segment altered = Sent(alterer, segment)[0];
  EXPECT_EQ(altered.window, 7);
  EXPECT_TRUE(IsSigned(altered, "key"));
}

TEST_P(WireAltererTest, AuthenticatesAnewByTheNumbersOfTheConnection) {
  WireAlterer alterer(WireOf("on = \"received\"\nwith = \"RST\"\nauthenticated_by = \"7 5 the key\""),
                      [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  Received(alterer, Of(false, kSyn | kAck, 300, 101));
  const Segment reset = Received(alterer, Of(false, kRst, 301, 0))[0];
  EXPECT_TRUE(IsAuthentic(reset, {7, 5, "the key", {}}, 300, 100));
}

TEST_P(WireAltererTest, AVariantSparesWhatItCannotSign) {
  const auto variant = ParseAlterations(
      "[[wire]]\nid = \"x\"\nwhat = \"y\"\nallowed_by = \"z\"\nwindow = 7", AlterationKind::kVariant);
  WireAlterer alterer(variant[0].wire.value(), [this] { ++applied_; });
  Segment segment = Of(true, kAck, 1, 1, "text");
  EXPECT_EQ(Sent(alterer, segment)[0].window, 7);
  Sign(segment, "key");
  EXPECT_TRUE(IsSigned(Sent(alterer, segment)[0], "key"));
  EXPECT_EQ(applied_, 1);
}

TEST_P(WireAltererTest, TellsTheResetOfAClosedPortFromOthers) {
  WireAlterer alterer(
      WireOf("on = \"received\"\nwith = \"RST\"\nwhen = \"odd-reset-of-syn\"\ndo = \"drop\""), [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  EXPECT_THAT(Received(alterer, Of(false, kRst | kAck, 7, 101)), IsEmpty());
  EXPECT_THAT(Received(alterer, Of(false, kRst | kAck, 0, 101)), SizeIs(1));
  Received(alterer, Of(false, kSyn | kAck, 6, 101));
  Sent(alterer, Of(true, kAck, 101, 7));
  EXPECT_THAT(Received(alterer, Of(false, kRst, 7, 101)), SizeIs(1));  // the connection stands
}

TEST_P(WireAltererTest, FindsNumbersThatHaveWrappedInAPassiveOpenToo) {
  WireAlterer alterer(WireOf("on = \"received\"\nwhen = \"wrapped\"\ndo = \"drop\""), [] {});
  EXPECT_THAT(Received(alterer, Of(false, kSyn, 0xffff'fffe, 0)), SizeIs(1));
  Sent(alterer, Of(true, kSyn | kAck, 100, 0xffff'ffff));
  EXPECT_THAT(Received(alterer, Of(false, kAck, 0xffff'ffff, 101, "a")), SizeIs(1));
  EXPECT_THAT(Received(alterer, Of(false, kAck, 0, 101, "b")), IsEmpty());
}

TEST_P(WireAltererTest, SeesWhenRoomThatWasOfferedIsTakenBack) {
  WireAlterer alterer(WireOf("payload = true\nwhen = \"window-shrank\"\ndo = \"drop\""), [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  const auto received = [&](std::uint32_t ack, std::uint16_t window) {
    Segment segment = Of(false, kAck, 8, ack);
    segment.window = window;
    Received(alterer, segment);
  };
  received(101, 1000);
  received(601, 500);  // its edge stays where it was
  EXPECT_THAT(Sent(alterer, Of(true, kAck, 601, 8, "data")), SizeIs(1));
  received(605, 400);
  EXPECT_THAT(Sent(alterer, Of(true, kAck, 605, 8, "data")), IsEmpty());
}

TEST_P(WireAltererTest, SeesThatTheWindowWasClosed) {
  WireAlterer alterer(WireOf("when = \"window-closed\"\nwindow_at_least = 10"), [] {});
  Segment closed = Of(true, kAck, 101, 8);
  closed.window = 0;
  Segment syn = Of(true, kSyn, 100, 0);
  syn.window = 5000;
  EXPECT_EQ(Sent(alterer, syn)[0].window, 5000);
  EXPECT_EQ(Sent(alterer, closed)[0].window, 0);
  EXPECT_EQ(Sent(alterer, closed)[0].window, 10);
}

TEST_P(WireAltererTest, LeavesTheResetOfNoConnectionAlone) {
  WireAlterer alterer(WireOf("with = \"SYN\"\ndo = \"renumber\"\nisn = 5"), [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  EXPECT_EQ(Sent(alterer, Of(true, kRst | kAck, 0, 9))[0].seq, 0U);
}

TEST_P(WireAltererTest, ABadChecksumStaysBadWhenRenumbered) {
  WireAlterer alterer(WireOf("with = \"SYN\"\ndo = \"renumber\"\nisn = 5"), [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  Segment bad = Of(false, kAck, 7, 6);
  bad.checksum_valid = false;
  const auto frames = alterer.ToSystem(Frame(bad));
  EXPECT_FALSE(ParseSegment(frames.at(0).frame, Time())->checksum_valid);
}

TEST_P(WireAltererTest, RenumbersWhatAnIcmpErrorQuotes) {
  WireAlterer alterer(WireOf("with = \"SYN\"\ndo = \"renumber\"\nisn = 5"), [] {});
  const Segment syn = Of(true, kSyn, 100, 0);
  const Segment renumbered = Sent(alterer, syn)[0];
  const auto error = [&](const Segment& about) {
    return BuildFrame(icmp::HostUnreachable(GetParam()), packet::Write(IpPacketOf(about)), 1280,
                      WireAddress(GetParam(), 2), about.source.address, WireMac(2), WireMac(1));
  };
  const Bytes altered = alterer.ToSystem(error(renumbered)).at(0).frame;
  const Bytes wanted = error(syn);
  ASSERT_EQ(altered.size(), wanted.size());
  // All but the checksum of the segment that is quoted, which no one looks at.
  std::size_t different = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) different += altered[i] != wanted[i] ? 1 : 0;
  EXPECT_LE(different, 4U);
}

TEST_P(WireAltererTest, AcknowledgesWithItsFinUntilThatIsAcknowledged) {
  WireAlterer alterer(WireOf("with = \"ACK\"\nwithout = \"SYN FIN RST\"\npayload = false\n"
                             "when = \"own-fin-unconfirmed\"\nadd_seq = -1\nset = \"FIN\""),
                      [] {});
  Sent(alterer, Of(true, kSyn, 100, 0));
  Sent(alterer, Of(true, kFin | kAck, 101, 8));
  const Segment ack = Sent(alterer, Of(true, kAck, 102, 9))[0];
  EXPECT_TRUE(ack.Has(kFin));
  EXPECT_EQ(ack.seq, 101U);
  Received(alterer, Of(false, kAck, 9, 102));
  EXPECT_FALSE(Sent(alterer, Of(true, kAck, 102, 9))[0].Has(kFin));
}

TEST_P(WireAltererTest, PartsDataAndFin) {
  WireAlterer split(WireOf("payload = true\ndo = \"split\""), [] {});
  const auto halves = Sent(split, Of(true, kAck | kPsh | kFin, 10, 1, "abcd"));
  ASSERT_THAT(halves, SizeIs(2));
  EXPECT_EQ(halves[0].payload_text() + "|" + halves[1].payload_text(), "ab|cd");
  EXPECT_EQ(halves[1].seq, 12U);
  EXPECT_FALSE(halves[0].Has(kFin));
  EXPECT_TRUE(halves[1].Has(kFin));
  WireAlterer apart(WireOf("payload = true\ndo = \"fin-apart\""), [] {});
  const auto parts = Sent(apart, Of(true, kAck | kFin, 10, 1, "abcd"));
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_FALSE(parts[0].Has(kFin));
  EXPECT_EQ(parts[1].seq, 14U);
  EXPECT_THAT(parts[1].payload, IsEmpty());
}

TEST_P(WireAltererTest, FindsWhatAnswersASegmentOutOfOrder) {
  WireAlterer alterer(WireOf("when = \"answers-out-of-order\"\ndo = \"drop\""), [] {});
  Sent(alterer, Of(true, kSyn | kAck, 100, 8));
  Sent(alterer, Of(true, kAck, 101, 8));
  Received(alterer, Of(false, kAck, 9, 101, "late"));
  EXPECT_THAT(Sent(alterer, Of(true, kAck, 101, 8)), IsEmpty());
  Received(alterer, Of(false, kAck, 8, 101, "x"));
  EXPECT_THAT(Sent(alterer, Of(true, kAck, 101, 13)), SizeIs(1));
}

TEST_P(WireAltererTest, LaysOptionsOut) {
  Segment syn = Of(true, kSyn, 1, 0);
  syn.options = {tcp_option::Mss(1460), tcp_option::Nop(), tcp_option::WindowScale(7)};
  const auto options = [&](const std::string& layout) {
    WireAlterer alterer(WireOf("layout = \"" + layout + "\""), [] {});
    return Sent(alterer, syn)[0];
  };
  EXPECT_THAT(options("reversed").options,
              ElementsAre(tcp_option::Nop(), tcp_option::WindowScale(7), tcp_option::Mss(1460)));
  EXPECT_THAT(options("mss-only").options, ElementsAre(tcp_option::Mss(1460)));
  EXPECT_THAT(options("end-padded").options,
              ElementsAre(tcp_option::Mss(1460), tcp_option::WindowScale(7)));
  EXPECT_THAT(options("without-mss").options, ElementsAre(tcp_option::WindowScale(7)));
  EXPECT_EQ(options("garbage-after-end").option_area.back(), 0xff);
}

TEST_P(WireAltererTest, GivesEachConnectionANumber) {
  WireAlterer alterer(WireOf("with = \"SYN\"\ndo = \"renumber-each\"\nisn = 1000\nisn_step = 10"),
                      [] {});
  Segment second = Of(true, kSyn, 777, 0);
  second.source.port = 1001;
  EXPECT_EQ(Sent(alterer, Of(true, kSyn, 100, 0))[0].seq, 1000U);
  EXPECT_EQ(Sent(alterer, second)[0].seq, 1010U);
  EXPECT_EQ(Sent(alterer, Of(true, kSyn, 100, 0))[0].seq, 1000U);
  EXPECT_EQ(Sent(alterer, Of(true, kAck, 101, 0))[0].seq, 1001U);
}

}  // namespace
}  // namespace sockproof
