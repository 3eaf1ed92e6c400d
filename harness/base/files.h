// Reading files.
#pragma once

#include <filesystem>
#include <string>

namespace sockproof {

// All of the file. Throws HarnessError when it cannot be opened.
std::string ReadFile(const std::filesystem::path& path);

}  // namespace sockproof
