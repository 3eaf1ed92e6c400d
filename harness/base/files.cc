#include "harness/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/errors.h"
#include "harness/base/unique_fd.h"

namespace sockproof {

std::string ReadFile(const std::filesystem::path& path) {
  const std::string what = "cannot read " + path.string();
  // Without waiting for whoever writes, if it is a pipe.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) ThrowErrno(what);
  if (S_ISDIR(status.st_mode)) ThrowErrno(what, EISDIR);
  if (!S_ISREG(status.st_mode)) throw HarnessError(what + ": it is not a regular file");
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count == 0) return text;
    if (count < 0 && errno != EINTR) ThrowErrno(what);
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace sockproof
