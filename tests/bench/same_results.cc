// Whether runs of the same tests gave the same: verdicts, and times of the system under test within
// 1 ms. Arguments: folders of results. What differs is printed; the exit code is 1 then.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "src/report/read_result.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr Duration kSame = 1ms;

class Comparison {
 public:
  explicit Comparison(const RunResult& first) {
    for (const TestResult& test : first.tests) tests_.emplace(test.id, test);
  }

  void Add(const std::string& folder, const RunResult& run) {
    if (run.tests.size() != tests_.size()) Differs(folder, "has other tests");
    for (const TestResult& test : run.tests) {
      const auto first = tests_.find(test.id);
      if (first != tests_.end()) Compare(folder, first->second, test);
    }
  }

  int Summary(std::size_t runs) const {
    fmt::print("{} runs of {} tests: {} differences", runs, tests_.size(), differences_);
    if (!furthest_.empty()) {
      fmt::print("; times differ by up to {:.3f} ms: {}", ToSeconds(largest_) * 1000, furthest_);
    }
    fmt::print("\n");
    return differences_ == 0 ? 0 : 1;
  }

 private:
  void Compare(const std::string& folder, const TestResult& a, const TestResult& b) {
    if (a.verdict != b.verdict || a.failures.size() != b.failures.size()) {
      Differs(folder, fmt::format("{}: {} instead of {}", b.id, VerdictText(b.verdict),
                                  VerdictText(a.verdict)));
    }
    const Duration apart =
        std::chrono::abs(b.sut_time.value_or(Duration(0)) - a.sut_time.value_or(Duration(0)));
    if (apart > largest_) {
      largest_ = apart;
      furthest_ = b.id;
    }
    if (apart > kSame) {
      Differs(folder, fmt::format("{}: {} instead of {}", b.id,
                                  FormatDuration(b.sut_time.value_or(Duration(0))),
                                  FormatDuration(a.sut_time.value_or(Duration(0)))));
    }
  }

  void Differs(const std::string& folder, const std::string& how) {
    ++differences_;
    fmt::print("{}: {}\n", folder, how);
  }

  std::map<std::string, TestResult> tests_;
  int differences_ = 0;
  Duration largest_{0};
  std::string furthest_;
};

int Compare(const std::vector<std::string>& folders) {
  Comparison comparison(ReadResult(folders.front()));
  for (auto folder = folders.begin() + 1; folder != folders.end(); ++folder) {
    comparison.Add(*folder, ReadResult(*folder));
  }
  return comparison.Summary(folders.size());
}

}  // namespace
}  // namespace sockproof

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: same_results FOLDER FOLDER...\n");
    return 2;
  }
  try {
    return sockproof::Compare({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "same_results: {}\n", error.what());
    return 2;
  }
}
