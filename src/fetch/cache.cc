#include "src/fetch/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/errors.h"

namespace sockproof {

namespace fs = std::filesystem;

fs::path CachePath(const std::string& name) {
  const char* const cache = getenv("XDG_CACHE_HOME");
  const char* const home = getenv("HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "sockproof" / name;
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache" / "sockproof" / name;
  return {};
}

fs::path CacheFolder(const std::string& name) {
  const fs::path folder = CachePath(name);
  if (folder.empty()) {
    throw HarnessError("no place for a cache: neither XDG_CACHE_HOME nor HOME is set");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw HarnessError("cannot make the folder " + folder.string() + ": " + error.message());
  return folder;
}

FileLock::FileLock(const fs::path& path)
    : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) ThrowErrno("cannot write " + path.string());
  if (flock(fd_, LOCK_EX) != 0) ThrowErrno("flock " + path.string());
}

FileLock::~FileLock() { close(fd_); }

}  // namespace sockproof
