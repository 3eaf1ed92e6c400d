// Which commands are done without a shell, and how.
#include "src/packetdrill/simple_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sockproof::packetdrill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kPid = 77;

struct Ran {
  std::vector<std::vector<std::string>> programs;
  std::optional<CommandResult> result;
};

Ran RanOf(const std::string& command) {
  Ran ran;
  const RunWords run = [&](const std::vector<std::string>& words, bool) {
    ran.programs.push_back(words);
    return CommandResult{3, "said"};
  };
  ran.result = RunSimpleCommands(command, kPid, run);
  return ran;
}

TEST(SimpleCommands, ArePlainWordsAndComments) {
  const Ran ran = RanOf("# first\ntc qdisc add dev 'tun0' root \\\n  pfifo > /dev/null 2>&1 # last\n");
  ASSERT_TRUE(ran.result);
  EXPECT_THAT(ran.programs, ElementsAre(ElementsAre("tc", "qdisc", "add", "dev", "tun0", "root", "pfifo")));
  EXPECT_EQ(ran.result->status, 3);
  EXPECT_EQ(ran.result->output, "said");
}

TEST(SimpleCommands, KnowProductsAndTheProcess) {
  const Ran ran = RanOf("tool \"4096 $((2*256*1024)) $((3 + 4))\" ${PPID}");
  EXPECT_THAT(ran.programs, ElementsAre(ElementsAre("tool", "4096 524288 7", "77")));
}

TEST(SimpleCommands, SayWhichSysctlIsMissing) {
  const Ran ran = RanOf("sysctl -q net.ipv4.tcp_no_such_sysctl=1");
  ASSERT_TRUE(ran.result);
  EXPECT_NE(ran.result->status, 0);
  EXPECT_THAT(ran.result->output, HasSubstr("cannot stat /proc/sys/net/ipv4/tcp_no_such_sysctl: "));
  EXPECT_EQ(RanOf("sysctl -e -q net/ipv4/tcp_no_such_sysctl=1").result->status, 0);
}

TEST(SimpleCommands, LeaveAllElseToTheShellAndDoNothing) {
  for (const char* command :
       {"tool a; tool b", "tool a\ntool | grep b", "tool $HOME", "tool `id`", "if true; then tool; fi",
        "A=1 tool", "cd /tmp", "tool 'open", "tool \"a\\\"b\"", "tool *", "tool > file", "tool & ",
        "tool $((1/0))", "tool $((9999999*9999999))", "sysctl net.ipv4.tcp_sack", "./no_such_script.sh"}) {
    const Ran ran = RanOf(command);
    EXPECT_FALSE(ran.result) << command;
    EXPECT_THAT(ran.programs, IsEmpty()) << command;
  }
}

}  // namespace
}  // namespace sockproof::packetdrill
