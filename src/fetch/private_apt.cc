#include "src/fetch/private_apt.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
constexpr const char* kSuites[] = {"bullseye", "bookworm", "bookworm-backports", "trixie", "sid"};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The Debian archive that this machine's own apt uses.
std::string MachinesMirror() {
  for (const std::string& line :
       Lines(RunProgram({"apt-get", "indextargets", "--format",
                         "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)", "Created-By: Packages"}))) {
    const std::string prefix = "Debian|Debian|main|";
    if (line.starts_with(prefix)) return line.substr(prefix.size());
  }
  throw HarnessError(
      "this machine's apt knows no Debian archive; name one with --mirror, or run apt-get update");
}

}  // namespace

PrivateApt::PrivateApt(const std::string& mirror)
    : folder_(CacheFolder("apt")),
      lock_(folder_ / ".lock"),
      mirror_(mirror.empty() ? MachinesMirror() : mirror) {
  fs::create_directories(folder_ / "lists/partial");
  fs::create_directories(folder_ / "archives/partial");
  if (!fs::exists(kKeyring)) {
    throw HarnessError(std::string("no ") + kKeyring +
                       " to check signatures with; install debian-archive-keyring");
  }
  std::ofstream sources(folder_ / "sources.list");
  for (const char* suite : kSuites) {
    sources << fmt::format("deb [arch=amd64 signed-by={}] {} {} main\n", kKeyring, mirror_, suite);
  }
  if (!sources.flush()) throw HarnessError("cannot write " + folder_.string());
}

void PrivateApt::Update() const { Run("apt-get", {"update"}); }

std::vector<std::string> PrivateApt::VersionsOf(const std::string& package) const {
  // "linux-image-amd64 | 6.1.176-1 | URL bookworm/main amd64 Packages".
  std::vector<std::string> versions;
  for (const std::string& line : Lines(Run("apt-cache", {"madison", package}))) {
    std::istringstream words(line);
    std::string name;
    std::string bar;
    std::string version;
    if (words >> name >> bar >> version) versions.push_back(version);
  }
  return versions;
}

std::string PrivateApt::Show(const std::string& package, const std::string& version) const {
  return Run("apt-cache", {"show", "--no-all-versions", package + "=" + version});
}

fs::path PrivateApt::Download(const std::string& package, const std::string& version) const {
  const fs::path downloads = folder_ / "downloads";
  fs::remove_all(downloads);
  fs::create_directories(downloads);
  Run("apt-get", {"download", package + "=" + version}, downloads);
  for (const auto& entry : fs::directory_iterator(downloads)) return entry.path();
  throw HarnessError("apt-get has downloaded nothing of " + package);
}

std::string PrivateApt::Run(const std::string& tool, const std::vector<std::string>& arguments,
                            const fs::path& in) const {
  const std::string folder = folder_.string();
  std::vector<std::string> command = {"env", "--chdir=" + in.string(), tool, "--quiet"};
  for (const std::string& setting :
       {"Dir::Etc::sourcelist=" + folder + "/sources.list",
        std::string("Dir::Etc::sourceparts=/dev/null"),
        std::string("Dir::Etc::preferences=/dev/null"),
        std::string("Dir::Etc::preferencesparts=/dev/null"),
        "Dir::State::lists=" + folder + "/lists", std::string("Dir::State::status=/dev/null"),
        "Dir::Cache=" + folder,
        // An image for containers may leave these out, without which each call reads all lists anew.
        std::string("Dir::Cache::pkgcache=pkgcache.bin"), std::string("Dir::Cache::srcpkgcache=srcpkgcache.bin"),
        std::string("Acquire::Languages=none"),
        std::string("Acquire::AllowInsecureRepositories=false"),
        std::string("APT::Architecture=amd64"), std::string("APT::Architectures=amd64"),
        std::string("APT::Sandbox::User="), std::string("APT::Update::Error-Mode=any")}) {
    command.insert(command.end(), {"--option", setting});
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunProgram(command);
}

}  // namespace sockproof
