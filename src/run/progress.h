// What the user sees while tests run, and at the end.
#pragma once

#include <string>

#include "harness/base/time.h"
#include "src/report/files.h"
#include "src/report/result.h"

namespace sockproof {

// How far a run has come.
struct RunStatus {
  int running = 0;
  int done = 0;
  int total = 0;
  int failed = 0;         // FAIL, ERROR or INCONCLUSIVE
  Duration remaining{0};  // an estimate; shown from a second on
};

// Prints to a descriptor, which it borrows. Live, on a terminal: a status line that is rewritten,
// above it only tests that did not pass. Otherwise one line per finished test.
class Progress {
 public:
  struct Style {
    bool live = false;
    bool color = false;
    bool verbose = false;  // live, but with a line for each test that passed
    bool quiet = false;    // surprises and the summary alone
  };

  Progress(int fd, Style style) : fd_(fd), style_(style) {}

  bool live() const { return style_.live; }
  void Begin(const RunResult& run);
  // Before the first test: so many would wait longer than that.
  void LeftOut(int tests, Duration longest_wait);
  void Finished(const TestResult& test, const RunResult& run);
  // An attempt whose verdict is in doubt; there will be another.
  void Again(const TestResult& test);
  void Status(const RunStatus& status);
  // Last: the summary (src/report/summary.h) and where to look.
  void Summary(const RunResult& run, const std::string& directory, const ReportFiles& files);

  // The slowest tests.
  void Durations(const RunResult& run, int most);

  // What became of the output: 0, or the errno of the first write that failed. A reader that went
  // away (EPIPE) is no failure.
  int write_error() const { return write_error_; }

 private:
  std::string Paint(std::optional<Verdict> verdict) const;
  void Print(const std::string& lines);

  int fd_;
  Style style_;
  int write_error_ = 0;
};

}  // namespace sockproof
