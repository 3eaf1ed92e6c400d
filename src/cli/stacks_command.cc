// sockproof stacks.
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/fetch/lwip_agent.h"
#include "src/fetch/releases.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

int FetchStacks(const std::vector<std::string>& names, const std::string& mirror) {
  const std::string begin = "lwip:";
  std::vector<std::string> releases;
  for (const std::string& name : names) {
    const std::string release = name.starts_with(begin) ? name.substr(begin.size()) : "";
    if (release != kAllLwips && !IsReleaseName(release)) {
      throw UsageError("'" + name + "' is no name of a stack; an example is lwip:2.2.1");
    }
    releases.push_back(release);
  }
  const Clone clone = CloneOf(OwnProgram());  // before anything is downloaded in vain
  for (const FetchedLwip& lwip : FetchLwips(releases, mirror, Say)) {
    AgentFor(lwip, clone, Say);
    Print("lwip:{}  lwIP {}\n", lwip.name, lwip.version);
  }
  return 0;
}

int ListStacks() {
  const std::vector<FetchedLwip> lwips = FetchedLwips();
  for (const FetchedLwip& lwip : lwips) Print("lwip:{:<16} lwIP {}\n", lwip.name, lwip.version);
  if (lwips.empty()) Print("no stacks yet; 'sockproof stacks fetch lwip:2.2.1' brings one\n");
  return 0;
}

constexpr const char* kStacksHelp = R"(Examples:
  sockproof stacks fetch lwip:2.2.1                 from Debian's archive; nothing is installed
  sockproof stacks fetch lwip:all                   the newest of each release that it has
  sockproof stacks list
  sockproof run -s lwip:2.2.1

Exit code: 0 done, 2 wrong usage, 3 it could not be fetched.)";

Action AddStacks(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* fetch = app.add_subcommand(
      "fetch", "Download and unpack releases of a stack, and compile the agent for them; nothing is installed");
  auto names = std::make_shared<std::vector<std::string>>();
  auto mirror = std::make_shared<std::string>();
  fetch->add_option("NAME", *names, "lwip:2.1.3, lwip:2.2.1, ..., or lwip:all")->required()->type_name("");
  fetch->add_option("--mirror", *mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");
  app.add_subcommand("list", "What has been fetched");
  return [=](const std::string&) { return fetch->parsed() ? FetchStacks(*names, *mirror) : ListStacks(); };
}

const CommandRegistration kStacks({"stacks", CommandGroup::kSystems, "Releases of lwIP for --sut lwip:RELEASE",
                                   kStacksHelp, AddStacks});

}  // namespace
}  // namespace sockproof
