#include "src/cli/container.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "harness/sut/container/container_system.h"
#include "src/cli/say.h"
#include "src/cli/say.h"
#include "src/fetch/image_store.h"
#include "src/fetch/runtime_store.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct Spelling {
  std::string what;     // DIR or IMAGE
  std::string runtime;  // empty: whichever there is
};

// "DIR,runtime=crun": `separator` begins the option.
Spelling Parse(const std::string& sut, std::string_view prefix, char separator) {
  const std::string rest = sut.substr(prefix.size());
  const std::string option = std::string(1, separator) + "runtime=";
  const std::size_t at = rest.rfind(separator);
  Spelling spelling{rest, ""};
  if (at != std::string::npos) {
    if (rest.compare(at, option.size(), option) != 0) {
      throw UsageError(fmt::format("'{}': after {} there is only {}NAME", sut,
                                   prefix.substr(0, prefix.size() - 1), option));
    }
    spelling = {rest.substr(0, at), rest.substr(at + option.size())};
    const auto& names = Runtime::Names();
    if (std::find(names.begin(), names.end(), spelling.runtime) == names.end()) {
      throw UsageError(fmt::format("unknown runtime '{}'; there are {}", spelling.runtime,
                                   fmt::join(names, ", ")));
    }
  }
  if (spelling.what.empty()) throw UsageError("'" + sut + "' names nothing");
  return spelling;
}

}  // namespace

std::unique_ptr<System> MakeContainer(const std::string& sut, const std::string& agent_program) {
  constexpr std::string_view kFolder = "rootfs:";
  constexpr std::string_view kImage = "container:";
  if (!sut.starts_with(kFolder) && !sut.starts_with(kImage)) return nullptr;
  const bool folder = sut.starts_with(kFolder);
  const Spelling spelling = folder ? Parse(sut, kFolder, ',') : Parse(sut, kImage, '?');
  Runtime runtime = Runtime::Find(spelling.runtime, FetchedRuntimes());
  std::filesystem::path root =
      folder ? std::filesystem::absolute(spelling.what) : RootOfImage(spelling.what, Say);
  return MakeContainerSystem({sut, std::move(root), agent_program, std::move(runtime)});
}

}  // namespace sockproof
