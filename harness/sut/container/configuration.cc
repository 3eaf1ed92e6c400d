#include "harness/sut/container/configuration.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kAgentInside = "/.sockproof-agent";
constexpr const char* kNoSeccomp = "none";

// https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
const std::vector<std::string> kCapabilities = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

// Of podman and other engines that use containers-common; an administrator's comes first.
constexpr const char* kProfiles[] = {"/etc/containers/seccomp.json",
                                     "/usr/share/containers/seccomp.json"};

Json ReadJson(const fs::path& path) {
  std::ifstream file(path);
  if (!file) ThrowErrno("cannot read " + path.string());
  Json json = Json::parse(file, nullptr, false);
  if (!json.is_object()) throw HarnessError(path.string() + " is not a JSON object");
  return json;
}

bool Contains(const Json& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Json Mounts() {
  return {{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
          {{"destination", "/dev"},
           {"type", "tmpfs"},
           {"source", "tmpfs"},
           {"options", {"nosuid", "strictatime", "mode=755", "size=65536k"}}},
          {{"destination", "/sys"},
           {"type", "sysfs"},
           {"source", "sysfs"},
           {"options", {"nosuid", "noexec", "nodev", "ro"}}}};
}

Json DefaultJson() {
  return {
      {"ociVersion", "1.0.2"},
      {"process",
       {{"user", {{"uid", 0}, {"gid", 0}}},
        {"env", Json::array({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})},
        {"capabilities",
         {{"bounding", kCapabilities}, {"effective", kCapabilities}, {"permitted", kCapabilities}}},
        {"noNewPrivileges", false}}},
      {"root", {{"readonly", true}}},
      {"hostname", "sockproof"},
      {"mounts", Mounts()},
      {"linux",
       {{"namespaces",
         {{{"type", "pid"}}, {{"type", "ipc"}}, {{"type", "uts"}}, {{"type", "mount"}}}},
        {"maskedPaths",
         {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
          "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}},
        {"readonlyPaths",
         {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}}}};
}

// Keeps the entries of a list whose `member` has one of the values.
void Keep(Json& list, const char* member, std::initializer_list<const char*> values) {
  Json kept = Json::array();
  for (const Json& entry : list.is_array() ? list : Json::array()) {
    const std::string value = entry.value(member, "");
    if (std::find(values.begin(), values.end(), value) != values.end()) kept.push_back(entry);
  }
  list = std::move(kept);
}

// Of a bundle's configuration: what would reach out of a test or needs what is not there.
void LeaveOutWhatReachesOut(Json& json) {
  json.erase("hooks");
  json["root"] = {{"readonly", json.value("root", Json::object()).value("readonly", false)}};
  Keep(json["mounts"], "type", {"proc", "sysfs", "tmpfs"});
  Json& linux = json["linux"];
  if (linux.is_null()) linux = Json::object();
  for (const char* part : {"cgroupsPath", "resources", "uidMappings", "gidMappings", "devices"}) {
    linux.erase(part);
  }
  Keep(linux["namespaces"], "type", {"pid", "ipc", "uts", "mount"});
}

// ---- seccomp ----

// Names of a machine: of uname, of container engines, of libseccomp.
struct Machine {
  const char* uname;
  const char* engines;
  const char* libseccomp;
};
constexpr Machine kMachines[] = {{"x86_64", "amd64", "SCMP_ARCH_X86_64"},
                                 {"aarch64", "arm64", "SCMP_ARCH_AARCH64"},
                                 {"riscv64", "riscv64", "SCMP_ARCH_RISCV64"},
                                 {"s390x", "s390x", "SCMP_ARCH_S390X"},
                                 {"ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"}};

const Machine& MachineNamed(const std::string& name) {
  const auto found = std::find_if(std::begin(kMachines), std::end(kMachines),
                                  [&](const Machine& machine) { return machine.uname == name; });
  if (found == std::end(kMachines)) throw HarnessError("no seccomp profile knows " + name);
  return *found;
}

bool Applies(const Json& rule, const std::vector<std::string>& capabilities,
             const std::string& machine) {
  const auto has = [&](const Json& name) { return Contains(capabilities, name); };
  const Json includes = rule.value("includes", Json::object());
  const Json excludes = rule.value("excludes", Json::object());
  const Json none = Json::array();
  const Json needed = includes.value("caps", none);
  const Json unwanted = excludes.value("caps", none);
  const Json machines = includes.value("arches", none);
  return std::all_of(needed.begin(), needed.end(), has) &&
         std::none_of(unwanted.begin(), unwanted.end(), has) &&
         (machines.empty() || Contains(machines, machine)) &&
         !Contains(excludes.value("arches", none), machine);
}

}  // namespace

Json SeccompOfProfile(const Json& profile, const std::vector<std::string>& capabilities,
                      const std::string& machine) {
  const Machine& names = MachineNamed(machine);
  Json seccomp = {{"defaultAction", profile.value("defaultAction", "SCMP_ACT_ERRNO")},
                  {"architectures", Json::array({names.libseccomp})},
                  {"syscalls", Json::array()}};
  if (profile.contains("defaultErrnoRet")) {
    seccomp["defaultErrnoRet"] = profile["defaultErrnoRet"];
  }
  for (const Json& rule : profile.value("syscalls", Json::array())) {
    if (!Applies(rule, capabilities, names.engines)) continue;
    Json kept;
    for (const char* member : {"names", "action", "args", "errnoRet"}) {
      if (rule.contains(member) && !rule[member].is_null()) kept[member] = rule[member];
    }
    seccomp["syscalls"].push_back(std::move(kept));
  }
  return seccomp;
}

ContainerConfiguration ContainerConfiguration::LikeAnEngine() {
  Json json = DefaultJson();
  for (const char* profile : kProfiles) {
    if (!fs::exists(profile)) continue;
    utsname machine{};
    uname(&machine);
    json["linux"]["seccomp"] = SeccompOfProfile(ReadJson(profile), kCapabilities, machine.machine);
    return {std::move(json), profile};
  }
  return {std::move(json), kNoSeccomp};
}

ContainerConfiguration ContainerConfiguration::OfBundle(const fs::path& config) {
  try {
    Json json = ReadJson(config);
    if (json.value("ociVersion", "").empty() || !json.value("process", Json()).is_object()) {
      throw HarnessError(config.string() + " is no configuration of a container");
    }
    LeaveOutWhatReachesOut(json);
    const bool seccomp = json["linux"].contains("seccomp");
    ContainerConfiguration configuration(std::move(json), seccomp ? config.string() : kNoSeccomp);
    configuration.capabilities();  // throws now for what would throw later
    return configuration;
  } catch (const Json::exception& error) {
    throw HarnessError(config.string() + " is no configuration of a container: " + error.what());
  }
}

std::string ContainerConfiguration::capabilities() const {
  std::string text;
  const Json process = json_["process"];
  const Json sets = process.value("capabilities", Json::object());
  for (const Json& name : sets.value("effective", Json::array())) {
    text += (text.empty() ? "" : " ") + name.get<std::string>();
  }
  return text.empty() ? "none" : text;
}

std::string ContainerConfiguration::seccomp() const { return seccomp_; }

void ContainerConfiguration::LeaveSeccompOut() {
  json_["linux"].erase("seccomp");
  seccomp_ = kNoSeccomp;
}

void ContainerConfiguration::Write(const ContainerFiles& files, const fs::path& agent) const {
  Json json = json_;
  json["root"]["path"] = files.root().string();
  Json& process = json["process"];
  process["terminal"] = false;
  process.erase("consoleSize");
  process["args"] = Json::array({kAgentInside});
  process["cwd"] = "/";
  json["mounts"].push_back({{"destination", kAgentInside},
                            {"type", "bind"},
                            {"source", agent.string()},
                            {"options", Json::array({"bind", "ro"})}});
  json["linux"]["namespaces"].push_back({{"type", "network"}, {"path", files.network().string()}});
  std::ofstream file(files.folder / "config.json");
  file << json.dump(1) << '\n';
  if (!file.flush()) throw HarnessError("cannot write to " + files.folder.string());
}

}  // namespace sockproof
