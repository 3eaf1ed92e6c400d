// --sut lwip.
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/sut/lwip_system.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/fetch/lwip_agent.h"
#include "src/fetch/releases.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

std::string AgentOfLwip(const Sut& sut) {
  if (!sut.what.empty()) {
    if (!IsReleaseName(sut.what)) {
      throw UsageError(fmt::format("--sut {}: '{}' is no release of lwIP; an example is lwip:2.2.1", sut.text, sut.what));
    }
    const FetchedLwip lwip = LwipOf(sut.what);
    return AgentFor(lwip, CloneOf(OwnProgram()), Say);
  }
  const std::string agent = ProgramBeside("sockproof-agent-lwip");
  if (access(agent.c_str(), X_OK) != 0) {
    throw HarnessError("lwIP cannot be tested: " + agent +
                       " is not there; it is built where the package liblwip-dev is installed");
  }
  return agent;
}

std::unique_ptr<Target> MakeLwip(const Sut& sut) {
  return std::make_unique<SystemTarget>(
      sut.text, MakeLwipSystem(AgentOfLwip(sut), !sut.option("sanitize").empty()));
}

std::vector<std::string> LwipsOfAll(const Sut& sut) {
  if (sut.what != kAllLwips) return {};
  const std::string begin = "lwip:" + sut.what;
  std::vector<std::string> lwips;
  for (const FetchedLwip& lwip : FetchedLwips()) lwips.push_back("lwip:" + lwip.name + sut.text.substr(begin.size()));
  if (lwips.empty()) throw HarnessError("no lwIP was fetched; 'sockproof stacks fetch lwip:all' brings what Debian has");
  Say(fmt::format("{} is {}, which are here ('sockproof stacks fetch lwip:all' brings what else Debian has)", begin,
                  Joined(lwips)));
  return lwips;
}

const SutRegistration kLwip(
    {.name = "lwip",
     .spelling = "lwip[:RELEASE][,sanitize]",
     .meaning = "lwIP's own TCP/IP stack, this system's or one of 'sockproof stacks fetch'; wrong accesses to its "
                "memory end it at once",
     .may_name_something = true,
     .switches = {"sanitize"},
     .make = MakeLwip,
     .stands_for = LwipsOfAll});

}  // namespace
}  // namespace sockproof
