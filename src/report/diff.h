// What is different between two results: of two kernels, or of the same one before and after.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "src/report/result.h"

namespace sockproof {

// What became of a test. "Undecided" is ERROR, INCONCLUSIVE or NOT-RUN; a failure is a FAIL that is
// no known departure. The first four are regressions.
enum class Change {
  kNewFailure,      // and was none before, or there was no such test
  kVanished,        // there is no such test any more
  kNewlySkipped,    // and was there, and not skipped
  kNewlyUndecided,  // and was decided or skipped, or there was no such test
  kStillFailing,
  kStillUndecided,
  kFixed,       // FAIL, recorded or not, became PASS
  kDecided,     // skipped or undecided became PASS
  kNewlyKnown,  // became a known departure
  kNewTest,     // one that neither fails nor is undecided
};
constexpr Change kLastChange = Change::kNewTest;
bool IsRegression(Change change);

struct ChangedTest {
  Change change = Change::kNewTest;
  std::string id;
  std::string before;  // "PASS", "known departure", ...; empty: there was no such test
  std::string after;   // likewise
  std::string why;     // the headline of what it is now
};

struct SlowerTest {
  std::string id;
  Duration before{0};  // in the time of the system under test
  Duration after{0};
};

// A test is slower when it took longer by more than both.
struct SlowerThan {
  double percent = 25;
  Duration least{100ms};
};

struct ResultDiff {
  std::vector<ChangedTest>
      changed;                     // sorted by change; then new tests in their order, vanished last
  std::vector<SlowerTest> slower;  // of those that pass, or depart as known, in both

  int regressions() const;
};

ResultDiff Compare(const RunResult& base, const RunResult& current, const SlowerThan& slower);

// The systems, then each kind of change with its tests; clean text. `base_name` and `current_name`
// are what the user called them.
std::string RenderDiff(const ResultDiff& diff, const RunResult& base, const std::string& base_name,
                       const RunResult& current, const std::string& current_name,
                       const SlowerThan& slower);

// {"format": "sockproof-diff", "version": 1,
//  "base", "new": {"suite_version", "sut", "os", "release", "host", "started"},
//  "slower_than": {"percent", "least_s"}, "regressions": how many,
//  "new_failures", "vanished", "newly_skipped", "newly_undecided", "still_failing",
//  "still_undecided", "fixed", "decided", "newly_known", "new_tests":
//      [{"id", "base": verdict or "known departure" or null, "new": likewise, "why"}],
//  "slower": [{"id", "base_s", "new_s"}]}
nlohmann::ordered_json ToJson(const ResultDiff& diff, const RunResult& base,
                              const RunResult& current, const SlowerThan& slower);

}  // namespace sockproof
