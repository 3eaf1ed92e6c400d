// Which commands are done without a shell, and how.
#include "src/packetdrill/simple_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/packetdrill/bsd_sysctls.h"

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

Ran RanOf(const std::string& command, bool machine_is_own = false) {
  Ran ran;
  const RunWords run = [&](const std::vector<std::string>& words, bool) {
    ran.programs.push_back(words);
    return CommandResult{3, "said"};
  };
  ran.result = RunSimpleCommands(command, kPid, machine_is_own, run);
  return ran;
}

TEST(SimpleCommands, ArePlainWordsAndComments) {
  const Ran ran = RanOf("# first\ntc qdisc add dev 'tun0' root \\\n  pfifo > /dev/null 2>&1 # last\n");
  ASSERT_TRUE(ran.result);
  EXPECT_THAT(ran.programs, ElementsAre(ElementsAre("tc", "qdisc", "add", "dev", "tun0", "root", "pfifo")));
  EXPECT_EQ(ran.result->status, 3);
  EXPECT_EQ(ran.result->output, "said");
}

TEST(SimpleCommands, GoOnInTheNextLine) {
  const Ran ran = RanOf("tool one=1\\\n\t two\\\n2 \"a\\\nb\"");
  EXPECT_THAT(ran.programs, ElementsAre(ElementsAre("tool", "one=1", "two2", "ab")));
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

TEST(SimpleCommands, TouchTheNetworkAlone) {
  for (const char* command : {"sysctl -q kernel.panic=77", "sysctl -q net/ipv4/../../kernel/panic=77",
                              "echo 77 > /proc/sys/kernel/panic"}) {
    const Ran ran = RanOf(command);
    ASSERT_TRUE(ran.result) << command;
    EXPECT_NE(ran.result->status, 0) << command;
    EXPECT_THAT(ran.result->output, HasSubstr("Read-only file system")) << command;
  }
}

std::string AfterChange(const char* name, const char* value, const char* before) {
  const std::optional<LinuxEqual> equal = EqualOnLinux(name, value);
  if (!equal) return "no equal";
  if (equal->changes.empty()) return "passed over: " + equal->why;
  std::string after;
  for (const LinuxEqual::Change& change : equal->changes) {
    after += change.name + "=" + change.value(before) + ";";
  }
  return after;
}

TEST(BsdSysctls, HaveEqualsOnLinux) {
  EXPECT_EQ(AfterChange("net.inet.tcp.rfc1323", "0", "1"),
            "net.ipv4.tcp_timestamps=0;net.ipv4.tcp_window_scaling=0;");
  EXPECT_EQ(AfterChange("net.inet.tcp.recvspace", "65536", "4096\t131072\t6291456"),
            "net.ipv4.tcp_rmem=4096 65536 6291456;");
  EXPECT_EQ(AfterChange("net.inet.tcp.keepidle", "7200000", "1"), "net.ipv4.tcp_keepalive_time=7200;");
  EXPECT_EQ(AfterChange("net.inet.tcp.keepidle", "1500", "1"), "no equal");  // no whole seconds
  EXPECT_EQ(AfterChange("net.inet.tcp.fastopen.client_enable", "0", "1027"), "net.ipv4.tcp_fastopen=1026;");
  EXPECT_EQ(AfterChange("net.inet.tcp.insecure_rst", "0", ""), "passed over: Linux does as RFC 5961 says");
  for (const char* value : {"1", "", "x", "-1", "99999999999999999999"}) {
    EXPECT_EQ(AfterChange("net.inet.tcp.insecure_rst", value, ""), "no equal") << value;
    EXPECT_EQ(AfterChange("net.inet.tcp.no_such", value, ""), "no equal") << value;
  }
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
