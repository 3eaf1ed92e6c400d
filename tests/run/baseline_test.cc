#include "src/run/baseline.h"

#include <gmock/gmock.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* kFile = R"toml([[departure]]
test = "Notes.*"
departs = "1\\.0.. s"
why = "Linux starts at 1 s (RFC 6298)"
link = "https://www.rfc-editor.org/rfc/rfc6298"
when = { os = "Linux", release = ">=3.1" }
)toml";

TestResult Result(const std::string& id, Verdict verdict, const std::string& failure = "") {
  TestResult result;
  result.id = id;
  result.verdict = verdict;
  if (!failure.empty()) result.failures.push_back({"a.cc", 1, failure});
  return result;
}

TEST(Baseline, ADepartureAsRecordedIsExpected) {
  const Baseline baseline(Baseline::Parse(kFile, "linux.toml"));
  TestResult result = Result("Notes.First/ipv4", Verdict::kFail, "Observed: 1.004 s");
  baseline.Judge(result);
  EXPECT_THAT(result.departure, HasSubstr("RFC 6298"));
  EXPECT_EQ(result.surprise, "");
  EXPECT_EQ(result.verdict, Verdict::kFail) << "the verdict stays what it is";
}

TEST(Baseline, AnotherDepartureIsASurprise) {
  const Baseline baseline(Baseline::Parse(kFile, "linux.toml"));
  TestResult result = Result("Notes.First/ipv4", Verdict::kFail, "Observed: 3.004 s");
  baseline.Judge(result);
  EXPECT_EQ(result.departure, "");
  EXPECT_THAT(result.surprise, HasSubstr("another way"));
}

TEST(Baseline, ADepartureThatVanishedIsASurprise) {
  const Baseline baseline(Baseline::Parse(kFile, "linux.toml"));
  TestResult result = Result("Notes.First/ipv4", Verdict::kPass);
  baseline.Judge(result);
  EXPECT_THAT(result.surprise, HasSubstr("no longer"));
}

TEST(Baseline, SaysNothingOfOtherTestsAndOtherVerdicts) {
  const Baseline baseline(Baseline::Parse(kFile, "linux.toml"));
  for (TestResult result :
       {Result("Other.First/ipv4", Verdict::kPass), Result("Notes.First/ipv4", Verdict::kError),
        Result("Notes.First/ipv4", Verdict::kSkip)}) {
    baseline.Judge(result);
    EXPECT_EQ(result.departure + result.surprise, "") << result.id;
  }
}

TEST(Baseline, ErrorsNameFileAndLine) {
  const auto parse = [](const char* text) {
    return [text] { Baseline::Parse(text, "linux.toml"); };
  };
  EXPECT_THAT(parse("[[departure]]\ntest = \"a\"\n"),
              ThrowsMessage<HarnessError>(HasSubstr("linux.toml:1")));
  EXPECT_THAT(parse("[[departure]]\ntset = \"a\"\n"),
              ThrowsMessage<HarnessError>(HasSubstr("linux.toml:2")));
  EXPECT_THAT(parse("x = \n"), ThrowsMessage<HarnessError>(HasSubstr("linux.toml:1")));
  EXPECT_THAT(parse("[[departure]]\ntest=\"a\"\nwhy=\"b\"\ndeparts=\"(\"\n"),
              ThrowsMessage<HarnessError>(HasSubstr("regular expression")));
}

TEST(Baseline, TheShippedOnesAreSound) {
  Facts facts;
  facts.Set("os", "Linux");
  facts.Set("release", "6.1.0");
  EXPECT_NO_THROW(Baseline::ShippedFor(facts));
}

TEST(ReleaseSatisfies, ComparesNumbersNotText) {
  EXPECT_TRUE(ReleaseSatisfies("6.18.44-generic", ">=6.5"));
  EXPECT_FALSE(ReleaseSatisfies("6.1.0-13-amd64", ">=6.5"));
  EXPECT_TRUE(ReleaseSatisfies("6.1.0-13-amd64", "<6.5"));
  EXPECT_FALSE(ReleaseSatisfies("6.18", "<6.5"));
  EXPECT_TRUE(ReleaseSatisfies("6.1", "6.1"));
}

}  // namespace
}  // namespace sockproof
