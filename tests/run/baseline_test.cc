#include "src/run/baseline.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "src/run/usage_error.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::ThrowsMessage;

constexpr const char* kFile = R"toml([[departure]]
test = "Notes.*"
departs = '1\.0.. s'
why = "Linux starts at 1 s (RFC 6298)"
link = "https://www.rfc-editor.org/rfc/rfc6298"
when = { os = "Linux", release = ">=3.1" }
)toml";

Facts LinuxFacts() {
  Facts facts;
  facts.Set("os", "Linux");
  facts.Set("release", "6.18.44-generic");
  facts.Set("sysctl.net.ipv4.tcp_ecn", "2");
  facts.Set("capability.diag", "yes");
  return facts;
}

Baseline BaselineOf(const std::string& text) {
  return {ParseBaseline(text, "linux.toml"), LinuxFacts()};
}

std::string Entry(const std::string& test, const std::string& more = "departs = 'x'") {
  return "[[departure]]\ntest = \"" + test + "\"\nwhy = \"because\"\n" + more + "\n";
}

TestResult Result(const std::string& id, std::optional<Verdict> verdict,
                  const std::string& failure = "") {
  TestResult result;
  result.id = id;
  result.verdict = verdict;
  if (!failure.empty()) result.failures.push_back({"a.cc", 1, failure});
  return result;
}

// --- judging -------------------------------------------------------------------------------------

TEST(Baseline, ADepartureAsRecordedIsExpected) {
  TestResult result = Result("Notes.First/ipv4", Verdict::kFail, "Observed: 1.004 s");
  BaselineOf(kFile).Judge(result);
  EXPECT_THAT(result.departure, HasSubstr("RFC 6298"));
  EXPECT_THAT(result.departure, HasSubstr("https://"));
  EXPECT_EQ(result.surprise, "");
  EXPECT_EQ(result.verdict, Verdict::kFail) << "the verdict stays what it is";
}

TEST(Baseline, AnotherDepartureIsASurprise) {
  TestResult result = Result("Notes.First/ipv4", Verdict::kFail, "Observed: 3.004 s");
  BaselineOf(kFile).Judge(result);
  EXPECT_EQ(result.departure, "");
  EXPECT_THAT(result.surprise, HasSubstr("another way"));
}

TEST(Baseline, OnlyTheClaimsRecordedMayDepart) {
  const Baseline baseline = BaselineOf(Entry("A.One", "departs = 'x'\nclaims = ['m:1', 'm:2']"));
  const auto surprise = [&baseline](std::vector<std::string> departed) {
    TestResult result = Result("A.One/ipv4", Verdict::kFail, "x");
    for (const char* id : {"m:1", "m:2", "m:3"}) {
      const bool departs = std::find(departed.begin(), departed.end(), id) != departed.end();
      result.claims.push_back({id, "MUST", "", ""});
      result.claims.back().verdict = departs ? ClaimVerdict::kDeparted : ClaimVerdict::kHeld;
    }
    baseline.Judge(result);
    EXPECT_EQ(result.departure.empty(), !result.surprise.empty());
    return result.surprise;
  };
  EXPECT_EQ(surprise({"m:1"}), "");
  EXPECT_EQ(surprise({"m:1", "m:2"}), "");
  EXPECT_THAT(surprise({"m:1", "m:3"}), StartsWith("departs from m:3 too, which is not recorded"));
}

TEST(Baseline, ADepartureThatVanishedIsASurprise) {
  TestResult result = Result("Notes.First/ipv4", Verdict::kPass);
  BaselineOf(kFile).Judge(result);
  EXPECT_THAT(result.surprise, HasSubstr("no longer"));
}

TEST(Baseline, WhatDepartsSometimesMayPass) {
  const Baseline baseline = BaselineOf(Entry("A.One", "departs = 'x'\nsometimes = true"));
  TestResult passed = Result("A.One/ipv4", Verdict::kPass);
  baseline.Judge(passed);
  EXPECT_EQ(passed.surprise, "");
  TestResult departed = Result("A.One/ipv4", Verdict::kFail, "x");
  baseline.Judge(departed);
  EXPECT_NE(departed.departure, "");
}

TEST(Baseline, SaysNothingOfOtherTestsAndOtherVerdicts) {
  for (TestResult result :
       {Result("Other.First/ipv4", Verdict::kPass), Result("Notes.First/ipv4", Verdict::kError),
        Result("Notes.First/ipv4", Verdict::kSkip)}) {
    BaselineOf(kFile).Judge(result);
    EXPECT_EQ(result.departure + result.surprise, "") << result.id;
  }
}

TEST(Baseline, ALaterEntryOverrulesAnEarlierOne) {
  const Baseline baseline =
      BaselineOf(Entry("Notes", "departs = 'a'") + Entry("Notes.First", "departs = 'b'") +
                 Entry("Notes.Second/ipv4", "passes = true"));
  const auto judged = [&baseline](TestResult result) {
    baseline.Judge(result);
    return std::pair(!result.departure.empty(), !result.surprise.empty());
  };
  const std::pair known(true, false);
  const std::pair surprising(false, true);
  const std::pair plain(false, false);
  EXPECT_EQ(judged(Result("Notes.First/ipv4", Verdict::kFail, "b")), known);
  EXPECT_EQ(judged(Result("Notes.First/ipv4", Verdict::kFail, "a")), surprising);
  EXPECT_EQ(judged(Result("Notes.Second/ipv6", Verdict::kFail, "a")), known);
  EXPECT_EQ(judged(Result("Notes.Second/ipv4", Verdict::kPass)), plain);
  EXPECT_EQ(judged(Result("Notes.Second/ipv4", Verdict::kFail, "a")), plain) << "just a FAIL";
}

TEST(Baseline, AnEntryMayNameSeveralTests) {
  const Baseline baseline =
      BaselineOf("[[departure]]\ntest = ['A.One', 'B.*/ipv6']\ndeparts = 'x'\nwhy = 'y'\n");
  EXPECT_NE(baseline.Find("A.One/ipv4"), nullptr);
  EXPECT_NE(baseline.Find("B.Two/ipv6"), nullptr);
  EXPECT_EQ(baseline.Find("B.Two/ipv4"), nullptr);
}

TEST(Baseline, AllConditionsMustHold) {
  const auto holds = [](const std::string& when) {
    return BaselineOf(Entry("Notes", "departs = 'x'\nwhen" + when)).Find("Notes.First/ipv4") !=
           nullptr;
  };
  EXPECT_TRUE(holds(" = { os = \"Linux\", release = \">=6.5 <6.19\" }"));
  EXPECT_FALSE(holds(" = { os = \"Linux\", release = \"<6.5\" }"));
  EXPECT_FALSE(holds(" = { os = \"lwIP\" }"));
  EXPECT_FALSE(holds(" = { colour = \"*\" }")) << "a fact that the system does not tell";
  EXPECT_TRUE(holds(".sysctl.net.ipv4.tcp_ecn = 2"));
  EXPECT_FALSE(holds(" = { \"sysctl.net.ipv4.tcp_ecn\" = \"!=2\" }"));
  EXPECT_TRUE(holds(" = { capability = { diag = true, teleport = false } }"));
  EXPECT_FALSE(holds(".capability.teleport = true"));
}

TEST(IsFoundIn, SearchesLinesAndSurvivesAnyExpression) {
  EXPECT_TRUE(IsFoundIn("Observed:\\s+ACK", "Expected: RST\nObserved:\n  ACK seq=1"));
  EXPECT_FALSE(IsFoundIn("Expected.*ACK", "Expected: RST\nObserved:\n  ACK seq=1"));
  EXPECT_FALSE(IsFoundIn("(a*)*(a*)*(a*)*b", std::string(100000, 'a'))) << "backtracks for ever";
  EXPECT_TRUE(IsFoundIn("(.|\\n)*", std::string(100000, 'a')));
  EXPECT_THROW(IsFoundIn("(", ""), std::invalid_argument);
}

// --- files ---------------------------------------------------------------------------------------

TEST(ParseBaseline, RemembersWhereThingsStand) {
  const std::string text =
      "# übergang\r\n\r\n[[departure]]\r\ntest = 'Ä.ö'\nwhy = \"é\" # ü\n"
      "departs = '''\nü'''  # ö\nwhen.os = \"Linux\"\n\n# next\n[[departure]]\ntest='B'\n"
      "departs=\"b\"\nwhy='b'\n[departure.when]\nos = 'x'";
  const std::vector<KnownDeparture> entries = ParseBaseline(text, "a.toml");
  ASSERT_EQ(entries.size(), 2U);
  const auto part = [&text](TextRange range) {
    return text.substr(range.begin, range.end - range.begin);
  };
  EXPECT_EQ(entries[0].place(), "a.toml:3");
  EXPECT_EQ(part(entries[0].how), "'''\nü'''");
  EXPECT_THAT(part(entries[0].lines),
              AllOf(StartsWith("[[departure]]\r\n"), testing::EndsWith("os = \"Linux\"\n")));
  EXPECT_EQ(part(entries[1].how), "\"b\"");
  EXPECT_THAT(part(entries[1].lines),
              AllOf(StartsWith("[[departure]]\ntest='B'"), testing::EndsWith("os = 'x'")));
}

TEST(ParseBaseline, GarbageIsRefusedWithFileAndLine) {
  const std::pair<std::string, const char*> garbage[] = {
      {"x = ", "a.toml:1: "},
      {"x = 1", "a.toml:1: unknown key 'x'"},
      {"\n[departures]\n", "a.toml:2: unknown key 'departures'"},
      {"\n[departure]\ntest = 'a'", "a.toml:2: each departure is a table of its own"},
      {"\ndeparture = [{test = 'a', departs = 'b', why = 'c'}]", "a.toml:2: each departure"},
      {"departure = [1]", "a.toml:1: each departure"},
      {"departure = 1", "a.toml:1: each departure"},
      {Entry("a", ""), "a.toml:1: a departure needs either 'departs' or 'passes'"},
      {Entry("a", "departs = 'x'\npasses = true"), "a.toml:1: a departure needs either"},
      {Entry("a", "passes = false"), "a.toml:4: passes can only be true"},
      {Entry("a", "passes = 'yes'"), "a.toml:4: passes can only be true"},
      {Entry("a") + "tset = 'a'", "a.toml:5: unknown key 'tset'"},
      {Entry(""), "a.toml:2: test is empty"},
      {"[[departure]]\ntest = ['a', '']", "a.toml:2: test is empty"},
      {"[[departure]]\ntest = []\nwhy = 'y'", "a.toml:1: a departure without 'test'"},
      {Entry("a", "departs = ''"), "a.toml:4: departs is empty"},
      {Entry("a", "departs = 'x'\nclaims = 'm:1'"), "a.toml:5: claims is no list of ids"},
      {Entry("a", "departs = 'x'\nclaims = []"), "a.toml:5: claims is no list of ids"},
      {Entry("a", "departs = 'x'\nclaims = [1]"), "a.toml:5: claims is no text in quotes"},
      {Entry("a", "passes = true\nsometimes = true"), "a.toml:1: 'sometimes' goes with 'departs'"},
      {Entry("a", "departs = 'x'\nsometimes = 1"), "a.toml:5: sometimes can only be true"},
      {Entry("a", "passes = true\nclaims = ['m:1']"), "a.toml:1: 'claims' goes with 'departs'"},
      {Entry("a", "departs = 5"), "a.toml:4: departs is no text in quotes"},
      {Entry("a", "departs = '('"), "a.toml:4: departs is no regular expression"},
      {Entry("a", "departs = 'x'\nlink = ['a']"), "a.toml:5: link is no text in quotes"},
      {Entry("a", "departs = 'x'\nwhen = 'Linux'"), "a.toml:5: when is no table"},
      {Entry("a", "departs = 'x'\nwhen.os = ''"), "a.toml:5: when.os: an empty condition"},
      {Entry("a", "departs = 'x'\nwhen.release = '>=6.5 or'"), "a.toml:5: when.release: 'or'"},
      {Entry("a", "departs = 'x'\nwhen.a.b = 1.5"), "a.toml:5: when.a.b is neither"},
      {"[[departure]]\ntest = 'a'\ndeparts = 'b'\n", "a.toml:1: a departure without 'why'"},
      {"[[departure]]\nwhy = 'a'\ndeparts = 'b'\n", "a.toml:1: a departure without 'test'"},
      {std::string("\n\0", 2), "a.toml:2: "},
      {"why = '\xff'", "a.toml:1: "},
  };
  for (const auto& [text, complaint] : garbage) {
    EXPECT_THAT([&text = text] { ParseBaseline(text, "a.toml"); },
                ThrowsMessage<UsageError>(StartsWith(complaint)))
        << text;
  }
}

TEST(ReadBaseline, AFileThatCannotBeReadIsNamed) {
  TemporaryFolder folder;
  EXPECT_THAT([&] { ReadBaseline(folder / "none"); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("none"), HasSubstr("No such file"))));
  EXPECT_THAT([&] { ReadBaseline(folder / ""); },
              ThrowsMessage<UsageError>(HasSubstr("Is a directory")));
}

TEST(ShippedBaseline, IsSoundAndOfOneSystemEach) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    EXPECT_TRUE(entry.shipped);
    EXPECT_TRUE(entry.when.contains("os")) << entry.place();
  }
}

TEST(Baseline, NamesTheFilesOfTheEntriesThatHold) {
  std::vector<KnownDeparture> entries(3);
  entries[0].file = "linux.toml";
  entries[0].shipped = true;
  entries[1].file = entries[2].file = "ours.toml";
  EXPECT_EQ(Baseline(entries, Facts()).Files(),
            (std::vector<std::string>{"linux.toml (shipped)", "ours.toml"}));
}

// --- entries that are of no use any more ---------------------------------------------------------

constexpr const char* kSuite[] = {"A.One/ipv4", "A.One/ipv6", "A.Two/ipv4", "B.One/ipv4"};

std::vector<std::string> StaleOf(const std::string& text, const std::vector<TestResult>& results) {
  RunResult run;
  run.tests.assign(results.begin(), results.end());
  return BaselineOf(text).Stale(run, {std::begin(kSuite), std::end(kSuite)});
}

TEST(StaleEntries, AreThoseWithoutTestAndThoseWhoseTestsAllPass) {
  const std::string text =
      "[[departure]]\ntest = ['Gone.Test', 'B']\ndeparts = 'x'\nwhy = 'y'\n" + Entry("A.One");
  EXPECT_THAT(
      StaleOf(text, {Result("A.One/ipv4", Verdict::kPass), Result("A.One/ipv6", Verdict::kPass)}),
      ElementsAre("linux.toml:1: Gone.Test: there is no such test",
                  "linux.toml:5: A.One: departs no longer"));
}

TEST(StaleEntries, AreNotThoseThatWereNotExercised) {
  const std::string text = Entry("A.One");
  EXPECT_THAT(StaleOf(text, {}), IsEmpty());
  EXPECT_THAT(StaleOf(text, {Result("A.One/ipv4", Verdict::kPass)}), IsEmpty());
  EXPECT_THAT(StaleOf(text, {Result("A.One/ipv4", Verdict::kPass), Result("A.One/ipv6", {})}),
              IsEmpty());
  for (const Verdict verdict :
       {Verdict::kSkip, Verdict::kError, Verdict::kInconclusive, Verdict::kFail}) {
    EXPECT_THAT(
        StaleOf(text, {Result("A.One/ipv4", Verdict::kPass), Result("A.One/ipv6", verdict)}),
        IsEmpty());
  }
}

TEST(StaleEntries, AreNotThoseThatOthersOverruleOrThatDoNotHold) {
  const std::vector<TestResult> passed = {Result("A.One/ipv4", Verdict::kPass),
                                          Result("A.One/ipv6", Verdict::kPass)};
  EXPECT_THAT(StaleOf(Entry("A.One") + Entry("A.One", "passes = true"), passed), IsEmpty());
  EXPECT_THAT(StaleOf(Entry("A.One", "departs = 'x'\nwhen.os = 'lwIP'"), passed), IsEmpty());
  EXPECT_THAT(StaleOf(Entry("Gone", "departs = 'x'\nwhen.os = 'lwIP'"), passed), IsEmpty());
}

}  // namespace
}  // namespace sockproof
