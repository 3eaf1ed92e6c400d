#include "src/fetch/runtime_store.h"

#include <vector>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "src/fetch/private_apt.h"

namespace sockproof {

namespace fs = std::filesystem;

constexpr const char* kRuntimes = "runtimes";

fs::path FetchedRuntimes() { return CachePath(kRuntimes); }

namespace {

// Of the builds of the newest version, the one of the oldest suite. gVisor reads variables of the
// Go runtime at places that it knows for the Go of its time: built by a later Go, as Debian does in
// sid, it crashes now and then ("running on goroutine 0").
std::string BestOf(const std::vector<std::string>& newest_first) {
  const std::string& newest = newest_first.front();
  const std::string upstream = newest.substr(0, newest.find('-') + 1);
  std::string best = newest;
  for (const std::string& version : newest_first) {
    if (version.starts_with(upstream)) best = version;
  }
  return best;
}

}  // namespace

fs::path FetchRunsc(const std::string& mirror, const std::function<void(const std::string&)>& say) {
  constexpr const char* kRunsc = "runsc";
  const PrivateApt apt(mirror);
  say("reading package lists of " + apt.mirror() + ", some 80 MB where they are not here yet");
  apt.Update();
  const std::vector<std::string> versions = apt.VersionsOf(kRunsc);
  if (versions.empty()) throw HarnessError("no package runsc in " + apt.mirror());
  const std::string version = BestOf(versions);
  say(std::string(kRunsc) + " " + version);
  const fs::path archive = apt.Download(kRunsc, version);
  const fs::path program = CacheFolder(kRuntimes) / kRunsc;
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
