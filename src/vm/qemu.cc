#include "src/vm/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof {
namespace {

using Json = nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr auto kAnswerTime = std::chrono::seconds(60);

}  // namespace

Qemu::Qemu(std::vector<std::string> arguments, int console, int state) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    ThrowErrno("socketpair");
  qmp_.Reset(ends[0]);
  const UniqueFd qemu_qmp(ends[1]);
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ThrowErrno("pipe2");
  debug_console_.Reset(ends[0]);
  const UniqueFd qemu_console(ends[1]);
  for (const char* argument :
       {"-chardev", "socket,id=qmp,fd=0", "-mon", "chardev=qmp,mode=control", "-chardev",
        "file,id=debug,path=/dev/stdout", "-device", "isa-debugcon,iobase=0xe9,chardev=debug",
        "-device", "isa-debug-exit,iobase=0xf4", "-chardev",
        "file,id=console,path=/dev/stderr,append=on", "-serial", "chardev:console"}) {
    arguments.emplace_back(argument);
  }
  pid_ = StartProgram(arguments, qemu_qmp.get(), qemu_console.get(), console, state);
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
    bool ended = false;
    const std::string answer = ReadLineFrom(qmp_.get(), qmp_input_, deadline, ended);
    if (ended) throw HarnessError("QEMU has ended");
    const Json message = Json::parse(answer, nullptr, false);
    if (message.contains("return")) return message["return"];
    if (message.contains("error")) {
      throw HarnessError("QEMU refuses " + name + ": " + message["error"].value("desc", ""));
    }
  }
}

bool Qemu::Speaks(std::chrono::milliseconds within) const {
  if (debug_input_.find('\n') != std::string::npos) return true;
  pollfd readable{debug_console_.get(), POLLIN, 0};
  return poll(&readable, 1, static_cast<int>(within.count())) > 0;
}

bool Qemu::HaltedForGood() {
  const std::string registers =
      Command("human-monitor-command", {{"command-line", "info registers"}}).get<std::string>();
  const std::size_t flags = registers.find("RFL=");
  if (flags == std::string::npos || registers.find("HLT=1") == std::string::npos) return false;
  constexpr unsigned long kInterruptsEnabled = 0x200;
  return (std::stoul(registers.substr(flags + 4, 8), nullptr, 16) & kInterruptsEnabled) == 0;
}

std::optional<std::string> Qemu::ReadLine() {
  bool ended = false;
  std::string line = ReadLineFrom(debug_console_.get(), debug_input_, Deadline::max(), ended);
  if (ended) return std::nullopt;
  return line;
}

std::string Qemu::ReadLineFrom(int fd, std::string& buffer, Deadline deadline, bool& ended) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = buffer.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return line;
    }
    searched = buffer.size();
    int wait = -1;
    if (deadline != Deadline::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
      wait = static_cast<int>(std::clamp<long>(left.count(), 0, std::numeric_limits<int>::max()));
    }
    pollfd readable{fd, POLLIN, 0};
    const int ready = poll(&readable, 1, wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) throw HarnessError("QEMU does not answer");
    char chunk[65536];
    const ssize_t count = read(fd, chunk, sizeof chunk);
    if (count <= 0) {
      ended = true;
      return std::exchange(buffer, "");
    }
    buffer.append(chunk, static_cast<std::size_t>(count));
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
