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
  int failed = 0;  // FAIL, ERROR or INCONCLUSIVE
  Duration to_wait{0};
};

// Prints to a descriptor, which it borrows. Live, on a terminal: a status line that is rewritten,
// above it only tests that did not pass. Otherwise one line per finished test.
class Progress {
 public:
  struct Style {
    bool live = false;
    bool color = false;
    bool verbose = false;  // live, but with a line for each test that passed
  };

  Progress(int fd, Style style) : fd_(fd), style_(style) {}

  bool live() const { return style_.live; }
  void Begin(const RunResult& run);
  void Finished(const TestResult& test, const RunResult& run);
  // An attempt whose verdict is in doubt; there will be another.
  void Again(const TestResult& test);
  void Status(const RunStatus& status);
  // Last: the summary (src/report/summary.h) and where to look.
  void Summary(const RunResult& run, const std::string& directory, const ReportFiles& files);

 private:
  std::string Paint(std::optional<Verdict> verdict) const;
  void Print(const std::string& text);

  int fd_;
  Style style_;
};

}  // namespace sockproof
