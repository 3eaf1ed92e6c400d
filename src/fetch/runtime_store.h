// OCI runtimes that the distribution of this machine may not have, fetched into the cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace sockproof {

// Where they are, if there are any; empty where there is no place for a cache.
std::filesystem::path FetchedRuntimes();

// Brings gVisor's runsc from Debian's archive (`mirror` as for PrivateApt) and returns the program.
// Nothing is installed. `say` is told what is being done. Throws HarnessError.
std::filesystem::path FetchRunsc(const std::string& mirror,
                                 const std::function<void(const std::string&)>& say);

}  // namespace sockproof
