// What documents tell about sysctls and options that are not everywhere.
#include "harness/claims/missing.h"

#include <stdlib.h>

#include <map>
#include <string_view>

namespace sockproof {
namespace {

// The first release whose ip-sysctl.rst has it, of those younger than the kernels in use.
const std::map<std::string_view, std::string_view> kSysctlSince = {
    {"net.ipv4.tcp_migrate_req", "5.14"},
    {"net.ipv4.tcp_syn_linear_timeouts", "6.5"},
    {"net.ipv4.tcp_tw_reuse_delay", "6.14"},
    {"net.ipv4.tcp_rto_max_ms", "6.15"},
};

// The first release that has it in each network namespace.
const std::map<std::string_view, std::string_view> kSysctlOfNamespacesSince = {
    {"net.core.optmem_max", "6.8"},
};

// Values that releases before do not know: the first one, and a release whose ip-sysctl.rst has it.
struct LaterValue {
  int first;
  std::string_view release;
};
const std::map<std::string_view, LaterValue> kSysctlValues = {{"net.ipv4.tcp_ecn", {3, "7.2"}}};

const std::map<std::string_view, std::string_view> kSysctlOption = {
    {"net.ipv4.tcp_syncookies", "CONFIG_SYN_COOKIES"},
    {"net.core.rps_sock_flow_entries", "CONFIG_RPS"},
    {"net.mptcp.enabled", "CONFIG_MPTCP"},
};

const std::map<std::string_view, std::string_view> kCapabilityOption = {
    {"counters", "CONFIG_PROC_FS"},
    {"diag", "CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG"},
    {"epoll", "CONFIG_EPOLL"},
    {"ipv6", "CONFIG_IPV6"},
    {"states", "CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG, or CONFIG_PROC_FS"},
    {"sysctl", "CONFIG_PROC_SYSCTL"}};

bool IsLinux(const Facts& facts) { return facts.Find("os") == "Linux"; }

}  // namespace

std::string WhyNoSysctl(const std::string& name, const Facts& facts) {
  std::string text = "the system under test has no sysctl " + name;
  if (!IsLinux(facts)) return text;
  const std::string this_is = ", this is " + facts.Find("release").value_or("of unknown release");
  if (const auto since = kSysctlSince.find(name); since != kSysctlSince.end()) {
    text += "; Linux documents it since ";
    text += since->second;
    text += this_is;
  } else if (const auto of_namespaces = kSysctlOfNamespacesSince.find(name);
             of_namespaces != kSysctlOfNamespacesSince.end()) {
    text += "; Linux has it in each network namespace since ";
    text += of_namespaces->second;
    text += this_is;
  } else if (const auto option = kSysctlOption.find(name); option != kSysctlOption.end()) {
    text += "; Linux has it with ";
    text += option->second;
  }
  return text;
}

std::string WhyNoSysctlValue(const std::string& name, const std::string& value, const std::string& error,
                             const Facts& facts) {
  std::string text = "sysctl " + name + " cannot be set to " + value + ": " + error;
  const auto later = kSysctlValues.find(name);
  if (!IsLinux(facts) || later == kSysctlValues.end() || atoi(value.c_str()) < later->second.first) return text;
  text += "; Linux documents that value in ";
  text += later->second.release;
  return text + ", this is " + facts.Find("release").value_or("of unknown release");
}

std::string WhyNoCapability(const std::string& name, const Facts& facts) {
  std::string text = "the system under test lacks the capability " + name;
  if (name == "virtual-time" || name == "own-machine") {
    return text + "; kernels in virtual machines have it (--sut vm:...)";
  }
  const auto option = kCapabilityOption.find(name);
  if (!IsLinux(facts) || option == kCapabilityOption.end()) return text;
  text += "; Linux has it with ";
  text += option->second;
  return text;
}

}  // namespace sockproof
