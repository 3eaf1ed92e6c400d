#include "src/fetch/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "harness/base/errors.h"
#include "harness/base/text.h"

namespace sockproof {
namespace {

// Debian's words before a date that is to be older than any number.
std::string WithoutZero(const std::string& version) {
  return version.starts_with("0.0~") ? version.substr(4) : version;
}

}  // namespace

bool IsReleaseName(const std::string& name) {
  static const std::regex form("[0-9][0-9A-Za-z.+~-]*");
  return std::regex_match(name, form);
}

std::string ReleaseOf(const std::string& version) {
  const std::string release = WithoutZero(version);
  return release.substr(0, release.find_first_of("+~-"));
}

bool IsRelease(const std::string& name, const std::string& version) {
  const std::string release = ReleaseOf(version);
  return name == version || name == WithoutZero(version) || name == release ||
         release.starts_with(name + ".");
}

std::vector<std::string> ReleasesOf(const std::vector<std::string>& newest_first) {
  std::vector<std::string> releases;
  for (auto version = newest_first.rbegin(); version != newest_first.rend(); ++version) {
    const std::string release = ReleaseOf(*version);
    if (std::find(releases.begin(), releases.end(), release) == releases.end()) {
      releases.push_back(release);
    }
  }
  return releases;
}

std::string NewestOf(const std::string& what, const std::string& name,
                     const std::vector<std::string>& newest_first) {
  for (const std::string& version : newest_first) {
    if (IsRelease(name, version)) return version;
  }
  if (newest_first.empty()) throw HarnessError("Debian has no " + what);
  throw HarnessError(fmt::format("Debian has no {} {}; it has {}", what, name,
                                 Joined(ReleasesOf(newest_first))));
}

std::string OldestBuildOf(const std::string& what, const std::string& name,
                          const std::vector<std::string>& newest_first) {
  std::string oldest = NewestOf(what, name, newest_first);
  const std::string release = ReleaseOf(oldest);
  for (const std::string& version : newest_first) {
    if (IsRelease(name, version) && ReleaseOf(version) == release) oldest = version;
  }
  return oldest;
}

}  // namespace sockproof
