// The program as a user starts it: what it leaves as evidence, and that it leaves nothing else.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::map<std::string, json> TestsById(const json& result) {
  std::map<std::string, json> tests;
  for (const json& test : result.at("tests")) tests[test.at("id")] = test;
  return tests;
}

// A failure stands once its test was served in time, which on a busy machine may take many
// attempts.
constexpr const char* kUntilInTime = "100";

TEST(Run, LeavesItsEvidence) {
  Workplace place(SOCKPROOF_PROGRAM);
  const Finished run = place.Run({"Handshake.ASynToAClosedPortIsReset", "--junit", "junit.xml"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;

  const json result = place.Result();
  EXPECT_EQ(result.at("counts").at("pass"), 2);
  for (const auto& [id, test] : TestsById(result)) {
    const fs::path folder = fs::path("out") / test.at("directory").get<std::string>();
    EXPECT_EQ(json::parse(place.ReadFile(folder / "verdict.json")).at("verdict"), "PASS");
    EXPECT_THAT(place.ReadFile(folder / "ladder.txt"), HasSubstr("---RST,ACK seq=0"));
    EXPECT_EQ(place.ReadFile(folder / "capture.pcapng").substr(0, 4), "\x0a\x0d\x0d\x0a");
  }
  EXPECT_THAT(place.ReadFile("junit.xml"), HasSubstr("<testcase"));
  EXPECT_TRUE(place.AllGone());
}

TEST(Run, TellsADepartureFromAHarnessThatBroke) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const Finished run = place.Run(
      {"Behaves", "Departs", "Misbehaves", "--junit", "junit.xml", "--attempts", kUntilInTime});
  EXPECT_EQ(run.exit_code, 1);

  auto tests = TestsById(place.Result());
  const auto verdict = [&](const std::string& id) { return tests.at(id).at("verdict"); };
  const auto reason = [&](const std::string& id) {
    return tests.at(id).at("reason").get<std::string>();
  };
  EXPECT_EQ(verdict("Behaves.Passes/ipv4"), "PASS");
  EXPECT_EQ(verdict("Behaves.Passes/ipv6"), "PASS");
  EXPECT_EQ(verdict("Departs.ExpectsWhatNeverComes/ipv4"), "FAIL");
  EXPECT_EQ(verdict("Misbehaves.NeedsWhatNobodyHas/ipv4"), "ERROR");
  EXPECT_THAT(reason("Misbehaves.NeedsWhatNobodyHas/ipv4"), HasSubstr("telepathy"));
  for (const auto& [name, why] :
       std::map<std::string, std::string>{{"Segfaults", "SIGSEGV"},
                                          {"Aborts", "SIGABRT"},
                                          {"ExitsInTheMiddle", "without a verdict"},
                                          {"LosesItsAgent", "agent"}}) {
    const std::string id = "Misbehaves." + name + "/ipv4";
    EXPECT_EQ(verdict(id), "ERROR") << id;
    EXPECT_THAT(reason(id), HasSubstr(why)) << id;
    EXPECT_THAT(tests.at(id).at("ladder").get<std::string>(), HasSubstr("SYN")) << id;
  }

  const std::string junit = place.ReadFile("junit.xml");
  EXPECT_THAT(junit, HasSubstr("SIGSEGV"));
  EXPECT_THAT(junit, HasSubstr("<error"));
  EXPECT_TRUE(place.AllGone());
}

// A name that the agent or the kernel of this machine does not know would leave out a test for good
// and be seen by nobody.
TEST(Run, OnThisKernelNothingIsSkippedAsUnsupported) {
  Workplace place(SOCKPROOF_PROGRAM);
  place.Run({"--max-wait", "1", "--attempts", "1"});  // what this machine is too slow for is not asked here
  std::map<std::string, int> skipped;
  for (const auto& [id, test] : TestsById(place.Result())) {
    if (test.at("verdict") != "SKIP") continue;
    const auto reason = test.at("reason").get<std::string>();
    if (reason.starts_with("waits ")) continue;
    ++skipped[reason];
    // What this kernel's release or configuration lacks, with the word of a document, and time.
    const bool documented = reason.find("; Linux ") != std::string::npos ||
                            reason.find("; kernels in virtual machines") != std::string::npos ||
                            reason.find("through io_uring (") != std::string::npos ||
                            reason.starts_with("precondition not reached: ");
    EXPECT_TRUE(documented) << id << ": " << reason;
  }
  for (const auto& [reason, count] : skipped) {
    std::cout << count << " skipped: " << reason << "\n";
  }
}

TEST(Run, AFailureExplainsItself) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const Finished run =
      place.Run({"Departs.ExpectsWhatNeverComes/ipv4", "--attempts", kUntilInTime});
  EXPECT_EQ(run.exit_code, 1);
  for (const char* part :
       {"FAIL", "RFC 9293", "tests/e2e/misbehaving_suite.cc:", "Expected: RST",
        "Observed:", "FIN,ACK seq=1", "shutdown(", "run Departs.ExpectsWhatNeverComes/ipv4"}) {
    EXPECT_THAT(run.out, HasSubstr(part));
  }
}

TEST(Run, FailedTestsCanBeRunAgainAlone) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "Departs", "--attempts", kUntilInTime});
  const Finished again = place.Run({"--rerun-failed", "--attempts", kUntilInTime});
  EXPECT_EQ(again.exit_code, 1) << again.out << again.err;
  for (const auto& [id, test] : TestsById(place.Result())) {
    EXPECT_THAT(id, testing::StartsWith("Departs.")) << id;
  }
}

TEST(Run, AnEngineThatShardsGoogleTestSpreadsARun) {
  std::set<std::string> ids;
  for (const char* index : {"0", "1"}) {
    Workplace place(SOCKPROOF_MISBEHAVING);
    const std::string status = (place.folder() / "status").string();
    const Finished run = place.Run({"Behaves"}, [&] {
      setenv("GTEST_TOTAL_SHARDS", "2", 1);
      setenv("GTEST_SHARD_INDEX", index, 1);
      setenv("GTEST_SHARD_STATUS_FILE", status.c_str(), 1);
    });
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
    EXPECT_TRUE(fs::exists(status));
    for (const auto& [id, test] : TestsById(place.Result())) EXPECT_TRUE(ids.insert(id).second);
  }
  EXPECT_THAT(ids, testing::ElementsAre("Behaves.Passes/ipv4", "Behaves.Passes/ipv6"));
}

// --- kill -9 -------------------------------------------------------------------------------------

// Two tests are waiting: their agents have accepted a connection.
pid_t StartWaiting(Workplace& place, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"Waits", "--max-wait", "7200"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const pid_t runner = place.Start(arguments);
  const auto both_wait = [&] {
    for (const char* version : {"ipv4", "ipv6"}) {
      const std::string events =
          std::string("out/tests/Waits.ForAnHour-") + version + "/events.jsonl";
      if (place.ReadFile(events).find("\"connect(") == std::string::npos) return false;
    }
    return true;
  };
  EXPECT_TRUE(Eventually(both_wait));
  return runner;
}

TEST(Kill, OfTheRunnerLeavesNothingRunning) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const pid_t runner = StartWaiting(place);
  EXPECT_GE(place.Processes().size(), 5U);
  kill(runner, SIGKILL);
  place.Wait(runner);
  EXPECT_TRUE(place.AllGone());
  for (const auto& [id, test] : TestsById(place.Result())) {
    EXPECT_EQ(test.at("verdict"), "NOT-RUN") << id;
  }
}

TEST(Kill, OfAnAgentIsAnErrorOfItsTestAlone) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const pid_t runner = StartWaiting(place, {"Behaves"});
  for (const pid_t agent : place.Processes((place.folder() / "agent").string())) {
    kill(agent, SIGKILL);
  }
  const Finished run = place.Wait(runner);
  EXPECT_EQ(run.exit_code, 1);
  auto tests = TestsById(place.Result());
  EXPECT_EQ(tests.at("Waits.ForAnHour/ipv4").at("verdict"), "ERROR");
  EXPECT_EQ(tests.at("Waits.ForAnHour/ipv6").at("verdict"), "ERROR");
  EXPECT_TRUE(place.AllGone());
}

TEST(Kill, OfATestIsAnErrorOfThatTestAlone) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const pid_t runner = StartWaiting(place, {"--jobs", "2", "Behaves"});
  for (const pid_t process : place.Processes("--out")) {
    if (process != runner) kill(process, SIGKILL);
  }
  const Finished run = place.Wait(runner);
  EXPECT_EQ(run.exit_code, 1);
  auto tests = TestsById(place.Result());
  EXPECT_EQ(tests.at("Waits.ForAnHour/ipv4").at("verdict"), "ERROR");
  EXPECT_THAT(tests.at("Waits.ForAnHour/ipv4").at("reason").get<std::string>(),
              HasSubstr("SIGKILL"));
  EXPECT_EQ(tests.at("Behaves.Passes/ipv4").at("verdict"), "PASS");
  EXPECT_EQ(tests.at("Behaves.Passes/ipv6").at("verdict"), "PASS");
  EXPECT_TRUE(place.AllGone());
}

// --- the host ------------------------------------------------------------------------------------

// Links, addresses, routes and every readable network sysctl.
std::map<std::string, std::string> HostNetwork() {
  std::map<std::string, std::string> facts;
  struct if_nameindex* links = if_nameindex();
  for (struct if_nameindex* link = links; link->if_index != 0; ++link) {
    facts["link " + std::string(link->if_name)] = std::to_string(link->if_index);
  }
  if_freenameindex(links);
  ifaddrs* addresses = nullptr;
  if (getifaddrs(&addresses) == 0) {
    for (ifaddrs* address = addresses; address != nullptr; address = address->ifa_next) {
      facts["flags " + std::string(address->ifa_name)] = std::to_string(address->ifa_flags);
    }
    freeifaddrs(addresses);
  }
  const auto read = [&](const fs::path& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t size;
    while (fd >= 0 && (size = ::read(fd, text, sizeof text)) > 0) {
      facts[path].append(text, static_cast<size_t>(size));
    }
    close(fd);
  };
  read("/proc/net/if_inet6");
  read("/proc/net/fib_trie");
  for (const auto& entry : fs::recursive_directory_iterator(
           "/proc/sys/net", fs::directory_options::skip_permission_denied)) {
    if (entry.is_regular_file()) read(entry.path());
  }
  return facts;
}

TEST(Host, IsTheSameAfterARunAsBefore) {
  const auto before = HostNetwork();
  Workplace place(SOCKPROOF_PROGRAM);
  const Finished run = place.Run({"AcceptQueue.TheLastAckIsReset*", "Close"});
  EXPECT_EQ(run.exit_code, 0) << run.out;
  const auto after = HostNetwork();
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    EXPECT_EQ(value, found == after.end() ? "gone" : found->second) << name;
  }
  EXPECT_EQ(before.size(), after.size());
}

TEST(Surroundings, ThatACallerLeftOddAreMendedOrNamed) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::vector<std::string> arguments = {"HalfClose.AWholeStreamFlowsAfterTheFin/ipv4"};
  const Finished deaf = place.Run(arguments, [] { signal(SIGCHLD, SIG_IGN); });
  EXPECT_EQ(deaf.exit_code, 0) << deaf.out << deaf.err;
  const auto limit_files = [&](rlim_t now, rlim_t most) {
    return place.Run(arguments, [=] {
      const rlimit limit{now, most};
      setrlimit(RLIMIT_NOFILE, &limit);
    });
  };
  EXPECT_EQ(limit_files(16, 1024).exit_code, 0);
  const Finished few = limit_files(16, 16);
  EXPECT_EQ(few.exit_code, 3);
  EXPECT_THAT(few.err, HasSubstr("no more than 16 open files are allowed here (ulimit -n)"));
}

void GiveUpAllPrivileges() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  unshare(CLONE_NEWUSER);
  std::ofstream("/proc/sys/user/max_user_namespaces") << 0;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;)
    ++capability;
  syscall(SYS_capset, &header, none);
}

TEST(Host, WithoutAnyPermissionTheRunSaysSoAndEndsWith3) {
  Workplace place(SOCKPROOF_PROGRAM);
  const Finished run = place.Run({"Handshake"}, GiveUpAllPrivileges);
  EXPECT_EQ(run.exit_code, 3) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr("sockproof doctor"));
}

}  // namespace
}  // namespace sockproof
