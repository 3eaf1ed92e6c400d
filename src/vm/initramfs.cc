#include "src/vm/initramfs.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/program.h"
#include "src/vm/cpio.h"
#include "src/vm/guest_interface.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLinker = "/lib64/ld-linux-x86-64.so.2";

// Modules that tests may need; sock_diag and what else these need comes with them.
const std::vector<std::string> kModulesOfGuest = {"ipv6",      "af_packet", "veth",
                                                  "inet_diag", "tcp_diag",  "udp_diag",
                                                  "raw_diag",  "unix_diag", "tcp_cubic"};

// Folders above a file, each once.
void AddFoldersOf(const fs::path& file, std::set<std::string>& made, CpioArchive& archive) {
  fs::path folder;
  for (const fs::path& part : file.parent_path().relative_path()) {
    folder /= part;
    if (made.insert(folder.string()).second) archive.AddFolder(folder.string());
  }
}

}  // namespace

std::vector<fs::path> FilesOf(const fs::path& program) {
  std::vector<fs::path> files = {program};
  if (!fs::exists(kLinker)) return files;
  std::istringstream list;
  try {
    list.str(RunProgram({kLinker, "--list", program.string()}));
  } catch (const HarnessError&) {
    return files;  // linked statically
  }
  files.emplace_back(kLinker);
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)"
  for (std::string line; std::getline(list, line);) {
    const std::size_t arrow = line.find("=> /");
    if (arrow == std::string::npos) continue;
    const std::string path = line.substr(arrow + 3);
    files.emplace_back(path.substr(0, path.find(' ')));
  }
  return files;
}

std::string MakeInitramfs(const Kernel& kernel, const fs::path& program, const fs::path& agent) {
  CpioArchive archive;
  std::set<std::string> made;
  for (const char* folder : {"dev", "proc", "sys", "modules"}) {
    made.insert(folder);
    archive.AddFolder(folder);
  }
  archive.AddCharacterDevice("dev/console", 5, 1);
  archive.AddCharacterDevice("dev/null", 1, 3);
  const std::vector<fs::path> files = FilesOf(program);
  archive.AddFile("init", ReadFile(files.front()), true);
  for (auto file = files.begin() + 1; file != files.end(); ++file) {
    AddFoldersOf(*file, made, archive);
    archive.AddFile(file->relative_path().string(), ReadFile(*file), true);
  }
  archive.AddFile(fs::path(guest_interface::kAgent).relative_path().string(), ReadFile(agent),
                  true);
  int number = 0;
  for (const KernelModule& module : ModulesOf(kernel, kModulesOfGuest)) {
    archive.AddFile(
        fmt::format("{}/{:03}-{}.ko", fs::path(guest_interface::kModules).relative_path().string(),
                    number++, module.name),
        module.content);
  }
  return archive.Finish();
}

}  // namespace sockproof
