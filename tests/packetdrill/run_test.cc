// How scripts end: which verdict, and what is said. Each runs in a process of its own, this program
// once more, which tells its events on standard output:
//
//   packetdrill_run_test --script SCRIPT VARIANT note|fail
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "harness/sut/system.h"
#include "harness/test/registry.h"
#include "harness/trace/event.h"
#include "src/packetdrill/script_tests.h"

namespace sockproof::packetdrill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Ended {
  std::optional<VerdictEvent> verdict;
  std::vector<FailureEvent> failures;
  std::vector<std::string> notes;
};

std::string OutputOf(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  char buffer[4096];
  while (pipe != nullptr && fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  if (pipe != nullptr) pclose(pipe);
  return output;
}

Ended RunOf(const std::string& script, const std::string& variant, const char* trailing = "note") {
  char self[4096] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return {};
  const std::string path = script.starts_with("/") ? script : SOCKPROOF_SCRIPTS "/" + script;
  std::istringstream lines(
      OutputOf(std::string(self) + " --script " + path + " " + variant + " " + trailing));
  Ended ended;
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line).get<sockproof::Event>();
    if (const auto* verdict = std::get_if<VerdictEvent>(&event.what)) ended.verdict = *verdict;
    if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
      ended.failures.push_back(*failure);
    }
    if (const auto* note = std::get_if<NoteEvent>(&event.what)) ended.notes.push_back(note->text);
  }
  return ended;
}

// The machine may be too slow three times.
Ended RunUntilKnown(const std::string& script, const std::string& variant,
                    const char* trailing = "note") {
  Ended ended;
  for (int attempt = 0; attempt < 3; ++attempt) {
    ended = RunOf(script, variant, trailing);
    if (ended.verdict && ended.verdict->verdict != Verdict::kInconclusive) return ended;
  }
  return ended;
}

Verdict VerdictOf(const Ended& ended) {
  return ended.verdict ? ended.verdict->verdict : Verdict::kError;
}

std::string Why(const Ended& ended) {
  std::string why = ended.verdict ? ended.verdict->reason : "no verdict";
  for (const FailureEvent& failure : ended.failures) why += "\n" + failure.text;
  return why;
}

struct Case {
  const char* script;
  const char* variant;
};

class PacketdrillPasses : public testing::TestWithParam<Case> {};

TEST_P(PacketdrillPasses, AsItShould) {
  const Ended ended = RunUntilKnown(GetParam().script, GetParam().variant);
  EXPECT_EQ(VerdictOf(ended), Verdict::kPass) << Why(ended);
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, PacketdrillPasses,
    testing::Values(Case{"server.pkt", "ipv4"}, Case{"server.pkt", "ipv6"},
                    Case{"server.pkt", "ipv4-mapped"}, Case{"client.pkt", "ipv4"},
                    Case{"client.pkt", "ipv6"}, Case{"client.pkt", "ipv4-mapped"},
                    Case{"crossing.pkt", "ipv4"},
                    Case{"blocking.pkt", "ipv4"}, Case{"code.pkt", "ipv6"},
                    Case{"own_folder.pkt", "ipv4"}, Case{"confined.pkt", "ipv4"}));

TEST(PacketdrillRun, SaysWhichLineFailedAndHow) {
  const Ended ended = RunUntilKnown("wrong_window.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(ended), Verdict::kFail) << Why(ended);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_EQ(ended.failures[0].line, 9);
  EXPECT_THAT(ended.failures[0].file, HasSubstr("scripts/wrong_window.pkt"));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("+0 > . 1:1(0) ack 12"));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("ack is 11 in place of 12"));
}

TEST(PacketdrillRun, GoesOnAfterAnAssertion) {
  const Ended ended = RunUntilKnown("wrong_code.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(ended), Verdict::kFail) << Why(ended);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("assert tcpi_state == TCP_ESTABLISHED"));
}

TEST(PacketdrillRun, JudgesTimes) {
  const Ended ended = RunUntilKnown("too_early.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(ended), Verdict::kFail) << Why(ended);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("Expected: at 0.5"));
}

TEST(PacketdrillRun, SkipsWhatItCannotRun) {
  const Ended sysctl = RunOf("lacks_sysctl.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(sysctl), Verdict::kSkip) << Why(sysctl);
  EXPECT_THAT(sysctl.verdict->reason, HasSubstr("tcp_no_such_sysctl"));
  const Ended machine = RunOf("other_sysctl.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(machine), Verdict::kSkip) << Why(machine);
  EXPECT_THAT(machine.verdict->reason, HasSubstr("kernel.panic"));
  const Ended other_system = RunUntilKnown("freebsd.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(other_system), Verdict::kSkip) << Why(other_system);
  EXPECT_THAT(other_system.verdict->reason, HasSubstr("net.inet.tcp.insecure_rst=1 is of FreeBSD"));
  const Ended dialect = RunOf("other_dialect.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(dialect), Verdict::kSkip);
  EXPECT_EQ(dialect.verdict->reason, "line 3: the TCP option AccECN0 is not supported");
  const Ended vegas = RunUntilKnown("vegas_code.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(vegas), Verdict::kSkip) << Why(vegas);
  EXPECT_EQ(vegas.verdict->reason, "line 3: tcp_minrtt is not supported");
  const Ended code = RunUntilKnown("freebsd_code.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(code), Verdict::kSkip) << Why(code);
  EXPECT_EQ(code.verdict->reason, "line 3: tcpi_snd_rexmitpack is not supported");
}

TEST(PacketdrillRun, KnowsMultipathTcp) {
  for (const char* variant : {"ipv4", "ipv4-mapped"}) {
    const Ended ended = RunUntilKnown("mptcp.pkt", variant);
    if (VerdictOf(ended) == Verdict::kSkip) GTEST_SKIP() << ended.verdict->reason;
    EXPECT_EQ(VerdictOf(ended), Verdict::kPass) << Why(ended);
  }
}

TEST(PacketdrillRun, TakesWhatIsNoScriptForABrokenTest) {
  const Ended ended = RunOf("no_script.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(ended), Verdict::kError);
  EXPECT_THAT(ended.verdict->reason, HasSubstr("scripts/no_script.pkt:2:"));
  const Ended empty = RunOf("empty.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(empty), Verdict::kError);
  EXPECT_THAT(empty.verdict->reason, HasSubstr("scripts/empty.pkt:1:1: the script has no line"));
}

TEST(PacketdrillRun, TakesMisspeltWordsForABrokenTest) {
  const std::pair<const char*, const char*> kScripts[] = {
      {"misspelt_name.pkt", ":4:33: 'SO_REUSEADR' is no name"},
      {"misspelt_option.pkt", ":2:1: --tolerence_usecs is no option"},
      {"misspelt_version.pkt", ":2:1: --ip_version=ipv5 is none of"},
      {"misspelt_address.pkt", ":3:74: \"192.0.2.300\" is no address"},
      {"misspelt_code.pkt", ":3:4: 'tcpi_snd_cwdn' is no name"},
      {"no_python.pkt", ":4:4: SyntaxError: "},
  };
  for (const auto& [script, why] : kScripts) {
    const Ended ended = RunUntilKnown(script, "ipv4");
    EXPECT_EQ(VerdictOf(ended), Verdict::kError) << script << "\n" << Why(ended);
    EXPECT_THAT(Why(ended), HasSubstr(std::string("scripts/") + script + why));
  }
}

TEST(PacketdrillRun, TellsDataOfMultipathTcpAsItIsWritten) {
  const Ended ended = RunUntilKnown("wrong_dss.pkt", "ipv4");
  if (VerdictOf(ended) == Verdict::kSkip) GTEST_SKIP() << ended.verdict->reason;
  EXPECT_EQ(VerdictOf(ended), Verdict::kFail) << Why(ended);
  EXPECT_THAT(Why(ended), HasSubstr("options are <dss dack8=101 nocs> in place of <dss dack8=100 nocs>"));
}

TEST(PacketdrillRun, TellsWhatComesAfterTheLastLine) {
  const Ended noted = RunUntilKnown("trailing.pkt", "ipv4");
  EXPECT_EQ(VerdictOf(noted), Verdict::kPass) << Why(noted);
  EXPECT_THAT(noted.notes, ElementsAre(HasSubstr("after the last line of the script")));
  const Ended failed = RunUntilKnown("trailing.pkt", "ipv4", "fail");
  EXPECT_EQ(VerdictOf(failed), Verdict::kFail) << Why(failed);
}

TEST(PacketdrillRun, TakesMuchCode) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("much-code-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  constexpr int kLines = 20'000;
  std::string code = "import math\n";
  for (int i = 0; i < kLines; ++i) code += "x = 12345\n";
  std::ofstream(folder / "much.pkt") << "0 %{ " << code << "assert x == 54321 }%\n";
  const Ended ended = RunOf((folder / "much.pkt").string(), "ipv4");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(VerdictOf(ended), Verdict::kFail) << Why(ended);
  EXPECT_THAT(Why(ended), HasSubstr("AssertionError"));
}

TEST(PacketdrillScripts, HaveVariantsByNameAndOption) {
  EXPECT_THAT(VariantsFor("a.pkt", {}), SizeIs(3));
  EXPECT_THAT(VariantsFor("a-v6.pkt", {}), ElementsAre(Variant::kIpv6));
  EXPECT_THAT(VariantsFor("a-v4.pkt", {}), ElementsAre(Variant::kIpv4, Variant::kMapped));
  EXPECT_THAT(VariantsFor("a.pkt", Parse("--ip_version=ipv6\n0 close(3) = 0")),
              ElementsAre(Variant::kIpv6));
  EXPECT_THAT(VariantsFor("a.pkt", Parse("--ip_version=ipv5\n0 close(3) = 0")), SizeIs(3));
}

int RunScript(const std::string& script, const std::string& variant, const std::string& trailing) {
  ScriptOptions options;
  if (trailing == "fail") options.trailing = Trailing::kFail;
  AddScripts(script, options);
  for (const TestCase& test : AllTests()) {
    if (test.variant.name != variant) continue;
    EventLog log([](std::string_view line) {
      fwrite(line.data(), 1, line.size(), stdout);
      fflush(stdout);
    });
    // And none of the tests of this program. In a filter '-' would mean what is left out.
    std::string filter = test.test();
    std::replace(filter.begin(), filter.end(), '-', '?');
    GTEST_FLAG_SET(filter, filter);
    RunTest(test, *MakeHostSystem(SOCKPROOF_AGENT_PROGRAM), log);
    return 0;
  }
  return 2;
}

}  // namespace
}  // namespace sockproof::packetdrill

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "--script") == 0) {
    return sockproof::packetdrill::RunScript(argv[2], argv[3], argv[4]);
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
