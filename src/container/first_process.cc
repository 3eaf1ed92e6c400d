#include "src/container/first_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace sockproof {
namespace {

[[noreturn]] void Attend(pid_t child, const sigset_t& signals) {
  while (true) {
    siginfo_t info{};
    const int number = sigwaitinfo(&signals, &info);
    // A terminal sends its signals to the child as well.
    const bool from_a_process = number > 0 && info.si_code != SI_KERNEL;
    if (number != SIGCHLD && from_a_process) kill(child, number);
    int status = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != child) continue;
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
}

}  // namespace

void LeaveFirstProcessBehind() {
  if (getpid() != 1) return;
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    sigaddset(&signals, number);
  }
  // Blocked, they are not lost on process 1, which has no default action for them.
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t child = fork();
  if (child > 0) Attend(child, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace sockproof
