// sockproof kernels.
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/vm/kernel_store.h"
#include "src/vm/snapshots.h"

namespace sockproof {
namespace {

int Fetch(const std::vector<std::string>& names, const std::string& mirror) {
  FetchOptions options;
  options.mirror = mirror;
  options.say = Say;
  for (const Kernel& kernel : FetchKernels(names, options)) {
    Print("vm:{}  Linux {}\n", kernel.name, kernel.release);
  }
  return 0;
}

int ListKernels() {
  const std::vector<Kernel> kernels = FetchedKernels();
  for (const Kernel& kernel : kernels) {
    Print("kernel    vm:{:<16} Linux {}\n", kernel.name, kernel.release);
  }
  constexpr double kMebibyte = 1 << 20;
  for (const Snapshot& snapshot : ListSnapshots()) {
    Print("snapshot  vm:{:<16} Linux {}, {:.0f} MiB, {}\n", snapshot.kernel, snapshot.release,
          static_cast<double>(snapshot.size) / kMebibyte, snapshot.folder.string());
  }
  if (kernels.empty()) Print("no kernels yet; 'sockproof kernels fetch debian:6.1' brings one\n");
  return 0;
}

constexpr const char* kKernelsHelp = R"(Examples:
  sockproof kernels fetch debian:6.1 debian:6.12    from Debian's archive; nothing is installed
  sockproof kernels fetch debian:all                the newest of each series that it has
  sockproof kernels list
  sockproof run -s vm:debian:6.1

Exit code: 0 done, 2 wrong usage, 3 it could not be fetched.)";

Action AddKernels(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* fetch =
      app.add_subcommand("fetch", "Download and unpack kernels; nothing is installed");
  auto names = std::make_shared<std::vector<std::string>>();
  auto mirror = std::make_shared<std::string>();
  fetch->add_option("NAME", *names, "debian:5.10, debian:6.1, ..., or debian:all")->required()->type_name("");
  fetch->add_option("--mirror", *mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");
  app.add_subcommand("list", "What has been fetched, and snapshots of it");
  return
      [=](const std::string&) { return fetch->parsed() ? Fetch(*names, *mirror) : ListKernels(); };
}

const CommandRegistration kKernels({"kernels", CommandGroup::kSystems,
                                    "Kernels of Debian for --sut vm:debian:VERSION", kKernelsHelp,
                                    AddKernels});

}  // namespace
}  // namespace sockproof
