// The examples of each reader, cut short and changed: a short run of what the fuzzers do for long.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "harness/base/files.h"
#include "tests/fuzz/targets.h"

namespace sockproof::fuzz {
namespace {

std::filesystem::path FolderOf(const Target& target) {
  const std::filesystem::path tests = SOCKPROOF_TESTS;
  if (target.name == "packets") return tests / "packet/corpus";
  if (target.name == "scripts") return tests / "packetdrill/scripts";
  return tests / "fuzz/corpus" / target.name;
}

class Corpus : public testing::TestWithParam<Target> {
 protected:
  Corpus() {
    for (const auto& entry : std::filesystem::directory_iterator(FolderOf(GetParam()))) {
      if (entry.is_regular_file()) examples.push_back(ReadFile(entry.path()));
    }
  }

  static void Read(const std::string& octets) {
    try {
      GetParam().read(octets);
    } catch (const std::exception& flaw) {
      FAIL() << flaw.what() << ": " << testing::PrintToString(octets);
    }
  }

  std::vector<std::string> examples;
};

TEST_P(Corpus, IsRead) {
  ASSERT_FALSE(examples.empty());
  for (const std::string& example : examples) Read(example);
}

TEST_P(Corpus, IsReadOrRefusedWhereItIsCutShort) {
  constexpr std::size_t kCuts = 500;
  for (const std::string& example : examples) {
    const std::size_t step = 1 + example.size() / kCuts;
    for (std::size_t size = 0; size < example.size(); size += step) Read(example.substr(0, size));
  }
}

TEST_P(Corpus, IsReadOrRefusedAfterChanges) {
  std::mt19937 random(793);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int change = 0; change < 2000; ++change) {
    std::string octets = examples[below(examples.size())];
    for (std::size_t count = 1 + below(4); count > 0 && !octets.empty(); --count) {
      const std::size_t at = below(octets.size());
      switch (below(4)) {
        case 0:
          octets[at] = static_cast<char>(random());
          break;
        case 1:
          octets[at] = static_cast<char>(octets[at] ^ (1 << below(8)));
          break;
        case 2:
          octets.erase(at, 1 + below(8));
          break;
        default:
          octets.insert(at, octets.substr(below(octets.size()), 1 + below(8)));
      }
    }
    Read(octets);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus, testing::ValuesIn(Targets()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace sockproof::fuzz
