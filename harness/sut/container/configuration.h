// The configuration of a container, config.json of an OCI bundle: what confines the agent in it.
// https://github.com/opencontainers/runtime-spec/blob/main/config.md
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/sut/container/runtime.h"

namespace sockproof {

class ContainerConfiguration {
 public:
  // As container engines confine what they start by default: their capabilities, /proc/sys
  // read-only, masked paths, and a seccomp profile if one of theirs is installed here.
  static ContainerConfiguration LikeAnEngine();

  // That of a bundle which someone else made: its user, capabilities, seccomp, sysctls, limits and
  // masked paths are kept. Not kept are its process, hooks, volumes, cgroups and user namespace.
  // Throws HarnessError when it cannot be read or is none.
  static ContainerConfiguration OfBundle(const std::filesystem::path& config);

  // What confines, as a reader of a report wants to see it.
  std::string capabilities() const;  // "CAP_CHOWN CAP_KILL", "none"
  std::string seccomp() const;       // where the profile is from, "none"

  // For runtimes that apply none.
  void LeaveSeccompOut();

  // Writes config.json for a container of these files that runs `agent`.
  void Write(const ContainerFiles& files, const std::filesystem::path& agent) const;

 private:
  ContainerConfiguration(nlohmann::json json, std::string seccomp)
      : json_(std::move(json)), seccomp_(std::move(seccomp)) {}
  nlohmann::json json_;
  std::string seccomp_;
};

// A profile in the form that podman and docker keep (containers-common's seccomp.json) as
// linux.seccomp of a bundle, for a process with these capabilities on this machine.
nlohmann::json SeccompOfProfile(const nlohmann::json& profile,
                                const std::vector<std::string>& capabilities,
                                const std::string& machine);

}  // namespace sockproof
