// How much of a kernel tests reach, as a page.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "src/reach/record.h"

namespace sockproof::reach {

// A function of the kernel, and the tests that reach it.
struct ReachedFunction {
  std::string name;
  int line = 0;                 // where it begins in its file; 0: not known
  bool has_symbol = true;       // else compilers put it into its callers, and nothing is known of it
  std::set<std::size_t> tests;  // as indices of Record::tests
};

// Functions that belong together: of a file, or whose names begin alike.
struct ReachedGroup {
  std::string name;  // "net/ipv4/tcp_input.c", "tcp_*"
  std::vector<ReachedFunction> functions;
  std::size_t lines = 0;  // with code; 0: none are recorded
  std::size_t reached_lines = 0;

  std::size_t Known() const;    // with a symbol
  std::size_t Reached() const;  // by any test
};

// Of the C files in these folders and files, from the top of the source. One without functions of the kernel,
// which this configuration leaves out, is left out. Throws UsageError for what is not there.
std::vector<ReachedGroup> GroupsByFile(const Record& record, const std::filesystem::path& source,
                                       const std::vector<std::string>& files);

// Without source: those whose names begin so.
std::vector<ReachedGroup> GroupsByName(const Record& record, const std::vector<std::string>& begins);

// One file of HTML that fetches nothing and has no scripts.
std::string ReachPage(const Record& record, const std::vector<ReachedGroup>& groups);

}  // namespace sockproof::reach
