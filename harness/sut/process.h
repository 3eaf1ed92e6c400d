// A process of the system under test that makes calls: the agent, and those that it forks, which
// share its descriptors.
//
//   Process child = sut.process().Fork().value();
//   EXPECT_THAT(child.Of(socket).Close(), Succeeds());   // socket is still open in sut.process()
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/sut/outcome.h"
#include "harness/sut/pending.h"
#include "harness/sut/socket.h"

namespace sockproof {

// What a child gives up before its first call.
struct ForkPlan {
  std::optional<int> uid = std::nullopt;  // all three of them
  std::optional<int> gid = std::nullopt;
  std::vector<std::string> without_capabilities = {};  // "CAP_NET_RAW"
  std::map<std::string, int> limits = {};              // {"RLIMIT_NOFILE", 10}, soft and hard
  std::optional<int> umask = std::nullopt;
};

// What stat() tells.
struct FileStatus {
  std::string type;  // "socket", "file", "directory", "pipe", "link", "other"
  int mode = 0;      // permissions
  std::int64_t uid = 0, gid = 0, size = 0;
};

// What select() gives: the descriptors left in each set.
struct Selected {
  int ready = 0;  // what it returned
  std::vector<int> read, write, except;
  std::optional<Duration> timeout;  // as the call left it; nothing when it was given none
};

// What select() is asked.
struct Selection {
  std::vector<Socket> read = {}, write = {}, except = {};
  std::optional<int> nfds = std::nullopt;  // instead of the highest descriptor and 1
};

// A handle. Whatever a test leaves running ends with the agent.
class Process {
 public:
  // The process of the agent, or a child of it.
  explicit Process(Stack& stack, std::optional<int> pid = std::nullopt)
      : stack_(&stack), pid_(pid) {}

  // As the system knows it; of the agent what it says of itself.
  int pid() const;
  // The same descriptor in this process.
  Socket Of(const Socket& socket) const { return socket.In(pid_); }

  // ---- sockets and files: as socket(), socketpair(), pipe(), open() give them ----

  Outcome<Socket> OpenSocket(const std::string& domain, const std::string& type,
                             const std::vector<std::string>& flags = {},
                             const std::string& protocol = "");
  Outcome<std::pair<Socket, Socket>> OpenSocketPair(const std::string& type,
                                                    const std::vector<std::string>& flags = {},
                                                    const std::string& domain = "AF_UNIX",
                                                    const std::string& protocol = "");
  Outcome<std::pair<Socket, Socket>> Pipe();  // to read from, to write to
  // The path of a directory of the agent's own, gone when it ends. Needs the capability
  // "directory".
  std::string Directory();
  // Likewise that of another one, on a file system that is mounted read-only.
  std::string ReadOnlyDirectory();
  Outcome<Socket> OpenFile(const std::string& path, const std::vector<std::string>& flags,
                           int mode = 0600);
  Outcome<int> Unlink(const std::string& path);
  Outcome<int> LinkTo(const std::string& target, const std::string& path);  // symlink()
  Outcome<int> ChangeMode(const std::string& path, int mode);
  Outcome<FileStatus> StatusOf(const std::string& path);

  // ---- several descriptors at once ----

  // poll(): for each of them the names of its events, sorted.
  Pending<std::vector<Events>> StartPoll(const std::vector<std::pair<Socket, Events>>& entries,
                                         std::chrono::milliseconds timeout);
  Outcome<std::vector<Events>> Poll(const std::vector<std::pair<Socket, Events>>& entries,
                                    std::chrono::milliseconds timeout = 0ms,
                                    SourceLocation where = SourceLocation::Current()) {
    return StartPoll(entries, timeout).Await(Within(kPatience), where);
  }
  // select(). Without a timeout it waits for ever.
  Pending<Selected> StartSelect(const Selection& selection,
                                std::optional<std::chrono::microseconds> timeout);
  Outcome<Selected> Select(const Selection& selection, std::chrono::microseconds timeout = 0us,
                           SourceLocation where = SourceLocation::Current()) {
    return StartSelect(selection, timeout).Await(Within(kPatience), where);
  }

  // sigtimedwait(): takes one of these signals, "SIGIO" or "SIGURG", which a process of the agent
  // keeps until it is asked. EAGAIN when none comes in time.
  Outcome<std::string> TakeSignal(const std::vector<std::string>& signals,
                                  std::chrono::milliseconds timeout = 0ms,
                                  SourceLocation where = SourceLocation::Current());

  // ---- processes. Need the capability "processes" ----

  Outcome<Process> Fork(const ForkPlan& plan = {});
  // Of a child. Exit() and Kill() return when it has ended, Execute() when another image of the
  // agent has taken its place.
  Outcome<int> Exit(int status = 0);
  Outcome<int> Kill(const std::string& signal = "SIGKILL");
  Outcome<int> Execute();

 private:
  nlohmann::json Params() const;

  Stack* stack_;
  std::optional<int> pid_;
};

}  // namespace sockproof
