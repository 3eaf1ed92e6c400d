#include "src/container/confinement.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string_view>
#include <vector>

#include "harness/base/errors.h"
#include "harness/net/namespace.h"
#include "src/run/child.h"

namespace sockproof {
namespace {

constexpr auto kPatienceWithProbe = 30s;

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string EngineHere() {
  if (getenv("KUBERNETES_SERVICE_HOST") != nullptr) return "kubernetes";
  if (access("/run/.containerenv", F_OK) == 0) return "podman";
  if (access("/.dockerenv", F_OK) == 0) return "docker";
  return "";
}

bool HasCapability(unsigned number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[number / 32].effective & (1U << (number % 32))) != 0;
}

bool AreReadOnly(const char* path) {
  struct statvfs there {};
  return statvfs(path, &there) == 0 && (there.f_flag & ST_RDONLY) != 0;
}

// How an engine spells what is missing.
struct Words {
  std::string begin;
  std::string root;
  std::string system_calls;
  std::string sysctls;
  std::string apparmor;
  std::string (*capabilities)(const std::vector<std::string_view>& names);
  std::string_view between = " ";
};

std::string AsOptions(const std::vector<std::string_view>& names) {
  return fmt::format("--cap-add {}", fmt::join(names, " --cap-add "));
}

std::string AsField(const std::vector<std::string_view>& names) {
  return fmt::format("capabilities: {{add: [{}]}}", fmt::join(names, ", "));
}

Words WordsOf(const std::string& engine) {
  if (engine == "kubernetes") {
    return {"add to the container's securityContext: ",
            "runAsUser: 0",
            "seccompProfile: {type: Unconfined}",
            "procMount: Unmasked",
            "appArmorProfile: {type: Unconfined}",
            AsField,
            ", "};
  }
  const bool podman = engine == "podman";
  return {fmt::format("add to '{} run': ", engine),
          "--user 0",
          "--security-opt seccomp=unconfined",
          podman ? "--security-opt unmask=/proc/sys" : "--security-opt systempaths=unconfined",
          "--security-opt apparmor=unconfined",
          AsOptions};
}

}  // namespace

Confinement ProbeConfinement() {
  Confinement here;
  here.engine = EngineHere();
  here.user_namespaces = FirstLine("/proc/sys/user/max_user_namespaces") != "0" &&
                         FirstLine("/proc/sys/kernel/unprivileged_userns_clone") != "0" &&
                         FirstLine("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") != "1";
  here.root = geteuid() == 0;
  here.sys_admin = HasCapability(CAP_SYS_ADMIN);
  here.net_admin = HasCapability(CAP_NET_ADMIN);
  here.net_raw = HasCapability(CAP_NET_RAW);
  here.apparmor = FirstLine("/proc/self/attr/current").find("(enforce)") != std::string::npos;
  const auto try_both = [] {
    EnterPrivateNamespaces();
    try {
      WriteSysctl("net.ipv4.tcp_fin_timeout", "60");
    } catch (const HarnessError&) {
      return std::string("namespaces");
    }
    return std::string("namespaces and sysctls");
  };
  try {
    here.sysctls = CallInChild(try_both, kPatienceWithProbe) == "namespaces and sysctls";
  } catch (const HarnessError&) {
    here.namespaces = false;
    here.sysctls = !AreReadOnly("/proc/sys");
  }
  return here;
}

std::string WhatToAdd(const Confinement& here) {
  if (here.engine.empty()) return "";
  const Words words = WordsOf(here.engine);
  const bool kubernetes = here.engine == "kubernetes";
  const bool able = here.namespaces && here.sysctls;
  std::vector<std::string> missing;
  // Two ways lead to a test: capabilities, with which /proc/sys can be made writable unless
  // AppArmor forbids it; or a user namespace, in which that must be granted.
  const bool only_by_capabilities = kubernetes || !here.user_namespaces;
  if (here.sys_admin || (!able && only_by_capabilities)) {
    std::vector<std::string_view> names;
    if (!here.sys_admin) names.emplace_back("SYS_ADMIN");
    if (!here.net_admin) names.emplace_back("NET_ADMIN");
    if (!here.net_raw) names.emplace_back("NET_RAW");
    if (!here.root) missing.push_back(words.root);
    if (!names.empty()) missing.push_back(words.capabilities(names));
  }
  if (here.sys_admin || !only_by_capabilities) {
    if (!here.namespaces) missing.push_back(words.system_calls);
    if (!here.sysctls && !(here.sys_admin && here.apparmor)) missing.push_back(words.sysctls);
  }
  if (!able && here.apparmor) missing.push_back(words.apparmor);
  if (missing.empty()) return "";
  return words.begin + fmt::format("{}", fmt::join(missing, words.between));
}

}  // namespace sockproof
