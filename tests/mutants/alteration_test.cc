#include "harness/mutants/alteration.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "harness/base/errors.h"
#include "harness/claims/catalogue.h"
#include "harness/claims/known.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(AlterationList, TheOneThatIsBuiltInIsSound) {
  std::set<std::string> ids;
  for (const Alteration& mutant : AllMutants()) {
    EXPECT_TRUE(ids.insert(mutant.id).second) << mutant.id;
    EXPECT_FALSE(mutant.what.empty()) << mutant.id;
  }
  EXPECT_GE(ids.size(), 50U);
}

// "rfc9293:3.6*" that no claim has is a misspelt one.
TEST(AlterationList, ClaimsAreThoseOfTheCatalogue) {
  const auto check = [](const Alteration& alteration, const std::string& glob) {
    Alteration alone;
    alone.breaks = {glob};
    const auto& claims = AllClaims();
    EXPECT_TRUE(std::any_of(claims.begin(), claims.end(),
                            [&](const Claim& claim) { return alone.Breaks(claim.id); }))
        << alteration.id << ": " << glob;
  };
  for (const Alteration& mutant : AllMutants()) {
    EXPECT_FALSE(mutant.breaks.empty()) << mutant.id;
    for (const std::string& glob : mutant.breaks) check(mutant, glob);
  }
  for (const Alteration& variant : AllVariants()) {
    for (const std::string& glob : variant.departs_from) check(variant, glob);
  }
}

TEST(AlterationList, SaysWhyNothingBreaksAClaim) {
  for (const Unbroken& unbroken : AllUnbroken()) {
    EXPECT_FALSE(unbroken.why.empty());
    for (const std::string& claim : unbroken.claims) {
      EXPECT_NE(FindClaim(claim), nullptr) << claim;
      EXPECT_EQ(WhyUnbroken(claim), unbroken.why) << claim;
    }
  }
  EXPECT_EQ(WhyUnbroken("rfc9293:MUST-1"), "");
  EXPECT_NE(WhyUnbroken("rfc9293:MAY-12"), "");
}

TEST(AlterationList, EachVariantSaysWhatAllowsIt) {
  std::set<std::string> ids;
  for (const Alteration& variant : AllVariants()) {
    EXPECT_TRUE(ids.insert(variant.id).second) << variant.id;
    EXPECT_FALSE(variant.what.empty()) << variant.id;
    EXPECT_FALSE(variant.allowed_by.empty()) << variant.id;
  }
  EXPECT_GE(ids.size(), 60U);
}

// Else whatever is tried on it is undecided.
TEST(AlterationList, SysctlsOfSettingsAreKnown) {
  for (const auto* list : {&AllMutants(), &AllVariants()}) {
    for (const Alteration& alteration : *list) {
      if (!alteration.setting) continue;
      for (const auto& [name, value] : alteration.setting->sysctls) {
        EXPECT_TRUE(IsKnownSysctl(name)) << alteration.id << ": " << name;
      }
    }
  }
}

TEST(AlterationList, ReadsASetting) {
  const auto variants = ParseAlterations(R"(
[[setting]]
id = "small"
what = "has small windows"
allowed_by = "RFC 9293"
departs_from = ["linux:*"]
sysctls = { "net.ipv4.tcp_rmem" = "1 2 3", "net.ipv4.tcp_sack" = 0 }
route = { initcwnd = 2 }
mtu = 1280
seen_in = { payload = true, skip = 1 }
)",
                                         AlterationKind::kVariant);
  const SettingAlteration& setting = variants.at(0).setting.value();
  EXPECT_EQ(setting.sysctls.at("net.ipv4.tcp_rmem"), "1 2 3");
  EXPECT_EQ(setting.sysctls.at("net.ipv4.tcp_sack"), "0");
  EXPECT_EQ(setting.route.at("initcwnd"), 2U);
  EXPECT_EQ(setting.mtu, 1280U);
  EXPECT_EQ(setting.seen_in->payload, true);
  EXPECT_EQ(setting.seen_in->skip, 1);
  EXPECT_TRUE(variants[0].DepartsFrom("linux:tcp(7)"));
  EXPECT_FALSE(variants[0].DepartsFrom("rfc9293:MUST-1"));
}

TEST(AlterationList, ReadsWhatATableSays) {
  const auto mutants = ParseAlterations(R"(
[[wire]]
id = "late"
what = "retransmits late"
with = "SYN ACK"
repeated = true
do = "delay"
delay_ms = 250
)",
                                        AlterationKind::kMutant);
  ASSERT_EQ(mutants.size(), 1U);
  EXPECT_EQ(mutants[0].id, "wire/late");
  EXPECT_EQ(mutants[0].wire->with, kSyn | kAck);
  EXPECT_EQ(mutants[0].wire->repeated, true);
  EXPECT_EQ(mutants[0].wire->action, WireAlteration::Action::kDelay);
  EXPECT_EQ(mutants[0].wire->delay, 250ms);
}

TEST(AlterationList, ReadsWhatBecomesOfASegment) {
  const auto mutants = ParseAlterations(R"(
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
)",
                                        AlterationKind::kMutant);
  const WireAlteration& wire = mutants.at(0).wire.value();
  EXPECT_EQ(wire.options, true);
  EXPECT_EQ(wire.hop_limit, 33);
  EXPECT_EQ(wire.traffic_class, 184);
  EXPECT_EQ(wire.reserved, 6);
  EXPECT_EQ(wire.mss, 2000);
  EXPECT_EQ(wire.add_urgent, -1);
  EXPECT_TRUE(wire.good_checksum);
}

TEST(AlterationList, AnErrorNamesTheLine) {
  const auto parse = [](const char* text) {
    return [text] { ParseAlterations(text, AlterationKind::kMutant); };
  };
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

bool Applies(const Alteration& alteration, std::vector<Event> events) {
  return MayApply(alteration, TestCourse(std::move(events)));
}

TEST(MayApply, LooksForSegmentsOfTheRightSide) {
  const Alteration no_rst = ParseAlterations(
      "[[wire]]\nid=\"a\"\nwhat=\"b\"\nwith=\"RST\"\ndo=\"drop\"", AlterationKind::kMutant)[0];
  EXPECT_TRUE(Applies(no_rst, {{Time(), Frame(kRst, Fate::kReceived)}}));
  EXPECT_TRUE(Applies(no_rst, {{Time(), Frame(kRst, Fate::kForwarded)}}));
  EXPECT_FALSE(Applies(no_rst, {{Time(), Frame(kRst, Fate::kSent)}}));
  EXPECT_FALSE(Applies(no_rst, {{Time(), Frame(kAck, Fate::kReceived)}}));
}

TEST(MayApply, TriesASettingWhereSuchSocketsAre) {
  const auto setting = [](const std::string& sysctl) {
    return ParseAlterations("[[setting]]\nid=\"a\"\nwhat=\"b\"\nallowed_by=\"c\"\nsysctls = { \"" + sysctl +
                                "\" = 1 }",
                            AlterationKind::kVariant)[0];
  };
  const auto opening = [](const std::string& socket) {
    return std::vector<Event>{{Time(), CallEvent{1, "sut", "socket(" + socket + ")"}}};
  };
  const Alteration of_tcp = setting("net.ipv4.tcp_sack");
  EXPECT_TRUE(Applies(of_tcp, opening("AF_INET6, SOCK_STREAM|SOCK_NONBLOCK")));
  EXPECT_FALSE(Applies(of_tcp, opening("AF_INET, SOCK_DGRAM")));
  const Alteration of_ip = setting("net.ipv4.ip_default_ttl");
  EXPECT_TRUE(Applies(of_ip, opening("AF_INET, SOCK_DGRAM")));
  EXPECT_FALSE(Applies(of_ip, opening("AF_UNIX, SOCK_DGRAM")));
}

TEST(MayApply, LooksForCallsAndStates) {
  const Alteration call = ParseAlterations("[[call]]\nid=\"a\"\nwhat=\"b\"\nmethod=\"recv\"",
                                           AlterationKind::kMutant)[0];
  EXPECT_TRUE(Applies(call, {{Time(), CallEvent{1, "sut", "recv(3, 64, 0)"}}}));
  EXPECT_FALSE(Applies(call, {{Time(), CallEvent{1, "sut", "recvfrom(3)"}}}));
  const Alteration error = ParseAlterations(
      "[[call]]\nid=\"a\"\nwhat=\"b\"\nmethod=\"recv\"\nerror=\"EIO\"\nin_place_of=\"EPIPE\"",
      AlterationKind::kMutant)[0];
  const Event recv{Time(), CallEvent{1, "sut", "recv(3, 64, 0)"}};
  EXPECT_TRUE(Applies(error, {recv, {Time(), ReturnEvent{1, "sut", "EPIPE", {}, {}}}}));
  EXPECT_FALSE(Applies(error, {recv, {Time(), ReturnEvent{1, "sut", "EAGAIN", {}, {}}}}));
  EXPECT_FALSE(Applies(error, {recv, {Time(), ReturnEvent{2, "sut", "EPIPE", {}, {}}}}));
  const Alteration state = ParseAlterations(
      "[[reading]]\nid=\"a\"\nwhat=\"b\"\nstate=\"TIME-WAIT\"", AlterationKind::kMutant)[0];
  EXPECT_TRUE(Applies(state, {{Time(), StateEvent{"sut", "", "TIME-WAIT"}}}));
  EXPECT_FALSE(Applies(state, {{Time(), StateEvent{"sut", "", "CLOSED"}}}));
}

}  // namespace
}  // namespace sockproof
