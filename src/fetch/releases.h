// Releases by the versions of Debian's packages: 2.2.1 of "2.2.1+dfsg1-9", 20240729.0 of
// "0.0~20240729.0-4+b7".
#pragma once

#include <string>
#include <vector>

namespace sockproof {

// Whether it may name a release, or a version of a package, and is safe as the name of a file.
bool IsReleaseName(const std::string& name);

// The release that a package of this version has.
std::string ReleaseOf(const std::string& version);

// Whether `name` is that release, the beginning of its numbers ("2.2"), or the whole version.
bool IsRelease(const std::string& name, const std::string& version);

// The releases that these have, each once, the oldest first.
std::vector<std::string> ReleasesOf(const std::vector<std::string>& newest_first);

// The newest version that `name` names of these of `what`. Throws HarnessError, which names the releases that there are.
std::string NewestOf(const std::string& what, const std::string& name,
                     const std::vector<std::string>& newest_first);

// The last of those that name the same release as that one.
std::string OldestBuildOf(const std::string& what, const std::string& name,
                          const std::vector<std::string>& newest_first);

}  // namespace sockproof
