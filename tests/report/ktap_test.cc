// KTAP: three levels whose plans and numbers are right, whatever the text between.
#include "src/report/ktap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <sstream>

#include "src/report/text.h"
#include "tests/report/hostile.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Reads all levels as a parser does, and keeps the results by name.
class Parser {
 public:
  explicit Parser(const std::string& text) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines_.push_back(line);
    Level("");
    EXPECT_EQ(at_, lines_.size());
  }

  const std::map<std::string, std::string>& results() const { return results_; }

 private:
  std::string Next() const { return at_ < lines_.size() ? lines_[at_] : ""; }

  void Level(const std::string& indent) {
    EXPECT_EQ(Next(), indent + "KTAP version 1");
    ++at_;
    if (Next().starts_with(indent + "# Subtest: ")) ++at_;
    const std::regex plan(indent + "1\\.\\.([0-9]+)");
    std::smatch match;
    const std::string plan_line = Next();
    ASSERT_TRUE(std::regex_match(plan_line, match, plan)) << plan_line;
    ++at_;
    const int planned = std::stoi(match[1]);
    const std::regex result(indent + "(ok|not ok) ([0-9]+) ([^#]*?)( # [^#]*)?");
    for (int number = 1; number <= planned; ++number) {
      if (Next() == indent + "  KTAP version 1") Level(indent + "  ");
      while (Next() == indent + "#" || Next().starts_with(indent + "# ")) ++at_;
      const std::string line = Next();
      ASSERT_TRUE(std::regex_match(line, match, result)) << at_ << ": " << line;
      EXPECT_EQ(std::stoi(match[2]), number) << line;
      results_[match[3]] = match[1].str() + match[4].str();
      ++at_;
    }
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::map<std::string, std::string> results_;
};

TEST(KtapTest, EachVerdictHasItsResult) {
  RunResult run = SampleRun();
  run.tests.push_back(SampleTest("Wait", "Hangs", Verdict::kError));
  run.tests.back().error_type = "timeout";
  run.tests.push_back(SampleTest("Wait", "Departs", Verdict::kFail));
  run.tests.back().departure = "Linux does otherwise (link#part)";
  run.tests.push_back(SampleTest("Wait", "DepartsNoLonger", Verdict::kPass));
  run.tests.back().surprise = "departs no longer";
  const std::map<std::string, std::string> results = Parser(RenderKtap(run)).results();
  const std::map<std::string, std::string> expected = {
      {"Passes/ipv4", "ok"},
      {"Fails/ipv4", "not ok"},
      {"Breaks/ipv4", "not ok # ERROR because"},
      {"Close", "not ok"},
      {"IsSkipped/ipv4", "ok # SKIP because"},
      {"IsInconclusive/ipv4", "not ok # ERROR inconclusive: because"},
      {"IsNotRun/ipv4", "not ok # ERROR not run: because"},
      {"Open", "not ok"},
      {"Hangs/ipv4", "not ok # TIMEOUT because"},
      {"Departs/ipv4", "ok # XFAIL Linux does otherwise (link\xef\xbc\x83part)"},
      {"DepartsNoLonger/ipv4", "not ok # passed: departs no longer"},
      {"Wait", "not ok"},
      {"host", "not ok"}};
  EXPECT_EQ(results, expected);
}

TEST(KtapTest, KnownDeparturesLeaveTheRunOk) {
  RunResult run = SampleRun();
  run.tests = {SampleTest("Close", "Departs", Verdict::kFail),
               SampleTest("Open", "IsSkipped", Verdict::kSkip)};
  run.tests[0].departure = "as recorded";
  const std::map<std::string, std::string> results = Parser(RenderKtap(run)).results();
  EXPECT_EQ(results.at("Close"), "ok");
  EXPECT_EQ(results.at("Open"), "ok # SKIP");  // all of it
  EXPECT_EQ(results.at("host"), "ok");
}

TEST(KtapTest, DiagnosticsOfAFailureStandBeforeItsResult) {
  const std::string text = RenderKtap(SampleRun());
  EXPECT_THAT(text, HasSubstr("    # FAIL  Close.Fails/ipv4\n"));
  EXPECT_LT(text.find("# FAIL  Close.Fails/ipv4"), text.find("not ok 2 Fails/ipv4"));
  for (const char* part : {"    #   MUST  RFC 9293 section 3.6.1", "    #     Expected: FIN",
                           "    #     +0.000 sut > peer SYN", "    #   replay: "}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(KtapTest, EarlierAttemptsAreDiagnostics) {
  RunResult run = SampleRun();
  run.tests[0].attempts = {{Verdict::kInconclusive, "too slow", 1s, "tests/x.attempt-1"}};
  EXPECT_THAT(RenderKtap(run),
              HasSubstr("    # attempt 1: INCONCLUSIVE: too slow\n    ok 1 Passes/ipv4\n"));
}

TEST(KtapTest, BaselinesAndTheirStaleEntriesAreDiagnosticsOfTheSystem) {
  RunResult run = SampleRun();
  run.baselines = {"ours.toml"};
  run.stale_departures = {"ours.toml:3: Close: departs no longer"};
  const std::string text = RenderKtap(run);
  EXPECT_THAT(text, HasSubstr("\n# baseline: ours.toml\n"
                              "# stale departure: ours.toml:3: Close: departs no longer\n"
                              "not ok 1 host\n"));
  Parser{text};
}

TEST(KtapTest, RunThatCouldNotStartIsNotOk) {
  RunResult run = SampleRun();
  run.tests.clear();
  run.setup_error = "no namespaces";
  const std::map<std::string, std::string> results = Parser(RenderKtap(run)).results();
  EXPECT_EQ(results.at("setup"), "not ok # ERROR no namespaces");
  EXPECT_EQ(results.at("host"), "not ok");
}

TEST(KtapTest, HostileTextForgesNoResult) {
  const std::string text = RenderKtap(HostileRun());
  const std::map<std::string, std::string> results = Parser(text).results();
  EXPECT_EQ(results.size(), 9U);  // 6 tests, 2 suites, the system
  for (const auto& [name, result] : results) {
    EXPECT_THAT(name, Not(HasSubstr("#")));
    EXPECT_THAT(result.substr(result.starts_with("ok") ? 2 : 6), Not(HasSubstr(" # SKIP # ")))
        << name;
  }
  for (const char c : text) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
  }
  EXPECT_EQ(CleanText(text), text);
}

}  // namespace
}  // namespace sockproof
