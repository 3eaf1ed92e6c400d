// sockproof kernels, and sockproof runtimes.
#include <fmt/format.h>

#include "src/cli/commands.h"
#include "src/cli/say.h"
#include "src/fetch/runtime_store.h"
#include "src/vm/kernel_store.h"
#include "src/vm/snapshots.h"

namespace sockproof {

int KernelsFetchCommand(const std::vector<std::string>& names, const std::string& mirror) {
  FetchOptions options;
  options.mirror = mirror;
  options.say = Say;
  for (const Kernel& kernel : FetchKernels(names, options)) {
    fmt::print("vm:{}  Linux {}\n", kernel.name, kernel.release);
  }
  return 0;
}

int KernelsListCommand() {
  const std::vector<Kernel> kernels = FetchedKernels();
  for (const Kernel& kernel : kernels) {
    fmt::print("kernel    vm:{:<16} Linux {}\n", kernel.name, kernel.release);
  }
  constexpr double kMebibyte = 1 << 20;
  for (const Snapshot& snapshot : ListSnapshots()) {
    fmt::print("snapshot  vm:{:<16} Linux {}, {:.0f} MiB, {}\n", snapshot.kernel, snapshot.release,
               static_cast<double>(snapshot.size) / kMebibyte, snapshot.folder.string());
  }
  if (kernels.empty()) {
    fmt::print("no kernels yet; 'sockproof kernels fetch debian:6.1' brings one\n");
  }
  return 0;
}

int RuntimesFetchCommand(const std::string& mirror) {
  fmt::print("{}\n", FetchRunsc(mirror, Say).string());
  return 0;
}

}  // namespace sockproof
