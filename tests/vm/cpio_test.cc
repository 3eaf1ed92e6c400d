#include "src/vm/cpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Cpio, AnArchiveIsWholeWordsAndEndsWithItsTrailer) {
  CpioArchive archive;
  archive.AddFolder("dev");
  archive.AddFile("init", "12345", true);
  const std::string bytes = archive.Finish();

  EXPECT_THAT(bytes, StartsWith("070701"));
  EXPECT_EQ(bytes.size() % 4, 0U);
  EXPECT_THAT(bytes, HasSubstr("TRAILER!!!"));
}

TEST(Cpio, AHeaderHasModeAndSizesInHexadecimal) {
  CpioArchive archive;
  archive.AddFile("init", "12345", true);
  const std::string bytes = archive.Finish();

  EXPECT_EQ(bytes.substr(14, 8), "000081ED");  // S_IFREG | 0755
  EXPECT_EQ(bytes.substr(54, 8), "00000005");  // five bytes of content
  EXPECT_EQ(bytes.substr(94, 8), "00000005");  // "init" and its zero
  EXPECT_EQ(bytes.substr(110, 5), std::string("init\0", 5));
  EXPECT_EQ(bytes.substr(116, 5), "12345");
}

TEST(Cpio, ADeviceHasItsNumbers) {
  CpioArchive archive;
  archive.AddCharacterDevice("dev/console", 5, 1);
  const std::string bytes = archive.Finish();

  EXPECT_EQ(bytes.substr(14, 8), "00002180");  // S_IFCHR | 0600
  EXPECT_EQ(bytes.substr(78, 8), "00000005");
  EXPECT_EQ(bytes.substr(86, 8), "00000001");
}

}  // namespace
}  // namespace sockproof
