#include "src/packetdrill/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/wired_namespace.h"

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

void UsePrivateFolders(const std::string& folder) {
  if (chdir(folder.c_str()) != 0) ThrowErrno("chdir " + folder);
  if (unshare(CLONE_NEWNS) != 0) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  // In one that all share, the kernel finds a sysctl among those of all namespaces that ever were: 2 ms
  // for each, and the initial commands of scripts set thirty.
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  // Of a script below /tmp the first folder there stays to be seen.
  std::string kept;
  UniqueFd old;
  if (folder.starts_with("/tmp/")) {
    kept = folder.substr(0, folder.find('/', sizeof("/tmp/") - 1));
    old = UniqueFd(open(kept.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m") != 0 || !old) return;
  const std::string source = "/proc/self/fd/" + std::to_string(old.get());
  if (mkdir(kept.c_str(), 0755) != 0 ||
      mount(source.c_str(), kept.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      chdir(folder.c_str()) != 0) {
    ThrowErrno("keep " + kept);
  }
}

Shell::Result Shell::Run(const std::string& command) {
  const auto run = [this](const std::vector<std::string>& words, bool with_output) {
    return Start(words, with_output);
  };
  {
    const InNamespace inside(space_);
    if (auto result = RunSimpleCommands(command, getpid(), run)) return *std::move(result);
  }
  return Start({"/bin/sh", "-c", command}, true);
}

Shell::Result Shell::Start(const std::vector<std::string>& words, bool with_output) {
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
  const pid_t child = StartProgram(words, {-1, output.get(), output.get()}, [this] {
    RunOnEveryProcessor();
    return setns(space_.fd(), CLONE_NEWNET) == 0 ? 0 : errno;
  });
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (!process) ThrowErrno("pidfd_open");
  bool ended = false;
  loop_.Watch(process.get(), [&] { ended = true; });
  loop_.RunUntil([&] { return ended; }, Clock::now() + kLongestCommand);
  loop_.Unwatch(process.get());
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    throw HarnessError("the command " + Shortened(CleanLine(words.back()), 60) +
                       " has not ended within a minute");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status),
          with_output ? Contents(output.get()) : ""};
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
  };
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    const bool lack = std::any_of(std::begin(kLacks), std::end(kLacks), [&](const char* words) {
      return line.find(words) != std::string::npos;
    });
    if (lack) return CleanLine(line);
  }
  constexpr int kNotExecutable = 126, kNotFound = 127;
  if (result.status == kNotExecutable || result.status == kNotFound) {
    return CleanLine(result.output);
  }
  return "";
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
