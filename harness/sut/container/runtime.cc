#include "harness/sut/container/runtime.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

// PATH of an ordinary user often lacks the folders in which distributions have runtimes.
std::string FindRuntime(const std::string& name, const fs::path& also_in) {
  const std::string in_path = FindProgram(name);
  if (!in_path.empty()) return in_path;
  for (const fs::path& folder : {fs::path("/usr/local/sbin"), fs::path("/usr/sbin"), also_in}) {
    const fs::path candidate = folder / name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::string HowToGet(const std::string& name) {
  if (name == "runsc") {
    return "'sockproof runtimes fetch runsc' brings it, or gvisor.dev says how to install it";
  }
  return "as root: apt-get install --no-install-recommends " + name;
}

}  // namespace

const std::vector<std::string>& Runtime::Names() {
  static const std::vector<std::string> names = {"runc", "crun", "runsc"};
  return names;
}

Runtime Runtime::Find(const std::string& name, const fs::path& also_in) {
  const std::vector<std::string> wanted = name.empty() ? Names() : std::vector<std::string>{name};
  for (const std::string& candidate : wanted) {
    const std::string program = FindRuntime(candidate, also_in);
    if (!program.empty()) return {candidate, program};
  }
  throw HarnessError(fmt::format("{} is not installed, without which no container can be run; {}",
                                 name.empty() ? "no OCI runtime" : name, HowToGet(wanted.front())));
}

Runtime Runtime::At(const std::string& name, const fs::path& program) { return {name, program}; }

std::string Runtime::Version() const {
  // "runc version 1.1.5+ds1", "crun version 1.8.1", "runsc version release-20240729.0". Without a
  // folder that cannot be made, crun would make its own in /run.
  std::istringstream words(RunProgram({program_, "--root", "/proc/none", "--version"}));
  std::string word;
  while (words >> word) {
    if (word == "version" && words >> word) return word;
  }
  throw HarnessError(program_ + " does not say its version");
}

std::string Runtime::StackRelease() const {
  // Debian prefixes gVisor's date with "0.0~", its makers with "release-".
  const std::string version = Version();
  const std::size_t date = version.find("20");
  return date == std::string::npos ? version : version.substr(date);
}

// No cgroup is made: one would outlive a test that is killed, and no test needs its limits.
std::vector<std::string> Runtime::RunArguments(const ContainerFiles& files) const {
  std::vector<std::string> arguments = {"--root", files.state()};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  if (name_ == "runc") add({"--rootless", "true"});
  if (name_ == "crun") add({"--cgroup-manager=disabled"});
  if (name_ == "runsc") {
    // Its stack cuts and sums up segments itself, so that frames are as a receiver must see them,
    // and looks at the checksums of what it receives.
    add({"--ignore-cgroups", "--network=sandbox", "--gso=false", "--software-gso=false",
         "--rx-checksum-offload=false", "--panic-log=" + files.crash().string()});
  }
  add({"run", "--bundle", files.folder, "--pid-file", files.pid(), files.folder.filename()});
  return arguments;
}

}  // namespace sockproof
