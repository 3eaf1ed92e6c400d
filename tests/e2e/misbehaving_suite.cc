// Tests that misbehave on purpose, linked into the program instead of the suites: what becomes of
// the runner, of its reports and of the machine when a test does this?
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(Behaves, Passes, .claims = {"rfc9293:3.5-first-segment"}) { Connected(); }

TEST_WITH_PEER(Departs, ExpectsWhatNeverComes, .claims = {"rfc9293:3.6-close-fin"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  peer.Expect(Rst());
}

TEST_WITH_PEER(Misbehaves, Segfaults, .claims = {"rfc9293:3.5-first-segment"},
               .ipv4_only_because = "one is enough") {
  Connected();
  signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would exit instead
  void* const forbidden = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile int*>(forbidden) = 1;
}

TEST_WITH_PEER(Misbehaves, Aborts, .claims = {"rfc9293:3.5-first-segment"},
               .ipv4_only_because = "one is enough") {
  Connected();
  abort();
}

TEST_WITH_PEER(Misbehaves, ExitsInTheMiddle, .claims = {"rfc9293:3.5-first-segment"},
               .ipv4_only_because = "one is enough") {
  Connected();
  _exit(0);
}

TEST_WITH_PEER(Misbehaves, LosesItsAgent, .claims = {"rfc9293:3.5-first-segment"},
               .ipv4_only_because = "one is enough") {
  auto [socket, peer] = Connected();
  kill(sut.agent().pid(), SIGKILL);
  socket.Shutdown("SHUT_WR");
}

TEST_WITH_PEER(Misbehaves, NeedsWhatNobodyHas, .claims = {"rfc9293:3.5-first-segment"},
               .needs = {"telepathy"}, .ipv4_only_because = "one is enough") {
  FAIL() << "never started";
}

// What a file says that its user names: a system that changes.
TEST_WITH_PEER(Follows, TheFile, .claims = {"rfc9293:3.5-first-segment"},
               .ipv4_only_because = "one is enough") {
  const char* const path = getenv("SOCKPROOF_FOLLOWED");
  std::ifstream file(path != nullptr ? path : "");
  std::string word;
  if (!(file >> word)) throw Skip("there is no such file");
  Observe("word", word);
  EXPECT_NE(word, "bad");
}

// To be killed while it waits.
TEST_WITH_PEER(
    Waits, ForAnHour, .claims = {"rfc9293:3.5-first-segment"},
    .lasts = [](const Facts&) -> Duration { return 3600s; }) {
  auto [socket, peer] = Connected();
  peer.ExpectSilence(3600s);
}
