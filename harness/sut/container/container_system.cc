#include "harness/sut/container/container_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/container/configuration.h"
#include "harness/sut/container/private_mounts.h"
#include "harness/sut/stack.h"
#include "harness/sut/wired_namespace.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr Duration kStartTime = 50s;  // of a container, on a machine with much else to do

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The first lines of what programs written in Go say when they crash; empty when they have not.
std::string CrashIn(const std::string& log) {
  constexpr int kShownLines = 24;
  for (const char* sign : {"panic: ", "fatal error: ", "unexpected fault address", "SIGSEGV"}) {
    const std::size_t found = log.find(sign);
    if (found == std::string::npos) continue;
    const std::size_t begin = log.rfind('\n', found) + 1;  // 0 when it is in the first line
    std::size_t end = begin;
    for (int line = 0; line < kShownLines && end != std::string::npos; ++line) {
      end = log.find('\n', end + 1);
    }
    return log.substr(begin, end == std::string::npos ? end : end - begin);
  }
  return "";
}

// What a runtime complained about, the last line, which has the reason.
std::string LastLine(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// Called when the agent in a container has ended, which it does not do by itself. Until it has said
// hello nothing was asked of its stack, so that a crash says nothing about that.
void ExplainEnd(const Runtime& runtime, const ContainerFiles& files, bool has_said_hello,
                const std::string& end) {
  const std::string complaints = ReadFile(files.complaints());
  const std::string crash =
      runtime.brings_stack() ? CrashIn(ReadFile(files.crash()) + complaints) : "";
  if (!crash.empty() && !has_said_hello) {
    throw HarnessError(fmt::format("{} crashed when it started: {}", runtime.name(),
                                   crash.substr(0, crash.find('\n'))));
  }
  if (!crash.empty()) {
    throw Departure(fmt::format("  Expected: the network stack of {} goes on\n"
                                "  Observed: it crashed\n{}",
                                runtime.name(), crash),
                    SourceLocation::Current());
  }
  const std::string reason = LastLine(complaints);
  throw HarnessError(
      fmt::format("the container has ended: {}{}{}", end, reason.empty() ? "" : ": ", reason));
}

int ReadPid(const fs::path& file) {
  int pid = 0;
  std::ifstream(file) >> pid;
  return pid;
}

class ContainerSystem final : public System {
 public:
  explicit ContainerSystem(ContainerPlan plan)
      : plan_(std::move(plan)), configuration_(ContainerConfiguration::LikeAnEngine()) {
    const fs::path config = plan_.root / "config.json";
    if (fs::exists(config) && fs::is_directory(plan_.root / "rootfs")) {
      configuration_ = ContainerConfiguration::OfBundle(config);
      plan_.root /= "rootfs";
    }
    if (plan_.runtime.brings_stack()) configuration_.LeaveSeccompOut();
    facts_ = FactsOfContainer();
  }

  std::string name() const override { return plan_.name; }

  void EnterPrivateWorld() override {
    EnterPrivateWorldOfWires();
    mounts_.emplace(BroughtAlong{plan_.root, plan_.agent_program, plan_.runtime.program()});
  }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    const auto space = std::make_shared<NetworkNamespace>(NetworkNamespace::Create());
    std::unique_ptr<WirePort> wire = SetUpNetwork(*space, loop, plan);
    const ContainerFiles files{mounts_->MakeContainerFolder(plan.actor, *space)};
    configuration_.Write(files, mounts_->agent());

    Stack::Parts parts;
    parts.plan = plan;
    parts.wire = std::move(wire);
    parts.facts = facts_;
    if (!plan_.runtime.brings_stack()) {
      const InNamespace inside(*space);
      parts.diag.emplace();
      parts.add_second_addresses = [space, plan] { AddSecondAddresses(*space, plan); };
    }
    parts.agent = SpawnAgent(loop, log, plan.actor, files);
    parts.world = space;
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  std::unique_ptr<Agent> SpawnAgent(EventLoop& loop, EventLog& log, const std::string& actor,
                                    const ContainerFiles& files) {
    const UniqueFd complaints(
        open(files.complaints().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!complaints) ThrowErrno("cannot make " + files.complaints().string());
    AgentCommand command;
    command.hello_time = kStartTime;
    command.program = mounts_->runtime();
    command.arguments = plan_.runtime.RunArguments(files);
    command.is_the_stack = plan_.runtime.brings_stack();
    command.writes_files = true;
    command.in_child = [fd = complaints.get(), hide = plan_.runtime.brings_stack()] {
      RunOnEveryProcessor();
      if (dup2(fd, STDERR_FILENO) < 0) return errno;
      return hide ? PrivateMounts::HideNetworkSysctls() : 0;
    };
    const auto has_said_hello = std::make_shared<bool>(false);
    command.ended = [runtime = plan_.runtime, files, has_said_hello](const std::string& end) {
      ExplainEnd(runtime, files, *has_said_hello, end);
    };
    command.serving_pid = [files] { return ReadPid(files.pid()); };
    std::unique_ptr<Agent> agent = Agent::Spawn(loop, log, actor, command);
    *has_said_hello = true;
    return agent;
  }

  Facts FactsOfContainer() const {
    Facts facts;
    facts.Set("runtime", plan_.runtime.name());
    facts.Set("runtime.version", plan_.runtime.Version());
    facts.Set("container.capabilities", configuration_.capabilities());
    facts.Set("container.seccomp", configuration_.seccomp());
    if (plan_.runtime.brings_stack()) {
      facts.Set("os", "gVisor");
      facts.Set("release", plan_.runtime.StackRelease());
    }
    return facts;
  }

  ContainerPlan plan_;
  ContainerConfiguration configuration_;
  std::optional<PrivateMounts> mounts_;
  Facts facts_;
};

}  // namespace

std::unique_ptr<System> MakeContainerSystem(ContainerPlan plan) {
  if (!fs::is_directory(plan.root)) {
    throw HarnessError("no root file system for a container: " + plan.root.string() +
                       " is not a folder");
  }
  return std::make_unique<ContainerSystem>(std::move(plan));
}

}  // namespace sockproof
