// sockproof run.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string_view>
#include <thread>

#include "harness/base/errors.h"
#include "harness/test/registry.h"
#include "src/cli/commands.h"
#include "src/cli/target.h"
#include "src/container/confinement.h"
#include "src/report/read_result.h"
#include "src/run/runner.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

constexpr int kMostJobs = 4096;
constexpr Duration kMaxWaitInRealTime = 180s;
constexpr Duration kExtraTimeOfMachines = 10min;

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

int Jobs(const std::string& argument) {
  if (argument == "auto") return 0;
  int jobs = 0;
  const auto [end, error] =
      std::from_chars(argument.data(), argument.data() + argument.size(), jobs);
  if (error != std::errc() || end != argument.data() + argument.size() || jobs < 1 ||
      jobs > kMostJobs) {
    throw UsageError(
        fmt::format("--jobs: '{}' is neither auto nor a number from 1 to {}", argument, kMostJobs));
  }
  return jobs;
}

// --shard, or what an engine that spreads GoogleTest programs says in the environment.
std::optional<Shard> ShardOf(const RunArguments& arguments) {
  if (!arguments.shard.empty()) return ParseShard(arguments.shard);
  const char* status_file = getenv("GTEST_SHARD_STATUS_FILE");
  if (status_file != nullptr && *status_file != '\0') {
    const std::ofstream touched(status_file, std::ios::app);  // "this program knows of shards"
    if (!touched) throw UsageError(fmt::format("cannot write {}", status_file));
  }
  const std::string_view total = Environment("GTEST_TOTAL_SHARDS");
  const std::string_view index = Environment("GTEST_SHARD_INDEX");
  if (total.empty() && index.empty()) return std::nullopt;
  return ShardFromGoogleTest(std::string(index), std::string(total));
}

// Of the run whose results are there: the tests that were not as expected.
std::vector<std::string> SurprisesOf(const std::string& out) {
  std::vector<std::string> ids;
  for (const TestResult& test : ReadResult(out).tests) {
    if (test.surprising()) ids.push_back(test.id);
  }
  return ids;
}

std::vector<const TestCase*> TestsToRun(const RunArguments& arguments) {
  std::vector<const TestCase*> tests = Select(AllTests(), arguments.patterns);
  tests = WithLevels(std::move(tests), arguments.levels);
  tests = WithTags(std::move(tests), arguments.tags, arguments.without);
  if (arguments.rerun_failed) {
    tests = Only(std::move(tests), SurprisesOf(arguments.out));
    if (tests.empty()) throw UsageError("--rerun-failed: nothing failed in " + arguments.out);
  }
  if (tests.empty()) throw UsageError("no test has all that was asked for");
  const std::optional<Shard> shard = ShardOf(arguments);
  return shard ? OfShard(std::move(tests), *shard) : tests;
}

// No test can run: says so in every report.
int CouldNotTest(const HarnessError& error, RunResult& run, Reports& reports) {
  run.setup_error = error.what();
  for (TestResult& test : run.tests) test.reason = "not started: no test can run here";
  run.finished = Clock::now();
  reports.Write(run);
  const std::string advice = WhatToAdd(ProbeConfinement());
  Complain(fmt::format("no test can run here: {}; {}see 'sockproof doctor'", error.what(),
                       advice.empty() ? "" : advice + "; "));
  return 3;
}

int RunOn(Target& target, const RunArguments& arguments) {
  if (target.jobs_are_fixed() && Jobs(arguments.jobs) > target.jobs()) {
    throw UsageError(
        fmt::format("--jobs: {} carries no more than {} at a time", target.name(), target.jobs()));
  }
  const std::vector<KnownDeparture> known = KnownDepartures(arguments.baseline);
  const std::vector<const TestCase*> tests = TestsToRun(arguments);
  RunResult run = NewResult(tests, target.name(), arguments.program);
  if (const auto shard = ShardOf(arguments)) run.shard = RunShard{shard->index + 1, shard->count};
  OutputDirectory directory(arguments.out);
  const ReportFiles files = ReportFilesOf(arguments.junit, arguments.junit_dialect, arguments.ktap);
  Reports reports(directory, files);
  reports.Begin(run);

  Facts facts;
  try {
    facts = target.Prepare();
  } catch (const HarnessError& error) {
    return CouldNotTest(error, run, reports);
  }

  if (!arguments.configuration.empty()) {
    fmt::print("configuration from {}\n", arguments.configuration);
    fflush(stdout);  // before this process forks
  }
  signal(SIGPIPE, SIG_IGN);  // `| head` ends the output, not the run
  RunOptions options;
  options.baseline = Baseline(known, facts);
  options.jobs = Jobs(arguments.jobs);
  if (arguments.max_wait >= 0) {
    options.max_wait =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(arguments.max_wait));
  } else if (!target.virtual_time()) {
    options.max_wait = kMaxWaitInRealTime;
  }
  options.attempts = arguments.attempts;
  if (options.jobs == 0) options.jobs = target.jobs();
  if (target.virtual_time()) {
    options.attempts = 1;  // it would end the same
    // The guest finds by its own time that a test hangs; a machine may just have much else to do.
    options.extra_time = kExtraTimeOfMachines;
  }
  options.repeat = arguments.repeat;
  options.until_surprise = arguments.until_fail;
  if (arguments.until_fail && arguments.repeat == 1) options.repeat = RunOptions::kWithoutEnd;
  if (arguments.shuffle || arguments.seed) {
    options.seed = arguments.seed ? *arguments.seed : std::random_device()();
    run.seed = options.seed;
  }
  Progress progress(STDOUT_FILENO, StyleFor(arguments));
  const RunOneTest body = [&target](const TestCase& test, EventLog& log) {
    target.RunTest(test, nullptr, log);
  };
  const int signal_number = RunTests(tests, facts, body, options, run, reports, progress);
  progress.Summary(run, arguments.out, files);
  if (signal_number != 0) return 128 + signal_number;
  const int exit_code = ExitCode(run);
  if (exit_code == 3) {
    Complain("nothing was tested, every test was skipped: " + run.tests.front().reason);
  }
  return exit_code;
}

// A system's name as part of a file's.
std::string AsFileName(std::string sut) {
  for (char& c : sut) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  return sut;
}

// Each system's results in a folder of its own below --out, its other reports beside each other.
RunArguments ArgumentsFor(const std::string& sut, RunArguments arguments) {
  const std::string name = AsFileName(sut);
  arguments.out += "/" + name;
  for (std::string* const file : {&arguments.junit, &arguments.ktap}) {
    if (file->empty() || *file == "-" || file->find("{sut}") != std::string::npos) continue;
    std::filesystem::path path(*file);
    path.replace_filename(path.stem().string() + "-" + name + path.extension().string());
    *file = path;
  }
  return arguments;
}

int RunSystems(const RunArguments& arguments) {
  const bool elsewhere =
      std::any_of(arguments.suts.begin(), arguments.suts.end(),
                  [](const std::string& sut) { return sut.starts_with("agent:"); });
  const bool has_wire =
      !arguments.wire.empty() || !arguments.second_wire.empty() || !arguments.second_agent.empty();
  if (has_wire && !elsewhere) {
    throw UsageError("--wire, --second-agent and --second-wire are for --sut agent:COMMAND");
  }
  TargetOptions options;
  options.use_cache = arguments.use_cache;
  options.real_time = arguments.real_time;
  options.wire = arguments.wire;
  options.second_agent = arguments.second_agent;
  options.second_wire = arguments.second_wire;
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string& sut : arguments.suts) targets.push_back(MakeTarget(sut, options));
  if (targets.size() == 1) return RunOn(*targets.front(), arguments);

  // The worst there is: a surprise, then what could not be tested.
  int exit_code = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const RunArguments own = ArgumentsFor(arguments.suts[i], arguments);
    std::filesystem::create_directories(own.out);
    const int code = RunOn(*targets[i], own);
    if (code > 128) return code;
    if (exit_code != 1 && code != 0) exit_code = code;
  }
  return exit_code;
}

}  // namespace

int RunCommand(const RunArguments& arguments) {
  if (arguments.compare == "-") throw UsageError("a page does not go to stdout; name a file");
  const int exit_code = RunSystems(arguments);
  if (arguments.compare.empty() || exit_code > 128) return exit_code;
  CompareArguments compare;
  compare.results = {arguments.out};
  compare.html = arguments.compare;
  CompareCommand(compare);
  return exit_code;
}

}  // namespace sockproof
