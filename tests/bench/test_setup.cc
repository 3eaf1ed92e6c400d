// How long a test takes to set up: from the fork of its process to the point where its first frame
// is possible, on each testbed. Prints the least, the median and the 99th percentile of `runs`
// set-ups.
//
//   test_setup_bench [runs]
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <variant>
#include <vector>

#include "harness/sut/system.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

template <typename Testbed>
class NoTest final : public Testbed {
  void Run() override {}
};

template <typename Testbed>
TestCase EmptyTest() {
  TestCase test;
  test.suite = "Bench";
  test.name = "Empty";
  test.of_user = true;  // it cites nothing
  test.variant = OverIp(IpVersion::kIpv4);
  test.make = [] { return std::make_unique<NoTest<Testbed>>(); };
  return test;
}

Duration SetUpOnce(const TestCase& test, System& system, const std::string& events) {
  const Time start = Clock::now();
  const pid_t child = fork();
  if (child < 0) ThrowErrno("fork");
  if (child == 0) {
    const int fd = open(events.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    EventLog log(fd);
    RunTest(test, system, log);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  for (const Event& event : ReadEvents(events)) {
    if (std::holds_alternative<ReadyEvent>(event.what)) return event.time - start;
  }
  throw HarnessError("a test was not set up; see " + events);
}

void Measure(const char* name, const TestCase& test, System& system, size_t runs) {
  std::string folder = std::filesystem::temp_directory_path() / "sockproof-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) ThrowErrno("mkdtemp");
  std::vector<Duration> times;
  for (size_t i = 0; i < runs; ++i) {
    times.push_back(SetUpOnce(test, system, folder + "/events.jsonl"));
  }
  std::filesystem::remove_all(folder);
  std::sort(times.begin(), times.end());
  fmt::print("{:24} {} set-ups: least {}, median {}, 99th percentile {}\n", name, runs,
             FormatDuration(times.front()), FormatDuration(times[runs / 2]),
             FormatDuration(times[runs * 99 / 100]));
}

}  // namespace
}  // namespace sockproof

int main(int argc, char** argv) {
  using namespace sockproof;
  const size_t runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 200;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::unique_ptr<System> system = MakeHostSystem(folder / "sockproof-agent");
  Measure("calls alone", EmptyTest<SocketsTest>(), *system, runs);
  Measure("scripted peer", EmptyTest<PeerTest>(), *system, runs);
  Measure("two stacks and a wire", EmptyTest<WireTest>(), *system, runs);
}
