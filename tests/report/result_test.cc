// result.json has what its documentation promises.
#include "src/report/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "tests/report/sample.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

TEST(ResultTest, JsonNamesFormatVersionAndCounts) {
  const nlohmann::ordered_json json = ToJson(SampleRun());
  EXPECT_EQ(json["format"], "sockproof-result");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["started"], "2026-01-31T12:00:00.250Z");
  EXPECT_EQ(json["finished"], "2026-01-31T12:01:30.250Z");
  for (const char* verdict : {"pass", "fail", "error", "skip", "inconclusive", "not_run"}) {
    EXPECT_EQ(json["counts"][verdict], 1) << verdict;
  }
  ASSERT_EQ(json["tests"].size(), 6U);
  EXPECT_EQ(json["tests"][1]["verdict"], "FAIL");
  EXPECT_EQ(json["tests"][1]["claims"][0]["level"], "MUST");
  EXPECT_EQ(json["tests"][1]["failures"][0]["line"], 45);
  EXPECT_EQ(json["tests"][1]["wall_s"], 1.5);
  EXPECT_EQ(json["tests"][5]["verdict"], "NOT-RUN");
}

TEST(ResultTest, JsonTellsWhatLedToTheVerdict) {
  RunResult run = SampleRun();
  run.seed = 18'446'744'073'709'551'615U;
  run.shard = RunShard{2, 3};
  run.interrupted = 15;
  run.stale_departures = {"entry"};
  run.tests[0].tags = {"timer"};
  run.tests[0].sut_time = 1234ms;
  run.tests[0].runs = 4;
  run.tests[0].attempts = {{Verdict::kInconclusive, "too slow", 2s, "tests/x.attempt-1"}};
  const nlohmann::ordered_json json = ToJson(run);
  EXPECT_EQ(json["seed"], 18'446'744'073'709'551'615U);
  EXPECT_EQ(json["shard"].dump(), R"({"index":2,"count":3})");
  EXPECT_EQ(json["interrupted"], 15);
  EXPECT_EQ(json["stale_departures"][0], "entry");
  EXPECT_EQ(json["tests"][0]["tags"][0], "timer");
  EXPECT_EQ(json["tests"][0]["sut_s"], 1.234);
  EXPECT_EQ(json["tests"][0]["runs"], 4);
  EXPECT_EQ(json["tests"][0]["attempts"].dump(),
            R"([{"verdict":"INCONCLUSIVE","reason":"too slow","wall_s":2.0,)"
            R"("directory":"tests/x.attempt-1"}])");
  EXPECT_TRUE(json["tests"][1]["sut_s"].is_null());
  EXPECT_EQ(json["axes"]["standards"].dump(),
            R"([{"authority":"rfc9293","level":"MUST","tested":1,"held":0,"departed":1,)"
            R"("undecided":0,"not_taken":0,"not_reached":0}])");
  EXPECT_EQ(json["axes"]["documentation"].dump(), "[]");
  EXPECT_EQ(json["axes"]["notes"].size(), 1U);

  const nlohmann::ordered_json plain = ToJson(SampleRun());
  EXPECT_TRUE(plain["seed"].is_null());
  EXPECT_TRUE(plain["shard"].is_null());
  EXPECT_EQ(plain["interrupted"], 0);
}

TEST(ResultTest, UnfinishedRunHasNoEnd) {
  RunResult run = SampleRun();
  run.finished.reset();
  EXPECT_TRUE(ToJson(run)["finished"].is_null());
}

TEST(ResultTest, BytesThatAreNotUtf8AreReplaced) {
  RunResult run = SampleRun();
  run.tests[1].reason = "got \xff\x01";
  const auto json = nlohmann::json::parse(DumpJson(ToJson(run)));
  EXPECT_EQ(json["tests"][1]["reason"], "got \xef\xbf\xbd\x01");
}

class ReplaceFileTest : public testing::Test {
 protected:
  ReplaceFileTest() : folder_(testing::TempDir() + "/sockproof-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~ReplaceFileTest() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_F(ReplaceFileTest, LeavesTheNewContentAndNothingElse) {
  const std::string path = folder_ + "/file";
  ReplaceFile(path, "long old content");
  ReplaceFile(path, "new");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(ReplaceFileTest, SymbolicLinkStaysOne) {
  ReplaceFile(folder_ + "/target", "old");
  fs::create_symlink("target", folder_ + "/link");
  ReplaceFile(folder_ + "/link", "new content");
  EXPECT_TRUE(fs::is_symlink(folder_ + "/link"));
  EXPECT_EQ(fs::file_size(folder_ + "/target"), 11U);
}

TEST_F(ReplaceFileTest, FailureSaysWhichFile) {
  try {
    ReplaceFile(folder_ + "/missing/file", "content");
    FAIL() << "no exception";
  } catch (const HarnessError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("missing/file"));
    EXPECT_THAT(error.what(), testing::HasSubstr("ENOENT"));
  }
}

}  // namespace
}  // namespace sockproof
