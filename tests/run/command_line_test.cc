// Wrong usage of the program: exit code 2 and one line that says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = -1;
  std::string text;  // stdout and stderr
};

Outcome Sockproof(const std::string& arguments) {
  Outcome outcome;
  FILE* const output = popen((SOCKPROOF_PROGRAM " " + arguments + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (const std::size_t count = fread(buffer, 1, sizeof buffer, output)) {
    outcome.text.append(buffer, count);
  }
  outcome.exit_code = WEXITSTATUS(pclose(output));
  return outcome;
}

TEST(CommandLineTest, WrongUsageIsOneLineAndExitCode2) {
  TemporaryFolder folder;
  std::ofstream(folder / "foreign") << "x";
  for (const std::string& arguments :
       std::vector<std::string>{"",
                                "frobnicate",
                                "run --jobs 0",
                                "run --jobs many",
                                "run --jobs 4097",
                                "run --color pink",
                                "run --shard 3/2",
                                "run --max-wait soon",
                                "run --level HIGH",
                                "run --tag no-such-tag",
                                "run --repeat 0",
                                "run --attempts 0",
                                "run --rerun-failed --out " + (folder / "none"),
                                "run --sut toaster",
                                "run --no-such-option",
                                "run NoSuchSuiteAnywhere",
                                "run --out ''",
                                "run --out " + (folder / ""),
                                "run --out " + (folder / "new") + " --junit /dev/null",
                                "explain",
                                "explain NoSuchSuiteAnywhere",
                                "list --claims nobody",
                                "doctor --sut toaster",
                                "run --baseline",
                                "run --baseline /nonexistent",
                                "run --config /nonexistent",
                                "ladder",
                                "ladder NoSuchTest --of /nonexistent",
                                "ladder /dev/null --svg /dev/null",
                                "ladder /etc/passwd",
                                "ladder /etc/passwd /etc/passwd /etc/passwd",
                                "baseline",
                                "baseline check",
                                "baseline check /nonexistent"}) {
    const Outcome outcome = Sockproof(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.text, StartsWith("sockproof: ")) << arguments;
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
  }
  EXPECT_EQ(ReadText(folder / "foreign"), "x");
}

TEST(CommandLineTest, HelpHasExamples) {
  const Outcome outcome = Sockproof("--help");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("Examples:"), HasSubstr("sockproof run HalfClose")));
}

TEST(CommandLineTest, VersionIsThatOfTheSuite) {
  const Outcome outcome = Sockproof("--version");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.text, "sockproof " SOCKPROOF_VERSION "\n");
}

TEST(CommandLineTest, LadderShowsEventsAsTextOrAsAPicture) {
  TemporaryFolder folder;
  std::ofstream(folder / "events.jsonl") << R"({"kind":"note","text":"hello","time":1})"
                                         << "\n";
  const std::string events = folder / "events.jsonl";

  const Outcome text = Sockproof("ladder " + (folder / ""));
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.text, HasSubstr("note: hello"));

  EXPECT_THAT(Sockproof("ladder --svg - " + events).text, StartsWith("<svg "));
  EXPECT_EQ(
      Sockproof("ladder " + events + " " + events + " --svg " + (folder / "two.svg")).exit_code, 0);
  EXPECT_THAT(ReadText(folder / "two.svg"), HasSubstr("hello"));
}

TEST(CommandLineTest, WithoutAnAgentNothingIsTested) {
  TemporaryFolder folder;
  setenv("SOCKPROOF_AGENT", "/nonexistent/agent", 1);
  const Outcome without = Sockproof("run --out " + (folder / "out"));
  unsetenv("SOCKPROOF_AGENT");
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.text, AllOf(HasSubstr("/nonexistent/agent"), HasSubstr("sockproof doctor")));
  EXPECT_THAT(ReadText(folder / "out/result.json"), HasSubstr("/nonexistent/agent"));
}

}  // namespace
}  // namespace sockproof
