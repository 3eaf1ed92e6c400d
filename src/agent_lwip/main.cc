// sockproof-agent-lwip: the agent protocol (src/agent/README.md) in front of lwIP's TCP/IP stack,
// which runs in this process and holds a link by a packet socket.

#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "src/agent/process.h"
#include "src/agent/server.h"
#include "src/agent_lwip/interface.h"
#include "src/agent_lwip/methods.h"

namespace sockproof::agent_lwip {
namespace {

// lwIP prints what it asserts to stdout, but on standard output only the protocol may be.
void KeepOutputForProtocol() { stdout = stderr; }

// lwIP aborts when it finds itself wrong; nobody wants a file of that.
void LeaveNoCore() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

// lwIP chooses its ports with rand(), and leaves the seed to the program.
void SeedRandomNumbers() {
  unsigned seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == sizeof seed) srand(seed);
}

int Main(int argc, char** argv) {
  InterfacePlan plan;
  CLI::App app("lwIP, driven by JSON-RPC on standard input", "sockproof-agent-lwip");
  app.add_option("--link", plan.link, "the link to the wire; without it there is only loopback");
  app.add_option("--ipv4", plan.ipv4, "the IPv4 address, in a /24");
  app.add_option("--gateway", plan.gateway, "the default gateway of IPv4");
  app.add_option("--ipv6", plan.ipv6, "the IPv6 address, in a /64");
  app.get_option("--link")->needs("--ipv4")->needs("--ipv6");
  app.set_version_flag("--version", SOCKPROOF_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  agent::BecomeAgent();
  LeaveNoCore();
  SeedRandomNumbers();
  KeepOutputForProtocol();
  try {
    StartStack(plan);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sockproof-agent-lwip: %s\n", error.what());
    return 3;
  }
  static agent::Server server(STDIN_FILENO, STDOUT_FILENO, FindMethod);
  server.Serve();
}

}  // namespace
}  // namespace sockproof::agent_lwip

int main(int argc, char** argv) { return sockproof::agent_lwip::Main(argc, argv); }
