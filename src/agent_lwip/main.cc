// sockproof-agent-lwip: the agent protocol (src/agent/README.md) in front of lwIP's TCP/IP stack,
// which runs in this process and holds a link by a packet socket.

#include <getopt.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "src/agent/process.h"
#include "src/agent/server.h"
#include "src/agent_lwip/guarded_memory.h"
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

constexpr const char* kUsage =
    R"(usage: sockproof-agent-lwip [--link LINK --ipv4 ADDRESS --ipv6 ADDRESS [--gateway ADDRESS]] [--guard-memory]
lwIP, driven by JSON-RPC on standard input (src/agent/README.md).
  --link LINK        the link to the wire; without it there is only loopback
  --ipv4 ADDRESS     the IPv4 address, in a /24
  --gateway ADDRESS  the default gateway of IPv4
  --ipv6 ADDRESS     the IPv6 address, in a /64
  --guard-memory     a wrong access to memory of lwIP ends it at once, with the function that did it
  --version, --help
)";

// False when the words make no sense. --version and --help end the process.
bool ReadOptions(int argc, char** argv, InterfacePlan& plan, bool& guards_memory) {
  const option options[] = {
      {"link", required_argument, nullptr, 'l'},    {"ipv4", required_argument, nullptr, '4'},
      {"gateway", required_argument, nullptr, 'g'}, {"ipv6", required_argument, nullptr, '6'},
      {"guard-memory", no_argument, nullptr, 'm'},  {"version", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},          {nullptr, 0, nullptr, 0}};
  for (int found = 0; (found = getopt_long(argc, argv, "h", options, nullptr)) != -1;) {
    switch (found) {
      case 'l':
        plan.link = optarg;
        break;
      case '4':
        plan.ipv4 = optarg;
        break;
      case 'g':
        plan.gateway = optarg;
        break;
      case '6':
        plan.ipv6 = optarg;
        break;
      case 'm':
        guards_memory = true;
        break;
      case 'v':
        std::puts(SOCKPROOF_VERSION);
        std::exit(0);
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        return false;
    }
  }
  return optind == argc && (plan.link.empty() || (!plan.ipv4.empty() && !plan.ipv6.empty()));
}

int Main(int argc, char** argv) {
  InterfacePlan plan;
  bool guards_memory = false;
  if (!ReadOptions(argc, argv, plan, guards_memory)) {
    std::fputs(kUsage, stderr);
    return 2;
  }

  agent::BecomeAgent();
  LeaveNoCore();
  SeedRandomNumbers();
  KeepOutputForProtocol();
  try {
    if (guards_memory) GuardMemory();
    StartStack(plan);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sockproof-agent-lwip: %s\n", error.what());
    return 3;
  }
  static agent::Server server(STDIN_FILENO, STDOUT_FILENO, FindMethod, nullptr,
                              /*has_signals=*/false);
  server.Serve();
}

}  // namespace
}  // namespace sockproof::agent_lwip

int main(int argc, char** argv) { return sockproof::agent_lwip::Main(argc, argv); }
