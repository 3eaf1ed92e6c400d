// Which tests reach what a user names of a kernel: functions, files, lines, a change.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "src/reach/record.h"

namespace sockproof::reach {

struct Choice {
  // Of the record, as which what was named is reached: functions, and lines of its files where it has
  // these.
  std::set<std::string> functions;
  std::map<std::string, std::set<int>> lines;
  std::vector<std::string> notes;   // what could not be told exactly, a sentence each
  bool everything = false;          // it cannot be told at all: all tests
};

// Tests that reach any of it.
std::set<std::string> Reaching(const Choice& choice, const Record& record);

// "net/ipv4/tcp_input.c:12", "tcp_ack": each, as text.
std::vector<std::string> NamesIn(const Choice& choice);

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
