#include "harness/base/text.h"

#include <gmock/gmock.h>

#include <string>

#include "harness/base/complaints.h"

namespace sockproof {
namespace {

TEST(CleanLog, TakesTheMeaningFromCommandsOfServicesThatRunJobs) {
  EXPECT_EQ(CleanLog("::error::x"), "\\::error::x");
  EXPECT_EQ(CleanLog("a\n  ::error::x\n"), "a\n  \\::error::x\n");
  EXPECT_EQ(CleanLog("a ##[error]b ##vso[x]"), "a #\\#[error]b #\\#vso[x]");
  EXPECT_EQ(CleanLog("0.1 2001:db8::1"), "0.1 2001:db8::1");
}

TEST(CleanLog, OfItselfIsTheSame) {
  for (const std::string text : {"::a", "##[a", "####", "\x1b[31m\n::a\r\n", "\xff\xe2\x80\xae"}) {
    EXPECT_EQ(CleanLog(CleanLog(text)), CleanLog(text)) << text;
  }
}

TEST(CleanPart, StaysWithinItsLine) {
  EXPECT_EQ(CleanPart("  a\n::b\tc"), "  a ::b\tc");
  EXPECT_EQ(CleanPart("\x1b]0;pwn\x07"), "␛]0;pwn␇");
}

TEST(Nearest, IsWhatWasMeantOrNothing) {
  EXPECT_EQ(Nearest("lst", {"list", "run"}), "list");
  EXPECT_EQ(Nearest("HALF", {"list", "HalfClose"}), "HalfClose");
  EXPECT_EQ(Nearest("xyz", {"list", "run"}), "");
  EXPECT_EQ(DidYouMean("rn", {"list", "run"}), "; did you mean 'run'?");
  EXPECT_EQ(DidYouMean("", {}), "");
}

TEST(LastWords, AreOneCleanLineOfAtMost300Octets) {
  EXPECT_EQ(LastWords("first\nlast \x1b[31m\n"), "first last ␛[31m");
  EXPECT_EQ(LastWords(std::string(1000, 'x') + " end"), "end");
  EXPECT_LE(LastWords(std::string(1000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace sockproof
