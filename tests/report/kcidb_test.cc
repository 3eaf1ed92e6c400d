// KCIDB: what the I/O schema asks for, whatever the text between.
#include "src/report/kcidb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/report/hostile.h"

namespace sockproof {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

const KcidbNames kBuildOfSample{"maestro:6746e2d4", ""};

// No string of it has a NUL, which the schema's patterns forbid nearly everywhere.
void ExpectNoNul(const json& value) {
  if (value.is_string()) {
    EXPECT_EQ(value.get<std::string>().find('\0'), std::string::npos);
  }
  if (value.is_structured()) {
    for (const json& member : value) ExpectNoNul(member);
  }
}

// Only members that the schema knows, and those that it requires.
void ExpectMembers(const json& object, const std::set<std::string>& required,
                   std::set<std::string> known) {
  known.insert(required.begin(), required.end());
  for (const auto& [name, value] : object.items()) EXPECT_THAT(known, Contains(name));
  for (const std::string& name : required) EXPECT_TRUE(object.contains(name)) << name;
}

void ExpectId(const json& id) {
  static const std::regex pattern("[a-z0-9_]+:[\\s\\S]*");
  EXPECT_TRUE(std::regex_match(id.get<std::string>(), pattern)) << id;
}

// Reads what was made, and checks it as the schema would.
json ReadKcidb(const std::string& text) {
  json all = json::parse(text);
  EXPECT_EQ(all.at("version"), json({{"major", 5}, {"minor", 3}}));
  ExpectMembers(all, {"version"}, {"tests", "issues", "incidents"});
  ExpectNoNul(all);
  static const std::regex path("([a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)*)?");
  static const std::set<std::string> statuses = {"FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"};
  std::set<std::string> ids;
  for (const json& test : all.value("tests", json::array())) {
    ExpectMembers(test, {"build_id", "id", "origin"},
                  {"environment", "path", "comment", "log_excerpt", "status", "start_time",
                   "duration", "misc"});
    ExpectId(test.at("build_id"));
    ExpectId(test.at("id"));
    EXPECT_TRUE(ids.insert(test.at("id")).second) << "twice: " << test.at("id");
    EXPECT_TRUE(std::regex_match(test.at("path").get<std::string>(), path)) << test.at("path");
    EXPECT_THAT(statuses, Contains(test.at("status")));
    EXPECT_LE(test.value("log_excerpt", "").size(), 4U * 16384);
  }
  std::set<std::string> issues;
  for (const json& issue : all.value("issues", json::array())) {
    ExpectMembers(issue, {"id", "version", "origin"}, {"report_subject", "culprit", "comment"});
    ExpectId(issue.at("id"));
    EXPECT_TRUE(issues.insert(issue.at("id")).second) << "twice: " << issue.at("id");
  }
  for (const json& incident : all.value("incidents", json::array())) {
    ExpectMembers(incident, {"id", "origin", "issue_id", "issue_version"}, {"test_id", "present"});
    ExpectId(incident.at("id"));
    EXPECT_THAT(issues, Contains(incident.at("issue_id")));
    EXPECT_THAT(ids, Contains(incident.at("test_id")));
  }
  return all;
}

TEST(KcidbTest, EachVerdictHasItsStatus) {
  const json all = ReadKcidb(RenderKcidb(SampleRun(), kBuildOfSample));
  std::map<std::string, std::string> statuses;
  for (const json& test : all.at("tests")) {
    statuses[test.at("path")] = test.at("status");
  }
  const std::map<std::string, std::string> expected = {
      {"sockproof.Close.Passes.ipv4", "PASS"},         {"sockproof.Close.Fails.ipv4", "FAIL"},
      {"sockproof.Close.Breaks.ipv4", "ERROR"},        {"sockproof.Open.IsSkipped.ipv4", "SKIP"},
      {"sockproof.Open.IsInconclusive.ipv4", "ERROR"}, {"sockproof.Open.IsNotRun.ipv4", "MISS"}};
  EXPECT_EQ(statuses, expected);
}

TEST(KcidbTest, AFailureSaysWhatHappenedAndWhere) {
  const json all = ReadKcidb(RenderKcidb(SampleRun(), kBuildOfSample));
  const json& test = all.at("tests").at(1);
  EXPECT_EQ(test.at("id"), "maestro:sockproof:builder7:host:1769860800250:Close.Fails/ipv4");
  EXPECT_EQ(test.at("build_id"), "maestro:6746e2d4");
  EXPECT_EQ(test.at("start_time"), "2026-01-31T12:00:00+00:00");
  EXPECT_EQ(test.at("duration"), 1.5);
  EXPECT_EQ(test.at("environment").at("misc").at("release"), "6.1.0");
  EXPECT_EQ(test.at("misc").at("claims").at(0).at("verdict"), "departed");
  for (const char* part : {"RFC 9293 section 3.6.1", "Expected: FIN", "sut > peer SYN", "replay: "})
    EXPECT_THAT(test.at("log_excerpt").get<std::string>(), HasSubstr(part));
}

TEST(KcidbTest, KnownDeparturesForOneReasonAreIncidentsOfOneIssue) {
  RunResult run = SampleRun();
  for (TestResult& test : run.tests) {
    test.verdict = Verdict::kFail;
    test.departure = "it does otherwise";
  }
  const json all = ReadKcidb(RenderKcidb(run, {"maestro:6746e2d4", "lab_7"}));
  ASSERT_EQ(all.at("issues").size(), 1U);
  EXPECT_EQ(all.at("issues").at(0).at("report_subject"), "it does otherwise");
  EXPECT_EQ(all.at("incidents").size(), run.tests.size());
  for (const json& test : all.at("tests")) {
    EXPECT_EQ(test.at("status"), "FAIL");
    EXPECT_EQ(test.at("origin"), "lab_7");
    EXPECT_FALSE(test.contains("log_excerpt"));
  }
}

TEST(KcidbTest, ARunThatCouldNotStartIsAMiss) {
  RunResult run = SampleRun();
  run.tests = {SampleTest("Close", "IsNotRun", std::nullopt)};
  run.setup_error = "no namespaces";
  const json tests = ReadKcidb(RenderKcidb(run, kBuildOfSample)).at("tests");
  EXPECT_EQ(tests.at(0).at("path"), "sockproof");
  EXPECT_EQ(tests.at(0).at("comment"), "no namespaces");
  for (const json& test : tests) EXPECT_EQ(test.at("status"), "MISS");
}

TEST(KcidbTest, HostileTextIsValidToo) {
  RunResult run = HostileRun();
  for (const char* odd : {"", ".", "..", "/", "a..b", "a/"}) {
    run.tests.push_back(SampleTest("Odd", odd, Verdict::kPass));
    run.tests.back().variant = odd;
  }
  run.tests[1].ladder = std::string(100'000, 'x') + '\n';
  run.setup_error = HostileText();
  EXPECT_EQ(ReadKcidb(RenderKcidb(run, kBuildOfSample)).at("tests").size(), run.tests.size() + 1);
}

TEST(KcidbTest, NamesHaveAnOrigin) {
  for (const char* id : {"a:b", "cki_2:x/y z:1"}) EXPECT_TRUE(IsKcidbId(id)) << id;
  for (const char* id : {"", "a", ":b", "a:", "A:b", "a-b:c", "a:b\nc"})
    EXPECT_FALSE(IsKcidbId(id)) << id;
  EXPECT_TRUE(IsKcidbOrigin("cki_2"));
  for (const char* origin : {"", "Cki", "a:b", "a-b"})
    EXPECT_FALSE(IsKcidbOrigin(origin)) << origin;
}

}  // namespace
}  // namespace sockproof
