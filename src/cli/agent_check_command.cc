// sockproof agent-check: does an agent do what src/agent/README.md requires?
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <map>

#include "harness/base/errors.h"
#include "src/agent_check/checks.h"
#include "src/cli/commands.h"
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
      fmt::print("  pass         {}{}\n", check.requirement, remark());
      break;
    case Finding::Kind::kUnsupported:
      fmt::print("  unsupported  {}{}\n", check.requirement, remark());
      break;
    case Finding::Kind::kDeparts:
      fmt::print("  FAIL         {}\n", check.name);
      fmt::print("                 Requirement: {}\n", check.requirement);
      fmt::print("                 Expected:    {}\n", finding.expected);
      fmt::print("                 Actual:      {}\n", finding.actual);
      break;
  }
  fflush(stdout);
}

}  // namespace

int AgentCheckCommand(const std::vector<std::string>& command) {
  if (command.empty())
    throw UsageError("agent-check: the command that starts the agent is missing");
  if (const auto end = agent_check::Session(command).EndBeforeFirstLine()) {
    throw HarnessError(fmt::format("{} does not serve as an agent: {} before it said anything",
                                   command.front(), *end));
  }
  agent_check::Conformance conformance(command);
  std::map<Finding::Kind, int> count;
  std::string section;
  for (const Check& check : agent_check::Checks()) {
    if (check.section != section) {
      section = check.section;
      fmt::print("{}\n", section);
    }
    const Finding finding = conformance.Run(check);
    Show(check, finding);
    ++count[finding.kind];
    const bool first = &check == &agent_check::Checks().front();
    if (first && finding.kind != Finding::Kind::kConforms) {
      fmt::print("\nwithout hello nothing else is checked\n");
      return 1;
    }
  }
  const int departed = count[Finding::Kind::kDeparts];
  fmt::print("\n{} requirements: {} pass, {} unsupported, {} fail; the agent {}\n",
             agent_check::Checks().size(), count[Finding::Kind::kConforms],
             count[Finding::Kind::kUnsupported], departed,
             departed == 0 ? "conforms" : "does not conform");
  return departed == 0 ? 0 : 1;
}

}  // namespace sockproof
