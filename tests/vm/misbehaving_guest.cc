// Tests that do to a guest and its kernel what no test should, linked into the program instead of
// the suites. Each makes sure first that it is in a guest.
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "harness/base/errors.h"
#include "harness/test/test.h"

using namespace sockproof;

namespace {

void OnlyInAGuest() {
  if (access("/init", X_OK) != 0 || access("/modules", F_OK) != 0) {
    throw Skip("this is no guest of sockproof");
  }
}

}  // namespace

TEST_WITH_PEER(Guest, Passes, .claims = {"rfc9293:3.5-first-segment"}, .needs = {"virtual-time"}) {
  Connected();
}

TEST_WITH_PEER(Guest, AcknowledgesAFin, .claims = {"rfc9293:3.6-fin-is-acknowledged"},
               .needs = {"virtual-time"}, .ipv4_only_because = "one is enough") {
  auto [socket, peer] = Connected();
  peer.Send(Fin());
  peer.Expect(Ack().Ack(peer.snd_nxt));
}

TEST_WITH_WIRE(Guest, PassesBetweenTwoStacks, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"virtual-time"}) {
  Connected();
}

TEST_WITH_PEER(
    Guest, WaitsForADay, .claims = {"rfc9293:3.5-first-segment"}, .needs = {"virtual-time"},
    .lasts = [](const Facts&) -> Duration { return 24h; }) {
  auto [socket, peer] = Connected();
  peer.ExpectSilence(24h);
}

TEST_WITH_PEER(Guest, CrashesTheKernel, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"virtual-time"}, .ipv4_only_because = "one is enough") {
  OnlyInAGuest();
  Connected();
  std::ofstream("/proc/sysrq-trigger") << 'c' << std::flush;
}

TEST_WITH_PEER(Guest, Segfaults, .claims = {"rfc9293:3.5-first-segment"}, .needs = {"virtual-time"},
               .ipv4_only_because = "one is enough") {
  OnlyInAGuest();
  Connected();
  signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would exit instead
  void* const forbidden = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile int*>(forbidden) = 1;
}

TEST_WITH_PEER(Guest, HangsForever, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"virtual-time"}, .ipv4_only_because = "one is enough") {
  OnlyInAGuest();
  Connected();
  while (true) pause();
}

TEST_WITH_PEER(Guest, MakesTheKernelReport, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"virtual-time"}, .ipv4_only_because = "one is enough") {
  OnlyInAGuest();
  Connected();
  const char* const log = "/dev/kernel-log";
  if (mknod(log, S_IFCHR | 0600, makedev(1, 11)) != 0) ThrowErrno("mknod");
  std::ofstream file(log);
  file << "<3>BUG: KASAN: use-after-free in a_function\n" << std::flush;
  if (!file) ThrowErrno("write to the kernel's log");
}

TEST_WITH_PEER(Guest, KnowsItsBootParameters, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"virtual-time"}, .ipv4_only_because = "one is enough") {
  std::ifstream file("/proc/cmdline");
  const std::string parameters{std::istreambuf_iterator<char>(file), {}};
  if (parameters.find(" sockproof.word=1,2 quiet ") == std::string::npos) throw Skip(parameters);
  Connected();
}
