// The program on containers, with whatever of runc and crun is there; skipped where neither is, or
// none can be run.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kTest = "HalfClose.DataStillFlowsToTheSideThatSentItsFin";

std::set<std::string> FilesBelow(const fs::path& folder) {
  std::set<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    files.insert(entry.path());
  }
  return files;
}

// What a runtime might leave on this machine.
std::set<std::string> Traces() {
  std::set<std::string> traces;
  for (const char* folder : {"/run/runc", "/run/crun", "/run/sockproof"}) {
    if (fs::exists(folder)) traces.insert(folder);
    traces.merge(FilesBelow(folder));
  }
  return traces;
}

class Container : public testing::Test {
 protected:
  Container() : place_(SOCKPROOF_PROGRAM), root_(place_.folder() / "root"), before_(Traces()) {
    fs::create_directory(root_);
    std::ofstream(root_ / "file") << "the user's\n";
  }

  // Runs one test in a container, unless that is impossible here.
  void Try(const std::string& sut) {
    run_ = place_.Run({"-s", sut, kTest});
    if (run_.exit_code == 3) GTEST_SKIP() << run_.err;
  }

  std::string RootFileSystem() const { return "rootfs:" + root_.string(); }
  std::string Fact(const std::string& name) const {
    return place_.Result().at("facts").value(name, "");
  }

  Workplace place_;
  fs::path root_;
  std::set<std::string> before_;
  Finished run_;
};

TEST_F(Container, IsTestedAndLeavesNothing) {
  for (const char* runtime : {"runc", "crun"}) {
    Try(RootFileSystem() + ",runtime=" + runtime);
    if (run_.exit_code == 3) continue;  // the other one may be there
    EXPECT_EQ(run_.exit_code, 0) << run_.out << run_.err;
    EXPECT_EQ(place_.Result().at("counts").at("pass"), 2);
    EXPECT_EQ(Fact("os"), "Linux");
    EXPECT_EQ(Fact("runtime"), runtime);
    EXPECT_NE(Fact("runtime.version"), "");
    EXPECT_THAT(Fact("container.capabilities"), HasSubstr("CAP_NET_BIND_SERVICE"));
    EXPECT_EQ(FilesBelow(root_), std::set<std::string>{(root_ / "file").string()});
    EXPECT_EQ(Traces(), before_);
  }
}

TEST_F(Container, DecidesWhichSysctlsCanBeSet) {
  Try(RootFileSystem());
  if (IsSkipped()) return;
  EXPECT_EQ(Fact("capability.sysctl"), "yes");
  EXPECT_EQ(Fact("capability.sysctl_set"), "");
}

TEST_F(Container, OfABundleHasItsSysctls) {
  fs::create_directory(root_ / "rootfs");
  std::ofstream(root_ / "config.json") << R"({
    "ociVersion": "1.0.2", "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/"},
    "root": {"path": "rootfs"}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"sysctl": {"net.ipv4.tcp_syn_retries": "3"},
              "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}]}})";
  Try(RootFileSystem());
  if (IsSkipped()) return;
  EXPECT_EQ(run_.exit_code, 0) << run_.out << run_.err;
  EXPECT_EQ(Fact("sysctl.net.ipv4.tcp_syn_retries"), "3");
  EXPECT_EQ(Fact("container.capabilities"), "none");
}

TEST_F(Container, KilledWithItsRunnerLeavesNothing) {
  Try(RootFileSystem());
  if (IsSkipped()) return;
  const pid_t runner = place_.Start({"-s", RootFileSystem(), "SynRetries"});
  // Its agents stay in their containers until the test ends, which takes seconds.
  ASSERT_TRUE(Eventually([&] { return !place_.Processes("sockproof").empty(); }));
  ASSERT_TRUE(Eventually([&] { return fs::exists(place_.results() / "tests"); }));
  kill(runner, SIGKILL);
  EXPECT_EQ(place_.Wait(runner).exit_code, 128 + SIGKILL);
  EXPECT_TRUE(place_.AllGone());
  EXPECT_EQ(Traces(), before_);
}

TEST_F(Container, ThatCrashesWhenItStartsCannotBeTested) {
  const fs::path runsc = place_.folder() / "runsc";
  std::ofstream(runsc) << "#!/bin/sh\n"
                          "case \"$*\" in\n"
                          "*--version*) echo runsc version release-20240729.0; exit ;;\n"
                          "esac\n"
                          "printf 'panic: out of luck\\ngoroutine 1 [running]:\\n' >&2\n"
                          "exit 2\n";
  fs::permissions(runsc, fs::perms::owner_all);
  const std::string path = place_.folder().string() + ":" + getenv("PATH");
  run_ = place_.Run({"-s", RootFileSystem() + ",runtime=runsc", kTest},
                    [&path] { setenv("PATH", path.c_str(), 1); });
  EXPECT_EQ(run_.exit_code, 3);
  if (run_.err.find("runsc") == std::string::npos) GTEST_SKIP() << run_.err;
  EXPECT_THAT(run_.err, HasSubstr("runsc crashed when it started: panic: out of luck"));
  EXPECT_EQ(std::count(run_.err.begin(), run_.err.end(), '\n'), 1) << run_.err;
}

TEST(WrongContainer, IsRefusedInOneLine) {
  Workplace place(SOCKPROOF_PROGRAM);
  const auto refuses = [&](const std::string& sut, int exit_code, const std::string& why) {
    const Finished run = place.Run({"-s", sut, kTest});
    EXPECT_EQ(run.exit_code, exit_code) << sut;
    EXPECT_THAT(run.err, HasSubstr(why)) << sut;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  };
  refuses("rootfs:/tmp,runtime=docker", 2, "unknown runtime 'docker'");
  refuses("rootfs:/tmp,engine=runc", 2, "there is no option 'engine'");
  refuses("rootfs:", 2, "it is spelt rootfs:DIR");
  refuses("container:", 2, "it is spelt container:IMAGE");
  refuses("container:debian?runtime=", 2, "runtime has no value");
  refuses("rootfs:/does/not/exist", 2, "");
  refuses("container:does-not-exist.invalid/image", 3, "");
}

}  // namespace
}  // namespace sockproof
