// Stopped machines in the cache, ready to go on.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace sockproof {

// A folder of the cache: the machine's memory ("ram"), the state of its devices ("state"), and what
// is known of it ("snapshot.json").
struct Snapshot {
  std::string key;
  std::filesystem::path folder;
  std::string kernel;       // as the user named it
  std::string release;      // "6.1.0-50-amd64"
  std::uintmax_t size = 0;  // bytes on disk
  std::filesystem::file_time_type used;
};

// The newest-used first.
std::vector<Snapshot> ListSnapshots();

// Removes those beyond the `kept` that were used last.
void RemoveOldSnapshots(std::size_t kept);

// 64 bits of a text or a file, in hexadecimal: tells versions of it apart, keeps no secrets.
std::string HashOf(std::string_view text);
std::string HashOfFile(const std::filesystem::path& file);

}  // namespace sockproof
