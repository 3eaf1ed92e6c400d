#include "src/run/user_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "src/run/usage_error.h"

namespace sockproof {

std::string ReadUserFile(const std::string& path) {
  std::error_code ignored;
  int error = std::filesystem::is_directory(path, ignored) ? EISDIR : 0;
  std::string text;
  if (error == 0) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) error = errno != 0 ? errno : EIO;
  }
  if (error != 0) {
    throw UsageError(
        fmt::format("cannot read {}: {}", path, std::generic_category().message(error)));
  }
  return text;
}

}  // namespace sockproof
