#include "src/vm/snapshots.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"
#include "src/fetch/cache.h"

namespace sockproof {

namespace fs = std::filesystem;

namespace {

// FNV-1a, eight bytes at a time.
std::uint64_t Hash(const char* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t at = 0; at < size; at += 8) {
    std::uint64_t word = 0;
    memcpy(&word, data + at, std::min<std::size_t>(8, size - at));
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

std::vector<Snapshot> ListSnapshots() {
  std::vector<Snapshot> snapshots;
  for (const auto& entry : fs::directory_iterator(CacheFolder("snapshots"))) {
    const fs::path about = entry.path() / "snapshot.json";
    if (!fs::exists(about)) continue;
    std::ifstream file(about);
    const auto json = nlohmann::json::parse(file, nullptr, false);
    if (!json.is_object()) continue;
    Snapshot snapshot;
    snapshot.key = entry.path().filename().string();
    snapshot.folder = entry.path();
    snapshot.kernel = json.value("kernel", "");
    snapshot.release = json.value("release", "");
    for (const char* part : {"ram", "state"}) {
      struct stat status {};
      if (stat((entry.path() / part).c_str(), &status) == 0) {
        snapshot.size += static_cast<std::uintmax_t>(status.st_blocks) * 512;
      }
    }
    snapshot.used = fs::last_write_time(about);
    snapshots.push_back(std::move(snapshot));
  }
  std::sort(snapshots.begin(), snapshots.end(),
            [](const Snapshot& a, const Snapshot& b) { return a.used > b.used; });
  return snapshots;
}

void RemoveOldSnapshots(std::size_t kept) {
  const std::vector<Snapshot> snapshots = ListSnapshots();
  for (std::size_t i = kept; i < snapshots.size(); ++i) {
    std::error_code ignored;
    fs::remove_all(snapshots[i].folder, ignored);
    fs::remove(snapshots[i].folder.string() + ".lock", ignored);
  }
}

std::string HashOf(std::string_view text) {
  return fmt::format("{:016x}", Hash(text.data(), text.size()));
}

std::string HashOfFile(const fs::path& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) ThrowErrno("cannot read " + path.string());
  const std::size_t size = fs::file_size(path);
  if (size == 0) return HashOf("");
  void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) ThrowErrno("mmap " + path.string());
  std::string hash = HashOf({static_cast<const char*>(data), size});
  munmap(data, size);
  return hash;
}

}  // namespace sockproof
