#include "src/packetdrill/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/starved.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/wired_namespace.h"
#include "src/packetdrill/confinement.h"

namespace sockproof::packetdrill {
namespace {

constexpr Duration kLongestCommand = 60s;
constexpr std::size_t kMostOutput = 64 << 10;

std::string Contents(int fd) {
  std::string text(kMostOutput, '\0');
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

// The system's own before those of the user: a python3 that first looks for the right python3 takes ten
// times as long.
std::string FoldersOfPrograms() {
  const char* const users = getenv("PATH");
  return std::string("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") +
         (users != nullptr ? std::string(":") + users : "");
}

}  // namespace

Shell::Shell(EventLoop& loop, const NetworkNamespace& space, const std::string& folder, bool machine_is_own)
    : loop_(loop),
      space_(space),
      machine_is_own_(machine_is_own),
      why_not_confined_(machine_is_own ? "" : ConfineFiles(folder)) {
  if (machine_is_own) OwnFiles(folder);
}

Shell::Result Shell::Run(const std::string& command) {
  const auto run = [this](const std::vector<std::string>& words, bool with_output) {
    return Start(words, with_output);
  };
  {
    const InNamespace inside(space_);
    if (auto result = RunSimpleCommands(command, getpid(), machine_is_own_, run)) return *std::move(result);
  }
  constexpr std::size_t kLongestArgument = 64 << 10;
  if (command.size() <= kLongestArgument) return Start({"/bin/sh", "-c", command}, true);
  const UniqueFd script(memfd_create("script", MFD_CLOEXEC));
  std::size_t written = 0;
  while (script && written < command.size()) {
    const ssize_t count = write(script.get(), command.data() + written, command.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  if (written < command.size()) ThrowErrno("keep a command");
  return Start({"/bin/sh", "/proc/self/fd/3"}, true, script.get());
}

Shell::Result Shell::Start(const std::vector<std::string>& words, bool with_output, int script) {
  if (!why_not_confined_.empty()) {
    throw Skip("commands are not run where they cannot be kept from changing this machine: " + why_not_confined_);
  }
  setenv("PACKETDRILL_PID", std::to_string(getpid()).c_str(), 1);
  static const std::string folders = FoldersOfPrograms();
  setenv("PATH", folders.c_str(), 1);
  const std::string& name = words.front();
  constexpr int kNotThere = 127;
  if (name.find('/') == std::string::npos && FindProgram(name).empty()) {
    return {kNotThere, "sh: " + name + ": not found\n"};
  }
  const UniqueFd output(memfd_create("output", MFD_CLOEXEC));
  if (!output) ThrowErrno("memfd_create");
  const auto prepare = [this] {
    RunOnEveryProcessor();
    if (goes_ahead_) {
      sched_param parameters{};
      parameters.sched_priority = sched_get_priority_min(SCHED_RR);
      sched_setscheduler(0, SCHED_RR, &parameters);
    }
    if (setns(space_.fd(), CLONE_NEWNET) != 0) return errno;
    return machine_is_own_ ? 0 : GiveUpPrivileges();
  };
  std::vector<int> descriptors = {-1, output.get(), output.get()};
  if (script >= 0) descriptors.push_back(script);
  const pid_t child = StartProgram(words, descriptors, prepare);
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (!process) ThrowErrno("pidfd_open");
  bool ended = false;
  loop_.Watch(process.get(), [&] { ended = true; });
  loop_.RunUntil([&] { return ended; }, Clock::now() + kLongestCommand);
  loop_.Unwatch(process.get());
  if (!ended) {
    const std::string why = WhyStarved(getpgrp(), kLongestCommand / 10);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::string what = "the command " + Shortened(CleanLine(words.back()), 60) +
                             " has not ended within a minute";
    if (!why.empty()) throw Inconclusive(what + ": " + why);
    throw HarnessError(what);
  }
  int status = 0;
  rusage used{};
  while (wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  const auto time = [](const timeval& value) {
    return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status),
          with_output ? Contents(output.get()) : "", time(used.ru_utime) + time(used.ru_stime)};
}

std::string LackToldBy(const Shell::Result& result) {
  constexpr const char* kLacks[] = {
      "cannot stat /proc/sys/",   // sysctl(8): no such sysctl
      "/proc/sys/",               // and what is said of its file
      "unknown key",              // the same by others
      "kind is unknown",          // tc(8): no such qdisc
      "Operation not supported",  // and other parts of the kernel
      "Protocol not supported",
      "not found",  // the shell: no such program
      kWithoutEqual,
      "Read-only file system",  // what is the machine's (confinement.h)
  };
  constexpr int kNotExecutable = 126, kNotFound = 127;
  const bool no_program = result.status == kNotExecutable || result.status == kNotFound;
  // Of several commands the last one failed.
  std::string told;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    const bool lack = std::any_of(std::begin(kLacks), std::end(kLacks), [&](const char* words) {
      return line.find(words) != std::string::npos;
    });
    if (lack || (no_program && !line.empty())) told = CleanLine(line);
  }
  return told;
}

std::string LackDespiteSuccess(const Shell::Result& result, const std::string& script) {
  constexpr std::string_view kSysctls = "/proc/sys/";
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("kind is unknown") != std::string::npos) return CleanLine(line);
    const std::size_t begin = line.find(kSysctls);
    if (begin == std::string::npos || line.find("cannot stat") == std::string::npos) continue;
    const std::size_t end = line.find_first_of(": ", begin);
    const std::string path = line.substr(begin, end == std::string::npos ? end : end - begin);
    if (script.find(path.substr(path.rfind('/') + 1)) != std::string::npos) return CleanLine(line);
  }
  return "";
}

}  // namespace sockproof::packetdrill
