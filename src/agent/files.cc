#include "src/agent/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "harness/base/unique_fd.h"

namespace sockproof::agent {

std::optional<std::string> ReadFile(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16384> chunk;
  while (true) {
    const ssize_t count = read(file.get(), chunk.data(), chunk.size());
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

bool WriteFile(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), text.data(), text.size()) >= 0;
}

}  // namespace sockproof::agent
