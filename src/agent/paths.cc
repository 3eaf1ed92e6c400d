#include "src/agent/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "harness/agent_protocol/names.h"
#include "harness/base/unique_fd.h"

namespace sockproof::agent {
namespace {

constexpr int kFirstOutOfTheWay = 700;  // of the descriptors that tests see

// A message with one descriptor.
struct OneDescriptor {
  char octet = 'x';
  iovec part{&octet, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};

  OneDescriptor() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
};

bool SendDescriptor(int socket, int fd) {
  OneDescriptor one;
  const cmsghdr head{
      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(one.control.data(), &head, sizeof head);
  memcpy(one.control.data() + CMSG_LEN(0), &fd, sizeof fd);
  return sendmsg(socket, &one.message, 0) == 1;
}

int ReceiveDescriptor(int socket) {
  OneDescriptor one;
  int fd = -1;
  if (recvmsg(socket, &one.message, MSG_CMSG_CLOEXEC) != 1 ||
      one.message.msg_controllen < CMSG_LEN(sizeof(int))) {
    return -1;
  }
  memcpy(&fd, one.control.data() + CMSG_LEN(0), sizeof fd);
  return fd;
}

// A file system in memory that is mounted nowhere: it ends with its descriptor. In a process of its
// own, since only one thread of this one could leave the mounts of the others. Between vfork()
// and its end that makes system calls alone.
[[noreturn]] void SendMountOfItsOwn(int socket, bool read_only) {
  if (unshare(CLONE_NEWNS) != 0) _exit(1);
  const auto context = static_cast<int>(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
  if (context < 0) _exit(2);
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) _exit(3);
  const auto mount = static_cast<int>(
      syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, read_only ? MOUNT_ATTR_RDONLY : 0));
  _exit(mount >= 0 && SendDescriptor(socket, mount) ? 0 : 4);
}

// -1, with errno, where the system has none.
int MakeMount(bool read_only) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return -1;
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t child = vfork();
  if (child < 0) return -1;
  if (child == 0) SendMountOfItsOwn(theirs.get(), read_only);
  theirs.Reset();
  const UniqueFd mount(ReceiveDescriptor(ours.get()));
  waitpid(child, nullptr, 0);
  if (!mount) {
    errno = ENOSYS;
    return -1;
  }
  return fcntl(mount.get(), F_DUPFD_CLOEXEC, kFirstOutOfTheWay);
}

// The one of this agent, made when it is first asked for.
int Mount() {
  static const int mount = MakeMount(false);
  if (mount < 0) errno = ENOSYS;
  return mount;
}

// Another, which nobody can write to.
int ReadOnlyMount() {
  static const int mount = MakeMount(true);
  if (mount < 0) errno = ENOSYS;
  return mount;
}

std::string PathOf(Parameters& parameters, const char* name) {
  std::string path = parameters.Text(name);
  if (path.find('\0') != std::string::npos) parameters.Refuse(name, "text without a character 0");
  return path;
}

int ModeOf(Parameters& parameters) {
  return parameters.Has("mode") ? parameters.Integer("mode", 0, 07777) : 0600;
}

const char* TypeOf(mode_t mode) {
  if (S_ISSOCK(mode)) return "socket";
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISFIFO(mode)) return "pipe";
  if (S_ISLNK(mode)) return "link";
  return "other";
}

}  // namespace

bool HasPrivateDirectory() { return Mount() >= 0; }

json MakeDirectory(Parameters& parameters, Call& call) {
  const bool read_only = parameters.Truth("read_only");
  int mount = -1;
  call.Run([&] { return mount = read_only ? ReadOnlyMount() : Mount(); });
  return "/proc/self/fd/" + std::to_string(mount);
}

json OpenFile(Parameters& parameters, Call& call) {
  const std::string path = PathOf(parameters, "path");
  const int flags = parameters.Flags("flags", agent_protocol::OpenFlags());
  const int mode = ModeOf(parameters);
  return call.Run([&] { return open(path.c_str(), flags, mode); });
}

json Unlink(Parameters& parameters, Call& call) {
  const std::string path = PathOf(parameters, "path");
  return call.Run([&] { return unlink(path.c_str()); });
}

json LinkTo(Parameters& parameters, Call& call) {
  const std::string target = PathOf(parameters, "target");
  const std::string path = PathOf(parameters, "path");
  return call.Run([&] { return symlink(target.c_str(), path.c_str()); });
}

json ChangeMode(Parameters& parameters, Call& call) {
  const std::string path = PathOf(parameters, "path");
  const int mode = parameters.Integer("mode", 0, 07777);
  return call.Run([&] { return chmod(path.c_str(), static_cast<mode_t>(mode)); });
}

json StatusOf(Parameters& parameters, Call& call) {
  struct stat status {};
  const bool by_path = parameters.Has("path");
  const std::string path = by_path ? PathOf(parameters, "path") : "";
  const int fd = by_path ? -1 : parameters.Integer("fd");
  const int result =
      call.Run([&] { return by_path ? stat(path.c_str(), &status) : fstat(fd, &status); });
  if (result < 0) return nullptr;
  return {{"type", TypeOf(status.st_mode)},
          {"mode", status.st_mode & 07777},
          {"uid", status.st_uid},
          {"gid", status.st_gid},
          {"size", status.st_size}};
}

json Seek(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int offset = parameters.Integer("offset");
  const int whence = parameters.Constant("whence", agent_protocol::SeekOrigins());
  return call.Run([&] { return lseek(fd, offset, whence); });
}

}  // namespace sockproof::agent
