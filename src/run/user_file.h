// Files that a user wrote for this program.
#pragma once

#include <string>

namespace sockproof {

// The content of a file. Throws UsageError when it cannot be read.
std::string ReadUserFile(const std::string& path);

}  // namespace sockproof
