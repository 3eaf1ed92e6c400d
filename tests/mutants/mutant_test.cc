#include "harness/mutants/mutant.h"

#include <gmock/gmock.h>

#include <set>

#include "harness/base/errors.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(MutantList, TheOneThatIsBuiltInIsSound) {
  std::set<std::string> ids;
  for (const Mutant& mutant : AllMutants()) {
    EXPECT_TRUE(ids.insert(mutant.id).second) << mutant.id;
    EXPECT_FALSE(mutant.what.empty()) << mutant.id;
  }
  EXPECT_GE(ids.size(), 50U);
}

TEST(MutantList, ReadsWhatATableSays) {
  const auto mutants = ParseMutants(R"(
[[wire]]
id = "late"
what = "retransmits late"
with = "SYN ACK"
repeated = true
do = "delay"
delay_ms = 250
)");
  ASSERT_EQ(mutants.size(), 1U);
  EXPECT_EQ(mutants[0].id, "wire/late");
  EXPECT_EQ(mutants[0].wire->with, kSyn | kAck);
  EXPECT_EQ(mutants[0].wire->repeated, true);
  EXPECT_EQ(mutants[0].wire->action, WireMutation::Action::kDelay);
  EXPECT_EQ(mutants[0].wire->delay, 250ms);
}

TEST(MutantList, ReadsWhatBecomesOfASegment) {
  const auto mutants = ParseMutants(R"(
[[wire]]
id = "odd"
what = "sends odd headers"
options = true
hop_limit = 33
traffic_class = 184
reserved = 6
mss = 2000
add_urgent = -1
good_checksum = true
)");
  const WireMutation& wire = mutants.at(0).wire.value();
  EXPECT_EQ(wire.options, true);
  EXPECT_EQ(wire.hop_limit, 33);
  EXPECT_EQ(wire.traffic_class, 184);
  EXPECT_EQ(wire.reserved, 6);
  EXPECT_EQ(wire.mss, 2000);
  EXPECT_EQ(wire.add_urgent, -1);
  EXPECT_TRUE(wire.good_checksum);
}

TEST(MutantList, AnErrorNamesTheLine) {
  const auto parse = [](const char* text) { return [text] { ParseMutants(text); }; };
  EXPECT_THAT(parse("[[wire]]\nid = \"x\"\nwhat = \"y\"\nwtih = \"SYN\"\n"),
              ThrowsMessage<HarnessError>(AllOf(HasSubstr("line 4"), HasSubstr("wtih"))));
  EXPECT_THAT(parse("[[wire]]\nid = \"x\"\nwhat = \"y\"\nwith = \"SIN\"\n"),
              ThrowsMessage<HarnessError>(HasSubstr("SIN")));
  EXPECT_THAT(parse("[[wire]]\nid = \n"), ThrowsMessage<HarnessError>(HasSubstr("line 2")));
}

FrameEvent Frame(TcpFlags flags, Fate fate) {
  Segment segment;
  segment.source = {WireAddress(IpVersion::kIpv4, 1), 1};
  segment.destination = {WireAddress(IpVersion::kIpv4, 2), 2};
  segment.flags = flags;
  FrameEvent frame;
  frame.fate = fate;
  frame.bytes = BuildFrame(segment, WireMac(1), WireMac(2));
  return frame;
}

TEST(MayApply, LooksForSegmentsOfTheRightSide) {
  const Mutant no_rst =
      ParseMutants("[[wire]]\nid=\"a\"\nwhat=\"b\"\nwith=\"RST\"\ndo=\"drop\"")[0];
  EXPECT_TRUE(MayApply(no_rst, {{Time(), Frame(kRst, Fate::kReceived)}}));
  EXPECT_TRUE(MayApply(no_rst, {{Time(), Frame(kRst, Fate::kForwarded)}}));
  EXPECT_FALSE(MayApply(no_rst, {{Time(), Frame(kRst, Fate::kSent)}}));
  EXPECT_FALSE(MayApply(no_rst, {{Time(), Frame(kAck, Fate::kReceived)}}));
}

TEST(MayApply, LooksForCallsAndStates) {
  const Mutant call = ParseMutants("[[call]]\nid=\"a\"\nwhat=\"b\"\nmethod=\"recv\"")[0];
  EXPECT_TRUE(MayApply(call, {{Time(), CallEvent{1, "sut", "recv(3, 64, 0)"}}}));
  EXPECT_FALSE(MayApply(call, {{Time(), CallEvent{1, "sut", "recvfrom(3)"}}}));
  const Mutant state = ParseMutants("[[reading]]\nid=\"a\"\nwhat=\"b\"\nstate=\"TIME-WAIT\"")[0];
  EXPECT_TRUE(MayApply(state, {{Time(), StateEvent{"sut", "", "TIME-WAIT"}}}));
  EXPECT_FALSE(MayApply(state, {{Time(), StateEvent{"sut", "", "CLOSED"}}}));
}

}  // namespace
}  // namespace sockproof
