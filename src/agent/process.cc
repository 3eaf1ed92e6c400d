#include "src/agent/process.h"

#include <signal.h>
#include <sys/prctl.h>

#include "src/agent/call.h"

namespace sockproof::agent {

void BecomeAgent() {
  // Its parent decides when it ends: with it, or by closing the input.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  CatchSignals();
}

}  // namespace sockproof::agent
