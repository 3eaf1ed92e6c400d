#include "src/vm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/program.h"
#include "harness/base/unique_fd.h"
#include "src/fetch/cache.h"
#include "src/report/text.h"
#include "src/vm/guest_interface.h"
#include "src/vm/initramfs.h"
#include "src/vm/luggage.h"
#include "src/vm/qemu.h"
#include "src/vm/snapshots.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr const char* kQemu = "qemu-system-x86_64";
constexpr int kMemory = 384;             // MiB; a world takes 3 to 4, its test up to 12
constexpr int kMemoryWithChecks = 1024;  // of a kernel that keeps notes on all its memory
constexpr auto kBootTime =
    std::chrono::minutes(15);  // such a one, on a machine with much else to do
constexpr std::size_t kSnapshotsKept = 8;
constexpr std::size_t kConsoleLines = 40;

// Numbers here change what a test sees: same numbers, same times.
std::vector<std::string> TimeArguments(MachineTime time) {
  switch (time) {
    case MachineTime::kVirtual:
      return {"-accel", "tcg", "-icount",
              LuggageOfRun().takes_no_time ? "shift=0,sleep=off" : "shift=2,sleep=off"};
    case MachineTime::kRealByKvm:
      return {"-accel", "kvm", "-cpu", "host"};
    case MachineTime::kRealByTcg:
      return {"-accel", "tcg"};
  }
  throw HarnessError("no such time");
}
const std::vector<std::string> kSameEachTime = {"-seed", "42", "-rtc",
                                                "base=2026-01-01T00:00:00,clock=vm"};

// ACPI stays on: without it the processor never sleeps deeply enough for time to jump. Each time an
// idle kernel wakes up costs as much as many hours of sleep: the timer of the local APIC makes it
// do so seven times a second, psi and the accounting of memory in groups every two seconds, the
// statistics of DAMON every five. Without oops=panic a kernel would go on after its defect; with
// panic=-1 a panic ends the machine. Code that runs once costs most, since it must be translated:
// hence no mitigations, and no security modules, which without a policy allow everything.
constexpr const char* kKernelCommandLine =
    "nokaslr cryptomgr.notests pci=off tsc=reliable nolapic_timer psi=0 cgroup_disable=memory "
    "damon_stat.enabled=0 init_on_alloc=0 random.trust_cpu=on mitigations=off lsm= audit=0 "
    "rootfstype=ramfs console=ttyS0 loglevel=5 oops=panic panic=-1 rdinit=/init";
constexpr const char* kGuest = " -- guest";      // arguments of the first process
constexpr const char* kRealTime = " real-time";  // the next argument of the guest

std::string KernelCommandLine(const MachineOptions& options) {
  std::string line = kKernelCommandLine;
  if (!options.append.empty()) line += " " + options.append;
  return line + kGuest + (options.time == MachineTime::kVirtual ? "" : kRealTime);
}

int MemoryFor(const Kernel& kernel, const MachineOptions& options) {
  if (options.memory != 0) return options.memory;
  for (const char* check : {"CONFIG_KASAN", "CONFIG_LOCKDEP", "CONFIG_KCSAN", "CONFIG_KMEMLEAK"}) {
    if (!kernel.config.empty() && !Lacks(kernel, check)) return kMemoryWithChecks;
  }
  return kMemory;
}

std::string Escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find(',', at)) != std::string::npos; at += 2) {
    text.insert(at, ",");
  }
  return text;
}

// `memory` is in MiB. `shared`: it is written to the file; else the file is only read.
std::vector<std::string> Arguments(const fs::path& qemu, MachineTime time, int memory,
                                   const fs::path& folder, bool shared, const std::string& tests) {
  std::vector<std::string> arguments = {
      qemu.string(),
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-object",
      fmt::format("memory-backend-file,id=ram,size={}M,share={},mem-path={}", memory,
                  shared ? "on" : "off", Escaped((folder / "ram").string())),
      "-machine",
      "pc,memory-backend=ram",
      "-m",
      fmt::format("{}M", memory),
      "-fw_cfg",
      fmt::format("name={},string={}", guest_interface::kTestsFile, Escaped(tests))};
  const std::vector<std::string> of_time = TimeArguments(time);
  arguments.insert(arguments.end(), of_time.begin(), of_time.end());
  arguments.insert(arguments.end(), kSameEachTime.begin(), kSameEachTime.end());
  return arguments;
}

// Memory is in a file of its own, not in the state.
void LeaveMemoryOut(Qemu& qemu) {
  qemu.Command("qmp_capabilities");
  qemu.Command("migrate-set-capabilities",
               {{"capabilities", {{{"capability", "x-ignore-shared"}, {"state", true}}}}});
}

UniqueFd Open(const fs::path& path, int flags) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!fd) ThrowErrno("cannot open " + path.string());
  return fd;
}

std::string LastLines(const std::string& text, std::size_t count) {
  std::size_t at = text.size();
  while (at > 0 && count > 0) {
    at = text.rfind('\n', at - 1);
    if (at == std::string::npos) return text;
    --count;
  }
  return text.substr(at == text.size() ? at : at + (at == 0 ? 0 : 1));
}

// Where a kernel begins to say something of a defect of its own: an oops, a warning, a report of
// KASAN, KCSAN, UBSAN, lockdep, RCU or kmemleak. npos: it does not.
std::size_t BeginOfReport(const std::string& console) {
  std::size_t begin = std::string::npos;
  for (const char* sign : {"Kernel panic", "BUG:", "Oops", "WARNING:", "general protection",
                           "UBSAN:", "INFO: possible", "INFO: suspicious", "INFO: trying to",
                           "INFO: inconsistent", "INFO: task ", "kmemleak:"}) {
    begin = std::min(begin, console.find(sign));
  }
  return begin;
}

// That, from its beginning; without any, the last lines.
std::string Complaint(const std::string& console) {
  std::size_t begin = BeginOfReport(console);
  if (begin == std::string::npos) return LastLines(console, kConsoleLines);
  begin = console.rfind('\n', begin) + 1;  // 0 when it is in the first line
  std::size_t end = begin;
  for (std::size_t line = 0; line < kConsoleLines && end != std::string::npos; ++line) {
    end = console.find('\n', end + 1);
  }
  return console.substr(begin, end - begin);
}

// ": BUG: KASAN: slab-use-after-free in tcp_urg", the first line of a report, without what is
// another in each build and each run; nothing when there is no report.
std::string TitleOf(const std::string& complaint) {
  const std::size_t begin = BeginOfReport(complaint);
  if (begin == std::string::npos) return "";
  static const std::regex offset(R"(\+0x[0-9a-f]+/0x[0-9a-f]+)");
  static const std::regex who("CPU: [0-9]+ PID: [0-9]+ ");
  std::string title =
      complaint.substr(begin, std::min(complaint.find('\n', begin) - begin, std::size_t{200}));
  title = std::regex_replace(std::regex_replace(title, offset, ""), who, "");
  return ": " + CleanLine(title);
}

std::string OnePerLine(const fs::path& console) {
  std::string text = fs::exists(console) ? LastLines(ReadFile(console), 12) : "";
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  return line;
}

Json Parse(const std::string& line) { return Json::parse(line, nullptr, false); }

// What makes one snapshot different from another.
std::string KeyOf(const Kernel& kernel, const MachineOptions& options, const fs::path& qemu) {
  std::string text = Fingerprint(kernel) + KernelCommandLine(options);
  const int memory = MemoryFor(kernel, options);
  for (const std::string& argument : Arguments(qemu, options.time, memory, "", true, ""))
    text += argument + "\n";
  std::vector<fs::path> files = FilesOf(options.program);
  files.push_back(options.agent);
  files.push_back(qemu);
  const Luggage& luggage = LuggageOfRun();
  files.insert(files.end(), luggage.programs.begin(), luggage.programs.end());
  for (const auto& [path, content] : luggage.files) text += path + " " + HashOf(content) + "\n";
  for (const fs::path& file : files) {
    text += fmt::format("{} {} {}\n", file.string(), fs::file_size(file),
                        fs::last_write_time(file).time_since_epoch().count());
  }
  return HashOf(text);
}

// What no test can do without, of the kernel's configuration as far as it is known.
std::string LackingOptions(const Kernel& kernel) {
  std::string text;
  for (const char* option :
       {"CONFIG_BLK_DEV_INITRD", "CONFIG_PROC_FS", "CONFIG_PROC_SYSCTL", "CONFIG_SYSFS",
        "CONFIG_X86_IOPL_IOPERM", "CONFIG_NET_NS", "CONFIG_PID_NS", "CONFIG_PACKET", "CONFIG_VETH",
        "CONFIG_IPV6", "CONFIG_ETHTOOL_NETLINK", "CONFIG_INET_DIAG", "CONFIG_INET_TCP_DIAG"}) {
    if (Lacks(kernel, option)) text += (text.empty() ? "" : ", ") + std::string(option);
  }
  return text;
}

void WaitForWord(Qemu& qemu, Steady::time_point deadline) {
  while (!qemu.Speaks(std::chrono::seconds(2))) {
    if (qemu.HaltedForGood()) throw HarnessError("the machine has halted");
    if (Steady::now() > deadline) throw HarnessError("it takes too long");
  }
}

// Boots the kernel and stops it when it is ready. Returns its facts.
Json Boot(const Kernel& kernel, const MachineOptions& options, const fs::path& qemu_program,
          const fs::path& folder) {
  const fs::path initramfs = folder / "initramfs";
  {
    std::ofstream file(initramfs, std::ios::binary);
    file << MakeInitramfs(kernel, options.program, options.agent);
    if (!file.flush()) throw HarnessError("cannot write " + initramfs.string());
  }
  const fs::path console = folder / "console.txt";
  const UniqueFd console_fd = Open(console, O_WRONLY | O_CREAT | O_APPEND);
  std::vector<std::string> arguments =
      Arguments(qemu_program, options.time, MemoryFor(kernel, options), folder, true,
                guest_interface::kNoTests);
  for (const std::string& argument :
       {std::string("-kernel"), Escaped(kernel.image.string()), std::string("-initrd"),
        Escaped(initramfs.string()), std::string("-append"), KernelCommandLine(options)}) {
    arguments.push_back(argument);
  }
  const auto does_not_boot = [&](const std::string& why) {
    const std::string lacking = LackingOptions(kernel);
    return HarnessError(
        fmt::format("{} does not come up: {}{}{}; its console ended with: {}", kernel.name, why,
                    lacking.empty() ? "" : "; it lacks " + lacking,
                    kernel.modules.empty() ? "; no modules of it are known: name their folder with "
                                             "vm:KERNEL,modules=DIR"
                                           : "",
                    CleanLine(OnePerLine(console))));
  };
  try {
    Qemu qemu(arguments, console_fd.get(), -1);
    LeaveMemoryOut(qemu);
    const auto deadline = Steady::now() + kBootTime;
    while (true) {
      WaitForWord(qemu, deadline);
      const std::optional<std::string> line = qemu.ReadLine();
      if (!line) throw HarnessError("the machine ended");
      const Json message = Parse(*line);
      if (!message.is_object()) continue;  // firmware speaks there too
      if (message.value("guest", "") == "broken") throw HarnessError(message.value("why", ""));
      if (message.value("guest", "") != "ready") continue;
      qemu.Command("stop");
      qemu.Command("migrate", {{"uri", "exec:cat > " + ShellQuoted((folder / "state").string())}});
      while (true) {
        const std::string status = qemu.Command("query-migrate").value("status", "");
        if (status == "completed") break;
        if (status == "failed" || Steady::now() > deadline) {
          throw HarnessError("its state cannot be saved");
        }
        usleep(2000);
      }
      fs::remove(initramfs);
      return message["facts"];
    }
  } catch (const HarnessError& error) {
    throw does_not_boot(error.what());
  }
}

// The facts of a snapshot that is whole; none when it is not.
std::optional<Json> WholeSnapshot(const fs::path& folder) {
  std::ifstream file(folder / "snapshot.json");
  if (!file) return std::nullopt;
  const Json about = Json::parse(file, nullptr, false);
  if (!about.is_object()) return std::nullopt;
  try {
    if (HashOfFile(folder / "ram") != about.value("ram", "") ||
        HashOfFile(folder / "state") != about.value("state", "")) {
      return std::nullopt;
    }
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return about.value("facts", Json::object());
}

// A new folder that is removed when this process ends, however it ends, unless it was kept: another
// process waits for that.
class Unfinished {
 public:
  explicit Unfinished(fs::path folder) : folder_(std::move(folder)) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe");
    const UniqueFd waiting(ends[0]);
    open_.Reset(ends[1]);
    remover_ = fork();
    if (remover_ < 0) ThrowErrno("fork");
    if (remover_ != 0) return;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
    open_.Reset();
    char kept = 0;
    ssize_t count = 0;
    while ((count = read(waiting.get(), &kept, 1)) < 0 && errno == EINTR) continue;
    std::error_code ignored;
    if (count == 0) fs::remove_all(folder_, ignored);
    _exit(0);
  }
  ~Unfinished() {
    open_.Reset();
    waitpid(remover_, nullptr, 0);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const fs::path& folder() const { return folder_; }
  void MoveTo(const fs::path& place) {
    fs::remove_all(place);
    if (write(open_.get(), "k", 1) != 1) ThrowErrno("write");
    fs::rename(folder_, place);
  }

 private:
  fs::path folder_;
  UniqueFd open_;
  pid_t remover_ = -1;
};

Json MakeSnapshot(const Kernel& kernel, const MachineOptions& options, const fs::path& qemu,
                  const fs::path& folder) {
  Unfinished fresh(folder.string() + ".new");
  options.say("booting Linux " + kernel.release);
  Json facts = Boot(kernel, options, qemu, fresh.folder());
  facts["system"] = "vm";
  std::ofstream file(fresh.folder() / "snapshot.json");
  file << Json{{"kernel", kernel.name},
               {"release", kernel.release},
               {"ram", HashOfFile(fresh.folder() / "ram")},
               {"state", HashOfFile(fresh.folder() / "state")},
               {"facts", facts}}
              .dump(1)
       << '\n';
  if (!file.flush()) throw HarnessError("cannot write to " + fresh.folder().string());
  fresh.MoveTo(folder);
  return facts;
}

// What came after `from` on standard error, which QEMU's console shares.
std::string ConsoleSince(off_t from) {
  const UniqueFd fd(open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC));
  std::string text;
  char chunk[65536];
  if (!fd || lseek(fd.get(), from, SEEK_SET) < 0) return text;
  for (ssize_t count; (count = read(fd.get(), chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(count));
  }
  text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
  return text;
}

off_t EndOfConsole() {
  const UniqueFd fd(open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC));
  const off_t end = fd ? lseek(fd.get(), 0, SEEK_END) : 0;
  return end < 0 ? 0 : end;
}

[[noreturn]] void EndAlike(int signal_number) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(signal_number, SIG_DFL);
  kill(getpid(), signal_number);
  _exit(128 + signal_number);
}

void EndAs(Verdict verdict, const std::string& reason, EventLog& log, Time now) {
  log.Add(Event{now, VerdictEvent{verdict, reason, Duration(0)}});
}

// Of each test that came to its end, or to the next mark.
void TellReached(const std::vector<const TestCase*>& tests, int written) {
  std::string text(static_cast<std::size_t>(std::max<off_t>(lseek(written, 0, SEEK_END), 0)), '\0');
  const ssize_t size = pread(written, text.data(), text.size(), 0);
  if (size != static_cast<ssize_t>(text.size())) ThrowErrno("read what QEMU's plugin wrote");
  const std::vector<std::vector<CodeBlock>> stretches = ParseReached(text);
  for (std::size_t i = 0; i < tests.size() && i + 1 < stretches.size(); ++i) {
    ReachOfRun().take(*tests[i], stretches[i + 1]);
  }
}

}  // namespace

Machine Machine::Prepare(const Kernel& kernel, const MachineOptions& options) {
  Machine machine;
  machine.time_ = options.time;
  machine.memory_ = MemoryFor(kernel, options);
  machine.qemu_ = FindProgram(kQemu);
  if (machine.qemu_.empty()) {
    throw HarnessError(std::string(kQemu) +
                       " is not installed, without which no kernel can be booted; as root: "
                       "apt-get install --no-install-recommends qemu-system-x86");
  }
  const std::string key = KeyOf(kernel, options, machine.qemu_);
  machine.folder_ = CacheFolder("snapshots") / key;
  const FileLock lock(machine.folder_.string() + ".lock");
  std::optional<Json> facts;
  if (options.use_cache) facts = WholeSnapshot(machine.folder_);
  if (!facts) facts = MakeSnapshot(kernel, options, machine.qemu_, machine.folder_);
  fs::last_write_time(machine.folder_ / "snapshot.json", fs::file_time_type::clock::now());
  machine.facts_ = facts->get<Facts>();
  RemoveOldSnapshots(kSnapshotsKept);
  return machine;
}

void Machine::RunTest(const TestCase& test, const Alterations& alterations, EventLog& log) const {
  int signal_number = 0;
  class Alone final : public Company {
   public:
    explicit Alone(EventLog& log) : log_(log) {}
    EventLog& Begins() override { return log_; }
    void Ended(bool) override {}

   private:
    EventLog& log_;
  } alone(log);
  Run({&test}, alterations, alone, signal_number);
  if (signal_number != 0) EndAlike(signal_number);
}

void Machine::RunTests(const std::vector<const TestCase*>& tests, Company& company) const {
  int ignored = 0;
  Run(tests, {}, company, ignored);
}

int Machine::MostTests() const {
  return time_ == MachineTime::kVirtual ? guest_interface::kWorlds : 1;
}

std::vector<std::string> Machine::ArgumentsToGoOn(const std::string& tests) const {
  std::vector<std::string> arguments = Arguments(qemu_, time_, memory_, folder_, false, tests);
  // What the kernel was booted with is in memory by now, except for the place of its loader.
  for (const char* argument : {"-option-rom", "linuxboot_dma.bin", "-incoming", "defer"}) {
    arguments.emplace_back(argument);
  }
  return arguments;
}

void Machine::GoOn(Qemu& qemu) const {
  LeaveMemoryOut(qemu);
  qemu.Command("migrate-incoming", {{"uri", "fd:3"}});
  while (qemu.Command("query-status").value("status", "") == "inmigrate") usleep(1000);
  qemu.Command("cont");
}

std::map<std::uint64_t, std::string> Machine::Symbols() const {
  const UniqueFd state = Open(folder_ / "state", O_RDONLY);
  std::map<std::uint64_t, std::string> symbols;
  Qemu qemu(ArgumentsToGoOn(guest_interface::kSymbols), STDERR_FILENO, state.get());
  GoOn(qemu);
  while (const std::optional<std::string> line = qemu.ReadLine()) {
    const Json message = Parse(*line);
    if (!message.is_object() || message.value("guest", "") != "symbols") continue;
    std::istringstream list(message.value("list", ""));
    std::uint64_t address = 0;
    for (std::string name; list >> std::hex >> address >> name;) {
      if (address != 0) symbols.emplace(address, name);
    }
  }
  qemu.WaitForEnd();
  if (symbols.empty()) throw HarnessError("the kernel names no symbols: it lacks CONFIG_KALLSYMS");
  return symbols;
}

void Machine::Run(const std::vector<const TestCase*>& tests, const Alterations& alterations,
                  Company& company, int& signal_number) const {
  const UniqueFd state = Open(folder_ / "state", O_RDONLY);
  std::string ids;
  for (const TestCase* test : tests) ids += test->id() + "\n";
  std::vector<std::string> arguments = ArgumentsToGoOn(ids);
  if (!alterations.empty()) {
    std::string names;
    for (const Alteration* alteration : alterations) names += alteration->id + "\n";
    arguments.insert(arguments.end(),
                     {"-fw_cfg", fmt::format("name={},string={}", guest_interface::kAlterationsFile,
                                             Escaped(names))});
  }
  UniqueFd reached;
  if (!ReachOfRun().plugin.empty()) {
    reached.Reset(memfd_create("reached", MFD_CLOEXEC));
    if (!reached) ThrowErrno("memfd_create");
    arguments.emplace_back("-plugin");
    arguments.push_back("file=" + Escaped(ReachOfRun().plugin.string()) + ",out=/dev/fd/4");
  }
  off_t console_begin = EndOfConsole();
  EventLog* log = nullptr;  // of the test that runs
  Time last;
  std::size_t begun = 0;
  const auto begin = [&] {
    console_begin = EndOfConsole();
    last = Time();
    log = &company.Begins();
    ++begun;
  };
  const auto end = [&](bool clean) {
    log = nullptr;
    company.Ended(clean);
  };
  const auto complain = [&](const std::string& what, const std::string& console) {
    const TestCase& test = *tests[begun - 1];
    log->Add(Event{last, FailureEvent{test.file, test.line,
                                      fmt::format("  Expected: the kernel runs\n  Observed: {}\n{}",
                                                  what, console)}});
    EndAs(Verdict::kFail, what + TitleOf(console), *log, last);
  };
  bool ended = false;
  bool in_doubt = false;
  int status = 0;
  try {
    Qemu qemu(arguments, STDERR_FILENO, state.get(), reached.get());
    GoOn(qemu);
    while (const std::optional<std::string> line = qemu.ReadLine()) {
      const Json message = Parse(*line);
      if (!message.is_object()) continue;
      if (!message.contains("guest")) {
        if (log == nullptr) continue;
        Event event = message.get<Event>();
        last = event.time;
        // Nothing outside makes a guest late by its own clock.
        auto* const verdict = std::get_if<VerdictEvent>(&event.what);
        if (verdict != nullptr && time_ == MachineTime::kVirtual) {
          verdict->worst_lateness = Duration(0);
        }
        log->Add(std::move(event));
        continue;
      }
      const auto what = message.value("guest", "");
      if (what == "begins" && begun < tests.size()) begin();
      if (what == "broken") throw HarnessError(message.value("why", ""));
      if (what == "end") ended = true;
      if (log == nullptr) continue;
      if (what == "hung") {
        EndAs(Verdict::kError, "hung: not ended within its time in the guest", *log, last);
      }
      if (what == "ended") {
        signal_number = message.value("signal", 0);
        const std::string console = ConsoleSince(console_begin);
        const bool reports =
            message.value("warned", false) || BeginOfReport(console) != std::string::npos;
        if (reports && !in_doubt) complain("the kernel warns of a defect", Complaint(console));
        // The guest is further by now: the next test may have made the report.
        in_doubt = in_doubt || reports;
        end(!in_doubt && signal_number == 0 && message.value("exit", 0) == 0);
      }
    }
    status = qemu.WaitForEnd();
    if (reached) TellReached(tests, reached.get());
  } catch (const HarnessError& error) {
    if (log == nullptr) begin();
    EndAs(Verdict::kError, fmt::format("{}: {}", error.what(), ConsoleSince(console_begin)), *log,
          last);
    end(false);
    return;
  }
  if (ended || (log == nullptr && begun > 0)) return;
  if (log == nullptr) begin();
  const std::string console = Complaint(ConsoleSince(console_begin));
  if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0) {
    EndAs(Verdict::kError, "QEMU failed: " + console, *log, last);
  } else {
    complain("the kernel crashed", console);
  }
  end(false);
}

}  // namespace sockproof
