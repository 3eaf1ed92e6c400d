// sockproof-agent: makes socket calls inside a system under test, asked by JSON-RPC on standard
// input and answering on standard output. README.md has the protocol.

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "src/agent/methods.h"
#include "src/agent/process.h"
#include "src/agent/processes.h"
#include "src/agent/server.h"

namespace {

using sockproof::agent::Server;

// Also in each process that this one forks.
void Serve() {
  static Server* server = nullptr;
  server = new Server(STDIN_FILENO, STDOUT_FILENO, sockproof::agent::FindMethod,
                      sockproof::agent::ForwardToChild);
  sockproof::agent::HaveChildren(Serve, [](std::string_view line) { server->WriteLine(line); });
  server->Serve();
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("sockproof-agent " SOCKPROOF_VERSION
               " reads JSON-RPC on standard input and takes no arguments.\n",
               stderr);
    return 2;
  }
  sockproof::agent::BecomeAgent();
  sockproof::agent::AnswerExecution();
  Serve();
}
