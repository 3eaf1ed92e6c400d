// Reading files.
#pragma once

#include <filesystem>
#include <string>

namespace sockproof {

// All of a regular file. Throws HarnessError when it cannot be read, or is none: who reads from a
// pipe might wait for ever, and a device may have no end.
std::string ReadFile(const std::filesystem::path& path);

}  // namespace sockproof
