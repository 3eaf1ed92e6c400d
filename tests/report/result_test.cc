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
