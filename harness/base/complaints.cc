#include "harness/base/complaints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/text.h"
#include "harness/base/unique_fd.h"

namespace sockproof {
namespace {

constexpr std::size_t kShownComplaints = 300;

}  // namespace

Complaints::Complaints() {
  struct stat file {};
  if (fstat(STDERR_FILENO, &file) == 0 && S_ISREG(file.st_mode)) begin_ = file.st_size;
}

std::string Complaints::Last() const {
  if (begin_ < 0) return "";
  // Standard error may be open for writing only.
  const UniqueFd file(open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC));
  return file ? EndOfFile(file.get(), begin_) : "";
}

std::string EndOfFile(int fd, off_t begin) {
  struct stat now {};
  if (fstat(fd, &now) != 0 || now.st_size <= begin) return "";
  const auto length = std::min<off_t>(now.st_size - begin, off_t{kShownComplaints} + 1);
  std::string text(static_cast<std::size_t>(length), '\0');
  const ssize_t count = pread(fd, text.data(), text.size(), now.st_size - length);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return LastWords(text);
}

std::string LastWords(std::string_view text) {
  if (text.size() > kShownComplaints) {
    text = text.substr(text.size() - kShownComplaints);
    // From the beginning of a word.
    const std::size_t space = text.find_first_of(" \n");
    if (space != std::string_view::npos) text.remove_prefix(space);
  }
  return CleanLine(text);
}

}  // namespace sockproof
