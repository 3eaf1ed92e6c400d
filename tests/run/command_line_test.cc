// Wrong usage of the program: exit code 2 and one line that says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/text.h"
#include "src/report/result.h"
#include "tests/report/hostile.h"
#include "tests/report/sample.h"
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
  std::ofstream(folder / "empty").close();
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);  // nobody writes: who reads, hangs
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
                                "run --dry-run --baseline /nonexistent",
                                "run --config " + (folder / "pipe"),
                                "run --baseline " + (folder / "pipe"),
                                "run --sut vm:/nonexistent,memory=-1 --out " + (folder / "new"),
                                "explore --seed -1",
                                "explore --mutant wire/no-such-mutant",
                                "explore --known " + (folder / "pipe"),
                                "explore --replay " + (folder / "pipe"),
                                "explore --sut toaster --out " + (folder / "explored"),
                                "judge " + (folder / "pipe"),
                                "judge " + (folder / "empty") + " --side here",
                                "judge " + (folder / "empty") + " --calls ''",
                                "judge " + (folder / "empty") + " --json " + (folder / "foreign/x"),
                                "baseline",
                                "baseline check",
                                "baseline check /nonexistent"}) {
    const Outcome outcome = Sockproof(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_THAT(outcome.text, StartsWith("sockproof: ")) << arguments;
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
  }
  EXPECT_EQ(ReadText(folder / "foreign"), "x");
  EXPECT_FALSE(std::filesystem::exists(folder / "explored"));
}

TEST(CommandLineTest, AFullDiskIsNamed) {
  const Outcome outcome = Sockproof("list HalfClose 2>&1 >/dev/full");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.text, HasSubstr("No space left on device"));
}

TEST(CommandLineTest, RefusedArgumentsAreNamed) {
  TemporaryFolder folder;
  std::ofstream(folder / "empty").close();
  // The header of a pcap file: magic, version 2.4, snapshot length, Ethernet.
  std::ofstream(folder / "pcap") << std::string(
      "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x04\x00\x01\x00\x00\x00",
      24);
  const std::string judge = "judge " + (folder / "pcap");
  EXPECT_THAT(Sockproof("run --sut vm:/nonexistent,memory=-1").text, HasSubstr("memory is"));
  EXPECT_THAT(Sockproof(judge + " --side here").text, HasSubstr("'here' is no IP address"));
  EXPECT_THAT(Sockproof(judge + " --calls " + (folder / "empty")).text,
              HasSubstr("no events in "));
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
                                "kernels fetch", "runtimes fetch", "runtimes list", "stacks", "stacks fetch",
                                "agent-check", "doctor"}) {
    const Outcome help = Sockproof("help " + command);
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_EQ(help.text, Sockproof(command + " --help").text);
    const std::string name = command.substr(0, command.find(' '));
    EXPECT_THAT(help.text, AllOf(HasSubstr("Examples:\n  sockproof " + name),
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
                          "agent:", "rootfs:", "container:", "rootfs:/,runtime=runq", "lwip:", "lwip:../x",
                          "lwip:2.2.1,runtime=x", "rootfs:/,runtime=runsc:", "rootfs:/,runtime=runsc:../x"}) {
    EXPECT_EQ(Sockproof(std::string("run -s ") + sut).exit_code, 2) << sut;
  }
}

TEST(CommandLineTest, AReleaseThatIsNotHereIsNamedWithTheCommandThatBringsIt) {
  for (const auto& [sut, said] : std::vector<std::pair<std::string, std::string>>{
           {"lwip:0.9", "lwIP 0.9 is not here"},
           {"lwip:0.9,sanitize", "'sockproof stacks fetch lwip:0.9' brings it"},
           {"rootfs:/,runtime=runsc:19990101", "'sockproof runtimes fetch runsc:19990101' brings it"}}) {
    const Outcome outcome = Sockproof("run HalfClose -s " + sut);
    EXPECT_EQ(outcome.exit_code, 3) << sut;
    EXPECT_THAT(outcome.text, HasSubstr(said)) << sut;
  }
}

TEST(CommandLineTest, OnlyWhatCanBeFetchedIsANameForFetch) {
  for (const char* arguments : {"stacks fetch", "stacks fetch lwip", "stacks fetch 2.2.1", "stacks fetch lwip:x",
                                "stacks fetch lwip:2.2.1 vm:2", "runtimes fetch crun", "runtimes fetch runsc:",
                                "runtimes fetch runsc:/x", "runtimes"}) {
    EXPECT_EQ(Sockproof(arguments).exit_code, 2) << arguments;
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

// Controls of a terminal or of a log, and octets that are no UTF-8.
bool IsHarmless(const std::string& text) { return CleanLog(text) == text; }

TEST(CommandLineTest, AResultFullOfControlsIsShownHarmlessly) {
  TemporaryFolder folder;
  std::ofstream(folder / "result.json") << DumpJson(ToJson(HostileRun()));
  const std::string result = folder / "result.json";
  for (const std::string& arguments : std::vector<std::string>{
           "report " + result, "compare --all " + result, "compare --by claim --all " + result,
           "diff " + result + " " + result, "ladder Close.Passes --of " + result,
           "ladder Clos --of " + result, "ladder Close --of " + result,
           "baseline update " + result + " --baseline " + (folder / "b.toml"),
           "merge " + (folder / "all") + " " + result}) {
    const Outcome outcome = Sockproof(arguments);
    EXPECT_TRUE(IsHarmless(outcome.text)) << arguments << ": " << outcome.text;
    EXPECT_LE(outcome.exit_code, 3) << arguments;
  }
}

TEST(CommandLineTest, AResultThatIsNoneIsRefusedByEveryCommand) {
  TemporaryFolder folder;
  const std::string good = DumpJson(ToJson(SampleRun()));
  const auto with = [&good](const std::string& pointer, nlohmann::ordered_json value) {
    auto json = nlohmann::ordered_json::parse(good);
    json[nlohmann::ordered_json::json_pointer(pointer)] = std::move(value);
    return json.dump();
  };
  const std::string evil = "\x1b[31m\n::error::x";
  const std::vector<std::string> broken = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           "\x1b[31m",
                                           "\xff\xfe",
                                           good.substr(0, good.size() / 2),
                                           std::string(1000000, '['),
                                           with("/format", evil),
                                           with("/version", 1e300),
                                           with("/tests", evil),
                                           with("/tests/0", evil),
                                           with("/tests/0/id", 7),
                                           with("/tests/0/id", nlohmann::ordered_json()),
                                           with("/tests/0/verdict", evil),
                                           with("/tests/0/directory", "../../etc"),
                                           with("/tests/0/directory", "/etc"),
                                           with("/tests/0/failures", evil),
                                           with("/tests/0/line", 1e300),
                                           with("/tests/1/id", "Close.Passes/ipv4"),
                                           with("/facts", nlohmann::ordered_json::array({evil})),
                                           with("/facts/os", 1),
                                           with("/started", evil)};
  const std::string file = folder / "result.json";
  for (const std::string& text : broken) {
    std::ofstream(file, std::ios::binary) << text;
    for (const std::string& arguments :
         std::vector<std::string>{"report " + file, "compare " + file, "diff " + file + " " + file,
                                  "ladder Close.Passes --of " + file,
                                  "baseline update " + file + " --baseline " + (folder / "b.toml"),
                                  "merge " + (folder / "all") + " " + file}) {
      const Outcome outcome = Sockproof(arguments);
      const std::string which = arguments + " of " + text.substr(0, 200);
      EXPECT_EQ(outcome.exit_code, 2) << which;
      EXPECT_TRUE(IsHarmless(outcome.text)) << which << ": " << outcome.text;
      EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
      EXPECT_THAT(outcome.text, Not(HasSubstr("json.exception"))) << which;
    }
  }
}

TEST(CommandLineTest, AFolderOfSeveralSystemsNamesThem) {
  TemporaryFolder folder;
  for (const char* system : {"host", "lwip"}) {
    std::filesystem::create_directories(folder / system);
    std::ofstream(folder / (std::string(system) + "/result.json")) << DumpJson(ToJson(SampleRun()));
  }
  for (const std::string command : {"report ", "ladder Close.Passes --of "}) {
    const Outcome outcome = Sockproof(command + (folder / ""));
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("name one: "), HasSubstr("/host, "), HasSubstr("/lwip\n")));
  }
  std::ofstream(folder / "result.json") << DumpJson(ToJson(SampleRun()));
  EXPECT_EQ(Sockproof("compare " + (folder / "")).exit_code, 2);
}

TEST(CommandLineTest, ALadderOfATestThatWasSkippedSaysWhy) {
  TemporaryFolder folder;
  RunResult run = SampleRun();
  run.tests[0].verdict = Verdict::kSkip;
  run.tests[0].reason = "waits 60 s, and --max-wait is 2 s";
  std::ofstream(folder / "result.json") << DumpJson(ToJson(run));
  EXPECT_THAT(
      Sockproof("ladder Close.Passes --of " + (folder / "")).text,
      HasSubstr("was skipped in " + (folder / "") + ", so that there is no ladder: waits 60 s"));
  EXPECT_THAT(Sockproof("ladder Close --of " + (folder / "")).text, HasSubstr("is a suite"));
  EXPECT_THAT(Sockproof("ladder Close.Passe --of " + (folder / "")).text,
              HasSubstr("did you mean 'Close.Passes'?"));
}

TEST(CommandLineTest, UpdateOfABaselineMakesTheFileThatItNames) {
  TemporaryFolder folder;
  RunResult run = SampleRun();
  run.tests.resize(1);
  std::ofstream(folder / "result.json") << DumpJson(ToJson(run));
  const std::string file = folder / "ours.toml";
  const Outcome outcome = Sockproof("baseline update " + (folder / "") + " --baseline " + file);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("ours.toml written, without entries"));
  EXPECT_EQ(Sockproof("baseline check " + file).exit_code, 0);
}

TEST(CommandLineTest, BisectionIsToldWhatNothingIsKnownOf) {
  TemporaryFolder folder;
  const std::string run = "run --bisect --out " + (folder / "out") + " ";
  EXPECT_EQ(Sockproof(run + "--jobs 0").exit_code, 128);
  EXPECT_EQ(Sockproof(run + "NoSuchSuiteAnywhere").exit_code, 128);
  EXPECT_EQ(Sockproof(run + "-s vm:/nonexistent HalfClose").exit_code, 125);
  setenv("SOCKPROOF_AGENT", "/nonexistent/agent", 1);
  EXPECT_EQ(Sockproof(run + "HalfClose").exit_code, 125);
  unsetenv("SOCKPROOF_AGENT");
}

TEST(CommandLineTest, ADryRunOnlySaysWhatItWouldRun) {
  TemporaryFolder folder;
  const Outcome outcome = Sockproof("run --dry-run 'HalfClose.*/ipv4' --out " + (folder / "out"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.text, AllOf(StartsWith("HalfClose."), Not(HasSubstr("ipv6"))));
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST(CommandLineTest, AShardWithoutATestSaysSo) {
  TemporaryFolder folder;
  EXPECT_THAT(Sockproof("run --dry-run HalfClose --shard 900/900").text,
              HasSubstr("shard 900/900 has none of the"));
}

TEST(CommandLineTest, AClaimIsExplainedWithItsTests) {
  const Outcome unknown = Sockproof("explain rfc9293:MUST-999");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.text, HasSubstr("did you mean 'rfc9293:MUST-"));
  EXPECT_THAT(Sockproof("explain rfc9293:MUST-23").text,
              AllOf(HasSubstr("MUST"), HasSubstr("RFC 9293"), HasSubstr("test")));
}

TEST(CommandLineTest, AFileThatMayNotGrowIsAnErrorThatIsTold) {
  TemporaryFolder folder;
  const Outcome outcome =
      Sockproof("ladder --svg - /dev/null >" + (folder / "x") + " 2>&1; ulimit -f 0; " +
                SOCKPROOF_PROGRAM + " list >" + (folder / "list") + "; exit $?");
  EXPECT_EQ(outcome.exit_code, 3);
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
