#include "src/run/selection.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "src/run/usage_error.h"

namespace sockproof {
namespace {

std::string BothVersions(const TestCase& test) { return test.suite + "." + test.name; }

bool Matches(const std::string& pattern, const TestCase& test) {
  const std::string id = test.id();
  if (pattern.find_first_of("*?[") != std::string::npos) {
    return fnmatch(pattern.c_str(), id.c_str(), 0) == 0 ||
           fnmatch(pattern.c_str(), BothVersions(test).c_str(), 0) == 0;
  }
  if (id == pattern) return true;
  return !pattern.empty() && id.size() > pattern.size() && id.starts_with(pattern) &&
         (id[pattern.size()] == '.' || id[pattern.size()] == '/');
}

std::string Lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// How many characters must be inserted, deleted or replaced.
std::size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// The suite, test or id most like the pattern; empty when none is.
std::string Nearest(const std::vector<TestCase>& tests, const std::string& pattern) {
  std::set<std::string> names;
  for (const TestCase& test : tests) names.insert({test.suite, BothVersions(test), test.id()});
  const std::string wanted = Lowercase(pattern);
  std::string nearest;
  std::size_t smallest = std::numeric_limits<std::size_t>::max();
  for (const std::string& name : names) {
    const std::string candidate = Lowercase(name);
    const bool part = wanted.size() >= 3 && candidate.find(wanted) != std::string::npos;
    const std::size_t distance = part ? 1 : EditDistance(wanted, candidate);
    if (distance < smallest && (part || distance <= std::max<std::size_t>(2, wanted.size() / 3))) {
      smallest = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace

std::vector<const TestCase*> Select(const std::vector<TestCase>& tests,
                                    const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (std::any_of(tests.begin(), tests.end(),
                    [&pattern](const TestCase& test) { return Matches(pattern, test); })) {
      continue;
    }
    const std::string nearest = Nearest(tests, pattern);
    throw UsageError(fmt::format("no test matches '{}'{}", pattern,
                                 nearest.empty() ? "; 'sockproof list' shows all"
                                                 : fmt::format("; did you mean '{}'?", nearest)));
  }
  std::vector<const TestCase*> selected;
  for (const TestCase& test : tests) {
    if (patterns.empty() ||
        std::any_of(patterns.begin(), patterns.end(),
                    [&test](const std::string& pattern) { return Matches(pattern, test); })) {
      selected.push_back(&test);
    }
  }
  return selected;
}

}  // namespace sockproof
