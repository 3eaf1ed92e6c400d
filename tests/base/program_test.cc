#include "harness/base/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

std::string WhyNot(const std::vector<std::string>& command) {
  try {
    RunProgram(command);
  } catch (const HarnessError& error) {
    return error.what();
  }
  return "";
}

TEST(Program, GivesWhatItPrinted) { EXPECT_EQ(RunProgram({"printf", "a\nb"}), "a\nb"); }

TEST(Program, MuchOutputOfBothKindsIsTakenIn) {
  const std::string output = RunProgram({"sh", "-c", "head -c 300000 /dev/zero | tee /dev/stderr"});
  EXPECT_EQ(output.size(), 300000U);
}

TEST(Program, AFailureSaysWhatTheProgramComplainedAbout) {
  EXPECT_THAT(WhyNot({"sh", "-c", "echo no such thing >&2; exit 3"}),
              HasSubstr("sh failed: no such thing"));
}

TEST(Program, OneThatIsNotThereIsSaidToBeMissing) {
  EXPECT_THAT(WhyNot({"sockproof-no-such-program"}), HasSubstr("is not installed"));
  EXPECT_THAT(WhyNot({"/nonexistent/program"}), HasSubstr("cannot start /nonexistent/program"));
}

}  // namespace
}  // namespace sockproof
