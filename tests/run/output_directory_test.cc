// The folder of a run: ours is replaced, nobody else's is touched, two runs do not mix.
#include "src/run/output_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/run/usage_error.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OutputDirectoryTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(out_ + "/" + name).parent_path());
    std::ofstream(out_ + "/" + name) << content;
  }

  std::string Error() {
    try {
      OutputDirectory directory(out_);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  const std::string out_ = folder_ / "a/out";
};

TEST_F(OutputDirectoryTest, IsMadeWithItsParents) {
  OutputDirectory directory(out_);
  directory.Clear();
  EXPECT_TRUE(fs::is_directory(out_ + "/tests"));
}

TEST_F(OutputDirectoryTest, ForeignFolderIsLeftAlone) {
  Write("tests/precious", "x");
  EXPECT_THAT(Error(), HasSubstr("not empty and was not made by sockproof"));
  Write("result.json", R"({"format": "something-else"})");
  EXPECT_THAT(Error(), HasSubstr("not empty and was not made by sockproof"));
  EXPECT_EQ(ReadText(out_ + "/tests/precious"), "x");
  EXPECT_FALSE(fs::exists(out_ + "/.sockproof"));
}

TEST_F(OutputDirectoryTest, FolderOfAnEarlierRunIsReplaced) {
  Write("result.json", R"({"format": "sockproof-result", "version": 1})");
  Write("tests/Old.Test-ipv4/verdict.json", "{}");
  Write("junit.xml", "foreign");
  OutputDirectory directory(out_);
  directory.Clear();
  EXPECT_FALSE(fs::exists(out_ + "/result.json"));
  EXPECT_TRUE(fs::is_empty(out_ + "/tests"));
  EXPECT_EQ(ReadText(out_ + "/junit.xml"), "foreign");
}

TEST_F(OutputDirectoryTest, FolderOfAKilledRunIsReplaced) {
  Write(".sockproof", "");
  Write("tests/Old.Test-ipv4/events.jsonl", "");
  EXPECT_EQ(Error(), "no error");
}

TEST_F(OutputDirectoryTest, TwoRunsAtOnceAreRefused) {
  {
    OutputDirectory first(out_);
    EXPECT_THAT(Error(), HasSubstr("another run"));
  }
  EXPECT_EQ(Error(), "no error");
}

TEST_F(OutputDirectoryTest, ResultsOfSystemsBelowItAreOfAnEarlierRunToo) {
  Write(".sockproof", "");
  Write("host/.sockproof", "");
  Write("host/result.json", "{}");
  Write("host/tests/A.B-ipv4/events.jsonl", "");
  Write("lwip/.sockproof", "");
  Write("lwip/notes.txt", "foreign");
  Write("foreign/result.json", "{}");
  OutputDirectory directory(out_);
  directory.Clear();
  EXPECT_FALSE(fs::exists(out_ + "/host"));
  EXPECT_FALSE(fs::exists(out_ + "/lwip/.sockproof"));
  EXPECT_EQ(ReadText(out_ + "/lwip/notes.txt"), "foreign");
  EXPECT_TRUE(fs::exists(out_ + "/foreign/result.json"));
}

TEST_F(OutputDirectoryTest, ASystemsFolderThatAnotherRunWritesToIsLeftAlone) {
  OutputDirectory all(out_);
  const OutputDirectory other(out_ + "/host");
  try {
    all.Remove();
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("another run is writing to '" + out_ + "/host'"));
  }
}

TEST_F(OutputDirectoryTest, FileInTheWayIsNamed) {
  fs::create_directories(fs::path(out_).parent_path());
  std::ofstream(out_) << "a file";
  EXPECT_THAT(Error(), HasSubstr("cannot write to '" + out_ + "'"));
}

}  // namespace
}  // namespace sockproof
