// JUnit files are well-formed and say of each test exactly one thing.
#include "src/report/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <pugixml.hpp>

#include "tests/report/hostile.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

pugi::xml_document Parsed(const std::string& xml) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_string(xml.c_str());
  EXPECT_TRUE(result) << result.description() << "\n" << xml;
  return document;
}

std::map<std::string, pugi::xml_node> CasesByName(const pugi::xml_document& document) {
  std::map<std::string, pugi::xml_node> cases;
  for (const auto& match : document.select_nodes("//testcase")) {
    cases[match.node().attribute("name").value()] = match.node();
  }
  return cases;
}

TEST(JunitTest, CountsAreThoseOfTheCases) {
  const pugi::xml_document document = Parsed(RenderJunit(SampleRun(), "out"));
  const pugi::xml_node root = document.child("testsuites");
  EXPECT_EQ(root.attribute("tests").as_int(), 6);
  EXPECT_EQ(root.attribute("failures").as_int(), 1);
  EXPECT_EQ(root.attribute("errors").as_int(), 3);  // ERROR, INCONCLUSIVE, NOT-RUN
  EXPECT_EQ(root.attribute("skipped").as_int(), 1);
  EXPECT_STREQ(root.attribute("time").value(), "90.000");
  EXPECT_STREQ(root.attribute("timestamp").value(), "2026-01-31T12:00:00");
  for (const pugi::xml_node suite : root.children("testsuite")) {
    int tests = 0;
    int errors = 0;
    for (const pugi::xml_node test : suite.children("testcase")) {
      ++tests;
      errors += test.child("error").empty() ? 0 : 1;
    }
    EXPECT_EQ(suite.attribute("tests").as_int(), tests);
    EXPECT_EQ(suite.attribute("errors").as_int(), errors);
  }
}

TEST(JunitTest, EveryCaseHasOneResultOfTheRightType) {
  const pugi::xml_document document = Parsed(RenderJunit(SampleRun(), "out"));
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"Fails[ipv4]", {"failure", "must-violation"}},
      {"Breaks[ipv4]", {"error", "crash"}},
      {"IsSkipped[ipv4]", {"skipped", "unsupported"}},
      {"IsInconclusive[ipv4]", {"error", "inconclusive"}},
      {"IsNotRun[ipv4]", {"error", "not-run"}}};
  const auto cases = CasesByName(document);
  ASSERT_EQ(cases.size(), 6U);
  for (const auto& [name, node] : cases) {
    int results = 0;
    for (const pugi::xml_node child : node.children()) {
      if (std::string(child.name()) == "system-out") continue;
      ++results;
      ASSERT_EQ(expected.count(name), 1U) << name;
      EXPECT_EQ(child.name(), expected.at(name).first) << name;
      EXPECT_EQ(child.attribute("type").value(), expected.at(name).second) << name;
      EXPECT_THAT(child.text().get(), StartsWith(child.attribute("message").value()));
    }
    EXPECT_EQ(results, name == "Passes[ipv4]" ? 0 : 1) << name;
  }
}

TEST(JunitTest, FailureTextIsEnoughToJudgeAndToRepeat) {
  const pugi::xml_document document = Parsed(RenderJunit(SampleRun(), "out"));
  const pugi::xml_node failure = CasesByName(document)["Fails[ipv4]"].child("failure");
  EXPECT_THAT(failure.attribute("message").value(), EndsWith("[RFC 9293 section 3.6.1]"));
  const std::string text = failure.text().get();
  for (const char* part : {"FAIL  Close.Fails/ipv4", "MUST", "Half-close is possible.",
                           "suites/half_close.cc:45", "Expected: FIN", "+0.000 sut > peer SYN",
                           "replay: build/bin/sockproof run --no-shipped-baseline Close.Fails/ipv4"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(JunitTest, AttachmentsComeFirstAndAreRelativeToTheJunitFile) {
  const pugi::xml_document document = Parsed(RenderJunit(SampleRun(), "../sockproof-out"));
  const std::string out = CasesByName(document)["Fails[ipv4]"].child("system-out").text().get();
  EXPECT_THAT(out,
              StartsWith("[[ATTACHMENT|../sockproof-out/tests/Close.Fails-ipv4/capture.pcapng]]\n"
                         "[[ATTACHMENT|../sockproof-out/tests/Close.Fails-ipv4/ladder.txt]]\n"));
  EXPECT_THAT(out, HasSubstr("+0.000 sut > peer SYN"));
}

TEST(JunitTest, FilesBesideTheJunitFileNeedNoFolder) {
  EXPECT_THAT(RenderJunit(SampleRun(), "."),
              HasSubstr("[[ATTACHMENT|tests/Close.Passes-ipv4/capture.pcapng]]"));
}

TEST(JunitTest, EarlierAttemptsAreFlakyWhenTheLastOneIsWell) {
  RunResult run = SampleRun();
  for (TestResult& test : run.tests) {
    test.attempts = {{Verdict::kInconclusive, "too slow", 1s, "tests/x.attempt-1"},
                     {Verdict::kFail, "late", 2s, "tests/x.attempt-2"}};
  }
  const pugi::xml_document document = Parsed(RenderJunit(run, "out"));
  auto cases = CasesByName(document);
  const auto names = [](pugi::xml_node node) {
    std::string all;
    for (const pugi::xml_node child : node.children()) all += std::string(" ") + child.name();
    return all;
  };
  EXPECT_EQ(names(cases["Passes[ipv4]"]), " flakyError flakyFailure system-out");
  EXPECT_EQ(names(cases["IsSkipped[ipv4]"]), " skipped flakyError flakyFailure system-out");
  EXPECT_EQ(names(cases["Fails[ipv4]"]), " failure rerunError rerunFailure system-out");
  EXPECT_EQ(names(cases["IsInconclusive[ipv4]"]), " error rerunError rerunFailure system-out");
  const pugi::xml_node flaky = cases["Passes[ipv4]"].child("flakyError");
  EXPECT_STREQ(flaky.attribute("message").value(), "too slow");
  EXPECT_STREQ(flaky.attribute("type").value(), "inconclusive");
  EXPECT_STREQ(flaky.child("stackTrace").text().get(),
               "attempt 1: INCONCLUSIVE after 1.000 s\ntoo slow\nevidence in tests/x.attempt-1\n");
  EXPECT_EQ(document.child("testsuites").attribute("errors").as_int(), 3);
}

TEST(JunitTest, WhateverATestPrintsTheFileIsWellFormed) {
  const std::string xml = RenderJunit(HostileRun(), "out");
  Parsed(xml);
  for (const char c : xml) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
        << "control character " << static_cast<int>(c);
  }
  // Attribute values may hold tab and newline as references, no other control character.
  EXPECT_THAT(xml, Not(testing::ContainsRegex("&#([0-8]|1[1-9]|2[0-9]|3[01]);")));
  EXPECT_THAT(xml, HasSubstr("\xe2\x90\x80"));  // the picture of NUL: replaced, not dropped
}

TEST(JunitTest, PropertiesSayWhatRan) {
  RunResult run = SampleRun();
  run.seed = 7;
  run.shard = RunShard{2, 3};
  run.baselines = {"ours.toml"};
  run.stale_departures = {"ours.toml:3: Close: departs no longer"};
  const pugi::xml_document document = Parsed(RenderJunit(run, "out"));
  for (const pugi::xml_node suite : document.child("testsuites").children("testsuite")) {
    std::map<std::string, std::string> properties;
    for (const pugi::xml_node property : suite.child("properties")) {
      properties[property.attribute("name").value()] = property.attribute("value").value();
    }
    const std::map<std::string, std::string> expected{
        {"sut", "host"},
        {"suite-version", "1.2.3"},
        {"os", "Linux"},
        {"release", "6.1.0"},
        {"seed", "7"},
        {"shard", "2/3"},
        {"baseline", "ours.toml"},
        {"stale-departure", "ours.toml:3: Close: departs no longer"}};
    EXPECT_EQ(properties, expected);
  }
}

TEST(JunitTest, RunThatCouldNotStartHasASetupCase) {
  RunResult run = SampleRun();
  run.setup_error = "no namespaces";
  const pugi::xml_document document = Parsed(RenderJunit(run, "out"));
  EXPECT_EQ(document.child("testsuites").attribute("tests").as_int(), 7);
  EXPECT_EQ(document.child("testsuites").attribute("errors").as_int(), 4);
  const pugi::xml_node setup = CasesByName(document)["setup"];
  EXPECT_STREQ(setup.child("error").attribute("message").value(), "no namespaces");
}

// --- the strict dialect --------------------------------------------------------------------------

class StrictJunitTest : public testing::Test {
 protected:
  // What xmllint finds wrong; "" is nothing.
  std::string Faults(const std::string& xml) {
    std::ofstream(folder_ / "junit.xml") << xml;
    const std::string command = "xmllint --noout --schema '" SOCKPROOF_STRICT_SCHEMA "' '" +
                                (folder_ / "junit.xml") + "' 2>&1";
    FILE* const output = popen(command.c_str(), "r");
    std::string text;
    char buffer[4096];
    while (const std::size_t count = fread(buffer, 1, sizeof buffer, output)) {
      text.append(buffer, count);
    }
    return pclose(output) == 0 ? "" : text;
  }

  void SetUp() override {
    if (system("xmllint --version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "xmllint is missing (package libxml2-utils)";
    }
  }

  static std::string Strict(const RunResult& run) {
    return RenderJunit(run, "out", JunitDialect::kStrict);
  }

  TemporaryFolder folder_;
};

TEST_F(StrictJunitTest, IsValidForEveryRun) {
  RunResult all = SampleRun();
  all.tests[0].attempts = {{Verdict::kInconclusive, "too slow", 1s, "tests/x.attempt-1"}};
  all.tests[1].departure = "known";
  all.tests[0].surprise = "departs no longer";
  all.finished = all.started + 100h;
  RunResult unfinished = SampleRun();
  unfinished.finished.reset();
  RunResult broken = SampleRun();
  broken.setup_error = "no namespaces";
  for (const RunResult& run : {SampleRun(), all, unfinished, broken, HostileRun()}) {
    EXPECT_EQ(Faults(Strict(run)), "");
  }
}

TEST_F(StrictJunitTest, TheCommonDialectHasMore) {
  EXPECT_THAT(Faults(RenderJunit(SampleRun(), "out")), HasSubstr("not allowed"));
}

TEST_F(StrictJunitTest, SaysTheSameOfEachTest) {
  const pugi::xml_document common = Parsed(RenderJunit(SampleRun(), "out"));
  const pugi::xml_document strict = Parsed(Strict(SampleRun()));
  auto strict_cases = CasesByName(strict);
  for (const auto& [name, node] : CasesByName(common)) {
    for (const char* element : {"failure", "error", "skipped", "system-out"}) {
      const pugi::xml_node other = strict_cases[name].child(element);
      EXPECT_STREQ(node.child(element).text().get(), other.text().get()) << name;
    }
  }
}

}  // namespace
}  // namespace sockproof
