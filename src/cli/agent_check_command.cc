// sockproof agent-check: does an agent do what src/agent/README.md requires?
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <map>

#include "harness/base/errors.h"
#include "src/agent_check/checks.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

using agent_check::Check;
using agent_check::Finding;

void Show(const Check& check, const Finding& finding) {
  const auto remark = [&] {
    return finding.remark.empty() ? "" : fmt::format(" ({})", finding.remark);
  };
  switch (finding.kind) {
    case Finding::Kind::kConforms:
      Print("  pass         {}{}\n", check.requirement, remark());
      break;
    case Finding::Kind::kUnsupported:
      Print("  unsupported  {}{}\n", check.requirement, remark());
      break;
    case Finding::Kind::kDeparts:
      Print("  FAIL         {}\n", check.name);
      Print("                 Requirement: {}\n", check.requirement);
      Print("                 Expected:    {}\n", finding.expected);
      Print("                 Actual:      {}\n", finding.actual);
      break;
  }
  fflush(stdout);
}

// So many requirements in a row without an answer, and no more of the agent's patience is asked.
constexpr int kMostSilences = 2;

int CheckAgent(const std::vector<std::string>& command) {
  if (command.empty())
    throw UsageError("agent-check: the command that starts the agent is missing");
  if (const auto end = agent_check::Session(command).EndBeforeFirstLine()) {
    throw HarnessError(fmt::format("{} does not serve as an agent: {} before it said anything",
                                   command.front(), *end));
  }
  agent_check::Conformance conformance(command);
  std::map<Finding::Kind, int> count;
  std::string section;
  int silences = 0;
  for (const Check& check : agent_check::Checks()) {
    if (check.section != section) {
      section = check.section;
      Print("{}\n", section);
    }
    const Finding finding = conformance.Run(check);
    Show(check, finding);
    ++count[finding.kind];
    const bool first = &check == &agent_check::Checks().front();
    if (first && finding.kind != Finding::Kind::kConforms) {
      Print("\nwithout hello nothing else is checked\n");
      return 1;
    }
    silences = finding.silent ? silences + 1 : 0;
    if (silences == kMostSilences) {
      Print("\nit no longer answers: nothing else is checked\n");
      return 1;
    }
  }
  const int departed = count[Finding::Kind::kDeparts];
  Print("\n{} requirements: {} pass, {} unsupported, {} fail; the agent {}\n",
        agent_check::Checks().size(), count[Finding::Kind::kConforms],
        count[Finding::Kind::kUnsupported], departed,
        departed == 0 ? "conforms" : "does not conform");
  return departed == 0 ? 0 : 1;
}

constexpr const char* kAgentCheckHelp =
    R"(COMMAND starts the agent, here or elsewhere, with its arguments.

Examples:
  sockproof agent-check ./my-agent
  sockproof agent-check ssh box ./my-agent

Exit code: 0 it conforms, 1 it does not, 2 wrong usage, 3 it cannot be started.)";

Action AddAgentCheck(CLI::App& app) {
  app.prefix_command();
  return [&app](const std::string&) { return CheckAgent(app.remaining()); };
}

const CommandRegistration kAgentCheck(
    {"agent-check", CommandGroup::kSystems,
     "Does an agent do what is required of it? (src/agent/README.md)", kAgentCheckHelp,
     AddAgentCheck});

}  // namespace
}  // namespace sockproof
