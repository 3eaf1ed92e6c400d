// The table of states and segments: that each of its tests cites just the claims that the oracle
// may decide by for one of its segments.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "harness/wire/addresses.h"
#include "suites/tcp/states/in_each_state.h"

namespace sockproof::states {
namespace {

constexpr std::uint16_t kWindow = 65535;

bool HasSentFin(TcpState state) {
  return state == TcpState::kFinWait1 || state == TcpState::kFinWait2 ||
         state == TcpState::kClosing || state == TcpState::kLastAck || state == TcpState::kTimeWait;
}

bool HasReceivedFin(TcpState state) {
  return state == TcpState::kCloseWait || state == TcpState::kClosing ||
         state == TcpState::kLastAck || state == TcpState::kTimeWait;
}

bool HasUnacknowledged(TcpState state) {
  return state == TcpState::kSynSent || state == TcpState::kSynReceived ||
         state == TcpState::kFinWait1 || state == TcpState::kClosing || state == TcpState::kLastAck;
}

// Numbers of a connection that has carried no data.
Numbers NumbersIn(TcpState state) {
  Numbers numbers{.rcv_nxt = 7'000'001, .irs = 7'000'000, .snd_una = 0, .snd_nxt = 3'000'001};
  if (HasReceivedFin(state)) ++numbers.rcv_nxt;
  if (HasSentFin(state)) ++numbers.snd_nxt;
  numbers.snd_una = numbers.snd_nxt - (HasUnacknowledged(state) ? 1 : 0);
  return numbers;
}

// What the tests of a state may decide: the claims of the rules behind all that is allowed.
std::set<std::string> Decidable(TcpState state) {
  std::set<std::string> claims;
  for (const Way way : {kActive, kPassive, kOrphaned}) {
    if (state == TcpState::kListen && !way.is_passive) continue;
    if ((state == TcpState::kClosed || state == TcpState::kSynSent) && way.is_passive) continue;
    const bool can_be_orphaned = HasSentFin(state);
    if (way.is_orphaned && !can_be_orphaned) continue;
    const Numbers numbers = NumbersIn(state);
    const oracle::Tcb before = TcbIn(state, way, numbers, kWindow, kWindow);
    for (const SegmentRow& row : kSegments) {
      Segment natural;
      natural.source = natural.destination = {WireAddress(IpVersion::kIpv4, 1), 80};
      const Segment segment = row.make(numbers).Over(natural);
      for (const oracle::Tcb& then : Allowed(before, state, way, segment)) {
        if (*then.reason.rule->claim != '\0') claims.insert(then.reason.rule->claim);
      }
    }
  }
  return claims;
}

// One line for each segment: what is allowed in that state, and by which check.
std::string Table(TcpState state, Way way) {
  const Numbers numbers = NumbersIn(state);
  const oracle::Tcb before = TcbIn(state, way, numbers, kWindow, kWindow);
  std::string table = "| segment | allowed | RFC 9293 section |\n|---|---|---|\n";
  for (const SegmentRow& row : kSegments) {
    std::vector<std::string> allowed, sections;
    const auto add = [](std::vector<std::string>& list, const std::string& text) {
      if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
    };
    Segment natural;
    natural.source = natural.destination = {WireAddress(IpVersion::kIpv4, 1), 80};
    for (const oracle::Tcb& then : Allowed(before, state, way, row.make(numbers).Over(natural))) {
      add(allowed, InWords(then));
      add(sections, then.reason.rule->section);
    }
    table += fmt::format("| {} | {} | {} |\n", row.name, fmt::join(allowed, "; or "),
                         fmt::join(sections, "; "));
  }
  return table;
}

TEST(SegmentArrives, IsShownInTheReadmeAsItIs) {
  std::ifstream stream(std::string(SOCKPROOF_SOURCES) + "/suites/README.md");
  std::ostringstream readme;
  readme << stream.rdbuf();
  EXPECT_THAT(readme.str(), testing::HasSubstr(Table(TcpState::kTimeWait, kPassive)));
}

TEST(SegmentArrives, CitesWhatItMayDecide) {
  const std::map<std::string, TcpState> tests = {
      {"InClosed", TcpState::kClosed},           {"InListen", TcpState::kListen},
      {"InSynSent", TcpState::kSynSent},         {"InSynReceived", TcpState::kSynReceived},
      {"InEstablished", TcpState::kEstablished}, {"InFinWait1", TcpState::kFinWait1},
      {"InFinWait2", TcpState::kFinWait2},       {"InCloseWait", TcpState::kCloseWait},
      {"InClosing", TcpState::kClosing},         {"InLastAck", TcpState::kLastAck},
      {"InTimeWait", TcpState::kTimeWait}};
  std::set<std::string> found;
  for (const TestCase& test : AllTests()) {
    if (test.suite != "SegmentArrives" || !found.insert(test.name).second) continue;
    const std::set<std::string> cited(test.traits.claims.begin(), test.traits.claims.end());
    EXPECT_EQ(cited, Decidable(tests.at(test.name))) << test.name;
  }
  EXPECT_EQ(found.size(), tests.size());
}

}  // namespace
}  // namespace sockproof::states
