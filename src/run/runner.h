// Runs tests, each in a process of its own, many at a time, and judges how each process ended.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/report/result.h"
#include "src/run/baseline.h"
#include "src/run/progress.h"
#include "src/run/reports.h"

namespace sockproof {

// Runs one test in the calling process, which ends afterwards; the last event that it logs is the
// test's VerdictEvent.
using RunOneTest = std::function<void(const TestCase& test, EventLog& log)>;

struct RunOptions {
  Baseline baseline;         // what the system is known to do otherwise
  int jobs = 32;             // tests at once
  Duration extra_time{60s};  // a test may take 1.5 times its planned duration and this
};

// A result with every test not run, with the claims' texts from the catalogue.
RunResult NewResult(const std::vector<const TestCase*>& tests, const std::string& sut,
                    const std::string& program);

// Runs `tests` (those of which `run` was made, in the same order), the longest first. Fills `run`,
// each test's folder and the reports as tests end. Blocks SIGINT, SIGTERM and SIGHUP meanwhile: any
// of them kills the tests that run, which become ERROR; a second one ends this process.
// Returns the number of that signal, 0 when there was none. Throws HarnessError when results cannot
// be written; running tests are killed. The calling process must be single-threaded.
int RunTests(const std::vector<const TestCase*>& tests, const Facts& facts, const RunOneTest& body,
             const RunOptions& options, RunResult& run, Reports& reports, Progress& progress);

// 0 when everything passed, was skipped or departs as is known, 1 when not, 3 when everything was
// skipped.
int ExitCode(const RunResult& run);

}  // namespace sockproof
