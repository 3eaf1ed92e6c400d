// What comes from a system under test, a file or a wire, and the reader of each.
#pragma once

#include <ostream>
#include <string_view>
#include <vector>

namespace sockproof::fuzz {

// A reader that has to cope with any octets: it takes them, or refuses them with the error that is
// documented for it. Anything else, also a control character in what it shows, is a flaw.
struct Target {
  std::string_view name;  // of the folder of its examples
  void (*read)(std::string_view octets);  // throws std::logic_error, or crashes, for a flaw
};

// How GoogleTest names it.
inline void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

const std::vector<Target>& Targets();

}  // namespace sockproof::fuzz
