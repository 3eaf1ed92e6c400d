// sockproof-agent: makes socket calls inside a system under test, asked by JSON-RPC on standard
// input and answering on standard output. README.md has the protocol.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>

#include "src/agent/call.h"
#include "src/agent/server.h"

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("sockproof-agent " SOCKPROOF_VERSION
               " reads JSON-RPC on standard input and takes no arguments.\n",
               stderr);
    return 2;
  }
  // Its parent decides when it ends: with it, or by closing the input; not a Ctrl-C for all.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  sockproof::agent::CatchBrokenPipes();

  static sockproof::agent::Server server(STDIN_FILENO, STDOUT_FILENO);
  server.Serve();
}
