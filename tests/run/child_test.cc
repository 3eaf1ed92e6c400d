// What a forked child has from its parent, and what its parent learns of it.
#include "src/run/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const std::function<std::string()>& work, Duration limit = 60s) {
  try {
    return "no error, but " + CallInChild(work, limit);
  } catch (const HarnessError& error) {
    return error.what();
  }
}

TEST(CallInChildTest, ReturnsWhatTheFunctionReturned) {
  std::string large(1'000'000, 'x');
  EXPECT_EQ(CallInChild([&large] { return large; }, 60s), large);
  EXPECT_EQ(CallInChild([] { return std::string(); }, 60s), "");
}

TEST(CallInChildTest, PassesExceptionsOn) {
  EXPECT_EQ(ErrorOf([]() -> std::string { throw HarnessError("no veth"); }), "no veth");
}

TEST(CallInChildTest, NamesTheSignalOrTheExitCode) {
  EXPECT_THAT(ErrorOf([]() -> std::string {
                signal(SIGSEGV, SIG_DFL);
                raise(SIGSEGV);
                return "";
              }),
              HasSubstr("crashed: SIGSEGV"));
  EXPECT_THAT(ErrorOf([]() -> std::string { _exit(3); }), HasSubstr("exited with 3"));
}

TEST(CallInChildTest, EndsAChildThatHangs) {
  EXPECT_THAT(ErrorOf(
                  []() -> std::string {
                    while (true) pause();
                  },
                  10ms),
              HasSubstr("no answer within 10 ms"));
}

TEST(CallInChildTest, ChildHasNoDescriptorsOfItsParent) {
  const UniqueFd secret(open("/dev/null", O_RDONLY));
  const std::string descriptors = CallInChild(
      [] {
        std::string numbers;
        DIR* const folder = opendir("/proc/self/fd");
        while (const dirent* entry = readdir(folder)) {
          const int fd = atoi(entry->d_name);
          if (entry->d_name[0] != '.' && fd != dirfd(folder)) numbers += std::to_string(fd) + " ";
        }
        closedir(folder);
        return numbers;
      },
      60s);
  EXPECT_EQ(descriptors, "0 1 2 3 ");
}

TEST(CallInChildTest, ChildDiesWithItsParentAndIgnoresInterrupts) {
  const pid_t parent_group = getpgrp();
  EXPECT_EQ(CallInChild(
                [parent_group]() -> std::string {
                  int death_signal = 0;
                  prctl(PR_GET_PDEATHSIG, &death_signal);
                  struct sigaction interrupt {};
                  sigaction(SIGINT, nullptr, &interrupt);
                  sigset_t blocked;
                  sigprocmask(SIG_SETMASK, nullptr, &blocked);
                  if (death_signal != SIGKILL) return "would survive its parent";
                  if (interrupt.sa_handler != SIG_IGN) return "would die of Ctrl-C";
                  if (sigisemptyset(&blocked) == 0) return "blocks signals";
                  if (getpgrp() == parent_group) return "is in its parent's process group";
                  return "as it should be";
                },
                60s),
            "as it should be");
}

}  // namespace
}  // namespace sockproof
