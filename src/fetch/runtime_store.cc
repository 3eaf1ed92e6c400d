#include "src/fetch/runtime_store.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "src/fetch/cache.h"
#include "src/fetch/private_apt.h"
#include "src/fetch/releases.h"

namespace sockproof {

namespace fs = std::filesystem;

constexpr const char* kRuntimes = "runtimes";

fs::path FetchedRuntimes() { return CachePath(kRuntimes); }

namespace {

constexpr const char* kRunsc = "runsc";

fs::path FolderOfRunsc(const std::string& release) {
  return release.empty() ? FetchedRuntimes() : FetchedRuntimes() / ("runsc-" + release);
}

}  // namespace

std::optional<std::string> ReleaseOfRunsc(const std::string& name) {
  if (name == kRunsc) return "";
  const std::string begin = std::string(kRunsc) + ":";
  if (name.starts_with(begin) && IsReleaseName(name.substr(begin.size()))) return name.substr(begin.size());
  return std::nullopt;
}

fs::path FetchedRunsc(const std::string& release) {
  const fs::path program = FolderOfRunsc(release) / kRunsc;
  if (fs::exists(program)) return program;
  std::vector<std::string> releases = FetchedRunscs();
  releases.erase(std::remove(releases.begin(), releases.end(), ""), releases.end());
  throw HarnessError(
      fmt::format("runsc {0} is not here{1}; 'sockproof runtimes fetch runsc:{0}' brings it where Debian has it",
                  release, releases.empty() ? "" : ", but " + Joined(releases)));
}

std::vector<std::string> FetchedRunscs() {
  std::vector<std::string> releases;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FetchedRuntimes(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("runsc-") && fs::exists(entry.path() / kRunsc)) releases.push_back(name.substr(6));
  }
  std::sort(releases.begin(), releases.end(), [](const std::string& one, const std::string& other) {
    return strverscmp(one.c_str(), other.c_str()) < 0;
  });
  if (fs::exists(FetchedRuntimes() / kRunsc)) releases.emplace_back();
  return releases;
}

fs::path FetchRunsc(const std::string& release, const std::string& mirror,
                    const std::function<void(const std::string&)>& say) {
  const PrivateApt apt(mirror);
  say("reading package lists of " + apt.mirror() + ", some 80 MB where they are not here yet");
  apt.Update();
  const std::vector<std::string> versions = apt.VersionsOf(kRunsc);
  // gVisor reads variables of the Go runtime at places that it knows for the Go of its time: built by a later
  // Go, as Debian does in sid, it crashes now and then ("running on goroutine 0").
  const std::string newest = release.empty() && !versions.empty() ? ReleaseOf(versions.front()) : release;
  const std::string version = OldestBuildOf("gVisor", newest, versions);
  say(std::string(kRunsc) + " " + version);
  const fs::path archive = apt.Download(kRunsc, version);
  CacheFolder(kRuntimes);
  fs::create_directories(FolderOfRunsc(release));
  const fs::path program = FolderOfRunsc(release) / kRunsc;
  const fs::path fresh = program.string() + ".new";
  RunProgram(
      {"sh", "-c",
       "dpkg-deb --fsys-tarfile \"$1\" | tar --extract --to-stdout ./usr/bin/runsc >\"$2\" && "
       "chmod 755 \"$2\" && test -s \"$2\"",
       "unpack", archive.string(), fresh.string()});
  fs::remove(archive);
  fs::rename(fresh, program);
  return program;
}

}  // namespace sockproof
