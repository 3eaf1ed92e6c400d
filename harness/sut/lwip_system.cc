// A stack of lwIP: its agent, which holds the link in a namespace of its own, is the stack.
#include "harness/sut/lwip_system.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"
#include "harness/sut/stack.h"
#include "harness/sut/wired_namespace.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

// What the agent of a stack has said to its standard error, and whether it has served: only then
// is a crash one of the stack.
struct Course {
  UniqueFd complaints;
  bool served = false;
};

std::shared_ptr<Course> NewCourse() {
  auto course = std::make_shared<Course>();
  course->complaints = UniqueFd(memfd_create("complaints", MFD_CLOEXEC));
  if (!course->complaints) ThrowErrno("memfd_create");
  return course;
}

// The end of what was said; all of it unless it was much.
std::string LastWords(const Course& course) {
  std::array<char, 2048> words{};
  const off_t size = lseek(course.complaints.get(), 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(words.size()));
  const ssize_t count = pread(course.complaints.get(), words.data(), words.size(), begin);
  std::string text(words.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// By a signal that a program brings upon itself. Others come from outside.
bool Crashed(const std::string& end) {
  constexpr std::array kSignals = {"SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"};
  return std::any_of(kSignals.begin(), kSignals.end(), [&](const char* signal) {
    return end.ends_with(fmt::format(" was killed by {}", signal));
  });
}

// Called when the agent has ended, which it does not do by itself.
void ExplainEnd(const Course& course, const std::string& end) {
  const std::string words = LastWords(course);
  if (course.served && Crashed(end)) {
    throw Departure(fmt::format("  Expected: lwIP goes on\n  Observed: {}{}{}", end,
                                words.empty() ? "" : "\n", words),
                    SourceLocation::Current());
  }
  throw HarnessError(fmt::format("{}{}{}", end, words.empty() ? "" : ": ", words));
}

class LwipSystem final : public System {
 public:
  LwipSystem(std::string agent_program, bool guards_memory)
      : agent_program_(std::move(agent_program)), guards_memory_(guards_memory) {}

  std::string name() const override { return "lwip"; }

  void EnterPrivateWorld() override { EnterPrivateWorldOfWires(); }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    WiredNamespace made = MakeWiredNamespace(loop, plan, Answering::kProgram);
    const std::shared_ptr<Course> course = NewCourse();
    AgentCommand command{agent_program_, Arguments(plan)};
    command.is_the_stack = true;
    command.in_child = [enter = EnterBeforeExec(*made.space),
                        stderr_fd = course->complaints.get()] {
      return dup2(stderr_fd, STDERR_FILENO) < 0 ? errno : enter();
    };
    command.ended = [course](const std::string& end) { ExplainEnd(*course, end); };
    Stack::Parts parts;
    parts.plan = plan;
    // It wants a link in any case.
    if (plan.wired) parts.wire = std::move(made.port);
    parts.agent = Agent::Spawn(loop, log, plan.actor, command);
    course->served = true;
    parts.world = std::move(made.space);
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  std::vector<std::string> Arguments(const StackPlan& plan) const {
    std::vector<std::string> arguments = {
        "--link", kWireLink,
        "--ipv4", WireAddress(IpVersion::kIpv4, plan.index).ToString(),
        "--ipv6", WireAddress(IpVersion::kIpv6, plan.index).ToString()};
    if (plan.default_gateway_index != 0) {
      arguments.push_back("--gateway");
      arguments.push_back(WireAddress(IpVersion::kIpv4, plan.default_gateway_index).ToString());
    }
    if (guards_memory_) arguments.push_back("--guard-memory");
    return arguments;
  }

  std::string agent_program_;
  bool guards_memory_;
};

}  // namespace

std::unique_ptr<System> MakeLwipSystem(std::string agent_program, bool guards_memory) {
  return std::make_unique<LwipSystem>(std::move(agent_program), guards_memory);
}

}  // namespace sockproof
