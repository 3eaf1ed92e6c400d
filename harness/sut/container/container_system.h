// A container as a system under test: the stack that programs in it see, which is this kernel's, or
// one that the runtime brings, as gVisor's runsc does.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/sut/container/runtime.h"
#include "harness/sut/system.h"

namespace sockproof {

struct ContainerPlan {
  std::string name;            // as --sut spells it
  std::filesystem::path root;  // a root file system, or an OCI bundle
  std::string agent_program;   // a static one; it is brought into the container
  Runtime runtime;
};

// Each stack is a container of its own, started for a test and gone with it. Where `root` is a
// bundle, its configuration is in force, else that of a container engine. Throws HarnessError for a
// `root` that is none.
std::unique_ptr<System> MakeContainerSystem(ContainerPlan plan);

}  // namespace sockproof
