#include "harness/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

std::string WhyNot(const std::vector<std::string>& command) {
  try {
    RunProgram(command);
  } catch (const HarnessError& error) {
    return error.what();
  }
  return "";
}

TEST(Program, GivesWhatItPrinted) { EXPECT_EQ(RunProgram({"printf", "a\nb"}), "a\nb"); }

TEST(Program, MuchOutputOfBothKindsIsTakenIn) {
  const std::string output = RunProgram({"sh", "-c", "head -c 300000 /dev/zero | tee /dev/stderr"});
  EXPECT_EQ(output.size(), 300000U);
}

TEST(Program, AFailureSaysWhatTheProgramComplainedAbout) {
  EXPECT_THAT(WhyNot({"sh", "-c", "echo no such thing >&2; exit 3"}),
              HasSubstr("sh failed: no such thing"));
}

TEST(Program, OneThatIsNotThereIsSaidToBeMissing) {
  EXPECT_THAT(WhyNot({"sockproof-no-such-program"}), HasSubstr("is not installed"));
  EXPECT_THAT(WhyNot({"/nonexistent/program"}), HasSubstr("cannot start /nonexistent/program"));
}

TEST(Program, HasTheDescriptorsThatItIsGivenAndNoOther) {
  const UniqueFd inherited(dup(STDERR_FILENO));  // without O_CLOEXEC
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  // What this process has as 3 and 4 is something else, maybe the two in the other order.
  const pid_t pid = StartProgram({"sh", "-c", "exec ls /proc/self/fd >&4"},
                                 {-1, -1, STDERR_FILENO, reading.get(), writing.get()});
  writing.Reset();
  char text[200] = {};
  EXPECT_GT(read(reading.get(), text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "0\n1\n2\n3\n4\n5\n");  // 5 is the folder that ls reads
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(Program, OneThatCouldNotBeStartedLeavesNothing) {
  const auto refuse = [] { return EDQUOT; };
  EXPECT_THROW(StartProgram({"true"}, {-1, -1, -1}, refuse), HarnessError);
  EXPECT_THROW(StartProgram({"/nonexistent"}, {-1, -1, -1}), HarnessError);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
  EXPECT_EQ(errno, ECHILD);
}

// Linux 5.2 knows neither close_range() nor pidfd_open().
[[noreturn]] void StartOneWithoutNewerCalls() {
  sock_filter refusals[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof refusals / sizeof refusals[0], refusals};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(2);
  const UniqueFd inherited(dup(STDERR_FILENO));
  _exit(RunProgram({"ls", "/proc/self/fd"}) == "0\n1\n2\n3\n" ? 0 : 1);
}

TEST(Program, IsStartedByOlderKernels) {
  EXPECT_EXIT(StartOneWithoutNewerCalls(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sockproof
