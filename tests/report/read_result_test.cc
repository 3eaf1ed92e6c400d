// result.json comes back as it was written, or says what is wrong with it.
#include "src/report/read_result.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "src/report/text.h"
#include "tests/report/hostile.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

RunResult FullRun() {
  RunResult run = SampleRun();
  run.seed = 18'446'744'073'709'551'615U;
  run.shard = RunShard{2, 3};
  run.interrupted = 15;
  run.baselines = {"linux.toml (shipped)", "ours.toml"};
  run.stale_departures = {"an entry"};
  run.setup_error = "why";
  TestResult& test = run.tests[1];
  test.departure = "known";
  test.surprise = "what";
  test.needs = {"diag"};
  test.tags = {"timer", "ipv4"};
  test.planned = 60s;
  test.sut_time = 59'999ms;
  test.runs = 3;
  test.attempts = {{Verdict::kInconclusive, "slow", 2s, "tests/x.attempt-1"},
                   {Verdict::kFail, "late", 1ms, "tests/x.attempt-2"}};
  test.observations = {{"TIME-WAIT", "60 s"}};
  test.measurements = {{"TIME-WAIT", "s", 60.25, 60, 59.99, 67.51}};
  test.variant = "row/ipv4";
  test.axes = {"one", "other"};
  test.cells = {{{"a", "x"}, "0", ""},
                {{"a", "y"}, "EIO", "succeeds"},
                {{"b", "y"}, "SKIP: no", ""}};
  test.output = "words";
  return run;
}

std::string Refusal(const Json& json) {
  try {
    FromJson(json, "file");
  } catch (const WrongInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ReadResultTest, EveryRunComesBackAsItWas) {
  RunResult unfinished = SampleRun();
  unfinished.finished.reset();
  RunResult empty = SampleRun();
  empty.tests.clear();
  for (const RunResult& run : {SampleRun(), FullRun(), unfinished, empty}) {
    const Json json = ToJson(run);
    EXPECT_EQ(ToJson(FromJson(json, "file")).dump(), json.dump());
  }
}

TEST(ReadResultTest, HostileTextComesBackAsItWasWritten) {
  const Json written = Json::parse(DumpJson(ToJson(HostileRun())));
  EXPECT_EQ(ToJson(FromJson(written, "file")).dump(), written.dump());
}

TEST(ReadResultTest, DurationsKeepTheirMilliseconds) {
  RunResult run = SampleRun();
  const TestResult test = run.tests[0];
  run.tests.clear();
  for (int milliseconds = 0; milliseconds < 5000; ++milliseconds) {
    run.tests.push_back(test);
    run.tests.back().id = fmt::format("Close.Test{}/ipv4", milliseconds);
    run.tests.back().wall = std::chrono::milliseconds(milliseconds);
    run.tests.back().sut_time = run.tests.back().wall + 24h;
  }
  const RunResult read = FromJson(ToJson(run), "file");
  for (std::size_t i = 0; i < run.tests.size(); ++i) {
    ASSERT_EQ(read.tests[i].wall, run.tests[i].wall);
    ASSERT_EQ(read.tests[i].sut_time, run.tests[i].sut_time);
  }
}

TEST(ReadResultTest, UnknownMembersAreIgnored) {
  Json json = ToJson(SampleRun());
  json["more"] = 1;
  json["tests"][0]["more"] = Json::array({1});
  EXPECT_EQ(ToJson(FromJson(json, "file")), ToJson(SampleRun()));
}

// Members that came later: older results lack them.
const std::set<std::string> kNewer{"baselines", "measurements", "claim", "variant", "matrix", "own_arguments"};

TEST(ReadResultTest, OlderResultsTellClaimsByTheVerdictsOfTests) {
  const Json whole = ToJson(SampleRun());
  Json older = whole;
  for (Json& test : older["tests"]) {
    for (Json& claim : test["claims"]) {
      claim.erase("verdict");
      claim.erase("why");
    }
  }
  for (Json& axis : older["axes"]) {
    for (Json& counts : axis) {
      counts.erase("not_taken");
      counts.erase("not_reached");
    }
  }
  EXPECT_EQ(ToJson(FromJson(older, "file")).dump(), whole.dump());
  older["axes"]["standards"][0]["held"] = 7;
  EXPECT_EQ(Refusal(older), "file: /axes is not that of the tests");
}

TEST(ReadResultTest, ClaimsComeBackOneByOne) {
  RunResult run = SampleRun();
  run.tests[1].claims[0].verdict = ClaimVerdict::kDeparted;
  run.tests[1].claims[1].verdict = ClaimVerdict::kNotTaken;
  run.tests[1].claims[1].why = "it waits";
  run.tests[1].failures[0].claim = run.tests[1].claims[0].id;
  const Json json = ToJson(run);
  EXPECT_EQ(json["tests"][1]["claims"][1]["verdict"], "not taken");
  EXPECT_EQ(json["tests"][1]["claims"][1]["why"], "it waits");
  EXPECT_EQ(json["tests"][1]["failures"][0]["claim"], "rfc9293:3.6.1");
  EXPECT_EQ(ToJson(FromJson(json, "file")).dump(), json.dump());
}

TEST(ReadResultTest, EveryMemberIsNeededButThoseThatCameLater) {
  const Json whole = ToJson(FullRun());
  int tried = 0;
  // All places of the document that hold an object of documented members.
  for (const char* place :
       {"", "/tests/1", "/tests/1/claims/0", "/tests/1/failures/0", "/shard", "/tests/1/attempts/0",
        "/tests/1/observations/0", "/tests/1/measurements/0"}) {
    const Json::json_pointer pointer(place);
    for (const auto& [name, value] : whole.at(pointer).items()) {
      Json json = whole;
      json.at(pointer).erase(name);
      const std::string missing = Refusal(json);
      const bool is_of_claim = name == "verdict" && std::string(place).ends_with("claims/0");
      if (kNewer.contains(name) || is_of_claim) {
        EXPECT_EQ(missing, "accepted") << name;
        continue;
      }
      EXPECT_THAT(missing, StartsWith(name == "format" ? std::string("file: this is not")
                                                       : std::string("file: ") + place + "/" +
                                                             name + " is missing"));
      json = whole;
      json.at(pointer)[name] = Json::array({Json::array()});
      EXPECT_THAT(Refusal(json), StartsWith("file: ")) << place << "/" << name;
      ++tried;
    }
  }
  EXPECT_GE(tried, 50);
}

TEST(ReadResultTest, WrongValuesAreNamedByTheirPlace) {
  const std::vector<std::tuple<std::string, Json, std::string>> cases = {
      {"/format", "sockproof-selfproof", "this is not a result of sockproof run"},
      {"/version", 2, "/version is not 1"},
      {"/started", "2026-01-31 12:00:00.250Z", "/started is no time"},
      {"/started", "2026-02-31T12:00:00.250Z", "/started is no time"},
      {"/started", "2026-01-31T12:00:00.25Z ", "/started is no time"},
      {"/finished", 7, "/finished is no string"},
      {"/seed", -1, "/seed is no whole number"},
      {"/shard", Json{{"index", 4}, {"count", 3}}, "/shard/index is no whole number from 1 to 3"},
      {"/facts", Json{{"a/b~c", 1}}, "/facts/a~1b~0c is no string"},
      {"/counts/pass", 7, "/counts is not that of the tests"},
      {"/tests", Json::object(), "/tests is no array"},
      {"/tests/3/verdict", "MAYBE", "/tests/3/verdict is no verdict"},
      {"/tests/3/line", 1.5, "/tests/3/line is no whole number"},
      {"/tests/3/line", 18'446'744'073'709'551'615U, "/tests/3/line is no whole number"},
      {"/tests/3/wall_s", "1", "/tests/3/wall_s is no number of seconds"},
      {"/tests/3/wall_s", 1e300, "/tests/3/wall_s is no number of seconds"},
      {"/tests/3/departure", "x", "/tests/3/departure is there, and the verdict is not FAIL"},
      {"/tests/3/claims/0/verdict", "kept", "/tests/3/claims/0/verdict is no verdict on a claim"},
      {"/tests/3/claims/0/verdict", "departed", "/tests/3/claims/0/verdict is departed, and"},
      {"/tests/3/needs/0", 1, "/tests/3/needs/0 is no string"},
      {"/tests/3/id", "Close.Passes/ipv4", "/tests/3/id is there twice"},
      {"/tests/1/attempts/0/verdict", "NOT-RUN", "/tests/1/attempts/0/verdict is no verdict"}};
  for (const auto& [place, value, problem] : cases) {
    Json json = ToJson(FullRun());
    json[Json::json_pointer(place)] = value;
    EXPECT_THAT(Refusal(json), StartsWith("file: " + problem)) << place;
  }
}

TEST(ReadResultTest, PathsStayBelowTests) {
  for (const std::string path :
       {"", "/etc", "tests", "tests/", "tests/..", "tests/../../etc", "tests/./x", "../tests/x"}) {
    for (const char* place : {"/tests/0/directory", "/tests/0/files/0"}) {
      Json json = ToJson(SampleRun());
      json[Json::json_pointer(place)] = path;
      EXPECT_EQ(Refusal(json), "file: " + std::string(place) + " is no path below tests/") << path;
    }
  }
}

TEST(ReadResultTest, FilesThatAreNoResultsAreNamed) {
  TemporaryFolder folder;
  const auto refusal = [](const std::string& path) -> std::string {
    try {
      ReadResult(path);
    } catch (const WrongInput& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(folder / ""),
            "cannot read " + (folder / "result.json") + ": No such file or directory");
  const std::string file = folder / "result.json";
  std::ofstream(file) << "{\n\"format\": \"sockproof-result\",\n\"version\": }\n";
  EXPECT_EQ(refusal(folder / ""), file + ":3: this is not JSON");
  EXPECT_EQ(refusal(file), file + ":3: this is not JSON");
  std::ofstream(file) << "";
  EXPECT_THAT(refusal(file), HasSubstr(":1: this is not JSON"));
  std::ofstream(file) << "{\"format\": \"\xff\"}";
  EXPECT_THAT(refusal(file), HasSubstr(":1: this is not JSON"));
  std::ofstream(file) << "{\"version\": 999999999E99999999}";
  EXPECT_EQ(refusal(file), file + ": it has a number that is too large");
  for (const char* other : {"[]", "7", "null", "{}", "{\"format\": 7}"}) {
    std::ofstream(file) << other;
    EXPECT_EQ(refusal(file), file + ": this is not a result of sockproof run");
  }
  std::filesystem::create_directory(folder / "folder");
  std::filesystem::create_directory(folder / "folder/result.json");
  EXPECT_THAT(refusal(folder / "folder"), StartsWith("cannot read "));
  EXPECT_THAT(refusal(""), StartsWith("cannot read "));
}

TEST(ReadResultTest, AFileIsReadByItsFolder) {
  TemporaryFolder folder;
  ReplaceFile(folder / "result.json", DumpJson(ToJson(FullRun())));
  EXPECT_EQ(ToJson(ReadResult(folder / "")), ToJson(FullRun()));
}

}  // namespace
}  // namespace sockproof
