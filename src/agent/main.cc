// sockproof-agent: makes socket calls inside a system under test, asked by JSON-RPC on standard
// input and answering on standard output. README.md has the protocol.

#include <unistd.h>

#include <cstdio>

#include "src/agent/methods.h"
#include "src/agent/process.h"
#include "src/agent/server.h"

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("sockproof-agent " SOCKPROOF_VERSION
               " reads JSON-RPC on standard input and takes no arguments.\n",
               stderr);
    return 2;
  }
  sockproof::agent::BecomeAgent();
  static sockproof::agent::Server server(STDIN_FILENO, STDOUT_FILENO, sockproof::agent::FindMethod);
  server.Serve();
}
