#include "src/vm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/base/unique_fd.h"
#include "harness/mutants/alteration.h"
#include "harness/net/namespace.h"
#include "harness/sut/stack.h"
#include "harness/sut/system.h"
#include "harness/test/made_from_id.h"
#include "harness/test/registry.h"
#include "harness/test/test.h"
#include "src/run/child.h"
#include "src/vm/guest_interface.h"
#include "src/vm/luggage.h"

namespace sockproof {
namespace {

using namespace guest_interface;  // NOLINT: its words are this file's
using Json = nlohmann::json;

std::vector<std::string> g_capabilities;  // beyond those that the agent finds out

constexpr Duration kPatienceWithChild = 60s;
constexpr Duration kExtraTime = 60s;  // a test may take 1.5 times its planned duration and this

// Those of <sys/io.h> do not tell the compiler that they read and write memory.
void OutBytes(unsigned short port, const void* data, std::size_t size) {
  asm volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(port) : "memory");
}
void InBytes(unsigned short port, void* data, std::size_t size) {
  asm volatile("rep insb" : "+D"(data), "+c"(size) : "d"(port) : "memory");
}

void Say(std::string_view text) { OutBytes(kConsolePort, text.data(), text.size()); }

void Tell(const Json& message) {
  Say(message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

[[noreturn]] void EndMachine() {
  outb(0, kExitPort);
  while (true) pause();
}

void ReadFirmwareFile(std::uint16_t selector, void* data, std::size_t size) {
  if (selector != 0) outw(selector, kSelectorPort);
  InBytes(kDataPort, data, size);
}

std::uint32_t BigEndian(const std::uint8_t* bytes, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

// A file that QEMU's -fw_cfg gives. Empty when there is none.
std::string ReadFirmware(std::string_view wanted) {
  constexpr std::uint16_t kDirectory = 0x19;
  constexpr std::size_t kEntrySize = 64;
  std::uint8_t count[4];
  ReadFirmwareFile(kDirectory, count, sizeof count);
  std::vector<std::uint8_t> entries(BigEndian(count, 4) * kEntrySize);
  ReadFirmwareFile(0, entries.data(), entries.size());
  for (std::size_t at = 0; at < entries.size(); at += kEntrySize) {
    const auto* const name = reinterpret_cast<const char*>(&entries[at + 8]);
    if (std::string_view(name) != wanted) continue;
    std::string content(BigEndian(&entries[at], 4), '\0');
    ReadFirmwareFile(static_cast<std::uint16_t>(BigEndian(&entries[at + 4], 2)), content.data(),
                     content.size());
    return content;
  }
  return "";
}

void Mount(const char* type, const char* where) {
  mkdir(where, 0755);
  if (mount(type, where, type, 0, nullptr) != 0) ThrowErrno(std::string("mount ") + where);
}

void LoadModules() {
  namespace fs = std::filesystem;
  std::vector<fs::path> modules;
  for (const auto& entry : fs::directory_iterator(kModules)) modules.push_back(entry.path());
  std::sort(modules.begin(), modules.end());
  for (const fs::path& module : modules) {
    const UniqueFd fd(open(module.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) ThrowErrno("open " + module.string());
    // One that cannot be loaded is missed by the tests that need it.
    if (syscall(SYS_finit_module, fd.get(), "", 0) != 0 && errno != EEXIST) {
      perror(module.c_str());
    }
    fs::remove(module);  // its memory is needed
  }
}

// What the kernel does now and then costs time when two hours are to pass in a second.
void CalmDown() {
  constexpr const char* kCalm[][2] = {{"vm.stat_interval", "86400"},
                                      {"vm.compaction_proactiveness", "0"},
                                      {"vm.dirty_writeback_centisecs", "0"},
                                      {"kernel.hung_task_timeout_secs", "0"},
                                      {"kernel.watchdog", "0"}};
  for (const auto& [name, value] : kCalm) {
    try {
      WriteSysctl(name, value);
    } catch (const HarnessError&) {
      // A kernel without it does not do it.
    }
  }
}

// In its first second Linux takes the second of the last timestamp, 0, for none; five minutes after
// the boot its jiffies wrap. A kernel that boots quickly is past neither, nor like one that is in
// use.
void LetClocksRun(bool virtual_time) {
  // In real time as long as is needed for the former.
  const timespec until{virtual_time ? 3600 : 2, 0};
  while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

// Notices that the kernel has warned of a defect since this was made.
class Taint {
 public:
  Taint() : fd_(open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC)), before_(Read()) {}
  bool HasChanged() const { return Read() != before_; }

 private:
  std::string Read() const {
    char text[32];
    const ssize_t size = pread(fd_.get(), text, sizeof text, 0);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

  UniqueFd fd_;
  std::string before_;
};

void OnTooLong(int) {
  Say("{\"guest\": \"hung\"}\n");
  _exit(1);
}

// A test takes its process down when it takes too long. The kernel would not let the signal end
// process 1 of a namespace, as which the test runs: hence a handler.
void LimitTime(Duration limit) {
  signal(SIGALRM, OnTooLong);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limit);
  const itimerval timer{{0, 0}, {seconds.count(), 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

using TestsById = std::unordered_map<std::string, const TestCase*>;

TestsById AllTestsById() {
  TestsById tests;
  for (const TestCase& test : AllTests()) tests[test.id()] = &test;
  return tests;
}

TestCase FindTest(const TestsById& tests, const std::string& id) {
  const auto found = tests.find(id);
  if (found != tests.end()) return *found->second;
  if (std::optional<TestCase> made = TestMadeFrom(id)) return *std::move(made);
  throw HarnessError("the guest knows no test " + id);
}

Duration PlannedDuration(const TestCase& test, const Facts& facts) {
  try {
    return test.LastsOn(facts);
  } catch (const std::exception&) {
    return Duration(0);
  }
}

[[noreturn]] void End(int exit, int signal, const Taint& taint) {
  Tell({{"guest", "end"}, {"exit", exit}, {"signal", signal}, {"warned", taint.HasChanged()}});
  EndMachine();
}

// One connection from opening to closing.
class Rehearsal : public WireTest {
 public:
  void Run() override {
    auto [near, far] = Connected();
    near.Send("x").value();
    far.Receive(1).value();
    near.Shutdown("SHUT_WR").value();
    far.Shutdown("SHUT_WR").value();
  }
};

// What a kernel does once only, when it makes its first connection, is done before the snapshot:
// it makes secrets and patches itself.
void Rehearse(IpVersion ip) {
  TestCase test;
  test.suite = "Guest";
  test.name = "Rehearsal";
  test.of_user = true;  // it cites nothing
  test.variant = OverIp(ip);
  test.make = [] { return std::make_unique<Rehearsal>(); };
  CallInChild(
      [&] {
        const std::unique_ptr<System> host = MakeHostSystem(kAgent, g_capabilities);
        EventLog log(-1);
        RunTest(test, *host, log);  // if it fails, tests will tell
        return "";
      },
      kPatienceWithChild);
}

const StackPlan kWithoutWire{"sut", 1, 0, /*wired=*/false};

// In a process of its own, which may crash. Does not return when the test ended as tests do: to
// take down what is left of stacks would cost each test a third of its time.
void PrepareAndRun(const Json& ready, const Taint& taint) {
  EventLoop loop;
  EventLog log([](std::string_view line) { Say(line); });
  const std::unique_ptr<System> host = MakeHostSystem(kAgent, g_capabilities);
  host->EnterPrivateWorld();
  const std::unique_ptr<System> prepared =
      MakePreparedSystem(*host, loop, log, {{"sut", 1, 2}, {"client", 1, 2}, {"server", 2, 1}, kWithoutWire});
  UnpackLuggage();
  const TestsById tests = AllTestsById();
  GetReadyToRunTest();
  Tell(ready);
  while (ReadFirmware(kTestFile) == kNoTest) {
  }
  // Read once more: the machine may have been stopped in the middle of the first time.
  const TestCase test = FindTest(tests, ReadFirmware(kTestFile));
  LimitTime(PlannedDuration(test, ready["facts"].get<Facts>()) * 3 / 2 + kExtraTime);
  if (const std::string alteration = ReadFirmware(kAlterationFile); alteration.empty()) {
    RunTest(test, *prepared, log);
  } else {
    RunTest(test, *MakeAlteredSystem(*prepared, FindAlteration(alteration)), log);
  }
  End(0, 0, taint);
}

[[noreturn]] void RunTestInChild(const Json& ready) {
  const Taint taint;
  const pid_t child = fork();
  if (child < 0) ThrowErrno("fork");
  if (child == 0) {
    try {
      PrepareAndRun(ready, taint);
    } catch (const std::exception& error) {
      Tell({{"guest", "broken"}, {"why", error.what()}});
    }
    _exit(1);
  }
  int status = 0;
  while (waitpid(child, &status, 0) != child) {
  }
  End(WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
      taint);
}

}  // namespace

void RunAsGuest(bool virtual_time) {
  if (virtual_time) g_capabilities.emplace_back("virtual-time");
  if (ioperm(kConsolePort, 1, 1) != 0 || ioperm(kExitPort, 1, 1) != 0 ||
      ioperm(kSelectorPort, 2, 1) != 0) {
    perror("sockproof: the kernel lacks CONFIG_X86_IOPL_IOPERM");
    _exit(1);
  }
  try {
    Mount("proc", "/proc");
    Mount("sysfs", "/sys");
    LoadModules();
    CalmDown();
    LetClocksRun(virtual_time);
    const std::string facts = CallInChild(
        [] {
          const std::unique_ptr<System> host = MakeHostSystem(kAgent, g_capabilities);
          return Json(ReadFacts(*host)).dump();
        },
        kPatienceWithChild);
    for (const IpVersion ip : {IpVersion::kIpv4, IpVersion::kIpv6}) Rehearse(ip);
    RunTestInChild({{"guest", "ready"}, {"facts", Json::parse(facts)}});
  } catch (const std::exception& error) {
    Tell({{"guest", "broken"}, {"why", error.what()}});
  }
  EndMachine();
}

}  // namespace sockproof
