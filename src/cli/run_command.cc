// sockproof run.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "harness/base/errors.h"
#include "harness/test/registry.h"
#include "src/cli/commands.h"
#include "src/run/runner.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

constexpr int kJobsPerCore = 32;  // a test mostly waits
constexpr int kMostJobs = 4096;

std::string_view Environment(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

Progress::Style StyleFor(const RunArguments& arguments) {
  const bool terminal = isatty(STDOUT_FILENO) == 1 && Environment("TERM") != "dumb";
  Progress::Style style;
  style.live = terminal;
  style.verbose = arguments.verbose;
  style.color = arguments.color == "always" ||
                (arguments.color == "auto" && terminal && Environment("NO_COLOR").empty());
  return style;
}

// No test can run: says so in every report.
int CouldNotTest(const HarnessError& error, RunResult& run, Reports& reports) {
  run.setup_error = error.what();
  for (TestResult& test : run.tests) test.reason = "not started: no test can run here";
  run.finished = Clock::now();
  reports.Write(run);
  Complain(fmt::format("no test can run here: {}; see 'sockproof doctor'", error.what()));
  return 3;
}

}  // namespace

int DefaultJobs() {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::min(kMostJobs, cores * kJobsPerCore);
}

int RunCommand(const RunArguments& arguments) {
  const std::unique_ptr<System> system = MakeSystem(arguments.sut);
  const std::vector<const TestCase*> tests = Select(AllTests(), arguments.patterns);
  RunResult run = NewResult(tests, system->name(), arguments.program);
  OutputDirectory directory(arguments.out);
  Reports reports(directory, arguments.junit);
  reports.Begin(run);

  Facts facts;
  try {
    facts = ProbeFacts(*system);
  } catch (const HarnessError& error) {
    return CouldNotTest(error, run, reports);
  }

  signal(SIGPIPE, SIG_IGN);  // `| head` ends the output, not the run
  RunOptions options;
  options.baseline = Baseline::ShippedFor(facts);
  options.jobs = arguments.jobs != 0 ? arguments.jobs : DefaultJobs();
  Progress progress(STDOUT_FILENO, StyleFor(arguments));
  const RunOneTest body = [&system](const TestCase& test, EventLog& log) {
    RunTest(test, *system, log);
  };
  const int signal_number = RunTests(tests, facts, body, options, run, reports, progress);
  progress.Summary(run, arguments.out, arguments.junit);
  if (signal_number != 0) return 128 + signal_number;
  const int exit_code = ExitCode(run);
  if (exit_code == 3) {
    Complain("nothing was tested, every test was skipped: " + run.tests.front().reason);
  }
  return exit_code;
}

}  // namespace sockproof
