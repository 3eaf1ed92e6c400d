#include "src/agent_check/checks.h"

#include "src/agent_check/check_lists.h"

namespace sockproof::agent_check {
namespace {

std::vector<Check> MakeChecks() {
  std::vector<Check> checks;
  for (const auto& part : {ProtocolChecks(), CallChecks(), ClosingChecks()}) {
    checks.insert(checks.end(), part.begin(), part.end());
  }
  return checks;
}

}  // namespace

const std::vector<Check>& Checks() {
  static const std::vector<Check> checks = MakeChecks();
  return checks;
}

Finding Conformance::Run(const Check& check) {
  if (!session_) session_.emplace(command_);
  Finding finding;
  try {
    finding.remark = check.run(*session_);
    if (check.section == "The end") session_.reset();
  } catch (const Unsupported& refusal) {
    finding.kind = Finding::Kind::kUnsupported;
    finding.remark = refusal.what();
  } catch (const Departed& departed) {
    finding.kind = Finding::Kind::kDeparts;
    finding.expected = departed.expected();
    finding.actual = departed.actual();
    finding.silent = dynamic_cast<const Silent*>(&departed) != nullptr;
    session_.reset();  // nobody knows what it still has to say
  } catch (const json::exception& error) {
    finding.kind = Finding::Kind::kDeparts;
    finding.expected = "messages as src/agent/README.md describes them";
    finding.actual = error.what();
    session_.reset();
  }
  return finding;
}

}  // namespace sockproof::agent_check
