// apt with sources and folders of its own, which leaves this machine's packages and sources alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/fetch/cache.h"

namespace sockproof {

// Debian's suites, bullseye to sid, for amd64. Apart from sources and folders this machine's
// configuration counts (proxies); apt checks signatures. One process has it at a time. All members
// throw HarnessError.
class PrivateApt {
 public:
  // `mirror`: URL of a Debian archive; empty: the one that this machine's apt uses.
  explicit PrivateApt(const std::string& mirror);

  const std::string& mirror() const { return mirror_; }

  void Update() const;  // before anything else

  // The newest first.
  std::vector<std::string> VersionsOf(const std::string& package) const;

  // What `apt-cache show` prints.
  std::string Show(const std::string& package, const std::string& version) const;

  // The package as a file, which the caller removes.
  std::filesystem::path Download(const std::string& package, const std::string& version) const;

 private:
  std::string Run(const std::string& tool, const std::vector<std::string>& arguments,
                  const std::filesystem::path& in = "/") const;

  std::filesystem::path folder_;
  FileLock lock_;
  std::string mirror_;
};

}  // namespace sockproof
