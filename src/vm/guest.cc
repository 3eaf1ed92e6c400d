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
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
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
#include "src/vm/marks.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
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
  outb(kReset, kResetPort);
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

// Stops a thread of the kernel that can be frozen, where there is one; else it goes on.
void Freeze(const std::string& thread) {
  constexpr const char* kGroups = "/frozen";
  fs::create_directory(kGroups);
  if (mount("none", kGroups, "cgroup", 0, "freezer") != 0) return;
  const fs::path group = fs::path(kGroups) / "calm";
  fs::create_directory(group);
  for (const auto& process : fs::directory_iterator("/proc")) {
    std::string name;
    std::ifstream(process.path() / "comm") >> name;
    if (name == thread) std::ofstream(group / "cgroup.procs") << process.path().filename().string();
  }
  std::ofstream(group / "freezer.state") << "FROZEN";
  umount(kGroups);  // the groups stay
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
  // Linux 5.10 looks for fragments twice a second, whatever compaction_proactiveness is.
  Freeze("kcompactd0");
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

std::vector<std::string> LinesOf(const std::string& text) {
  std::istringstream lines(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
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

// A test takes its process down when it takes too long; 0: no more. The kernel would not let the
// signal end process 1 of a namespace, as which the test runs: hence a handler.
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

const std::vector<StackPlan> kPrepared = {
    {"sut", 1, 2}, {"client", 1, 2}, {"server", 2, 1}, {"sut", 1, 0, /*wired=*/false}};

// What a new link announces of itself (MLD, router solicitations) is over by then.
constexpr Duration kUntilLinksAreCalm = 30s;
constexpr Duration kToTakeFramesIn = 50ms;

// A process with stacks of its own for one test, whose turn comes later. What is left of it then
// stays until the machine ends: to take it down would cost each test a third of its time.
class World {
 public:
  // Returns when the world is ready. Throws HarnessError.
  World(const TestsById& tests, const Facts& facts) {
    int turn[2];
    int word[2];
    if (pipe2(turn, O_CLOEXEC) != 0 || pipe2(word, O_CLOEXEC) != 0) ThrowErrno("pipe2");
    turn_.Reset(turn[1]);
    word_.Reset(word[0]);
    UniqueFd its_turn(turn[0]);
    UniqueFd its_word(word[1]);
    process_ = fork();
    if (process_ < 0) ThrowErrno("fork");
    if (process_ == 0) {
      turn_.Reset();
      word_.Reset();
      try {
        Live(tests, facts, its_turn.get(), its_word.get());
      } catch (const std::exception& error) {
        Tell({{"guest", "broken"}, {"why", error.what()}});
      }
      _exit(1);
    }
    its_word.Reset();
    if (!Hear()) throw HarnessError("a world for a test cannot be made");
  }

  // Returns when the test has ended, with the end of its process: 0 for one that goes on sleeping.
  int RunTest(std::size_t number) {
    if (write(turn_.get(), &number, sizeof number) != sizeof number) ThrowErrno("write");
    int status = 0;
    if (Hear()) return status;
    while (waitpid(process_, &status, 0) != process_) {
    }
    return status;
  }

 private:
  [[noreturn]] static void Live(const TestsById& tests, const Facts& facts, int turn, int word) {
    bool speaks = false;
    EventLoop loop;
    EventLog log([&speaks](std::string_view line) {
      if (speaks) Say(line);
    });
    const std::unique_ptr<System> host = MakeHostSystem(kAgent, g_capabilities);
    host->EnterPrivateWorld();
    const std::unique_ptr<System> prepared = MakePreparedSystem(*host, loop, log, kPrepared);
    GetReadyToRunTest();
    TakeFramesIn(loop, kUntilLinksAreCalm);
    Speak(word);
    std::size_t number = 0;
    while (read(turn, &number, sizeof number) != sizeof number) {
    }
    TakeFramesIn(loop, kToTakeFramesIn);
    speaks = true;
    const TestCase& test = FindTest(tests, LinesOf(ReadFirmware(kTestsFile)).at(number));
    LimitTime(PlannedDuration(test, facts) * 3 / 2 + kExtraTime);
    Alterations alterations;
    for (const std::string& id : LinesOf(ReadFirmware(kAlterationsFile))) {
      alterations.push_back(&FindAlteration(id));
    }
    if (alterations.empty()) {
      sockproof::RunTest(test, *prepared, log);
    } else {
      sockproof::RunTest(test, *MakeAlteredSystem(*prepared, alterations), log);
    }
    LimitTime(Duration(0));
    Speak(word);
    while (true) pause();
  }

  // Nobody is told of them.
  static void TakeFramesIn(EventLoop& loop, Duration time) {
    loop.RunUntil([] { return false; }, Clock::now() + time);
  }

  static void Speak(int word) {
    if (write(word, "!", 1) != 1) ThrowErrno("write");
  }

  bool Hear() const {
    char byte = 0;
    ssize_t count = 0;
    while ((count = read(word_.get(), &byte, 1)) < 0 && errno == EINTR) {
    }
    return count == 1;
  }

  UniqueFd turn_;  // the number of its test is written to it
  UniqueFd word_;  // it says there that it is ready, and that its test has ended
  pid_t process_ = -1;
};

// Sleeps until a moment at which the kernel's timers run as they do at the beginning of any other
// test. They fire when a jiffy begins; one of d jiffies at multiples of 8^n of them, where d is
// less than 63 * 8^n (kernel/time/timer.c), so that a test sees different times when it begins
// elsewhere between two.
void AwaitBeginning(Duration planned) {
  timespec jiffy{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);
  constexpr std::int64_t kLevels = 8;
  constexpr std::int64_t kPerLevel = 63;
  std::int64_t period = jiffy.tv_nsec * kLevels * kLevels * kLevels;
  while (kPerLevel * period < planned.count()) period *= kLevels;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t begin = ((now.tv_sec * kSecond + now.tv_nsec) / period + 1) * period;
  const timespec until{begin / kSecond, begin % kSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

// Tells a plugin of QEMU, if there is one, that the next test begins.
void Mark() { asm volatile(SOCKPROOF_MARK ::: "memory"); }

// Where the kernel's functions are, by its own word.
void TellSymbols() {
  constexpr std::size_t kAtOnce = 4096;
  constexpr std::size_t kType = 17;  // "ffffffff81000000 T _text", and of what module
  std::ifstream symbols("/proc/kallsyms");
  std::string list;
  for (std::string line; std::getline(symbols, line);) {
    if (line.size() < kType + 3 ||
        std::string_view("tTwW").find(line[kType]) == std::string::npos) {
      continue;
    }
    list += line.substr(0, kType) + line.substr(kType + 2, line.find('\t') - kType - 2) + "\n";
    if (list.size() < kAtOnce) continue;
    Tell({{"guest", "symbols"}, {"list", list}});
    list.clear();
  }
  Tell({{"guest", "symbols"}, {"list", list}});
}

[[noreturn]] void RunTests(const Json& facts_json, bool virtual_time) {
  UnpackLuggage();
  const TestsById tests = AllTestsById();
  const Facts facts = facts_json.get<Facts>();
  // What a process makes when it first needs it, such as the catalogue of claims, all worlds have.
  GetReadyToRunTest();
  for (const auto& [id, test] : tests) {
    MistakeIn(*test);
    PlannedDuration(*test, facts);
  }
  std::vector<World> worlds;
  for (int i = 0; i < (virtual_time ? kWorlds : 1); ++i) worlds.emplace_back(tests, facts);
  const Taint taint;
  Tell({{"guest", "ready"}, {"facts", facts_json}});
  while (ReadFirmware(kTestsFile) == kNoTests) {
  }
  // Read once more: the machine may have been stopped in the middle of the first time.
  const std::vector<std::string> ids = LinesOf(ReadFirmware(kTestsFile));
  if (ids == std::vector<std::string>{kSymbols}) {
    TellSymbols();
    Tell({{"guest", "end"}});
    EndMachine();
  }
  const auto await_beginning_of = [&](std::size_t number) {
    if (!virtual_time) return;
    AwaitBeginning(number < ids.size() ? PlannedDuration(FindTest(tests, ids[number]), facts)
                                       : Duration(0));
  };
  await_beginning_of(0);
  for (std::size_t i = 0; i < ids.size() && !taint.HasChanged(); ++i) {
    Mark();
    Tell({{"guest", "begins"}});
    const int status = worlds.at(i).RunTest(i);
    // What the kernel does soon afterwards belongs to this test, and if it crashes.
    await_beginning_of(i + 1);
    Tell({{"guest", "ended"},
          {"exit", WIFEXITED(status) ? WEXITSTATUS(status) : 0},
          {"signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0},
          {"warned", taint.HasChanged()}});
  }
  Mark();
  Tell({{"guest", "end"}});
  EndMachine();
}

}  // namespace

void RunAsGuest(bool virtual_time) {
  g_capabilities.emplace_back("own-machine");
  if (virtual_time) g_capabilities.emplace_back("virtual-time");
  if (ioperm(kConsolePort, 1, 1) != 0 || ioperm(kResetPort, 1, 1) != 0 ||
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
    RunTests(Json::parse(facts), virtual_time);
  } catch (const std::exception& error) {
    Tell({{"guest", "broken"}, {"why", error.what()}});
  }
  EndMachine();
}

}  // namespace sockproof
