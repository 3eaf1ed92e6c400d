// Files below /proc.
#pragma once

#include <optional>
#include <string>

namespace sockproof::agent {

// The text of a file; nothing, and errno, when it cannot be read.
std::optional<std::string> ReadFile(const char* path);

// Whether it could be written; errno when not.
bool WriteFile(const char* path, const std::string& text);

}  // namespace sockproof::agent
