// Which tests reach what a user names of a kernel: functions, files, lines, a change.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "src/reach/record.h"

namespace sockproof::reach {

struct Choice {
  std::set<std::string> functions;  // of the record, as which what was named is reached
  std::vector<std::string> notes;   // what could not be told exactly, a sentence each
  bool everything = false;          // it cannot be told at all: all tests
};

// `items`: names of functions (globs), "net/ipv4/tcp_timer.c" or "net/ipv4/tcp_timer.c:500-560"
// below `source`, the folder of the kernel's source, which may be empty. Throws UsageError for what
// is none of them.
Choice ByItems(const std::vector<std::string>& items, const std::filesystem::path& source,
               const Record& record);

// `change`: a file with a unified diff, or a revision of the git repository at `source`, whose
// difference to its files it means. Throws UsageError.
Choice ByChange(const std::string& change, const std::filesystem::path& source,
                const Record& record);

}  // namespace sockproof::reach
