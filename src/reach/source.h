// A kernel's source as far as it tells what a change touches: which function a line is in, and who
// calls a function that compilers put into its callers. By the style that the kernel is written in:
// a function's body begins with '{' and ends with '}' in the first column.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace sockproof::reach {

struct Function {
  std::string name;
  int first = 0;  // line, from 1: where its head begins
  int last = 0;   // that of its closing brace
  std::string body;
};

// The functions that the text of a C file defines, in its order. One that SYSCALL_DEFINEn() defines has
// the name that it has on x86-64.
std::vector<Function> FunctionsIn(const std::string& text);

// Lines [first, last] of a file, as a change or a user names them.
struct Lines {
  std::string file;  // from the top of the tree
  int first = 0;
  int last = 0;  // 0: to the end of the file
  bool operator==(const Lines&) const = default;
};

// Lines of the new files that a unified diff changes; where it only takes lines away, the two around
// the gap; {"file", 0, 0} for a file that is taken away.
std::vector<Lines> ChangedBy(const std::string& diff);

// The same, where lines are only taken away: the gap between two, which begins at line `first` and whose
// `last` is one less.
std::vector<Lines> PlacesIn(const std::string& diff);

// What such lines are in.
struct Touched {
  std::set<std::string> functions;
  std::vector<Lines> outside;  // lines with something on them that are in no function
};
Touched FunctionsAt(const Lines& lines, const std::string& text);

// Functions of `known` that call this one, or call who calls it and is not known, in any of the `texts`.
std::set<std::string> KnownCallers(const std::string& name, const std::vector<std::string>& texts,
                                   const std::set<std::string>& known);

}  // namespace sockproof::reach
