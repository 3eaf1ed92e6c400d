#include "src/fetch/lwip_store.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <string.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "src/fetch/cache.h"
#include "src/fetch/private_apt.h"
#include "src/fetch/releases.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHeaders = "liblwip-dev";
constexpr const char* kLibc = "libc6";

fs::path FolderOfLwip(const std::string& name) { return CacheFolder("lwip") / name; }

std::string VersionIn(const fs::path& folder) {
  std::string version;
  std::getline(std::ifstream(folder / "version"), version);
  return version;
}

struct Dependency {
  std::string package;
  std::string relation;  // "=", ">="
  std::string version;
};

std::vector<Dependency> DependenciesOf(const std::string& shown) {
  static const std::regex form(R"(([a-z0-9][a-z0-9.+-]*)(?: \((=|>=) ([^)]+)\))?(?: \|[^,]*)?(?:, |$))");
  std::vector<Dependency> dependencies;
  std::istringstream lines(shown);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Depends: ")) continue;
    for (std::sregex_iterator found(line.begin() + 9, line.end(), form), end; found != end; ++found) {
      dependencies.push_back({(*found)[1], (*found)[2], (*found)[3]});
    }
  }
  return dependencies;
}

bool IsOlder(const std::string& version, const std::string& other) {
  return strverscmp(version.c_str(), other.c_str()) < 0;
}

// Unpacks packages, each once, with what these need in turn, but for a C library that this machine has.
class Unpacking {
 public:
  Unpacking(const PrivateApt& apt, fs::path folder, const std::function<void(const std::string&)>& say)
      : apt_(apt), folder_(std::move(folder)), say_(say) {}

  void Add(const std::string& package, const std::string& version) {
    if (std::find(done_.begin(), done_.end(), package) != done_.end()) return;
    done_.push_back(package);
    say_(fmt::format("{} {}", package, version));
    const fs::path archive = apt_.Download(package, version);
    RunProgram({"sh", "-c",
                "dpkg-deb --fsys-tarfile \"$1\" | tar --extract --directory \"$2\" --no-same-owner --wildcards "
                "--no-wildcards-match-slash ./usr/include './usr/lib/x86_64-linux-gnu/*.so*' 2>/dev/null; "
                "test -e \"$2\"",
                "unpack", archive.string(), folder_.string()});
    fs::remove(archive);
    for (const Dependency& needed : DependenciesOf(apt_.Show(package, version))) {
      if (needed.package == kLibc) {
        if (needed.relation == ">=" && IsOlder(libc_, needed.version)) libc_ = needed.version;
      } else if (package != kLibc) {
        Add(needed.package, needed.relation == "=" ? needed.version : NewestVersionOf(needed.package));
      }
    }
  }

  // The oldest C library that all of them do with.
  const std::string& libc() const { return libc_; }

  std::string NewestVersionOf(const std::string& package) const {
    const std::vector<std::string> versions = apt_.VersionsOf(package);
    if (versions.empty()) throw HarnessError(fmt::format("no package {} in {}", package, apt_.mirror()));
    return versions.front();
  }

 private:
  const PrivateApt& apt_;
  fs::path folder_;
  const std::function<void(const std::string&)>& say_;
  std::vector<std::string> done_;
  std::string libc_;
};

std::optional<FetchedLwip> Present(const std::string& name) {
  const FetchedLwip lwip{name, VersionIn(FolderOfLwip(name)), FolderOfLwip(name)};
  return lwip.version.empty() ? std::nullopt : std::optional(lwip);
}

}  // namespace

fs::path FetchedLwip::library() const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(libraries(), error)) {
    const std::string file = entry.path().filename().string();
    if (file.starts_with("liblwip.so.") && !entry.is_symlink()) return entry.path();
  }
  throw HarnessError("no library of lwIP in " + libraries().string());
}

FetchedLwip LwipOf(const std::string& name) {
  if (const std::optional<FetchedLwip> lwip = Present(name)) return *lwip;
  std::vector<std::string> names;
  for (const FetchedLwip& lwip : FetchedLwips()) names.push_back(lwip.name);
  throw HarnessError(fmt::format("lwIP {0} is not here{1}; 'sockproof stacks fetch lwip:{0}' brings it where Debian has it",
                                 name, names.empty() ? "" : ", but " + Joined(names)));
}

std::vector<FetchedLwip> FetchedLwips() {
  std::vector<FetchedLwip> lwips;
  for (const auto& entry : fs::directory_iterator(CacheFolder("lwip"))) {
    const std::string name = entry.path().filename().string();
    if (!IsReleaseName(name) || name.ends_with(".new")) continue;
    if (const std::optional<FetchedLwip> lwip = Present(name)) lwips.push_back(*lwip);
  }
  std::sort(lwips.begin(), lwips.end(), [](const FetchedLwip& one, const FetchedLwip& other) {
    return IsOlder(one.name, other.name);
  });
  return lwips;
}

std::vector<FetchedLwip> FetchLwips(const std::vector<std::string>& names, const std::string& mirror,
                                    const std::function<void(const std::string&)>& say) {
  const FileLock lock(CacheFolder("lwip") / ".lock");
  const PrivateApt apt(mirror);
  say("reading package lists of " + apt.mirror() + ", some 80 MB where they are not here yet");
  apt.Update();
  const std::vector<std::string> offered = apt.VersionsOf(kHeaders);
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    if (name != kAllLwips) {
      wanted.push_back(name);
    } else {
      for (const std::string& release : ReleasesOf(offered)) wanted.push_back(release);
    }
  }
  std::vector<FetchedLwip> lwips;
  for (const std::string& name : wanted) {
    const std::string version = NewestOf("lwIP", name, offered);
    const fs::path folder = FolderOfLwip(name);
    if (VersionIn(folder) == version) {
      say(fmt::format("lwip:{} is here already, {}", name, version));
    } else {
      const fs::path fresh = folder.string() + ".new";
      fs::remove_all(fresh);
      fs::create_directories(fresh);
      Unpacking unpacking(apt, fresh, say);
      unpacking.Add(kHeaders, version);
      // With an older C library than it was linked with it cannot be loaded.
      if (IsOlder(gnu_get_libc_version(), unpacking.libc())) {
        unpacking.Add(kLibc, unpacking.NewestVersionOf(kLibc));
      }
      FetchedLwip{name, version, fresh}.library();  // throws when it is not whole
      std::ofstream(fresh / "version") << version << '\n';
      fs::remove_all(folder);
      fs::rename(fresh, folder);
    }
    lwips.push_back(LwipOf(name));
  }
  return lwips;
}

}  // namespace sockproof
