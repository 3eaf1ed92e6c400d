#include "src/vm/qemu.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof {
namespace {

using Json = nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr auto kAnswerTime = std::chrono::seconds(60);
constexpr auto kBetweenLooks = std::chrono::milliseconds(50);
constexpr std::size_t kRing = 16 << 20;  // more than a machine says between two looks

// The process has.
class QemuEnded : public HarnessError {
 public:
  QemuEnded() : HarnessError("QEMU has ended") {}
};

}  // namespace

Qemu::Qemu(std::vector<std::string> arguments, int console, int state, int reached) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    ThrowErrno("socketpair");
  qmp_.Reset(ends[0]);
  const UniqueFd qemu_qmp(ends[1]);
  // The guest says each byte by itself, and a file would take a system call for each. A ring of
  // memory takes none; to be read to its end, QEMU has to stay when the guest resets the machine.
  const std::string ring = fmt::format("ringbuf,id=debug,size={}", kRing);
  for (const char* argument :
       {"-chardev", "socket,id=qmp,fd=0", "-mon", "chardev=qmp,mode=control", "-chardev",
        ring.c_str(), "-device", "isa-debugcon,iobase=0xe9,chardev=debug", "-no-reboot",
        "-no-shutdown", "-chardev", "file,id=console,path=/dev/stderr,append=on", "-serial",
        "chardev:console"}) {
    arguments.emplace_back(argument);
  }
  pid_ = StartProgram(arguments, {qemu_qmp.get(), -1, console, state, reached});
}

Qemu::~Qemu() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  Reap();
}

Json Qemu::Command(const std::string& name) { return Command(name, Json::object()); }

Json Qemu::Command(const std::string& name, const Json& arguments) {
  const std::string line = Json{{"execute", name}, {"arguments", arguments}}.dump() + "\n";
  if (send(qmp_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) {
    throw QemuEnded();
  }
  const Deadline deadline = Steady::now() + kAnswerTime;
  while (true) {
    const Json message = Json::parse(ReadAnswer(deadline), nullptr, false);
    if (!message.is_object()) continue;
    if (message.contains("return")) return message["return"];
    if (message.value("event", "") == "SHUTDOWN") guest_ended_ = true;
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
    const bool ended = guest_ended_;  // before the last look at what it has said
    try {
      if (ReadDebugConsole() || ended) return true;
    } catch (const QemuEnded&) {
      return true;
    }
    const auto now = Steady::now();
    if (now >= deadline) return false;
    const auto wait = std::min<Steady::duration>(deadline - now, kBetweenLooks);
    pollfd readable{qmp_.get(), POLLIN, 0};
    poll(&readable, 1,
         static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
  }
}

// Takes in what there is. Whether a line has come to its end.
bool Qemu::ReadDebugConsole() {
  const std::size_t searched = debug_input_.size();
  const Json said =
      Command("ringbuf-read", {{"device", "debug"}, {"size", kRing}, {"format", "base64"}});
  const auto text = agent_protocol::Base64Decode(said.get<std::string>());
  if (!text || text->size() >= kRing) throw HarnessError("the guest says more than can be read");
  debug_input_ += *text;
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
    if (count <= 0) throw QemuEnded();
    qmp_input_.append(chunk, static_cast<std::size_t>(count));
  }
}

int Qemu::WaitForEnd() {
  try {
    if (guest_ended_) Command("quit");
  } catch (const QemuEnded&) {
  }
  return Reap();
}

int Qemu::Reap() {
  int status = 0;
  while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

}  // namespace sockproof
