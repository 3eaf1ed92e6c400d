// Text for people: safe for a terminal and XML, short where it must be.
#include "src/report/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/sample.h"

namespace sockproof {
namespace {

using ::testing::EndsWith;

constexpr const char* kReplacement = "\xef\xbf\xbd";

TEST(CleanTextTest, KeepsWhatIsText) {
  const std::string text = "plain\ttext\nna\xc3\xafve \xe2\x82\xac \xf0\x9f\x8c\x8d";
  EXPECT_EQ(CleanText(text), text);
}

TEST(CleanTextTest, ShowsControlCharactersAsPictures) {
  EXPECT_EQ(CleanText("\x1b[31m"), "\xe2\x90\x9b[31m");
  EXPECT_EQ(CleanText(std::string("\0\r\x7f", 3)), "\xe2\x90\x80\xe2\x90\x8d\xe2\x90\xa1");
}

TEST(CleanTextTest, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(CleanText("a\xff"), std::string("a") + kReplacement);
  EXPECT_EQ(CleanText("\xc3"), kReplacement);                                  // cut short
  EXPECT_EQ(CleanText("\xc0\x80"), std::string(kReplacement) + kReplacement);  // overlong
  EXPECT_EQ(CleanText("\xed\xa0\x80x").back(), 'x');                           // a surrogate
  EXPECT_EQ(CleanText("\xc2\x85"), kReplacement);                              // C1 control
}

TEST(CleanTextTest, LeavesNoOtherEndOfLineAndNoTurnOfDirection) {
  for (const char* character : {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae", "\xe2\x81\xa7"}) {
    EXPECT_EQ(CleanText(character), kReplacement);
  }
  EXPECT_EQ(CleanText("\xe2\x80\xa7"), "\xe2\x80\xa7");
}

TEST(WithoutMiddleTest, KeepsBothEnds) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(WithoutMiddle(text, 100), text);
  EXPECT_EQ(WithoutMiddle(text, 3), "line 0\n... 97 lines left out ...\nline 98\nline 99\n");
  EXPECT_EQ(WithoutMiddle("", 3), "");
}

TEST(HeadlineTest, IsShortAndEndsWithTheCitation) {
  TestResult test = SampleTest("Close", "Fails", Verdict::kFail);
  test.reason.clear();
  std::string text = "Value of: x\n";
  for (int i = 0; i < 300; ++i) text += "\xc3\xa9";
  test.failures = {{"file.cc", 1, text}};
  const std::string headline = Headline(test);
  EXPECT_THAT(headline, EndsWith("... [RFC 9293 section 3.6.1]"));
  EXPECT_EQ(headline.find('\n'), std::string::npos);
  std::size_t characters = 0;
  for (const char c : headline) characters += (c & 0xc0) != 0x80 ? 1 : 0;
  EXPECT_EQ(characters, 200U);
}

TEST(SutOptionTest, NamesEverySystemButTheDefault) {
  EXPECT_EQ(SutOption("host"), "");
  EXPECT_EQ(SutOption("vm:debian:6.1"), "-s vm:debian:6.1 ");
}

TEST(ShellQuotedTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(ShellQuoted("HalfClose.X/ipv4"), "HalfClose.X/ipv4");
  EXPECT_EQ(ShellQuoted("vm:debian:6.1"), "vm:debian:6.1");
  EXPECT_EQ(ShellQuoted("a b"), "'a b'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

TEST(FormatMinutesTest, AsAClockShowsThem) {
  EXPECT_EQ(FormatMinutes(7s), "0:07");
  EXPECT_EQ(FormatMinutes(92s), "1:32");
  EXPECT_EQ(FormatMinutes(7325s), "2:02:05");
}

}  // namespace
}  // namespace sockproof
