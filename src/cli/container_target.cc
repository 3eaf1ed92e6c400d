// --sut rootfs:DIR and container:IMAGE, and the program in a container itself.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "harness/net/namespace.h"
#include "harness/sut/container/container_system.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/container/confinement.h"
#include "src/container/first_process.h"
#include "src/fetch/image_store.h"
#include "src/fetch/runtime_store.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

Runtime RuntimeNamed(const std::string& name) {
  const auto& names = Runtime::Names();
  const std::optional<std::string> release = ReleaseOfRunsc(name);
  if (release && !release->empty()) return Runtime::At("runsc", FetchedRunsc(*release));
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(
        fmt::format("unknown runtime '{}'; there are {}, runsc:RELEASE", name, fmt::join(names, ", ")));
  }
  return Runtime::Find(name, FetchedRuntimes());
}

std::unique_ptr<Target> MakeContainer(const Sut& sut, std::filesystem::path (*root)(const Sut&)) {
  Runtime runtime = RuntimeNamed(sut.option("runtime"));
  return std::make_unique<SystemTarget>(
      sut.text, MakeContainerSystem({sut.text, root(sut), AgentProgram(), std::move(runtime)}));
}

std::filesystem::path FolderOf(const Sut& sut) {
  if (!std::filesystem::is_directory(sut.what)) {
    throw UsageError("--sut " + sut.text + ": there is no folder " + sut.what);
  }
  return std::filesystem::absolute(sut.what);
}

std::unique_ptr<Target> MakeOfFolder(const Sut& sut) { return MakeContainer(sut, FolderOf); }

std::unique_ptr<Target> MakeOfImage(const Sut& sut) {
  return MakeContainer(
      sut, [](const Sut& named) -> std::filesystem::path { return RootOfImage(named.what, Say); });
}

// A limit of the kernel is no matter of the engine.
std::string AdviceOfContainer() {
  return NamespaceLimit().empty() ? WhatToAdd(ProbeConfinement()) : "";
}

const SutRegistration kFolder({.name = "rootfs",
                               .spelling = "rootfs:DIR[,runtime=runc|crun|runsc|runsc:RELEASE]",
                               .meaning = "a container: a root file system or an OCI bundle",
                               .names_something = true,
                               .options = {"runtime"},
                               .make = MakeOfFolder});
const SutRegistration kImage({.name = "container",
                              .spelling = "container:IMAGE[?runtime=runc|crun|runsc|runsc:RELEASE]",
                              .meaning = "an image of podman or docker",
                              .names_something = true,
                              .separator = '?',
                              .options = {"runtime"},
                              .make = MakeOfImage});
const SurroundingsRegistration kContainer({.begin = LeaveFirstProcessBehind,
                                           .advice = AdviceOfContainer});

}  // namespace
}  // namespace sockproof
