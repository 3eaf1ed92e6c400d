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
#include "src/vm/luggage.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLinker = "/lib64/ld-linux-x86-64.so.2";

// Modules that tests may need; sock_diag and what else these need comes with them.
const std::vector<std::string> kModulesOfGuest = {
    "ipv6",           "af_packet",    "veth",      "inet_diag", "tcp_diag",
    "udp_diag",       "raw_diag",     "unix_diag", "tcp_cubic", "vsock_loopback",
    "af_packet_diag", "netlink_diag", "vsock_diag"};

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

namespace {

// Each path once.
class Packer {
 public:
  explicit Packer(CpioArchive& archive, std::set<std::string>& folders)
      : archive_(archive), folders_(folders) {}

  void Add(const fs::path& path, const std::string& content) {
    const std::string name = path.relative_path().string();
    if (!files_.insert(name).second) return;
    AddFoldersOf(path, folders_, archive_);
    archive_.AddFile(name, content, true);
  }

 private:
  CpioArchive& archive_;
  std::set<std::string>& folders_;
  std::set<std::string> files_;
};

void AddLuggage(const Luggage& luggage, Packer& packer, std::set<std::string>& folders,
                CpioArchive& archive) {
  for (const char* folder : {"tmp", "etc", "root", "usr", "usr/bin", "usr/sbin", "dev/net"}) {
    if (folders.insert(folder).second) archive.AddFolder(folder);
  }
  // As on most systems of today; where it is otherwise, programs come in folders of these names.
  for (const char* name : {"bin", "sbin"}) {
    if (!fs::is_symlink(fs::path("/") / name)) continue;
    archive.AddLink(name, std::string("usr/") + name);
    folders.insert(name);
  }
  archive.AddCharacterDevice("dev/zero", 1, 5);
  archive.AddCharacterDevice("dev/net/tun", 10, 200);
  for (const fs::path& program : luggage.programs) {
    for (const fs::path& file : FilesOf(program)) packer.Add(file, ReadFile(file));
  }
  for (const auto& [path, content] : luggage.files) packer.Add(path, content);
}

}  // namespace

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
  Packer packer(archive, made);
  for (auto file = files.begin() + 1; file != files.end(); ++file)
    packer.Add(*file, ReadFile(*file));
  const Luggage& luggage = LuggageOfRun();
  if (!luggage.empty()) AddLuggage(luggage, packer, made, archive);
  archive.AddFile(fs::path(guest_interface::kAgent).relative_path().string(), ReadFile(agent),
                  true);
  int number = 0;
  std::vector<std::string> modules = kModulesOfGuest;
  modules.insert(modules.end(), luggage.modules.begin(), luggage.modules.end());
  for (const KernelModule& module : ModulesOf(kernel, modules)) {
    archive.AddFile(
        fmt::format("{}/{:03}-{}.ko", fs::path(guest_interface::kModules).relative_path().string(),
                    number++, module.name),
        module.content);
  }
  return archive.Finish();
}

}  // namespace sockproof
