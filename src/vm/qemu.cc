#include "src/vm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof {
namespace {

using Json = nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr auto kAnswerTime = std::chrono::seconds(60);
constexpr auto kBetweenLooks = std::chrono::milliseconds(50);

}  // namespace

Qemu::Qemu(std::vector<std::string> arguments, int console, int state, int reached) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    ThrowErrno("socketpair");
  qmp_.Reset(ends[0]);
  const UniqueFd qemu_qmp(ends[1]);
  // QEMU writes each byte by itself. A file takes them in; a pipe would wake its reader for each.
  debug_console_.Reset(memfd_create("debug console", MFD_CLOEXEC));
  if (!debug_console_) ThrowErrno("memfd_create");
  for (const char* argument :
       {"-chardev", "socket,id=qmp,fd=0", "-mon", "chardev=qmp,mode=control", "-chardev",
        "file,id=debug,path=/dev/stdout", "-device", "isa-debugcon,iobase=0xe9,chardev=debug",
        "-device", "isa-debug-exit,iobase=0xf4", "-chardev",
        "file,id=console,path=/dev/stderr,append=on", "-serial", "chardev:console"}) {
    arguments.emplace_back(argument);
  }
  pid_ = StartProgram(arguments, {qemu_qmp.get(), debug_console_.get(), console, state, reached});
  process_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_) ThrowErrno("pidfd_open");
}

Qemu::~Qemu() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  WaitForEnd();
}

Json Qemu::Command(const std::string& name) { return Command(name, Json::object()); }

Json Qemu::Command(const std::string& name, const Json& arguments) {
  const std::string line = Json{{"execute", name}, {"arguments", arguments}}.dump() + "\n";
  if (send(qmp_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) {
    throw HarnessError("QEMU has ended");
  }
  const Deadline deadline = Steady::now() + kAnswerTime;
  while (true) {
    const Json message = Json::parse(ReadAnswer(deadline), nullptr, false);
    if (message.contains("return")) return message["return"];
    if (message.contains("error")) {
      throw HarnessError("QEMU refuses " + name + ": " + message["error"].value("desc", ""));
    }
  }
}

bool Qemu::Speaks(std::chrono::milliseconds within) { return AwaitLine(Steady::now() + within); }

bool Qemu::HaltedForGood() {
  const std::string registers =
      Command("human-monitor-command", {{"command-line", "info registers"}}).get<std::string>();
  const std::size_t flags = registers.find("RFL=");
  if (flags == std::string::npos || registers.find("HLT=1") == std::string::npos) return false;
  constexpr unsigned long kInterruptsEnabled = 0x200;
  return (std::stoul(registers.substr(flags + 4, 8), nullptr, 16) & kInterruptsEnabled) == 0;
}

std::optional<std::string> Qemu::ReadLine() {
  AwaitLine(Deadline::max());
  const std::size_t end = debug_input_.find('\n', debug_taken_);
  if (end == std::string::npos) return std::nullopt;
  std::string line = debug_input_.substr(debug_taken_, end - debug_taken_);
  debug_taken_ = end + 1;
  return line;
}

// True once there is a line or there will be none.
bool Qemu::AwaitLine(Deadline deadline) {
  if (debug_input_.find('\n', debug_taken_) != std::string::npos) return true;
  debug_input_.erase(0, debug_taken_);
  debug_taken_ = 0;
  while (true) {
    pollfd end{process_.get(), POLLIN, 0};
    const bool ended = poll(&end, 1, 0) > 0;  // asked before the last look at what it has said
    if (ReadDebugConsole() || ended) return true;
    const auto now = Steady::now();
    if (now >= deadline) return false;
    const auto wait = std::min<Steady::duration>(deadline - now, kBetweenLooks);
    poll(&end, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
  }
}

// Takes in what there is. Whether a line has come to its end.
bool Qemu::ReadDebugConsole() {
  const std::size_t searched = debug_input_.size();
  char chunk[65536];
  for (ssize_t count;
       (count = pread(debug_console_.get(), chunk, sizeof chunk, debug_read_)) > 0;) {
    debug_input_.append(chunk, static_cast<std::size_t>(count));
    debug_read_ += count;
  }
  return debug_input_.find('\n', searched) != std::string::npos;
}

std::string Qemu::ReadAnswer(Deadline deadline) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = qmp_input_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = qmp_input_.substr(0, end);
      qmp_input_.erase(0, end + 1);
      return line;
    }
    searched = qmp_input_.size();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    pollfd readable{qmp_.get(), POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) throw HarnessError("QEMU does not answer");
    char chunk[65536];
    const ssize_t count = read(qmp_.get(), chunk, sizeof chunk);
    if (count <= 0) throw HarnessError("QEMU has ended");
    qmp_input_.append(chunk, static_cast<std::size_t>(count));
  }
}

int Qemu::WaitForEnd() {
  int status = 0;
  while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

}  // namespace sockproof
