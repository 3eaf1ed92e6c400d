#include "src/vm/kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/program.h"
#include "src/run/usage_error.h"
#include "src/vm/kernel_store.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

template <typename T>
T At(const std::string& bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size()) memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The release in the header of an image (Documentation/arch/x86/boot.rst). Throws HarnessError when
// it is not one for x86-64.
std::string ReleaseOfImage(const fs::path& image) {
  std::ifstream file(image, std::ios::binary);
  if (!file) ThrowErrno("cannot read " + image.string());
  std::string head(65536, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  const auto refuse = [&](const std::string& what) -> HarnessError {
    return HarnessError(fmt::format("{} {}", image.string(), what));
  };
  if (At<std::uint32_t>(head, 0x38) == 0x644d5241)
    throw refuse("is a kernel for arm64, not x86-64");
  if (head.starts_with("\x7f"
                       "ELF")) {
    throw refuse("is an ELF file (vmlinux); the bzImage of the same build is what boots");
  }
  if (At<std::uint32_t>(head, 0x202) != 0x53726448) {
    throw refuse("is no Linux kernel image for x86 (bzImage)");
  }
  constexpr std::uint16_t kRuns64Bit = 1;
  if ((At<std::uint16_t>(head, 0x236) & kRuns64Bit) == 0) throw refuse("is a 32-bit kernel");
  const std::size_t version = At<std::uint16_t>(head, 0x20e) + std::size_t{0x200};
  const std::string text(version < head.size() ? head.c_str() + version : "");
  return text.substr(0, text.find(' '));
}

// "tcp_diag" of kernel/net/ipv4/tcp-diag.ko.xz.
std::string ModuleName(const fs::path& file) {
  std::string name = file.filename().string();
  name = name.substr(0, name.find(".ko"));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string ReadModule(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".xz") return RunProgram({"xz", "--decompress", "--stdout", file.string()});
  if (extension == ".zst") return RunProgram({"zstd", "--decompress", "--stdout", file.string()});
  if (extension == ".gz") return RunProgram({"gzip", "--decompress", "--stdout", file.string()});
  return ReadFile(file);
}

// The modules named in the "depends" of a module's .modinfo.
std::vector<std::string> NeededBy(const std::string& module) {
  const std::string_view key("\0depends=", 9);
  const std::size_t at = module.find(key);
  std::vector<std::string> names;
  if (at == std::string::npos) return names;
  std::string text = module.c_str() + at + key.size();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    names.push_back(text.substr(0, comma));
    std::replace(names.back().begin(), names.back().end(), '-', '_');
    text = comma == std::string::npos ? "" : text.substr(comma + 1);
  }
  return names;
}

std::map<std::string, fs::path> ModuleFiles(const fs::path& folder) {
  std::map<std::string, fs::path> files;
  if (folder.empty()) return files;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    const std::string name = entry.path().filename().string();
    const std::size_t dot = name.find(".ko");
    if (dot == std::string::npos || (name.size() > dot + 3 && name[dot + 3] != '.')) continue;
    files.emplace(ModuleName(entry.path()), entry.path());
  }
  return files;
}

Kernel FromImage(const fs::path& image, const std::string& name) {
  Kernel kernel;
  kernel.name = name;
  kernel.image = image;
  kernel.release = ReleaseOfImage(image);
  const fs::path installed = "/lib/modules/" + kernel.release;
  if (fs::is_directory(installed)) kernel.modules = installed;
  const fs::path config = image.parent_path() / ("config-" + kernel.release);
  if (fs::exists(config)) kernel.config = config;
  return kernel;
}

}  // namespace

Kernel KernelIn(const fs::path& folder, const std::string& name) {
  const fs::path built = folder / "arch/x86/boot/bzImage";
  if (fs::exists(built)) {
    Kernel kernel = FromImage(built, name);
    kernel.modules = folder;
    if (fs::exists(folder / ".config")) kernel.config = folder / ".config";
    return kernel;
  }
  std::set<fs::path> images;
  // A merged /usr may be there or not.
  for (const char* place : {"boot", "usr/lib/modules", "lib/modules"}) {
    if (!fs::is_directory(folder / place)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder / place)) {
      const std::string file = entry.path().filename().string();
      if (entry.is_regular_file() && (file.starts_with("vmlinuz") || file == "bzImage")) {
        images.insert(entry.path());
      }
    }
  }
  if (images.empty()) throw HarnessError("no kernel image below " + folder.string());
  if (images.size() > 1) {
    throw HarnessError(fmt::format("more than one kernel image below {}: {}, {}", folder.string(),
                                   images.begin()->string(), std::next(images.begin())->string()));
  }
  Kernel kernel = FromImage(*images.begin(), name);
  kernel.modules.clear();
  for (const char* place : {"usr/lib/modules", "lib/modules"}) {
    if (fs::is_directory(folder / place)) kernel.modules = folder / place;
  }
  for (const fs::path& config :
       {folder / "boot" / ("config-" + kernel.release), kernel.image.parent_path() / "config"}) {
    if (fs::exists(config)) kernel.config = config;
  }
  return kernel;
}

Kernel FindKernel(const std::string& place, const std::string& modules) {
  if (!modules.empty() && !fs::is_directory(modules)) {
    throw UsageError("no folder " + modules + " for modules");
  }
  Kernel kernel;
  if (IsFetchedName(place)) {
    kernel = FetchedKernel(place);
  } else if (fs::is_directory(place)) {
    kernel = KernelIn(place, place);
  } else if (fs::exists(place)) {
    kernel = FromImage(place, place);
  } else {
    throw UsageError("no kernel '" + place +
                     "': neither a file, nor a folder, nor a name such as debian:6.1");
  }
  if (!modules.empty()) kernel.modules = modules;
  return kernel;
}

std::vector<KernelModule> ModulesOf(const Kernel& kernel, const std::vector<std::string>& wanted) {
  const std::map<std::string, fs::path> files = ModuleFiles(kernel.modules);
  std::vector<KernelModule> modules;
  std::set<std::string> seen;
  const std::function<void(const std::string&)> add = [&](const std::string& name) {
    const auto file = files.find(name);
    if (file == files.end() || !seen.insert(name).second) return;
    std::string content = ReadModule(file->second);
    for (const std::string& needed : NeededBy(content)) add(needed);
    modules.push_back({name, std::move(content)});
  };
  for (const std::string& name : wanted) add(name);
  return modules;
}

std::string Fingerprint(const Kernel& kernel) {
  std::string text;
  const auto add = [&text](const fs::path& file) {
    text += fmt::format("{} {} {}\n", file.string(), fs::file_size(file),
                        fs::last_write_time(file).time_since_epoch().count());
  };
  add(kernel.image);
  for (const auto& [name, file] : ModuleFiles(kernel.modules)) add(file);
  return text;
}

bool Lacks(const Kernel& kernel, std::string_view option) {
  if (kernel.config.empty()) return false;
  std::ifstream file(kernel.config);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(fmt::format("{}=", option))) return false;
  }
  return true;
}

}  // namespace sockproof
