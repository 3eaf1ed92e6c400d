#include "src/compare/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/report/text.h"
#include "tests/compare/systems.h"
#include "tests/report/hostile.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Comparison Two() {
  return Compared(System("5.10", {Passes("Same"), Observing("give-up", "127 s", Passes("Wait")),
                                  Passes("Other")}),
                  System("6.12", {Passes("Same"), Observing("give-up", "131 s", Passes("Wait")),
                                  DepartsAsKnown("Other")}));
}

TEST(RenderTable, ShowsDifferencesWithWhatWasObserved) {
  const std::string table = RenderTable(Two(), {});
  EXPECT_THAT(table, HasSubstr("Close\n"));
  EXPECT_THAT(table, Not(HasSubstr("Same")));
  EXPECT_THAT(table, testing::ContainsRegex("Wait +PASS +PASS\n += give-up +127 s +131 s\n"));
  EXPECT_THAT(table, testing::ContainsRegex("Other +PASS +known\n"));
  EXPECT_THAT(table, HasSubstr("2 of 3 tests differ; --all shows the others too\n"));
}

TEST(RenderTable, ShowsTheCellsInWhichSystemsDifferOrDisagree) {
  TestResult one = Passes("Rule");
  one.axes = {"first", "second"};
  one.cells = {{{"a", "x"}, "0", ""}, {{"a", "y"}, "0", ""}, {{"b", "x"}, "EIO", "succeeds"}};
  TestResult other = one;
  other.cells = {{{"a", "x"}, "0", ""}, {{"a", "y"}, "EPERM", "succeeds"}, {{"b", "x"}, "EIO", ""}};
  const std::string table =
      RenderTable(CompareSystems({System("6.1", {one}), System("6.12", {other})}), {});
  EXPECT_THAT(table, testing::ContainsRegex("= disagree, of 3 cells +1 +1\n"));
  EXPECT_THAT(table, testing::ContainsRegex("a, y +0 +EPERM\n"));
  EXPECT_THAT(table, testing::ContainsRegex("b, x +EIO +EIO\n"));
  EXPECT_THAT(table, Not(HasSubstr("a, x")));
}

TEST(RenderTable, ShowsAllRowsWhenAsked) {
  TableStyle style;
  style.all = true;
  EXPECT_THAT(RenderTable(Two(), style), AllOf(testing::ContainsRegex("Same +PASS +PASS\n"),
                                               HasSubstr("2 of 3 tests differ\n")));
}

TEST(RenderTable, ShowsWhereEachStatementHolds) {
  TableStyle style;
  style.by_claim = true;
  const std::string table = RenderTable(Two(), style);
  EXPECT_THAT(table, HasSubstr("rfc9293 (standards)\n"));
  EXPECT_THAT(table, testing::ContainsRegex("rfc9293:3.6.1 MUST +holds +known\n"));
  EXPECT_THAT(table, HasSubstr("2 of 2 claims differ"));
}

TEST(RenderTable, CountsClaimsByAxisAndLevel) {
  const std::string table = RenderTable(Two(), {});
  EXPECT_THAT(table, testing::ContainsRegex("standards MUST +1, 0, 0, 0, 0 +0, 1, 0, 0, 0\n"));
  EXPECT_THAT(table, testing::ContainsRegex("notes documented +1, 0, 0, 0, 0 +0, 1, 0, 0, 0\n"));
}

TEST(RenderTable, NamesSystemsByNumberWhereThereIsNoRoom) {
  TableStyle style;
  style.width = 40;
  EXPECT_THAT(RenderTable(Two(), style), testing::ContainsRegex("\n +\\[1\\] +\\[2\\]\n"));
  style.width = 100;
  EXPECT_THAT(RenderTable(Two(), style), testing::ContainsRegex("\n +Linux 5.10 +Linux 6.12\n"));
}

TEST(RenderTable, OfOneSystemShowsDepartures) {
  EXPECT_THAT(RenderTable(Compared(System("1", {Passes("A"), Fails("B")})), {}),
              AllOf(testing::ContainsRegex("B +FAIL\n"), HasSubstr("1 of 2 tests depart")));
}

TEST(RenderTable, SaysOfRunsThatAreNotWhole) {
  auto system = System("1", {Passes("A")});
  system.run.finished.reset();
  system.run.setup_error = "no agent";
  const std::string table = RenderTable(Compared(system), {});
  EXPECT_THAT(table, HasSubstr("this run was not finished"));
  EXPECT_THAT(table, HasSubstr("no test could run: no agent"));
}

TEST(RenderTable, IsCleanWhateverASystemCallsItself) {
  std::vector<ComparedSystem> systems;
  systems.push_back({"", HostileText(), HostileRun()});
  TableStyle style;
  style.all = true;
  const Comparison comparison = CompareSystems(std::move(systems));
  for (const bool by_claim : {false, true}) {
    style.by_claim = by_claim;
    const std::string table = RenderTable(comparison, style);
    EXPECT_EQ(table, CleanText(table));
    EXPECT_THAT(table, Not(HasSubstr("\nok 1 forged")));
  }
}

}  // namespace
}  // namespace sockproof
