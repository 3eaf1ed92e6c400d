// Wrong usage of the program: exit code 2 and one line that says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = -1;
  std::string text;  // stdout and stderr
};

Outcome Sockproof(const std::string& arguments) {
  Outcome outcome;
  FILE* const output = popen((SOCKPROOF_PROGRAM " " + arguments +
                              (arguments.find('>') == std::string::npos ? " 2>&1" : ""))
                                 .c_str(),
                             "r");
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
  EXPECT_THAT(outcome.text, MatchesRegex("sockproof " SOCKPROOF_VERSION "( \\([0-9a-f]+\\))?\n"));
  for (const char* other : {"-V", "version"}) EXPECT_EQ(Sockproof(other).text, outcome.text);
}

TEST(CommandLineTest, EveryCommandHasHelpWithExamplesAndExitCodesOfItsOwn) {
  for (const std::string& command :
       std::vector<std::string>{"run", "list", "explain", "selfproof", "report", "compare",
                                "ladder", "diff", "merge", "baseline", "baseline update", "kernels",
                                "kernels fetch", "runtimes fetch", "agent-check", "doctor"}) {
    const Outcome help = Sockproof("help " + command);
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_EQ(help.text, Sockproof(command + " --help").text);
    const std::string name = command.substr(0, command.find(' '));
    EXPECT_THAT(help.text, AllOf(HasSubstr("Examples:\n  sockproof " + name + " "),
                                 HasSubstr("Exit code: 0"), Not(HasSubstr("{false}"))));
  }
  EXPECT_EQ(Sockproof("help").text, Sockproof("--help").text);
}

TEST(CommandLineTest, WhatIsMisspeltIsGuessed) {
  for (const auto& [arguments, meant] : std::vector<std::pair<std::string, std::string>>{
           {"lst", "did you mean 'list'?"},
           {"help lst", "did you mean 'list'?"},
           {"run --jnuit x", "did you mean '--junit'?"},
           {"kernels fetch --miror=x debian:6.1", "did you mean '--mirror'?"},
           {"run --sut hots", "did you mean 'host'?"},
           {"run --sut host,agnet=x", "did you mean 'agent'?"},
           {"run --color alway", "did you mean 'always'?"},
           {"run HalfClos", "did you mean 'HalfClose'?"}}) {
    const Outcome outcome = Sockproof(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr(meant)) << arguments;
  }
}

TEST(CommandLineTest, NumbersOutOfRangeAreToldInWords) {
  for (const auto& [arguments, problem] : std::vector<std::pair<std::string, std::string>>{
           {"--jobs 0", "'0' is neither auto nor a whole number from 1 to 4096"},
           {"--max-wait -1", "'-1' is not a number from 0 to"},
           {"--max-wait abc", "'abc' is not a number from 0 to"},
           {"--max-wait nan", "'nan' is not a number from 0 to"},
           {"--attempts 2.5", "'2.5' is not a whole number from 1 to 100"},
           {"--seed -1", "'-1' is not a whole number from 0 to"}}) {
    const Outcome outcome = Sockproof("run " + arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr(problem)) << arguments;
    EXPECT_LE(outcome.text.size(), 120U);
  }
}

TEST(CommandLineTest, OptionsOfAKindOfSystemAreForThatKindAlone) {
  for (const char* arguments : {"--wire eth1", "--real-time kvm", "--no-cache"}) {
    const Outcome outcome = Sockproof(std::string("run HalfClose ") + arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr("is for --sut ")) << arguments;
  }
}

TEST(CommandLineTest, WhatNamesNoSystemIsWrongUsage) {
  for (const char* sut : {"vm:/nonexistent", "rootfs:/nonexistent", "vm", "lwip:x", "host,agent=",
                          "agent:", "rootfs:", "container:", "rootfs:/,runtime=runq"}) {
    EXPECT_EQ(Sockproof(std::string("run -s ") + sut).exit_code, 2) << sut;
  }
}

TEST(CommandLineTest, OutputThatIsLostIsAFailure) {
  TemporaryFolder folder;
  std::ofstream(folder / "events.jsonl") << R"({"kind":"note","text":"hello","time":1})"
                                         << "\n";
  for (const std::string& arguments :
       std::vector<std::string>{"list", "list --json", "explain HalfClose", "help",
                                "ladder " + (folder / ""), "ladder --svg - " + (folder / "")}) {
    const Outcome outcome = Sockproof(arguments + " 2>&1 >/dev/full");
    EXPECT_EQ(outcome.exit_code, 3) << arguments;
    EXPECT_THAT(outcome.text, HasSubstr("No space left on device")) << arguments;
  }
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
