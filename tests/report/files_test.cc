// Report files: their names, and where they may be written.
#include "src/report/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/errors.h"
#include "tests/report/sample.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ReportFilesTest, AFilePerSystem) {
  EXPECT_EQ(PathForSystem("junit.xml", "host"), "junit.xml");
  EXPECT_EQ(PathForSystem("out/{sut}/{sut}.xml", "host"), "out/host/host.xml");
  EXPECT_EQ(PathForSystem("TEST-{sut}.xml", "vm:/boot/vmlinuz-6.1 {sut}"),
            "TEST-vm--boot-vmlinuz-6.1--sut-.xml");
}

TEST(ReportFilesTest, WritesWhatWasAskedFor) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "results");
  const ReportFiles files{.junit = folder / "junit/{sut}.xml",
                          .ktap = folder / "ktap",
                          .kcidb = folder / "{sut}.json",
                          .kcidb_names = {"origin:build", ""}};
  PrepareReportFile(PathForSystem(files.junit, "host"));
  WriteReportFiles(files, SampleRun(), folder / "results");
  EXPECT_THAT(ReadText(folder / "junit/host.xml"), HasSubstr("[[ATTACHMENT|../results/tests/"));
  EXPECT_THAT(ReadText(folder / "ktap"), StartsWith("KTAP version 1\n"));
  EXPECT_THAT(ReadText(folder / "host.json"), HasSubstr("\"build_id\": \"origin:build\""));
}

TEST(ReportFilesTest, OnlyRegularFilesAreReplaced) {
  TemporaryFolder folder;
  for (const std::string& path : {std::string("/dev/null"), folder / ""}) {
    EXPECT_THROW(PrepareReportFile(path), HarnessError) << path;
  }
  std::ofstream(folder / "file") << "x";
  EXPECT_THROW(PrepareReportFile(folder / "file/junit.xml"), HarnessError);
  PrepareReportFile(folder / "file");
  EXPECT_EQ(ReadText(folder / "file"), "x");
}

}  // namespace
}  // namespace sockproof
