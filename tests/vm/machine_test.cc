// A kernel of Debian in a virtual machine, as a user runs it. Needs QEMU and that kernel in the
// user's cache (`./sockproof check` brings both); else every test here is skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/program.h"
#include "harness/base/text.h"
#include "src/fetch/cache.h"
#include "src/vm/kernel_store.h"
#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kKernel = "debian:6.1";
constexpr const char* kSut = "vm:debian:6.1,memory=320,append=sockproof.word=1,2 quiet";

// One boot for all, with memory and parameters of the user's own, since it costs most of their time:
// the tests share a folder, and in it a cache.
class MachineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (FindProgram("qemu-system-x86_64").empty()) {
      reason_ = "QEMU is not installed";
      return;
    }
    try {
      FetchedKernel(kKernel);
    } catch (const std::exception& error) {
      reason_ = error.what();
      return;
    }
    const fs::path kernels = CacheFolder("kernels");
    place_ = std::make_unique<Workplace>(SOCKPROOF_GUEST);
    fs::create_directories(Cache());
    fs::create_directory_symlink(kernels, Cache() / "kernels");
    setenv("XDG_CACHE_HOME", place_->folder().c_str(), 1);
  }
  static void TearDownTestSuite() { place_.reset(); }

  void SetUp() override {
    if (!place_) GTEST_SKIP() << reason_;
  }

  static fs::path Cache() { return place_->folder() / "sockproof"; }

  static fs::path Snapshot() {
    for (const auto& entry : fs::directory_iterator(Cache() / "snapshots")) {
      if (entry.is_directory()) return entry.path();
    }
    return {};
  }

  static std::map<std::string, json> Tests() {
    std::map<std::string, json> tests;
    const json result = place_->Result();
    for (const json& test : result.at("tests")) tests[test.at("id")] = test;
    return tests;
  }

  static std::vector<json> Events(const fs::path& file) {
    std::vector<json> events;
    std::istringstream lines(place_->ReadFile(file));
    for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
    return events;
  }

  // A flow label is random (RFC 6437 section 3): each moment at which Linux gathers entropy changes it.
  static void ForgetFlowLabel(json& event) {
    constexpr std::size_t kEtherType = 12 * 2;
    constexpr std::size_t kFlowLabel = 15 * 2 + 1;
    constexpr std::size_t kDigits = 5;
    if (!event.contains("bytes")) return;
    std::string bytes = event["bytes"];
    if (bytes.compare(kEtherType, 4, "86dd") != 0) return;
    event["bytes"] = bytes.replace(kFlowLabel, kDigits, kDigits, '_');
  }

  static std::unique_ptr<Workplace> place_;
  static std::string reason_;
};

std::unique_ptr<Workplace> MachineTest::place_;
std::string MachineTest::reason_;

TEST_F(MachineTest, TestsPassInItAsOnAHost) {
  const Finished run = place_->Run({"Guest.Passes*", "-s", kSut});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr("booting Linux 6.1"));
  const json result = place_->Result();
  EXPECT_EQ(result.at("sut"), kSut);
  EXPECT_THAT(result.at("facts").at("release").get<std::string>(), HasSubstr("6.1."));
  EXPECT_EQ(result.at("counts").at("pass"), 4);
  const fs::path folder = fs::path("out") / "tests" / "Guest.Passes-ipv4";
  EXPECT_THAT(place_->ReadFile(folder / "ladder.txt"), HasSubstr("SYN,ACK"));
  EXPECT_EQ(place_->ReadFile(folder / "capture.pcapng").substr(0, 4), "\x0a\x0d\x0d\x0a");
  EXPECT_TRUE(place_->AllGone());
}

TEST_F(MachineTest, TheSecondRunGoesOnFromTheSnapshotAndSeesTheSame) {
  ASSERT_EQ(place_->Run({"Guest.Passes", "-s", kSut}).exit_code, 0);
  const fs::path events = fs::path("out") / "tests" / "Guest.Passes-ipv6" / "events.jsonl";
  std::vector<json> first = Events(events);
  const Finished again = place_->Run({"Guest.Passes", "-s", kSut});
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_EQ(again.err, "");
  std::vector<json> second = Events(events);
  ASSERT_EQ(second.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    // The time differs by some ten nanoseconds now and then; all else is the same.
    for (const char* time : {"time", "begin"}) {
      if (!first[i].contains(time) || first[i][time].is_null()) continue;
      constexpr double kMillisecond = 1e6;
      EXPECT_NEAR(second[i].at(time).get<double>(), first[i][time].get<double>(), kMillisecond);
      second[i][time] = first[i][time];
    }
    for (json* event : {&first[i], &second[i]}) ForgetFlowLabel(*event);
    EXPECT_EQ(second[i], first[i]);
  }
}

TEST_F(MachineTest, ADayPassesInTheTestsTimeOnly) {
  const Finished run = place_->Run({"Guest.WaitsForADay", "-s", kSut});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_GE(Tests().at("Guest.WaitsForADay/ipv4").at("sut_s"), 86400.0);
}

TEST_F(MachineTest, ADefectOfTheKernelIsAFailureAndOneOfTheHarnessIsNot) {
  const Finished run = place_->Run({"Guest.CrashesTheKernel", "Guest.Segfaults",
                                    "Guest.HangsForever", "Guest.Passes", "-s", kSut});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  auto tests = Tests();
  const json& crashed = tests.at("Guest.CrashesTheKernel/ipv4");
  EXPECT_EQ(crashed.at("verdict"), "FAIL");
  EXPECT_THAT(crashed.at("failures").at(0).at("text").get<std::string>(),
              HasSubstr("sysrq triggered crash"));
  EXPECT_THAT(crashed.at("ladder").get<std::string>(), HasSubstr("SYN"));
  const json& segfaulted = tests.at("Guest.Segfaults/ipv4");
  EXPECT_EQ(segfaulted.at("verdict"), "ERROR");
  EXPECT_THAT(segfaulted.at("reason").get<std::string>(), HasSubstr("SIGSEGV"));
  const json& hung = tests.at("Guest.HangsForever/ipv4");
  EXPECT_EQ(hung.at("verdict"), "ERROR");
  EXPECT_THAT(hung.at("reason").get<std::string>(), HasSubstr("hung"));
  EXPECT_EQ(tests.at("Guest.Passes/ipv4").at("verdict"), "PASS");
}

TEST_F(MachineTest, AReportOfTheKernelIsAFailureOfTheTestThatMadeIt) {
  const Finished run =
      place_->Run({"Guest.Passes*", "Guest.MakesTheKernelReport", "--jobs", "1", "-s", kSut});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  auto tests = Tests();
  const json& reported = tests.at("Guest.MakesTheKernelReport/ipv4");
  EXPECT_EQ(reported.at("verdict"), "FAIL");
  EXPECT_THAT(reported.at("failures").at(0).at("text").get<std::string>(),
              HasSubstr("BUG: KASAN: use-after-free in a_function"));
  for (const char* name : {"Passes", "PassesBetweenTwoStacks"}) {
    for (const char* ip : {"ipv4", "ipv6"}) {
      const json& test = tests.at(std::string("Guest.") + name + "/" + ip);
      EXPECT_EQ(test.at("verdict"), "PASS");
      // In company a report may be read before the end of the test ahead of it; alone it is nobody else's.
      for (const json& attempt : test.at("attempts")) EXPECT_EQ(attempt.at("in_company"), true);
    }
  }
}

TEST_F(MachineTest, BootParametersAndMemoryAreTheUsers) {
  const Finished run = place_->Run({"Guest.KnowsItsBootParameters", "-s", kSut});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(place_->Result().at("counts").at("pass"), 1);
  for (const auto& [option, what] : {std::pair("memory=1", "memory is 160 to"),
                                     {"append=a -- b", "'--' is no boot parameter"},
                                     {"apend=a", "there is no option 'apend'"}}) {
    const Finished refused =
        place_->Run({"Guest.Passes", "-s", std::string("vm:") + kKernel + "," + option});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr(what));
  }
}

TEST_F(MachineTest, TestsProveInItThatTheyCanFail) {
  const Finished proof = place_->Command({"selfproof", "Guest.AcknowledgesAFin", "-s", kSut,
                                          "--out", (place_->folder() / "proof").string()});
  EXPECT_EQ(proof.exit_code, 0) << proof.out << proof.err;
  EXPECT_THAT(proof.out, HasSubstr("caught       Guest.AcknowledgesAFin/ipv4"));
}

TEST_F(MachineTest, ItTellsWhichFunctionsOfTheKernelATestReaches) {
  const Finished reach = place_->Command(
      {"reach", "Guest.Passes", "-s", kSut, "--out", (place_->folder() / "reach").string()});
  EXPECT_EQ(reach.exit_code, 0) << reach.out << reach.err;
  const Finished shown = place_->Command({"reach", "-s", kSut, "--show", "tcp_v[46]_connect"});
  EXPECT_THAT(shown.out, HasSubstr("1  tcp_v4_connect\n     1  tcp_v6_connect\n2 of 2"));
  const Finished chosen = place_->Run(
      {"Guest.Passes", "-s", kSut, "--touching", "tcp_v6_connect", "--dry-run"});
  EXPECT_EQ(chosen.out, "Guest.Passes/ipv6\n") << chosen.err;
  const Finished none = place_->Run({"Guest.Passes", "-s", kSut, "--touching", "udpv6_sendmsg"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("none reaches it"));
}

TEST_F(MachineTest, TheDoctorBootsTheKernelAndExplainNamesIt) {
  const Finished doctor = place_->Command({"doctor", "-s", kSut});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out << doctor.err;
  EXPECT_THAT(doctor.out, HasSubstr("facts about Linux 6.1"));
  EXPECT_THAT(doctor.out, HasSubstr("capability diag"));
  const Finished explain = place_->Command({"explain", "Guest.Passes", "-s", kSut});
  EXPECT_EQ(explain.exit_code, 0) << explain.out << explain.err;
  EXPECT_THAT(explain.out, HasSubstr("run -s " + ShellQuoted(kSut) + " Guest.Passes"));
}

TEST_F(MachineTest, WithoutQemuItIsSaidHowToGetIt) {
  const pid_t pid = place_->StartCommand({"doctor", "-s", kSut}, [] { setenv("PATH", "/", 1); });
  const Finished doctor = place_->Wait(pid);
  EXPECT_EQ(doctor.exit_code, 3) << doctor.out;
  EXPECT_THAT(doctor.out, HasSubstr("apt-get install"));
}

TEST_F(MachineTest, NothingIsLeftOfARunThatIsKilledWhileItMakesABrokenSnapshotAnew) {
  ASSERT_EQ(place_->Run({"Guest.Passes/ipv4", "-s", kSut}).exit_code, 0);
  std::fstream(Snapshot() / "state") << "garbage";
  const pid_t pid = place_->Start({"Guest.Passes/ipv4", "-s", kSut});
  ASSERT_TRUE(Eventually([] { return !place_->Processes("qemu-system").empty(); }));
  kill(pid, SIGKILL);
  const Finished run = place_->Wait(pid);
  EXPECT_THAT(run.err, HasSubstr("booting"));
  EXPECT_TRUE(place_->AllGone());
  for (const auto& entry : fs::directory_iterator(Cache() / "snapshots"))
    EXPECT_NE(entry.path().extension(), ".new");
}

TEST_F(MachineTest, WhatDoesNotBootIsSaidInOneLine) {
  const fs::path image = place_->folder() / "bzImage";
  const Kernel kernel = FetchedKernel(kKernel);
  fs::copy_file(kernel.image, image);
  // The compressed kernel, damaged.
  std::fstream file(image, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(image) / 2));
  file << std::string(4096, 'x');
  file.close();
  const Finished run = place_->Run({"Guest.Passes", "-s", "vm:" + image.string()});
  EXPECT_EQ(run.exit_code, 3) << run.out;
  EXPECT_THAT(run.err, HasSubstr("does not come up"));
}

}  // namespace
}  // namespace sockproof
