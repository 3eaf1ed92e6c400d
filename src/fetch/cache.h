// Where sockproof keeps what can be made again: $XDG_CACHE_HOME/sockproof, else ~/.cache/sockproof.
#pragma once

#include <filesystem>
#include <string>

namespace sockproof {

// Where a folder of the cache is, or would be; empty where there is no place for one.
std::filesystem::path CachePath(const std::string& name);

// A folder of the cache, made when it is missing. Throws HarnessError.
std::filesystem::path CacheFolder(const std::string& name);

// Held by one process at a time for as long as it lives; waits for it.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace sockproof
