// OCI runtimes that the distribution of this machine may not have, fetched into the cache.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sockproof {

// Where they are, if there are any; empty where there is no place for a cache.
std::filesystem::path FetchedRuntimes();

// The release of "runsc:20221219", empty for "runsc"; nothing for what names no runtime that can be fetched.
std::optional<std::string> ReleaseOfRunsc(const std::string& name);

// The program of a release of gVisor's runsc that FetchRunsc() has brought. Throws HarnessError, with what is there and
// the command that would bring it.
std::filesystem::path FetchedRunsc(const std::string& release);

// What FetchRunsc() has brought, the oldest first, and last "" for the newest, if it is there.
std::vector<std::string> FetchedRunscs();

// Brings gVisor's runsc from Debian's archive (`mirror` as for PrivateApt) and returns the program: of this release
// (IsReleaseName), or if that is empty the newest. Nothing is installed. `say` is told what is being done. Throws
// HarnessError.
std::filesystem::path FetchRunsc(const std::string& release, const std::string& mirror,
                                 const std::function<void(const std::string&)>& say);

}  // namespace sockproof
