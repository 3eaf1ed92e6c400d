#include "src/run/selection.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>

#include "harness/base/text.h"
#include "harness/claims/catalogue.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

bool Matches(const std::string& pattern, const TestCase& test) {
  return MeansTest(pattern, test.id());
}

// Where the pattern is the path of something that is there.
std::string PathHint(const std::string& pattern) {
  std::error_code error;
  if (std::filesystem::is_directory(pattern, error)) return fmt::format("; for the scripts of a folder: '{}/'", pattern);
  return std::filesystem::exists(pattern, error) ? "; the name of a script ends in .pkt" : "";
}

// The suites, tests and ids.
std::vector<std::string> NamesOf(const std::vector<TestCase>& tests) {
  std::set<std::string> names;
  for (const TestCase& test : tests) names.insert({test.suite, test.test(), test.id()});
  return {names.begin(), names.end()};
}

}  // namespace

bool MeansTest(const std::string& pattern, const std::string& id) {
  if (pattern.find_first_of("*?[") != std::string::npos) {
    if (fnmatch(pattern.c_str(), id.c_str(), 0) == 0) return true;
    const std::size_t slash = id.rfind('/');  // what follows tells the cases of a test apart
    return slash != std::string::npos && MeansTest(pattern, id.substr(0, slash));
  }
  if (id == pattern) return true;
  return !pattern.empty() && id.size() > pattern.size() && id.starts_with(pattern) &&
         (id[pattern.size()] == '.' || id[pattern.size()] == '/');
}

std::vector<std::string> IdsOf(const std::vector<TestCase>& tests) {
  std::vector<std::string> ids;
  for (const TestCase& test : tests) ids.push_back(test.id());
  return ids;
}

std::vector<const TestCase*> Select(const std::vector<TestCase>& tests,
                                    const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (std::any_of(tests.begin(), tests.end(),
                    [&pattern](const TestCase& test) { return Matches(pattern, test); })) {
      continue;
    }
    std::string instead = PathHint(pattern);
    if (instead.empty()) instead = DidYouMean(pattern, NamesOf(tests));
    throw UsageError(fmt::format("no test matches '{}'{}", pattern,
                                 instead.empty() ? "; 'sockproof list' shows all" : instead));
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

std::vector<std::string> TagsOf(const TestCase& test) {
  const std::filesystem::path file(test.file);
  std::set<std::string> tags{file.stem(), file.parent_path().filename()};
  if (test.variant.family.ip) tags.emplace(test.variant.ip_name());
  std::istringstream parts(test.variant.name);
  for (std::string part; std::getline(parts, part, '/');) tags.insert(part);
  for (const std::string& claim : test.traits.claims) tags.insert(claim.substr(0, claim.find(':')));
  tags.insert(test.traits.needs.begin(), test.traits.needs.end());
  if (test.traits.lasts.waits()) tags.insert("waits");
  return {tags.begin(), tags.end()};
}

Tests WithTags(Tests tests, const std::vector<std::string>& tags,
               const std::vector<std::string>& without) {
  const auto has = [](const TestCase& test, const std::string& tag) {
    const std::vector<std::string> all = TagsOf(test);
    return std::binary_search(all.begin(), all.end(), tag);
  };
  for (const auto* list : {&tags, &without}) {
    for (const std::string& tag : *list) {
      if (std::none_of(AllTests().begin(), AllTests().end(),
                       [&](const TestCase& test) { return has(test, tag); })) {
        throw UsageError(fmt::format("no test has the tag '{}'; 'sockproof list --tags'", tag));
      }
    }
  }
  std::erase_if(tests, [&](const TestCase* test) {
    const auto present = [&](const std::string& tag) { return has(*test, tag); };
    return !std::all_of(tags.begin(), tags.end(), present) ||
           std::any_of(without.begin(), without.end(), present);
  });
  return tests;
}

Tests WithLevels(Tests tests, const std::vector<std::string>& levels) {
  if (levels.empty()) return tests;
  std::erase_if(tests, [&](const TestCase* test) {
    return std::none_of(
        test->traits.claims.begin(), test->traits.claims.end(), [&](const std::string& id) {
          const Claim* claim = FindClaim(id);
          return claim != nullptr &&
                 std::find(levels.begin(), levels.end(), claim->level) != levels.end();
        });
  });
  return tests;
}

Tests Only(Tests tests, const std::vector<std::string>& ids) {
  const std::set<std::string> wanted(ids.begin(), ids.end());
  std::erase_if(tests, [&](const TestCase* test) { return !wanted.contains(test->id()); });
  return tests;
}

namespace {

// -1 for what is no number from 0.
int Number(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

Shard ParseShard(const std::string& text) {
  const std::size_t slash = text.find('/');
  const int part = Number(text.substr(0, slash));
  const int count = slash == std::string::npos ? -1 : Number(text.substr(slash + 1));
  if (part < 1 || part > count) {
    throw UsageError(fmt::format("'{}' is not K/N with K from 1 to N", text));
  }
  return {part - 1, count};
}

Shard ShardFromGoogleTest(const std::string& index, const std::string& total) {
  const int number = Number(index);
  const int count = Number(total);
  if (number < 0 || number >= count) {
    throw UsageError(fmt::format(
        "GTEST_SHARD_INDEX '{}' is not a number from 0 to below GTEST_TOTAL_SHARDS '{}'", index,
        total));
  }
  return {number, count};
}

Tests OfShard(Tests tests, const Shard& shard) {
  // Waiting tests stand together in the registry, both IP versions side by side.
  std::stable_sort(tests.begin(), tests.end(), [](const TestCase* a, const TestCase* b) {
    return a->traits.lasts.waits() > b->traits.lasts.waits();
  });
  Tests mine;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (static_cast<int>(i % static_cast<std::size_t>(shard.count)) == shard.index) {
      mine.push_back(tests[i]);
    }
  }
  // In the order of the registry, which the reports keep.
  std::sort(mine.begin(), mine.end());
  return mine;
}

}  // namespace sockproof
