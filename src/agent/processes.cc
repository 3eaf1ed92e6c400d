#include "src/agent/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/protocol.h"
#include "harness/base/unique_fd.h"

namespace sockproof::agent {
namespace {

constexpr int kFirstChannel = 700;  // out of the way of the descriptors that tests see
constexpr const char* kExecuted = "SOCKPROOF_AGENT_EXECUTED";

// Set by Exit(). Another thread may be answering a call, and must not end the process before this
// one has answered.
thread_local std::optional<int> exit_asked_for;

// The children of this process, and the way to each by its pid.
struct Family {
  void (*serve)() = nullptr;
  std::function<void(std::string_view line)> write;
  std::mutex noting;  // guards the next
  std::map<int, int> channels;
};

// That of a child is another than its parent's, whose mutex may be held for ever in the copy.
Family* family = nullptr;

// What a child gives up before it serves.
struct Restrictions {
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::vector<int> capabilities;
  std::vector<std::pair<int, rlim_t>> limits;
  std::optional<mode_t> mask;
};

Restrictions ReadRestrictions(Parameters& parameters) {
  Restrictions restrictions;
  if (parameters.Has("uid")) restrictions.uid = static_cast<uid_t>(parameters.Integer("uid", 0));
  if (parameters.Has("gid")) restrictions.gid = static_cast<gid_t>(parameters.Integer("gid", 0));
  if (parameters.Has("umask")) {
    restrictions.mask = static_cast<mode_t>(parameters.Integer("umask", 0, 0777));
  }
  if (parameters.Has("without_capabilities")) {
    const json& names = parameters.Any("without_capabilities");
    if (!names.is_array()) parameters.Refuse("without_capabilities", "a list of names");
    for (const json& name : names) {
      const json object = {{"name", name}};
      Parameters one("without_capabilities", object);
      restrictions.capabilities.push_back(one.Constant("name", agent_protocol::Privileges()));
    }
  }
  if (parameters.Has("limits")) {
    const json& limits = parameters.Any("limits");
    Parameters fields("limits", limits);
    for (const auto& [name, value] : limits.items()) {
      const auto number = agent_protocol::ValueOf(agent_protocol::ResourceLimits(), name);
      if (!number) parameters.Unsupported("limit " + name);
      restrictions.limits.emplace_back(static_cast<int>(*number),
                                       static_cast<rlim_t>(fields.Integer(name, 0)));
    }
  }
  return restrictions;
}

// 0 or an errno. The limits first: they may need what is given up.
int Restrict(const Restrictions& restrictions) {
  if (restrictions.mask) umask(*restrictions.mask);
  for (const auto& [limit, value] : restrictions.limits) {
    const rlimit both{value, value};
    if (setrlimit(static_cast<__rlimit_resource_t>(limit), &both) != 0) return errno;
  }
  if (restrictions.gid &&
      syscall(SYS_setresgid, *restrictions.gid, *restrictions.gid, *restrictions.gid) != 0) {
    return errno;
  }
  if (restrictions.uid &&
      syscall(SYS_setresuid, *restrictions.uid, *restrictions.uid, *restrictions.uid) != 0) {
    return errno;
  }
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &head, sets.data()) != 0) return errno;
  for (const int capability : restrictions.capabilities) {
    const auto index = static_cast<std::size_t>(capability) / 32;
    const auto bit = ~(1U << (static_cast<unsigned>(capability) % 32));
    sets.at(index).effective &= bit;
    sets.at(index).permitted &= bit;
    sets.at(index).inheritable &= bit;
  }
  if (!restrictions.capabilities.empty() && syscall(SYS_capset, &head, sets.data()) != 0) {
    return errno;
  }
  return 0;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) return false;
  }
  return true;
}

// What a child writes, until it ends.
void CarryLines(int channel) {
  std::string rest;
  std::array<char, 65536> chunk;
  while (true) {
    const ssize_t count = recv(channel, chunk.data(), chunk.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    rest.append(chunk.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      family->write(std::string_view(rest).substr(begin, end - begin));
    }
    rest.erase(0, begin);
  }
}

// The channel becomes standard input and output; those of the parent are its own.
[[noreturn]] void ServeAsChild(UniqueFd channel, const Restrictions& restrictions) {
  const int error = Restrict(restrictions);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 1);
  if (send(channel.get(), &error, sizeof error, MSG_NOSIGNAL) != sizeof error || error != 0) {
    _exit(1);
  }
  dup2(channel.get(), STDIN_FILENO);
  dup2(channel.get(), STDOUT_FILENO);
  channel.Reset();
  family->serve();
  _exit(0);
}

}  // namespace

void HaveChildren(void (*serve)(), std::function<void(std::string_view line)> write) {
  family = new Family;  // for as long as the process lives
  family->serve = serve;
  family->write = std::move(write);
}

bool ForwardToChild(int process, const std::string& line) {
  int channel = -1;
  {
    const std::lock_guard lock(family->noting);
    const auto found = family->channels.find(process);
    if (found == family->channels.end()) return false;
    channel = found->second;
  }
  return WriteAll(channel, line + '\n');
}

json Fork(Parameters& parameters, Call& call) {
  const Restrictions restrictions = ReadRestrictions(parameters);
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw RpcError(agent_protocol::kInternalError, "fork: no channel to the child");
  }
  const int ours = fcntl(ends[0], F_DUPFD_CLOEXEC, kFirstChannel);
  close(ends[0]);
  UniqueFd theirs(fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstChannel));
  close(ends[1]);
  const pid_t child = call.Run([&] { return fork(); });
  if (child == 0) {
    close(ours);
    ServeAsChild(std::move(theirs), restrictions);
  }
  theirs.Reset();
  int error = 0;
  if (child < 0 || recv(ours, &error, sizeof error, MSG_WAITALL) != sizeof error || error != 0) {
    close(ours);
    if (child > 0) waitpid(child, nullptr, 0);
    if (child > 0) call.Fail(error != 0 ? error : EPIPE);
    return nullptr;
  }
  {
    const std::lock_guard lock(family->noting);
    family->channels[child] = ours;
  }
  std::thread([ours] { CarryLines(ours); }).detach();
  return child;
}

json Wait(Parameters& parameters, Call& call) {
  const int child = parameters.Integer("pid", 1);
  int status = 0;
  if (call.Run([&] { return waitpid(child, &status, 0); }) < 0) return nullptr;
  if (WIFSIGNALED(status)) {
    const char* name = sigabbrev_np(WTERMSIG(status));
    return {{"signal", name != nullptr ? std::string("SIG") + name : "?"}};
  }
  return {{"exited", WEXITSTATUS(status)}};
}

json Kill(Parameters& parameters, Call& call) {
  const int child = parameters.Integer("pid", 1);
  const int signal = parameters.Constant("signal", agent_protocol::Signals());
  {
    const std::lock_guard lock(family->noting);
    if (family->channels.find(child) == family->channels.end()) {
      parameters.Refuse("pid", "that of a process that fork has made");
    }
  }
  return call.Run([&] { return kill(child, signal); });
}

json Exit(Parameters& parameters, Call& call) {
  const int status = parameters.Integer("status", 0, 255);
  call.Run([] { return 0; });
  exit_asked_for = status;
  return 0;
}

std::optional<int> ExitAskedFor() { return exit_asked_for; }

json Execute(Parameters&, Call& call) {
  // Of the program that follows only the answer is known: its begin stands for both times.
  char* program[] = {const_cast<char*>("/proc/self/exe"), nullptr};
  call.Run([&] {
    setenv(kExecuted, call.AnswerSoFar(0).c_str(), 1);
    execv(program[0], program);
    unsetenv(kExecuted);
    return -1;
  });
  return nullptr;
}

void AnswerExecution() {
  const char* answer = getenv(kExecuted);
  if (answer == nullptr) return;
  std::string line = std::string(answer) + '\n';
  unsetenv(kExecuted);
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = write(STDOUT_FILENO, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) _exit(0);
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace sockproof::agent
