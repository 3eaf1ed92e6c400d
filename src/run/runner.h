// Runs tests, each in a process of its own, many at a time, and judges how each process ended.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "harness/trace/event_log.h"
#include "src/report/result.h"
#include "src/run/baseline.h"
#include "src/run/company.h"
#include "src/run/progress.h"
#include "src/run/reports.h"

namespace sockproof {

// Runs one test in the calling process, which ends afterwards; the last event that it logs is the
// test's VerdictEvent.
using RunOneTest = std::function<void(const TestCase& test, EventLog& log)>;

struct RunOptions {
  Baseline baseline;            // what the system is known to do otherwise
  int jobs = 0;                 // tests at once; 0: as many as the machine carries
  Duration extra_time{60s};     // a test may take 1.5 times its planned duration and this
  Duration max_wait{kForever};  // a test that is planned to last longer is a SKIP
  // How often a test is run until its verdict is beyond doubt. In doubt are INCONCLUSIVE, and a
  // known departure that vanished in a process that was served so late that it may come from that:
  // after the last attempt that is INCONCLUSIVE too.
  int attempts = 3;
  // A FAIL counts when a test has ended so this often; a PASS before that counts, and the failures are kept as
  // attempts. For tests whose outcome hangs on what the kernel's timers do within a tick; not for those that last
  // longer than kLong.
  static constexpr Duration kLong{5s};
  int failures_that_count = 1;
  int repeat = 1;                     // how often each test is run, unless there is a surprise
  int most_surprises = 0;             // end the run after so many; 0: go on
  std::optional<std::uint64_t> seed;  // start in this random order, not the longest first

  // How tests are run in company, at most so many in one process. What is not as expected of one is
  // run again, alone, and what it says then counts. None: each test has a process of its own.
  RunManyTests run_many;
  int most_in_company = 1;

  // Tests to run after this one, on the strength of its result; they are added to the run, in which no
  // more than the verdict of each is kept. The pointers must stay valid.
  std::function<std::vector<const TestCase*>(const TestResult& ended)> follow_up;

  static constexpr Duration kForever = Duration::max();
  static constexpr int kWithoutEnd = 0;  // of repeat
};

// A result with every test not run, with the claims' texts from the catalogue.
RunResult NewResult(const std::vector<const TestCase*>& tests, const std::string& sut,
                    const std::string& program);

// Runs `tests` (those of which `run` was made, in the same order), the longest first. Fills `run`,
// each test's folder and the reports as tests end. The folder of an earlier attempt is that of the
// test with ".attempt-1" and so on. Blocks SIGINT, SIGTERM and SIGHUP meanwhile: any
// of them kills the tests that run, which become ERROR; a second one ends this process.
// Returns the number of that signal, 0 when there was none. Throws HarnessError when results cannot
// be written; running tests are killed. The calling process must be single-threaded.
int RunTests(const std::vector<const TestCase*>& tests, const Facts& facts, const RunOneTest& body,
             const RunOptions& options, RunResult& run, Reports& reports, Progress& progress);

// 0 when everything passed, was skipped or departs as is known, 1 when not, 3 when everything was
// skipped.
int ExitCode(const RunResult& run);

}  // namespace sockproof
