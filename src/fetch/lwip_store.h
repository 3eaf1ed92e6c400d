// Releases of lwIP, fetched into the cache: Debian's packages by apt, unpacked, never installed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sockproof {

struct FetchedLwip {
  std::string name;     // as it was asked for: "2.2.1"
  std::string version;  // of the package: "2.2.1+dfsg1-9"
  std::filesystem::path folder;

  std::filesystem::path headers() const { return folder / "usr/include/lwip"; }
  std::filesystem::path libraries() const { return folder / "usr/lib/x86_64-linux-gnu"; }
  // Of a C library of its own, if the one of this machine is too old for it; else there is none.
  std::filesystem::path loader() const { return libraries() / "ld-linux-x86-64.so.2"; }
  // The shared object itself. Throws HarnessError.
  std::filesystem::path library() const;
};

// One that FetchLwip() has brought. Throws HarnessError, with what is there and the command that would bring it.
FetchedLwip LwipOf(const std::string& name);

// All of them, the oldest first.
std::vector<FetchedLwip> FetchedLwips();

// Stands for all that Debian has, or that are here.
inline constexpr const char* kAllLwips = "all";

// Brings the newest packages of these releases (IsReleaseName), or of all; what is there already and the newest stays.
// `mirror` as for PrivateApt; `say` is told what is being done. Throws HarnessError.
std::vector<FetchedLwip> FetchLwips(const std::vector<std::string>& names, const std::string& mirror,
                                    const std::function<void(const std::string&)>& say);

}  // namespace sockproof
