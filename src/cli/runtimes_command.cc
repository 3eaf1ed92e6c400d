// sockproof runtimes.
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/fetch/runtime_store.h"

namespace sockproof {
namespace {

constexpr const char* kRuntimesHelp = R"(Examples:
  sockproof runtimes fetch runsc                    gVisor, from Debian; nothing is installed
  sockproof run -s rootfs:DIR,runtime=runsc

Exit code: 0 done, 2 wrong usage, 3 it could not be fetched.)";

Action AddRuntimes(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* fetch =
      app.add_subcommand("fetch", "Download and unpack a runtime; nothing is installed");
  auto name = std::make_shared<std::string>();
  auto mirror = std::make_shared<std::string>();
  fetch->add_option("NAME", *name, "runsc, of gVisor")
      ->required()
      ->check(OneOf({"runsc"}))
      ->type_name("");
  fetch->add_option("--mirror", *mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");
  return [mirror](const std::string&) {
    Print("{}\n", FetchRunsc(*mirror, Say).string());
    return 0;
  };
}

const CommandRegistration kRuntimes({"runtimes", CommandGroup::kSystems,
                                     "OCI runtimes for --sut rootfs:DIR,runtime=NAME",
                                     kRuntimesHelp, AddRuntimes});

}  // namespace
}  // namespace sockproof
