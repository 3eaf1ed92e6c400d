#include "src/vm/kernel_store.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "src/fetch/cache.h"
#include "src/fetch/private_apt.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetaPackage = "linux-image-amd64";

std::string VersionOf(const std::string& name) { return name.substr(name.find(':') + 1); }

fs::path FolderOf(const std::string& name) {
  return CacheFolder("kernels") / ("debian-" + VersionOf(name));
}

// A paragraph of apt-cache show: the fields that matter here.
struct Package {
  std::string name;
  std::string version;
  std::string depends;
};

std::optional<Package> Show(const PrivateApt& apt, const std::string& name,
                            const std::string& version) {
  Package package;
  std::string text;
  try {
    text = apt.Show(name, version);
  } catch (const HarnessError&) {
    return std::nullopt;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Package: ")) package.name = line.substr(9);
    if (line.starts_with("Version: ")) package.version = line.substr(9);
    if (line.starts_with("Depends: ")) package.depends = line.substr(9);
  }
  if (package.name.empty()) return std::nullopt;
  return package;
}

// Packages of the kernel: those of the same version that the meta-package leads to.
std::vector<Package> PackagesOf(const PrivateApt& apt, const std::string& version) {
  std::vector<Package> packages;
  std::set<std::string> seen;
  std::vector<std::string> waiting = {kMetaPackage};
  const std::regex dependency(R"((linux-[^ ,|]+) \(= ([^)]+)\))");
  while (!waiting.empty()) {
    const std::string name = waiting.back();
    waiting.pop_back();
    if (!seen.insert(name).second) continue;
    const std::optional<Package> package = Show(apt, name, version);
    if (!package) continue;
    if (name != kMetaPackage) packages.push_back(*package);
    for (std::sregex_iterator found(package->depends.begin(), package->depends.end(), dependency),
         end;
         found != end; ++found) {
      if ((*found)[2] == version) waiting.push_back((*found)[1]);
    }
  }
  return packages;
}

// The newest version of the meta-package that is of this series.
std::string NewestVersion(const PrivateApt& apt, const std::string& series) {
  std::set<std::string> offered;
  for (const std::string& version : apt.VersionsOf(kMetaPackage)) {
    if (version.starts_with(series + ".") || version.starts_with(series + "-")) return version;
    offered.insert(version.substr(0, version.find('-')));
  }
  std::string list;
  for (const std::string& version : offered) list += (list.empty() ? "" : ", ") + version;
  throw HarnessError(fmt::format("Debian has no kernel {}; it has {}", series, list));
}

// By the numbers of their names: debian:6.2 before debian:6.12.
struct OlderRelease {
  static std::pair<int, int> NumbersOf(const std::string& name) {
    const std::string version = VersionOf(name);
    const std::size_t dot = version.find('.');
    return {std::atoi(version.c_str()), dot == std::string::npos ? 0 : std::atoi(version.c_str() + dot + 1)};
  }
  bool operator()(const std::string& one, const std::string& other) const {
    return NumbersOf(one) < NumbersOf(other);
  }
};

// Names of the newest kernels of all series that Debian has.
std::vector<std::string> OfferedNames(const PrivateApt& apt) {
  static const std::regex series(R"(([0-9]+\.[0-9]+)[.-].*)");
  std::set<std::string, OlderRelease> names;
  std::smatch found;
  for (const std::string& version : apt.VersionsOf(kMetaPackage)) {
    if (std::regex_match(version, found, series)) names.insert("debian:" + found[1].str());
  }
  return {names.begin(), names.end()};
}

// What a virtual machine may need of a package: not its drivers.
void Unpack(const fs::path& archive, const fs::path& folder) {
  RunProgram({"sh", "-c",
              "dpkg-deb --fsys-tarfile \"$1\" | tar --extract --directory \"$2\" --no-same-owner "
              "--wildcards --wildcards-match-slash --exclude='*/kernel/drivers/net/ethernet/*' "
              "--exclude='*/kernel/drivers/net/wireless/*' './*/vmlinuz*' './*/config*' "
              "'*/kernel/net/*' '*/kernel/lib/*' '*/kernel/crypto/*' '*/kernel/arch/*' "
              "'*/kernel/drivers/net/*' 2>/dev/null; test -e \"$2\"",
              "unpack", archive.string(), folder.string()});
}

}  // namespace

bool IsFetchedName(const std::string& name) {
  static const std::regex form(R"(debian:[0-9]+\.[0-9]+)");
  return std::regex_match(name, form);
}

Kernel FetchedKernel(const std::string& name) {
  const fs::path folder = FolderOf(name);
  if (!fs::exists(folder / "version")) {
    throw HarnessError(
        fmt::format("the kernel {0} is not here; 'sockproof kernels fetch {0}' brings it", name));
  }
  return KernelIn(folder, name);
}

std::vector<std::string> FetchedNames() {
  std::set<std::string, OlderRelease> names;
  for (const auto& entry : fs::directory_iterator(CacheFolder("kernels"))) {
    std::string name = entry.path().filename().string();
    if (!fs::exists(entry.path() / "version") || name.find('-') == std::string::npos) continue;
    name.replace(name.find('-'), 1, ":");
    if (IsFetchedName(name)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::vector<Kernel> FetchedKernels() {
  std::vector<Kernel> kernels;
  for (const std::string& name : FetchedNames()) kernels.push_back(KernelIn(FolderOf(name), name));
  return kernels;
}

std::vector<Kernel> FetchKernels(const std::vector<std::string>& names,
                                 const FetchOptions& options) {
  for (const std::string& name : names) {
    if (!IsFetchedName(name) && name != kAllKernels) {
      throw UsageError("'" + name + "' is no name of a kernel; an example is debian:6.1");
    }
  }
  const FileLock lock(CacheFolder("kernels") / ".lock");
  const PrivateApt apt(options.mirror);
  options.say("reading package lists of " + apt.mirror() +
              ", some 80 MB where they are not here yet");
  apt.Update();
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    if (name != kAllKernels) {
      wanted.push_back(name);
      continue;
    }
    for (std::string& offered : OfferedNames(apt)) wanted.push_back(std::move(offered));
  }
  std::vector<Kernel> kernels;
  for (const std::string& name : wanted) {
    const std::string version = NewestVersion(apt, VersionOf(name));
    const fs::path folder = FolderOf(name);
    std::string present;
    std::getline(std::ifstream(folder / "version"), present);
    if (present == version) {
      options.say(fmt::format("{} is here already, {}", name, version));
      kernels.push_back(FetchedKernel(name));
      continue;
    }
    const fs::path fresh = folder.string() + ".new";
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    for (const Package& package : PackagesOf(apt, version)) {
      options.say(fmt::format("{}: {} {}", name, package.name, package.version));
      const fs::path archive = apt.Download(package.name, version);
      Unpack(archive, fresh);
      fs::remove(archive);
    }
    KernelIn(fresh, name);  // throws when it is not whole
    std::ofstream(fresh / "version") << version << '\n';
    fs::remove_all(folder);
    fs::rename(fresh, folder);
    kernels.push_back(FetchedKernel(name));
  }
  return kernels;
}

}  // namespace sockproof
