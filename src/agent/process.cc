#include "src/agent/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "src/agent/call.h"

namespace sockproof::agent {
namespace {

// The kernel's table of the descriptors of this process, which has room for 64 of them, grows while
// there is no second thread: afterwards that takes a grace period of RCU, some 10 ms, and this
// agent keeps descriptors of its own from 700 on.
void GrowTableOfDescriptors() {
  constexpr int kBeyondAll = 1000;
  const int last = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, kBeyondAll);
  if (last >= 0) close(last);
}

}  // namespace

void BecomeAgent() {
  GrowTableOfDescriptors();
  // Its parent decides when it ends: with it, or by closing the input.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  // Those that sigtimedwait() takes, and no others.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGIO);
  sigaddset(&blocked, SIGURG);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  CatchSignals();
}

}  // namespace sockproof::agent
