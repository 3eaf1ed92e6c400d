// --sut rootfs:DIR and container:IMAGE.
#pragma once

#include <memory>
#include <string>

#include "harness/sut/system.h"

namespace sockproof {

constexpr const char* kContainerSpellings =
    "rootfs:DIR[,runtime=runc|crun|runsc] (a root file system or an OCI bundle), "
    "container:IMAGE[?runtime=...] (of podman or docker)";

// Nothing when `sut` does not name a container. Throws UsageError for options that there are not,
// HarnessError for what is not there.
std::unique_ptr<System> MakeContainer(const std::string& sut, const std::string& agent_program);

}  // namespace sockproof
