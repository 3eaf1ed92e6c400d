#include "harness/sut/container/private_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

const fs::path kHere = "/run/sockproof";
constexpr const char* kSysctls = "/run/sockproof/sysctls";

void Mount(const std::string& what, const fs::path& where, const char* type, unsigned long flags,
           const std::string& options = "") {
  if (mount(what.c_str(), where.c_str(), type, flags, options.c_str()) != 0) {
    const int error = errno;
    ThrowErrno(fmt::format("cannot mount {} on {}", type == nullptr ? what : type, where.string()),
               error);
  }
}

void Touch(const fs::path& path) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) ThrowErrno("cannot make " + path.string());
}

// Keeps what is at a path within reach after something else was mounted over it.
class Held {
 public:
  Held(const fs::path& path, int flags)
      : name_(path), fd_(open(path.c_str(), O_PATH | O_CLOEXEC | flags)) {
    if (!fd_) ThrowErrno("cannot open " + path.string());
  }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_.get()); }
  void BindTo(const fs::path& where) const {
    if (mount(path().c_str(), where.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      ThrowErrno("cannot bind " + name_.string());
    }
  }

 private:
  fs::path name_;
  UniqueFd fd_;
};

// All but net.
void MakeSysctlsWithoutNetwork() {
  for (const char* name : {"net", "vm", "kernel", "fs"}) {
    fs::create_directories(fs::path(kSysctls) / name);
    if (std::string(name) == "net") continue;
    Mount(fs::path("/proc/sys") / name, fs::path(kSysctls) / name, nullptr, MS_BIND);
  }
}

}  // namespace

PrivateMounts::PrivateMounts(const BroughtAlong& brought) {
  if (unshare(CLONE_NEWNS | CLONE_NEWCGROUP) != 0) ThrowErrno("cannot make a mount namespace");
  Mount("none", "/", nullptr, MS_REC | MS_PRIVATE);
  if (access(brought.root.c_str(), R_OK | X_OK) != 0) {
    ThrowErrno("cannot read " + brought.root.string());
  }
  const Held root(brought.root, O_DIRECTORY);
  const Held agent(brought.agent, 0);
  const Held runtime(brought.runtime, 0);
  Mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  Mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
  Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);

  fs::create_directories(kHere / "lower");
  root.BindTo(kHere / "lower");
  Touch(this->agent());
  agent.BindTo(this->agent());
  Touch(this->runtime());
  runtime.BindTo(this->runtime());
  MakeSysctlsWithoutNetwork();
}

fs::path PrivateMounts::agent() const { return kHere / "agent"; }
fs::path PrivateMounts::runtime() const { return kHere / "runtime"; }

fs::path PrivateMounts::MakeContainerFolder(const std::string& name,
                                            const NetworkNamespace& network) const {
  const fs::path folder = kHere / "containers" / name;
  for (const char* part : {"root", "changes", "work", "state"}) {
    fs::create_directories(folder / part);
  }
  Mount("overlay", folder / "root", "overlay", 0,
        fmt::format("lowerdir={},upperdir={},workdir={}", (kHere / "lower").string(),
                    (folder / "changes").string(), (folder / "work").string()));
  Touch(folder / "network");
  Mount(fmt::format("/proc/self/fd/{}", network.fd()), folder / "network", nullptr, MS_BIND);
  return folder;
}

int PrivateMounts::HideNetworkSysctls() {
  if (unshare(CLONE_NEWNS) != 0) return errno;
  return mount(kSysctls, "/proc/sys", nullptr, MS_BIND | MS_REC, nullptr) == 0 ? 0 : errno;
}

}  // namespace sockproof
