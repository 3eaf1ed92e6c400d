// What the program says beside its output.
#pragma once

#include <fmt/format.h>

#include <string>

namespace sockproof {

// A line to standard error.
inline void Say(const std::string& text) { fmt::print(stderr, "sockproof: {}\n", text); }

}  // namespace sockproof
