// Claims are counted once each, on the axis of their authority.
#include "src/report/axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/report/summary.h"
#include "tests/report/sample.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TestResult Checks(const std::string& name, std::optional<Verdict> verdict,
                  const std::vector<CitedClaim>& claims) {
  TestResult test = SampleTest("Axes", name, verdict);
  test.claims = claims;
  return test;
}

const CitedClaim kMust{"rfc9293:MUST-1", "MUST", "RFC 9293", "."};
const CitedClaim kShould{"rfc9293:SHLD-1", "SHOULD", "RFC 9293", "."};
const CitedClaim kPosix{"posix:listen", "documented", "POSIX", "."};
const CitedClaim kManPage{"man:listen", "documented", "listen(2)", "."};
const CitedClaim kNotes{"notes:O1", "documented", "the notes", "."};

RunResult RunOf(std::deque<TestResult> tests) {
  RunResult run = SampleRun();
  run.tests.assign(tests.begin(), tests.end());
  return run;
}

TEST(AxesTest, EachAuthorityIsOnItsAxisAndLevelsAreInOrder) {
  const Axes axes =
      AxesOf(RunOf({Checks("A", Verdict::kPass, {kPosix, kNotes, kShould, kManPage, kMust})}));
  ASSERT_EQ(axes.standards.size(), 3U);
  EXPECT_EQ(axes.standards[0].authority, "posix");
  EXPECT_EQ(axes.standards[1].level, "MUST");
  EXPECT_EQ(axes.standards[2].level, "SHOULD");
  ASSERT_EQ(axes.documentation.size(), 1U);
  EXPECT_EQ(axes.documentation[0].authority, "man");
  ASSERT_EQ(axes.notes.size(), 1U);
  EXPECT_EQ(axes.notes[0].held, 1);
}

TEST(AxesTest, AClaimHoldsWhenAllItsTestsPass) {
  const auto must = [](std::vector<std::optional<Verdict>> verdicts) {
    std::deque<TestResult> tests;
    for (const auto& verdict : verdicts) {
      tests.push_back(Checks("T" + std::to_string(tests.size()), verdict, {kMust}));
    }
    return AxesOf(RunOf(tests)).standards.at(0);
  };
  EXPECT_EQ(must({Verdict::kPass, Verdict::kPass}).held, 1);
  EXPECT_EQ(must({Verdict::kPass, Verdict::kPass}).tested, 1);
  EXPECT_EQ(must({Verdict::kPass, Verdict::kFail, Verdict::kError}).departed, 1);
  for (const std::optional<Verdict> unknown :
       {std::optional(Verdict::kError), std::optional(Verdict::kSkip),
        std::optional(Verdict::kInconclusive), std::optional<Verdict>()}) {
    const ClaimCounts counts = must({Verdict::kPass, unknown});
    EXPECT_EQ(counts.undecided, 1) << VerdictText(unknown);
    EXPECT_EQ(counts.held + counts.departed, 0) << VerdictText(unknown);
  }
}

TEST(AxesTest, EachClaimOfATestCountsByItself) {
  TestResult test = Checks("A", Verdict::kFail, {kMust, kShould, kPosix, kManPage, kNotes});
  test.claims[0].verdict = ClaimVerdict::kHeld;
  test.claims[1].verdict = ClaimVerdict::kDeparted;
  test.claims[2].verdict = ClaimVerdict::kNotTaken;
  test.claims[3].verdict = ClaimVerdict::kNotReached;
  test.claims[4].verdict = ClaimVerdict::kUndecided;
  const Axes axes = AxesOf(RunOf({test}));
  EXPECT_EQ(axes.standards.at(0).not_taken, 1);
  EXPECT_EQ(axes.standards.at(1).held, 1);
  EXPECT_EQ(axes.standards.at(2).departed, 1);
  EXPECT_EQ(axes.documentation.at(0).not_reached, 1);
  EXPECT_EQ(axes.documentation.at(0).undecided, 1);
  EXPECT_EQ(axes.notes.at(0).not_reached, 0);
  EXPECT_EQ(axes.notes.at(0).undecided, 1);
  const std::string text = RenderSummary(RunOf({test}), false);
  EXPECT_THAT(text, HasSubstr("claims of standards: 1 held, 1 departed, 1 not taken (held of"));
  EXPECT_THAT(text, HasSubstr("0 held, 1 not reached (held of documented 0/1)"));
}

TEST(AxesTest, ARowThatDecidesAnotherClaimSaysNothingOfThisOne) {
  TestResult one = Checks("A", Verdict::kPass, {kMust, kManPage});
  one.claims[0].verdict = ClaimVerdict::kHeld;
  one.claims[1].verdict = ClaimVerdict::kNotReached;
  TestResult other = Checks("B", Verdict::kPass, {kMust, kManPage});
  other.claims[0].verdict = ClaimVerdict::kNotReached;
  other.claims[1].verdict = ClaimVerdict::kHeld;
  EXPECT_EQ(AxesOf(RunOf({one, other})).standards.at(0).held, 1);
  EXPECT_EQ(AxesOf(RunOf({one, other})).documentation.at(0).held, 1);
  EXPECT_EQ(AxesOf(RunOf({one})).documentation.at(0).not_reached, 1);
  other.verdict = Verdict::kSkip;
  EXPECT_EQ(AxesOf(RunOf({one, other})).standards.at(0).not_reached, 1);
}

TEST(AxesTest, AKnownDepartureIsStillADeparture) {
  TestResult test = Checks("A", Verdict::kFail, {kMust});
  test.departure = "recorded";
  EXPECT_EQ(AxesOf(RunOf({test})).standards.at(0).departed, 1);
}

TEST(SummaryTest, HasALinePerAxisAndNoOverallScore) {
  const std::string text =
      RenderSummary(RunOf({Checks("A", Verdict::kPass, {kMust, kManPage}),
                           Checks("B", Verdict::kFail, {kShould, {"rfc6298:1", "MUST", "", ""}})}),
                    false);
  EXPECT_THAT(text, HasSubstr("claims of standards: 1 held, 2 departed "
                              "(held of MUST 1/2, SHOULD 0/1)\n"));
  EXPECT_THAT(text, HasSubstr("claims of the system's own documentation: 1 held "
                              "(held of documented 1/1)\n"));
  EXPECT_THAT(text, Not(HasSubstr("the notes")));
}

TEST(SummaryTest, ListsSurprisesAndStaleDepartures) {
  RunResult run = SampleRun();
  run.stale_departures = {"linux.toml:3: Close.*: every test passes"};
  const std::string text = RenderSummary(run, false);
  EXPECT_THAT(text, HasSubstr("FAIL   Close.Fails/ipv4  Value of:"));
  EXPECT_THAT(text, HasSubstr("ERROR  Close.Breaks/ipv4"));
  EXPECT_THAT(text, Not(HasSubstr("IsSkipped/ipv4  because")));
  EXPECT_THAT(text, HasSubstr("stale departure: linux.toml:3: Close.*: every test passes\n"));
}

TEST(SummaryTest, UnfinishedRunSaysSo) {
  RunResult run = SampleRun();
  run.finished.reset();
  run.setup_error = "no \x1b[31m namespaces";
  const std::string text = RenderSummary(run, false);
  EXPECT_THAT(text, HasSubstr("; not finished"));
  EXPECT_THAT(text, HasSubstr("no test could run: no "));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sockproof
