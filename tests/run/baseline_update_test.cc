#include "src/run/baseline_update.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "src/run/usage_error.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// --- DepartsLike ---------------------------------------------------------------------------------

TEST(DepartsLike, NamesWhatWasObservedWithoutNumbersThatVary) {
  const std::pair<const char*, const char*> failures[] = {
      {"Value of: again.time - previous.time\nExpected: is a timer of 3.000 s (2.990 s to 3.385 "
       "s)\n"
       "  Actual: 1.006 s, early by 1.994 s",
       R"(Actual: [\d.]+ [num]?s, early by [\d.]+ [num]?s$)"},
      {"Value of: socket.Poll({\"POLLIN\"})\nExpected: returns {}\n"
       "  Actual: poll(3: POLLIN, 0 ms) = POLLIN",
       R"(Actual: poll\(\d+: POLLIN, [\d.]+ [num]?s\) = POLLIN$)"},
      {"  Expected: RST as the next segment from sut\n  Observed:\n"
       "            ACK seq=2 ack=100001\n            RST seq=1",
       R"(Observed:\s+ACK seq=2 ack=\d+$)"},
      {"  Expected: accept(3) returns within 5.000 s\n  Observed: it is still blocked",
       R"(Observed: it is still blocked$)"},
      {"Expected equality of these values:\n  ErrorOf(attempt.socket)\n    Which is: \"EPROTO\"\n"
       "  ErrnoName(0)\n    Which is: \"0\"\nGoogle Test trace:\na.cc:115: net unreachable",
       R"(ErrorOf\(attempt\.socket\)\s+Which is: "EPROTO"$)"},
      {"Expected: (LengthOfSegmentsFor(500)) <= (500), actual: 536 vs 500",
       R"(actual: \d+ vs \d+$)"},
      {"accepted from 192.0.2.2:40123 and [2001:db8::2]:80", R"(accepted from \S+ and \S+$)"},
      {"something else broke", R"(something else broke$)"},
      {"  \n", ""},
  };
  for (const auto& [failure, expression] : failures) {
    EXPECT_EQ(DepartsLike(failure), expression);
    EXPECT_TRUE(IsFoundIn(DepartsLike(failure), failure)) << failure;
  }
}

TEST(DepartsLike, HoldsForBothIpVersions) {
  const auto failure = [](const std::string& address) {
    return "Value of: x\nExpected: y\n  Actual: connect(3, " + address + ") = ECONNREFUSED";
  };
  EXPECT_TRUE(IsFoundIn(DepartsLike(failure("192.0.2.2:80")), failure("[2001:db8::2]:80")));
}

TEST(DepartsLike, IsAnExpressionForAnyText) {
  for (const std::string& text :
       {std::string("\\^$.|?*+()[]{} '\"'''\"\"\" #"), std::string("Actual: \x01\x1f\t\v\f\xc3\xa9"),
        "Actual: " + std::string(200, 'x') + "((((", "Actual: a" + std::string(300, '\xc3') + "(",
        std::string("Observed:"), std::string("Actual: 1.2.3.4.5 ::: [[[ 0x1a 4.4BSD -1 .5 5.")}) {
    EXPECT_TRUE(IsFoundIn(DepartsLike(text), text)) << text << "\n" << DepartsLike(text);
  }
  std::string accents = "Actual: ";
  while (accents.size() < 200) accents += "\xc3\xa9";
  EXPECT_EQ(DepartsLike(accents).back(), '\xa9') << "no character is cut";
}

// --- UpdateBaseline ------------------------------------------------------------------------------

constexpr const char* kActual = "Value of: x\nExpected: y\n  Actual: ";

TestResult Passed(const std::string& id) {
  TestResult result;
  result.id = id;
  result.verdict = Verdict::kPass;
  return result;
}

TestResult Failed(const std::string& id, const std::string& actual) {
  TestResult result = Passed(id);
  result.verdict = Verdict::kFail;
  result.failures.push_back({"a.cc", 1, kActual + actual});
  return result;
}

RunResult RunOf(const std::vector<TestResult>& tests) {
  RunResult run;
  run.facts = {{"os", "Linux"}, {"release", "6.18.44-generic"}};
  run.tests.assign(tests.begin(), tests.end());
  return run;
}

std::string EntryText(const std::string& test, const std::string& departs) {
  return "[[departure]]\ntest = \"" + test + "\"\ndeparts = '" + departs + "'\nwhy = \"because\"\n";
}

// Updates, and checks what must hold after every update: nothing surprises, and another one changes
// nothing.
class UpdateBaselineTest : public testing::Test {
 protected:
  BaselineUpdate Update(const std::string& text, const std::vector<TestResult>& tests) {
    const RunResult run = RunOf(tests);
    BaselineUpdate update = UpdateBaseline(text, "mine.toml", run, before_, suite_);

    std::vector<KnownDeparture> all = before_;
    for (const KnownDeparture& entry : ParseBaseline(update.text, "mine.toml")) {
      all.push_back(entry);
    }
    Facts facts;
    for (const auto& [name, value] : run.facts) facts.Set(name, value);
    const Baseline baseline(all, facts);
    for (TestResult test : tests) {
      baseline.Judge(test);
      EXPECT_FALSE(test.surprising()) << test.id << " after\n" << update.text;
    }
    const BaselineUpdate again = UpdateBaseline(update.text, "mine.toml", run, before_, suite_);
    EXPECT_EQ(again.text, update.text);
    EXPECT_THAT(again.changes, IsEmpty());
    return update;
  }

  std::vector<KnownDeparture> before_;
  std::vector<std::string> suite_ = {"A.One/ipv4", "A.One/ipv6", "A.Two/ipv4", "A.Two/ipv6",
                                     "B.Only/ipv4"};
};

TEST_F(UpdateBaselineTest, OfNothingMakesAFileWithAnEntryForBothIpVersions) {
  const BaselineUpdate update =
      Update("", {Failed("A.One/ipv4", "connect(3, 192.0.2.2:80) = EPERM"),
                  Failed("A.One/ipv6", "connect(4, [2001:db8::2]:80) = EPERM"),
                  Passed("A.Two/ipv4"), Failed("B.Only/ipv4", "7")});
  EXPECT_THAT(update.text, StartsWith("# Known departures"));
  EXPECT_THAT(update.text, HasSubstr(R"(
[[departure]]
test = 'A.One'
departs = 'Actual: connect\(\d+, \S+\) = EPERM$'
why = "TODO: look into it"
when = { os = 'Linux', release = '6.18' }

[[departure]]
test = 'B.Only'
departs = 'Actual: 7$'
)"));
  EXPECT_THAT(update.changes, ElementsAre(StartsWith("added A.One: departs = "),
                                          StartsWith("added B.Only: departs = ")));
}

TEST_F(UpdateBaselineTest, IpVersionsThatDifferGetEntriesOfTheirOwn) {
  const std::string different =
      Update("", {Failed("A.One/ipv4", "EPERM"), Failed("A.One/ipv6", "EIO")}).text;
  EXPECT_THAT(different, HasSubstr("test = 'A.One/ipv4'\ndeparts = 'Actual: EPERM$'"));
  EXPECT_THAT(different, HasSubstr("test = 'A.One/ipv6'\ndeparts = 'Actual: EIO$'"));
  const std::string one_passes =
      Update("", {Failed("A.One/ipv4", "EPERM"), Passed("A.One/ipv6")}).text;
  EXPECT_THAT(one_passes, HasSubstr("test = 'A.One/ipv4'"));
  EXPECT_THAT(Update("", {Failed("A.One/ipv4", "EPERM")}).text, HasSubstr("test = 'A.One/ipv4'"));
}

TEST_F(UpdateBaselineTest, OfATestThatTellsItsClaimsApartTheEntryNamesThoseThatDeparted) {
  const auto failed = [](const std::string& id, std::vector<ClaimVerdict> verdicts) {
    TestResult result = Failed(id, "EPERM");
    for (const ClaimVerdict verdict : verdicts) {
      CitedClaim& claim = result.claims.emplace_back();
      claim.id = "m:" + std::to_string(result.claims.size());
      claim.verdict = verdict;
    }
    return result;
  };
  constexpr auto kHeld = ClaimVerdict::kHeld;
  constexpr auto kDeparted = ClaimVerdict::kDeparted;
  const std::string text = Update("", {failed("B.Only/ipv4", {kHeld, kDeparted, kDeparted})}).text;
  EXPECT_THAT(text, HasSubstr("departs = 'Actual: EPERM$'\nclaims = ['m:2', 'm:3']\nwhy"));
  EXPECT_THAT(Update(text, {failed("B.Only/ipv4", {kDeparted, kHeld, kHeld})}).text,
              HasSubstr("departs = 'Actual: EPERM$'\nclaims = ['m:1']\nwhy"));
  EXPECT_THAT(Update("", {failed("B.Only/ipv4", {kDeparted, kDeparted})}).text,
              Not(HasSubstr("claims")));
}

TEST_F(UpdateBaselineTest, WhatIsAsRecordedStaysByteForByte) {
  const std::string text = "\xef\xbb\xbf# odd   \r\n\n" + EntryText("A.One", "EPERM") + "# the end";
  const BaselineUpdate update =
      Update(text, {Failed("A.One/ipv4", "EPERM"), Failed("A.One/ipv6", "EPERM")});
  EXPECT_EQ(update.text, text);
  EXPECT_THAT(update.changes, IsEmpty());
}

TEST_F(UpdateBaselineTest, ChangesDropsAndAddsAndKeepsAllElse) {
  const std::string before = R"(# The baseline of a façade.   
# Kept by hand.

# --- group one ---

# about A.One
[[departure]] # a header
  test   = "A.One"   # both versions
# inside
  departs = "old ö"    # how
  why = """
several
lines"""
  [departure.when]
  os = "Linux"    # only there

# about A.Two
[[departure]]
test = "A.Two"
departs = 'it departed'
why = "and no longer does"

# --- group two ---
[[departure]]
test = "A.Three"
departs = 'x'
why = "of another suite"
# the last line)";
  const BaselineUpdate update =
      Update(before, {Failed("A.One/ipv4", "it's new"), Failed("A.One/ipv6", "it's new"),
                      Passed("A.Two/ipv4"), Passed("A.Two/ipv6"), Failed("B.Only/ipv4", "EIO")});
  EXPECT_EQ(update.text, R"(# The baseline of a façade.   
# Kept by hand.

# --- group one ---

# about A.One
[[departure]] # a header
  test   = "A.One"   # both versions
# inside
  departs = "Actual: it's new$"    # how
  why = """
several
lines"""
  [departure.when]
  os = "Linux"    # only there

# about A.Two

# --- group two ---
[[departure]]
test = "A.Three"
departs = 'x'
why = "of another suite"
# the last line

[[departure]]
test = 'B.Only'
departs = 'Actual: EIO$'
why = "TODO: look into it"
when = { os = 'Linux', release = '6.18' }
)");
  EXPECT_THAT(update.changes,
              ElementsAre("changed A.One: departs = \"Actual: it's new$\"",
                          "dropped A.Two, which departs no longer: and no longer does",
                          "added B.Only: departs = 'Actual: EIO$'"));
}

TEST_F(UpdateBaselineTest, AnEntryOfSeveralTestsIsNotChangedForOneOfThem) {
  const std::string text = EntryText("A", "EPERM");
  const BaselineUpdate update =
      Update(text, {Failed("A.One/ipv4", "EPERM"), Failed("A.One/ipv6", "EPERM"),
                    Passed("A.Two/ipv4"), Passed("A.Two/ipv6")});
  EXPECT_THAT(update.text, StartsWith(text));
  EXPECT_THAT(update.text, HasSubstr("test = 'A.Two'\npasses = true\n"));

  const BaselineUpdate other = Update(text, {Failed("A.One/ipv4", "EIO")});
  EXPECT_THAT(other.text, StartsWith(text)) << "the other tests were not run";
  EXPECT_THAT(other.text, HasSubstr("test = 'A.One/ipv4'\ndeparts = 'Actual: EIO$'"));
}

TEST_F(UpdateBaselineTest, EntriesBeforeItAreOverruled) {
  before_ = ParseBaseline(EntryText("A", "EPERM"), "linux.toml");
  for (KnownDeparture& entry : before_) entry.shipped = true;
  EXPECT_EQ(Update("", {Failed("A.One/ipv4", "EPERM")}).text, "") << "known already";
  EXPECT_THAT(Update("", {Passed("A.One/ipv4"), Passed("A.One/ipv6")}).text,
              HasSubstr("test = 'A.One'\npasses = true\n"));
  EXPECT_THAT(Update("", {Failed("A.One/ipv4", "EIO")}).text,
              HasSubstr("departs = 'Actual: EIO$'"));
  // An entry that is dropped brings the one that it overruled into force again.
  EXPECT_THAT(Update(EntryText("A.One", "EIO"), {Passed("A.One/ipv4"), Passed("A.One/ipv6")}).text,
              HasSubstr("passes = true"));
  const std::string passes = "[[departure]]\ntest='A.One'\npasses = true\nwhy='mended'\n";
  EXPECT_EQ(Update(passes, {Failed("A.One/ipv4", "EPERM"), Failed("A.One/ipv6", "EPERM")}).text,
            "");
  EXPECT_THAT(Update(passes, {Passed("A.One/ipv4"), Failed("A.One/ipv6", "EIO")}).text,
              HasSubstr("test = 'A.One/ipv6'\ndeparts = 'Actual: EIO$'"));
}

TEST_F(UpdateBaselineTest, EntriesThatDoNotHoldHereAreLeftAlone) {
  const std::string text = EntryText("A.One", "x") + "when.release = '<6'\n";
  const BaselineUpdate update = Update(text, {Passed("A.One/ipv4"), Passed("A.One/ipv6")});
  EXPECT_EQ(update.text, text);
}

TEST_F(UpdateBaselineTest, OtherVerdictsChangeNothing) {
  const std::string text = EntryText("A.One", "x");
  for (const std::optional<Verdict> verdict :
       {std::optional(Verdict::kSkip), std::optional(Verdict::kError),
        std::optional(Verdict::kInconclusive), std::optional<Verdict>()}) {
    TestResult result = Passed("A.One/ipv4");
    result.verdict = verdict;
    EXPECT_EQ(UpdateBaseline(text, "a", RunOf({result}), {}, suite_).text, text);
  }
}

TEST_F(UpdateBaselineTest, KeepsTheLineEndsOfTheFile) {
  const BaselineUpdate update = Update("# a\r\n", {Failed("B.Only/ipv4", "EIO")});
  EXPECT_THAT(update.text, StartsWith("# a\r\n\r\n[[departure]]\r\ntest = 'B.Only'\r\n"));
  EXPECT_EQ(std::count(update.text.begin(), update.text.end(), '\n'),
            std::count(update.text.begin(), update.text.end(), '\r'));
}

TEST_F(UpdateBaselineTest, WorksForAnyTextOfAFailure) {
  for (const char* actual :
       {"\x01\x7f\"'\\ ''' \t", "a\nb\nc", "\xc3\xa9\xe2\x82\xac", "]]>&<", "$"}) {
    EXPECT_THAT(Update("", {Failed("B.Only/ipv4", actual)}).changes, Not(IsEmpty())) << actual;
  }
}

TEST_F(UpdateBaselineTest, LeavesNoSurpriseWhateverTheFileAndTheRun) {
  std::mt19937 random(1);
  const auto one_of = [&random](const std::vector<std::string>& words) {
    return words[random() % words.size()];
  };
  const auto entries = [&](const std::string& comment) {
    std::string text;
    for (std::size_t i = 0, count = random() % 5; i < count; ++i) {
      text += comment + std::to_string(i) + "\n[[departure]]\ntest = '" +
              one_of({"A", "A.One", "A.One/ipv4", "A.Two/ipv6", "*/ipv6", "B.Only", "*", "C"}) +
              "'\nwhy = 'because'\n" +
              one_of({"passes = true", "departs = 'EPERM'", "departs = \"EIO\" # how"}) + "\n" +
              one_of({"", "when.os = 'Linux'\n", "when.release = '<6'\n", "\n"});
    }
    return text;
  };
  for (int i = 0; i < 500; ++i) {
    before_ = ParseBaseline(entries("# "), "linux.toml");
    for (KnownDeparture& entry : before_) entry.shipped = true;
    std::vector<TestResult> results;
    for (const std::string& id : suite_) {
      const std::string how = one_of({"pass", "EPERM", "EIO", "not run"});
      if (how == "pass") results.push_back(Passed(id));
      if (how.starts_with("E")) results.push_back(Failed(id, how));
    }
    const std::string text = entries("# keep ");
    SCOPED_TRACE(text);
    const std::string updated = Update(text, results).text;
    for (int comment = 0; comment < 5; ++comment) {
      const std::string line = "# keep " + std::to_string(comment) + "\n";
      EXPECT_EQ(updated.find(line) == std::string::npos, text.find(line) == std::string::npos);
    }
  }
}

TEST_F(UpdateBaselineTest, RefusesWhatIsNoBaseline) {
  EXPECT_THROW(UpdateBaseline("x = ", "a", RunOf({}), {}, suite_), UsageError);
}

}  // namespace
}  // namespace sockproof
