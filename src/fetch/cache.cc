#include "src/fetch/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/errors.h"

namespace sockproof {

namespace fs = std::filesystem;

fs::path CacheFolder(const std::string& name) {
  const char* const cache = getenv("XDG_CACHE_HOME");
  const char* const home = getenv("HOME");
  fs::path folder;
  if (cache != nullptr && *cache == '/') {
    folder = cache;
  } else if (home != nullptr && *home == '/') {
    folder = fs::path(home) / ".cache";
  } else {
    throw HarnessError("no place for a cache: neither XDG_CACHE_HOME nor HOME is set");
  }
  folder = folder / "sockproof" / name;
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
