// Process 1 of a PID namespace, as a container's program is.
#include "src/container/first_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "harness/net/namespace.h"

namespace sockproof {
namespace {

// The exit code of process 1 of a new PID namespace, in which `body` runs after what is tested.
int CodeOf(const std::function<void()>& body) {
  const pid_t outer = fork();
  if (outer == 0) {
    try {
      EnterPrivateNamespaces();
      LeaveFirstProcessBehind();
      body();
    } catch (...) {
      _exit(99);
    }
    _exit(98);
  }
  int status = 0;
  waitpid(outer, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(FirstProcess, IsNoLongerTheProgramButEndsAsItDoes) {
  EXPECT_EQ(CodeOf([] { _exit(getpid() == 2 && getppid() == 1 ? 7 : 1); }), 7);
  EXPECT_EQ(CodeOf([] { raise(SIGKILL); }), 128 + SIGKILL);
}

TEST(FirstProcess, HandsSignalsOnToTheProgramWhoseDefaultsHoldAgain) {
  EXPECT_EQ(CodeOf([] {
              kill(1, SIGTERM);
              while (true) pause();
            }),
            128 + SIGTERM);
}

TEST(FirstProcess, ReapsWhatLostItsParent) {
  EXPECT_EQ(CodeOf([] {
              int ends[2];
              if (pipe(ends) != 0) _exit(1);
              const pid_t parent = fork();
              if (parent == 0) {
                const pid_t orphan = fork();
                if (orphan > 0 && write(ends[1], &orphan, sizeof orphan) < 0) _exit(1);
                _exit(0);
              }
              waitpid(parent, nullptr, 0);
              pid_t orphan = 0;
              if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan) _exit(1);
              while (kill(orphan, 0) == 0) {  // exists, be it as a zombie
              }
              _exit(0);
            }),
            0);
}

TEST(FirstProcess, IsNotTouchedInAnyOtherProcess) {
  const pid_t before = getpid();
  LeaveFirstProcessBehind();
  EXPECT_EQ(getpid(), before);
}

}  // namespace
}  // namespace sockproof
