#include "harness/net/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

void WriteFile(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) ThrowErrno("open " + path);
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    ThrowErrno("write '" + text + "' to " + path);
  }
}

// HarnessError for a namespace that was not to be had. ENOSPC means one of the limits.
[[noreturn]] void ThrowWhyNoNamespace(const std::string& what) {
  const int error = errno;
  const std::string limit = error == ENOSPC ? NamespaceLimit() : "";
  if (!limit.empty()) throw HarnessError("cannot make private namespaces: " + limit);
  ThrowErrno(what, error);
}

void UnshareOrExplain() {
  if (unshare(CLONE_NEWPID) == 0) return;
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
    ThrowWhyNoNamespace(
        "cannot make private namespaces; run as root, or allow user namespaces "
        "(`sockproof doctor` says how)");
  }
  WriteFile("/proc/self/setgroups", "deny");
  WriteFile("/proc/self/uid_map", fmt::format("0 {} 1", uid));
  WriteFile("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

// Changing credentials (a user namespace does) clears this signal: set it after that.
void DieWithParent() {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ThrowErrno("prctl(PR_SET_PDEATHSIG)");
}

// Container engines mount /proc/sys read-only. Who may mount can undo that, in a mount namespace of
// its own; for others, and in a user namespace, it stays so, and the first write says why.
void MakeSysctlsWritable() {
  constexpr const char* kSysctls = "/proc/sys";
  struct statvfs there {};
  if (statvfs(kSysctls, &there) != 0 || (there.f_flag & ST_RDONLY) == 0) return;
  if (unshare(CLONE_NEWNS) != 0) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  mount(nullptr, kSysctls, nullptr, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC,
        nullptr);
}

constexpr int kDiedBySignal = 128;

[[noreturn]] void WaitAndEndAs(pid_t inner) {
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  int status = 0;
  while (waitpid(inner, &status, 0) < 0 && errno == EINTR) {
  }
  int fatal_signal = 0;
  if (WIFSIGNALED(status)) fatal_signal = WTERMSIG(status);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kDiedBySignal + SIGABRT) fatal_signal = SIGABRT;
  if (fatal_signal != 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(fatal_signal, SIG_DFL);
    kill(getpid(), fatal_signal);
  }
  _exit(WEXITSTATUS(status));
}

}  // namespace

std::string NamespaceLimit() {
  constexpr int kNeeded = 4;  // for the stacks and the wires of one test
  for (const char* kind : {"user", "pid", "net", "mnt"}) {
    const std::string name = fmt::format("max_{}_namespaces", kind);
    std::ifstream file("/proc/sys/user/" + name);
    int most = 0;
    if (file >> most && most < kNeeded) return fmt::format("user.{} is {}", name, most);
  }
  return "";
}

void EnterPrivateNamespaces() {
  const pid_t starter = getppid();
  UnshareOrExplain();
  DieWithParent();
  if (getppid() != starter) _exit(1);

  // Only the outer process keeps the write end: a hang-up tells the inner one that the outer died
  // before the parent-death signal was armed.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
  UniqueFd outer_alive(ends[0]);
  UniqueFd outer_end(ends[1]);

  const pid_t inner = fork();
  if (inner < 0) ThrowErrno("fork into a new PID namespace");
  if (inner > 0) {
    outer_alive.Reset();
    WaitAndEndAs(inner);
  }
  outer_end.Reset();
  DieWithParent();
  pollfd hang_up{outer_alive.get(), POLLIN, 0};
  if (poll(&hang_up, 1, 0) != 0) _exit(1);

  // The kernel lets faults end process 1 of a PID namespace, but no signal that it sends itself
  // unless there is a handler: without one, abort() would look like a fault.
  signal(SIGABRT, [](int) { _exit(kDiedBySignal + SIGABRT); });
  if (unshare(CLONE_NEWNET) != 0) ThrowWhyNoNamespace("cannot make a network namespace");
  MakeSysctlsWritable();
}

NetworkNamespace NetworkNamespace::Current() {
  UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) ThrowErrno("open /proc/thread-self/ns/net");
  return NetworkNamespace(std::move(fd));
}

NetworkNamespace NetworkNamespace::OfProcess(int pid) {
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));  // setns() takes it, too
  if (!process) ThrowErrno("pidfd_open");
  return NetworkNamespace(std::move(process));
}

NetworkNamespace NetworkNamespace::Create() {
  const NetworkNamespace home = Current();
  if (unshare(CLONE_NEWNET) != 0) ThrowWhyNoNamespace("unshare(CLONE_NEWNET)");
  NetworkNamespace created = Current();
  if (setns(home.fd(), CLONE_NEWNET) != 0) ThrowErrno("setns back");
  return created;
}

InNamespace::InNamespace(const NetworkNamespace& target) : home_(NetworkNamespace::Current()) {
  if (setns(target.fd(), CLONE_NEWNET) != 0) ThrowErrno("setns");
}

InNamespace::~InNamespace() {
  // Going on in the wrong namespace would falsify everything after.
  if (setns(home_.fd(), CLONE_NEWNET) != 0) abort();
}

void WriteSysctl(const std::string& name, const std::string& value) {
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  WriteFile("/proc/sys/" + path, value);
}

}  // namespace sockproof
