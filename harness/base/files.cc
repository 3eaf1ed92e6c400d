#include "harness/base/files.h"

#include <fstream>
#include <iterator>

#include "harness/base/errors.h"

namespace sockproof {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) ThrowErrno("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace sockproof
