// sockproof runtimes.
#include <optional>

#include "harness/sut/container/runtime.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/fetch/runtime_store.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

constexpr const char* kRuntimesHelp = R"(Examples:
  sockproof runtimes fetch runsc                    gVisor, from Debian; nothing is installed
  sockproof runtimes fetch runsc:20221219           an older release, beside it
  sockproof runtimes list
  sockproof run -s rootfs:DIR,runtime=runsc
  sockproof run -s rootfs:DIR,runtime=runsc:20221219

Exit code: 0 done, 2 wrong usage, 3 it could not be fetched.)";

int FetchRuntimes(const std::vector<std::string>& names, const std::string& mirror) {
  for (const std::string& name : names) {
    const std::optional<std::string> release = ReleaseOfRunsc(name);
    if (!release) throw UsageError("'" + name + "' is no name of a runtime; examples are runsc and runsc:20221219");
    const std::string program = FetchRunsc(*release, mirror, Say).string();
    Print("{}\n", program);
  }
  return 0;
}

int ListRuntimes() {
  const std::vector<std::string> releases = FetchedRunscs();
  for (const std::string& release : releases) {
    const std::filesystem::path program = FetchedRunsc(release);
    const std::string name = release.empty() ? "runsc" : "runsc:" + release;
    Print("runtime={:<24} gVisor {}\n", name, Runtime::At("runsc", program).StackRelease());
  }
  if (releases.empty()) Print("no runtimes yet; 'sockproof runtimes fetch runsc' brings gVisor's\n");
  return 0;
}

Action AddRuntimes(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* fetch =
      app.add_subcommand("fetch", "Download and unpack runtimes; nothing is installed");
  auto names = std::make_shared<std::vector<std::string>>();
  auto mirror = std::make_shared<std::string>();
  fetch->add_option("NAME", *names, "runsc, of gVisor, or runsc:RELEASE")->required()->type_name("");
  fetch->add_option("--mirror", *mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");
  app.add_subcommand("list", "What has been fetched");
  return [=](const std::string&) { return fetch->parsed() ? FetchRuntimes(*names, *mirror) : ListRuntimes(); };
}

const CommandRegistration kRuntimes({"runtimes", CommandGroup::kSystems,
                                     "OCI runtimes for --sut rootfs:DIR,runtime=NAME",
                                     kRuntimesHelp, AddRuntimes});

}  // namespace
}  // namespace sockproof
