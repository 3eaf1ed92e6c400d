#include "src/packetdrill/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof::packetdrill {
namespace {

constexpr unsigned long kForData = MS_NOSUID | MS_NODEV;

class CannotConfine {
 public:
  explicit CannotConfine(const std::string& what) : why_(what + ": " + strerror(errno)) {}
  const std::string& why() const { return why_; }

 private:
  std::string why_;
};

void Mount(const char* source, const std::string& target, const char* type, unsigned long flags,
           const char* data = nullptr) {
  if (mount(source, target.c_str(), type, flags, data) != 0) throw CannotConfine("mount " + target);
}

struct MountChange {  // struct mount_attr of Linux 5.12
  std::uint64_t set = 0, clear = 0, propagation = 0, user_namespace = 0;
};
constexpr std::uint64_t kReadOnly = 1;

void ChangeMounts(const char* path, unsigned flags, const MountChange& change) {
  constexpr long kMountSetattr = 442;
  if (syscall(kMountSetattr, AT_FDCWD, path, flags, &change, sizeof change) != 0) {
    throw CannotConfine(std::string("mount_setattr ") + path);
  }
}

// A file or folder that is still to be seen where something is mounted on top of it.
class Kept {
 public:
  explicit Kept(std::string path)
      : path_(std::move(path)), fd_(open(path_.c_str(), O_PATH | O_CLOEXEC)) {}

  void PutBack() const {
    if (!fd_) return;
    struct stat status {};
    if (fstat(fd_.get(), &status) != 0) throw CannotConfine(path_);
    if (S_ISDIR(status.st_mode)) {
      MakeFolder(path_);
    } else {
      MakeFolder(path_.substr(0, path_.rfind('/')));
      const UniqueFd file(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      if (!file) throw CannotConfine(path_);
    }
    Mount(("/proc/self/fd/" + std::to_string(fd_.get())).c_str(), path_, nullptr, MS_BIND);
  }

 private:
  static void MakeFolder(const std::string& path) {
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) throw CannotConfine("mkdir " + path);
  }

  std::string path_;
  UniqueFd fd_;
};

// The folder in `top` that `path` is in or is; empty: none.
std::string FolderWithin(const std::string& path, const std::string& top) {
  if (!path.starts_with(top + "/")) return "";
  return path.substr(0, path.find('/', top.size() + 1));
}

void LeaveMounts(int others) {
  if (unshare(CLONE_NEWNS | others) != 0) throw CannotConfine("unshare");
  Mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE);
}

// In one that all share, the kernel finds a sysctl among those of all namespaces that ever were: 2 ms
// for each, and the initial commands of scripts set thirty. Where there may be none it stays the old one.
void MountProc() { mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr); }

void MountTmp() { Mount("tmp", "/tmp", "tmpfs", kForData, "mode=1777,size=64m"); }

void Own(const std::string& folder) {
  LeaveMounts(0);
  const std::string within = FolderWithin(folder, "/tmp");
  MountProc();
  const std::optional<Kept> kept = within.empty() ? std::nullopt : std::optional<Kept>(within);
  MountTmp();
  if (kept) kept->PutBack();
}

void Confine(const std::string& folder) {
  LeaveMounts(CLONE_NEWUTS | CLONE_NEWIPC);
  std::vector<Kept> kept;
  for (const char* device : {"null", "zero", "full", "random", "urandom", "tty", "net/tun"}) {
    kept.emplace_back(std::string("/dev/") + device);
  }
  for (const char* top : {"/tmp", "/run", "/dev"}) {
    const std::string within = FolderWithin(folder, top);
    if (!within.empty()) kept.emplace_back(within);
  }
  MountProc();
  ChangeMounts("/", AT_RECURSIVE, {.set = kReadOnly});
  constexpr const char* kSysctls = "/proc/sys/net";
  Mount(kSysctls, kSysctls, nullptr, MS_BIND);
  ChangeMounts(kSysctls, 0, {.clear = kReadOnly});
  MountTmp();
  if (access("/run", F_OK) == 0) Mount("run", "/run", "tmpfs", kForData, "mode=755,size=1m");
  Mount("dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
  for (const Kept& one : kept) one.PutBack();
  constexpr std::pair<const char*, const char*> kLinks[] = {{"/proc/self/fd", "/dev/fd"},
                                                            {"/proc/self/fd/0", "/dev/stdin"},
                                                            {"/proc/self/fd/1", "/dev/stdout"},
                                                            {"/proc/self/fd/2", "/dev/stderr"}};
  for (const auto& [target, link] : kLinks) {
    if (symlink(target, link) != 0) throw CannotConfine(link);
  }
}

std::string WhyNot(void (*what)(const std::string&), const std::string& folder) {
  std::string why;
  try {
    what(folder);
  } catch (const CannotConfine& problem) {
    why = problem.why();
  }
  if (chdir(folder.c_str()) != 0) ThrowErrno("chdir " + folder);
  return why;
}

}  // namespace

std::string ConfineFiles(const std::string& folder) { return WhyNot(Confine, folder); }

void OwnFiles(const std::string& folder) { WhyNot(Own, folder); }

int GiveUpPrivileges() {
  constexpr int kKept[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,
                           CAP_FSETID, CAP_KILL,         CAP_SETGID,
                           CAP_SETUID, CAP_NET_ADMIN,    CAP_NET_BIND_SERVICE,
                           CAP_NET_RAW, CAP_NET_BROADCAST, CAP_IPC_OWNER};
  std::uint64_t kept = 0;
  for (const int capability : kKept) kept |= std::uint64_t{1} << capability;
  for (int capability = 0; capability < 64; ++capability) {
    if ((kept >> capability & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      if (errno == EINVAL) break;  // this kernel knows no more
      return errno;
    }
  }
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &head, sets.data()) != 0) return errno;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto part = static_cast<std::uint32_t>(kept >> (32 * i));
    sets[i].permitted &= part;
    sets[i].effective &= part;
    sets[i].inheritable = 0;  // a program of root would get these beyond the bounding set
  }
  return syscall(SYS_capset, &head, sets.data()) != 0 ? errno : 0;
}

}  // namespace sockproof::packetdrill
