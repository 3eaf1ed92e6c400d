// Every change between two results has one name, and only some are regressions.
#include "src/report/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "src/report/text.h"
#include "tests/report/hostile.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAbsent = "";
constexpr const char* kKnown = "known departure";

// One test, in the state that is named as in a diff.
RunResult RunWith(const std::string& state) {
  RunResult run = SampleRun();
  run.tests.clear();
  if (state == kAbsent) return run;
  const bool known = state == kKnown;
  run.tests = {SampleTest("Close", "Test", VerdictFromName(known ? "FAIL" : state))};
  if (known) run.tests[0].departure = "recorded";
  return run;
}

TEST(DiffTest, EachPairOfStatesHasItsChange) {
  using enum Change;
  const std::optional<Change> same;
  const std::vector<std::string> states{kAbsent, "PASS",  "FAIL",         kKnown,
                                        "SKIP",  "ERROR", "INCONCLUSIVE", "NOT-RUN"};
  // A row for each state before; a column for each after, in that order.
  const std::vector<std::vector<std::optional<Change>>> expected = {
      {same, kNewTest, kNewFailure, kNewTest, kNewTest, kNewlyUndecided, kNewlyUndecided,
       kNewlyUndecided},
      {kVanished, same, kNewFailure, kNewlyKnown, kNewlySkipped, kNewlyUndecided, kNewlyUndecided,
       kNewlyUndecided},
      {kVanished, kFixed, kStillFailing, kNewlyKnown, kNewlySkipped, kNewlyUndecided,
       kNewlyUndecided, kNewlyUndecided},
      {kVanished, kFixed, kNewFailure, same, kNewlySkipped, kNewlyUndecided, kNewlyUndecided,
       kNewlyUndecided},
      {kVanished, kDecided, kNewFailure, kNewlyKnown, same, kNewlyUndecided, kNewlyUndecided,
       kNewlyUndecided},
      {kVanished, kDecided, kNewFailure, kNewlyKnown, kNewlySkipped, kStillUndecided,
       kStillUndecided, kStillUndecided},
      {kVanished, kDecided, kNewFailure, kNewlyKnown, kNewlySkipped, kStillUndecided,
       kStillUndecided, kStillUndecided},
      {kVanished, kDecided, kNewFailure, kNewlyKnown, kNewlySkipped, kStillUndecided,
       kStillUndecided, kStillUndecided}};
  for (std::size_t before = 0; before < states.size(); ++before) {
    for (std::size_t after = 0; after < states.size(); ++after) {
      const std::string what = states[before] + " -> " + states[after];
      const ResultDiff diff = Compare(RunWith(states[before]), RunWith(states[after]), {});
      const std::optional<Change>& change = expected[before][after];
      ASSERT_EQ(diff.changed.size(), change ? 1U : 0U) << what;
      if (!change) continue;
      EXPECT_EQ(diff.changed[0].change, *change) << what;
      EXPECT_EQ(diff.changed[0].before, states[before]) << what;
      EXPECT_EQ(diff.changed[0].after, states[after]) << what;
      EXPECT_EQ(diff.regressions(), IsRegression(*change) ? 1 : 0) << what;
    }
  }
}

TEST(DiffTest, AnUnexpectedPassIsNoRegression) {
  RunResult current = RunWith("PASS");
  current.tests[0].surprise = "departs no longer";
  const ResultDiff diff = Compare(RunWith(kKnown), current, {});
  ASSERT_EQ(diff.changed.size(), 1U);
  EXPECT_EQ(diff.changed[0].change, Change::kFixed);
  EXPECT_THAT(diff.changed[0].why, HasSubstr("departs no longer"));
}

TEST(DiffTest, SlowerIsMoreThanBothThresholds) {
  const auto slower = [](Duration before, Duration after, const SlowerThan& than) {
    RunResult base = RunWith("PASS");
    RunResult current = base;
    base.tests[0].sut_time = before;
    current.tests[0].sut_time = after;
    const ResultDiff diff = Compare(base, current, than);
    EXPECT_EQ(diff.regressions(), 0);
    return !diff.slower.empty();
  };
  EXPECT_FALSE(slower(1s, 1250ms, {}));
  EXPECT_TRUE(slower(1s, 1251ms, {}));
  EXPECT_FALSE(slower(1ms, 101ms, {}));  // by no more than 100 ms
  EXPECT_TRUE(slower(1ms, 102ms, {}));
  EXPECT_FALSE(slower(2s, 1s, {}));
  EXPECT_TRUE(slower(1s, 1101ms, {.percent = 0}));
  EXPECT_FALSE(slower(1s, 2s, {.percent = 100}));
}

TEST(DiffTest, TimesOfTestsThatDidNotEndAlikeAreNotCompared) {
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
           {"PASS", "FAIL"}, {"FAIL", "FAIL"}, {"ERROR", "PASS"}, {kKnown, "PASS"}}) {
    RunResult base = RunWith(before);
    RunResult current = RunWith(after);
    base.tests[0].sut_time = 1s;
    current.tests[0].sut_time = 9s;
    EXPECT_TRUE(Compare(base, current, {}).slower.empty()) << before << after;
  }
  RunResult unknown = RunWith("PASS");
  RunResult known = RunWith("PASS");
  known.tests[0].sut_time = 9s;
  EXPECT_TRUE(Compare(unknown, known, {}).slower.empty());
}

TEST(DiffTest, TextNamesRegressionsFirst) {
  RunResult base = SampleRun();
  RunResult current = SampleRun();
  current.facts["release"] = "6.12.0";
  current.tests[0].verdict = Verdict::kFail;
  current.tests[0].reason = "it broke";
  current.tests[1].verdict = Verdict::kPass;
  base.tests[3].sut_time = current.tests[3].sut_time = 1s;
  const std::string text =
      RenderDiff(Compare(base, current, {}), base, "old", current, "new-results", {});
  EXPECT_THAT(text, HasSubstr("base old: host Linux 6.1.0, sockproof 1.2.3, 6 tests, "
                              "2026-01-31T12:00:00Z\nnew new-results: host Linux 6.12.0,"));
  EXPECT_THAT(text, HasSubstr("new failures (1) REGRESSION\n"
                              "  Close.Passes/ipv4  PASS -> FAIL  it broke"));
  EXPECT_THAT(text, HasSubstr("fixed (1)\n  Close.Fails/ipv4  FAIL -> PASS"));
  EXPECT_THAT(text, testing::EndsWith("\n1 regression\n"));
  EXPECT_LT(text.find("new failures"), text.find("fixed"));
}

TEST(DiffTest, NothingChangedIsThreeLines) {
  const RunResult run = RunWith("PASS");
  const std::string text = RenderDiff(Compare(run, run, {}), run, "a", run, "b", {});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_THAT(text, HasSubstr("no regressions\n"));
}

TEST(DiffTest, JsonHasEveryKindOfChange) {
  RunResult base = RunWith("PASS");
  base.tests[0].sut_time = 1s;
  RunResult current = base;
  current.tests[0].sut_time = 2s;
  current.tests.push_back(SampleTest("Close", "New", Verdict::kFail));
  base.tests.push_back(SampleTest("Close", "Old", Verdict::kPass));
  const auto json = ToJson(Compare(base, current, {}), base, current, {});
  EXPECT_EQ(json["format"], "sockproof-diff");
  EXPECT_EQ(json["regressions"], 2);
  EXPECT_EQ(json["base"]["release"], "6.1.0");
  EXPECT_EQ(json["slower_than"].dump(), R"({"percent":25.0,"least_s":0.1})");
  EXPECT_EQ(json["new_failures"][0]["id"], "Close.New/ipv4");
  EXPECT_TRUE(json["new_failures"][0]["base"].is_null());
  EXPECT_EQ(json["new_failures"][0]["new"], "FAIL");
  EXPECT_EQ(json["vanished"][0]["id"], "Close.Old/ipv4");
  EXPECT_TRUE(json["vanished"][0]["new"].is_null());
  EXPECT_EQ(json["slower"].dump(), R"([{"id":"Close.Test/ipv4","base_s":1.0,"new_s":2.0}])");
  for (const char* kind : {"newly_skipped", "newly_undecided", "still_failing", "still_undecided",
                           "fixed", "decided", "newly_known", "new_tests"}) {
    EXPECT_TRUE(json[kind].is_array()) << kind;
  }
}

TEST(DiffTest, HostileTextStaysInItsLine) {
  const RunResult base = SampleRun();
  const RunResult current = HostileRun();
  const ResultDiff diff = Compare(base, current, {});
  const std::string text = RenderDiff(diff, base, HostileText(), current, HostileText(), {});
  EXPECT_EQ(CleanText(text), text);
  EXPECT_THAT(text, Not(HasSubstr("\nok 1 forged")));
  // Two systems, the kinds of change with a line each, the verdict.
  std::size_t kinds = 0;
  for (std::size_t i = 0; i < diff.changed.size(); ++i) {
    kinds += i == 0 || diff.changed[i].change != diff.changed[i - 1].change ? 1 : 0;
  }
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
            3 + kinds + diff.changed.size())
      << text;
  EXPECT_FALSE(nlohmann::json::parse(DumpJson(ToJson(diff, base, current, {}))).empty());
}

}  // namespace
}  // namespace sockproof
