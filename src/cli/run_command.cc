// sockproof run.
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <thread>

#include "harness/base/errors.h"
#include "harness/test/registry.h"
#include "src/cli/baseline_options.h"
#include "src/cli/command.h"
#include "src/cli/configuration.h"
#include "src/cli/options.h"
#include "src/cli/report_files.h"
#include "src/cli/run_options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/report/read_result.h"
#include "src/run/runner.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct RunArguments {
  std::string program;  // as invoked
  std::vector<std::string> patterns;
  std::vector<std::string> suts = {"host"};
  std::string out = "sockproof-out";
  ReportOptions reports;
  std::string color = "auto";
  BaselineArguments baseline;
  std::string configuration;  // the file it came from, if any
  std::string jobs = "auto";
  std::vector<std::string> levels;   // of claims: MUST, ...; any of them
  std::vector<std::string> tags;     // all of them
  std::vector<std::string> without;  // tags: none of them
  std::string shard;                 // K/N
  double max_wait = -1;              // seconds; negative: what suits the system
  int attempts = 0;                  // 0: what suits the tests
  bool has_scripts = false;          // among the patterns
  std::vector<std::string> own;      // what makes them known
  int repeat = 1;
  bool until_fail = false;
  bool shuffle = false;
  std::optional<std::uint64_t> seed;
  bool rerun_failed = false;
  bool verbose = false;
  bool quiet = false;
  bool fail_fast = false;
  int max_fail = 0;  // surprises until the run ends; 0: any number
  int durations = 0;
  bool dry_run = false;
  bool bisect = false;

  std::vector<std::shared_ptr<RunAddition>> additions;
};

constexpr int kMostJobs = 4096;
constexpr int kAttempts = 3;
constexpr int kAttemptsOfScripts = 10;  // whose times are in milliseconds
constexpr int kFailuresOfScripts = 4;   // and what a timer of the kernel does may be a tick apart
constexpr int kBisectSkip = 125;        // of git bisect run: this commit cannot be tested
constexpr int kBisectEnd = 128;         // and this: stop
constexpr Duration kMaxWaitInRealTime = 180s;
constexpr Duration kMaxWaitInVirtualTime = 48h;  // 24 days take minutes even there

std::string_view Environment(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

Progress::Style StyleFor(const RunArguments& arguments) {
  const bool terminal = isatty(STDOUT_FILENO) == 1 && Environment("TERM") != "dumb";
  Progress::Style style;
  style.live = terminal && !arguments.quiet;
  style.verbose = arguments.verbose;
  style.quiet = arguments.quiet;
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

// On a system, named as for --sut.
std::vector<const TestCase*> TestsToRun(const std::string& sut, const RunArguments& arguments) {
  std::vector<const TestCase*> tests = Select(AllTests(), arguments.patterns);
  tests = WithLevels(std::move(tests), arguments.levels);
  tests = WithTags(std::move(tests), arguments.tags, arguments.without);
  for (const auto& addition : arguments.additions) tests = addition->Choose(sut, std::move(tests));
  if (arguments.rerun_failed) {
    tests = Only(std::move(tests), SurprisesOf(arguments.out));
    if (tests.empty()) throw UsageError("--rerun-failed: nothing failed in " + arguments.out);
  }
  if (tests.empty()) throw UsageError("no test has all that was asked for");
  const std::optional<Shard> shard = ShardOf(arguments);
  if (!shard) return tests;
  const std::size_t all = tests.size();
  tests = OfShard(std::move(tests), *shard);
  if (tests.empty()) {
    Say(fmt::format("shard {}/{} has none of the {} tests", shard->index + 1, shard->count, all));
  }
  return tests;
}

ReportFiles FilesOf(const RunArguments& arguments) {
  const ReportFiles files = ReportFilesOf(arguments.reports);
  for (const ReportForm& form : ReportForms()) {
    if (files.*form.path != "-") continue;
    throw UsageError("stdout is taken; name a file, or see 'sockproof report --help'");
  }
  if (!files.kcidb.empty() && arguments.suts.size() > 1) {
    throw UsageError("--kcidb: --kcidb-build is of one system, and several are to be tested");
  }
  return files;
}

// What would be run, one test a line.
int DryRun(const Tests& tests) {
  for (const TestCase* test : tests) Print("{}\n", test->id());
  return 0;
}

// No test can run: says so in every report.
int CouldNotTest(const HarnessError& error, RunResult& run, Reports& reports) {
  run.setup_error = error.what();
  for (TestResult& test : run.tests) test.reason = "not started: no test can run here";
  run.finished = Clock::now();
  reports.Write(run);
  const std::string advice = AdviceOfSurroundings();
  Say(fmt::format("no test can run here: {}; {}see 'sockproof doctor'", error.what(),
                  advice.empty() ? "" : advice + "; "));
  return 3;
}

// One system's run: its files are there, with every test as not run, from Begin() on.
class SystemRun {
 public:
  SystemRun(Target& target, const RunArguments& arguments, Tests tests)
      : target_(target),
        arguments_(arguments),
        tests_(std::move(tests)),
        known_(KnownDepartures(arguments.baseline)),
        run_(NewResult(tests_, target.name(), arguments.program)),
        directory_(arguments.out),
        files_(FilesOf(arguments)),
        reports_(directory_, files_) {
    run_.own_arguments = arguments.own;
    if (const auto shard = ShardOf(arguments)) {
      run_.shard = RunShard{shard->index + 1, shard->count};
    }
    reports_.Begin(run_);
  }

  // Returns the exit code.
  int Go() {
    Facts facts;
    try {
      facts = target_.Prepare();
    } catch (const HarnessError& error) {
      return CouldNotTest(error, run_, reports_);
    }
    const RunOptions options = OptionsFor(facts);
    Progress progress(STDOUT_FILENO, StyleFor(arguments_));
    const RunOneTest body = [this](const TestCase& test, EventLog& log) {
      target_.RunTest(test, {}, log);
    };
    const int signal_number = RunTests(tests_, facts, body, options, run_, reports_, progress);
    progress.Summary(run_, arguments_.out, files_);
    if (arguments_.durations > 0) progress.Durations(run_, arguments_.durations);
    if (signal_number != 0) return 128 + signal_number;
    if (progress.write_error() != 0) {
      Say(fmt::format("cannot write to standard output: {}; the results are in {}",
                      strerror(progress.write_error()), arguments_.out));
      return 3;
    }
    const int exit_code = ExitCode(run_);
    if (exit_code == 3) {
      Say("nothing was tested, every test was skipped: " + run_.tests.front().reason);
    }
    return exit_code;
  }

  const RunResult& result() const { return run_; }

 private:
  RunOptions OptionsFor(const Facts& facts) {
    RunOptions options = OptionsOn(target_, Baseline(known_, facts), Jobs(arguments_.jobs));
    if (arguments_.max_wait >= 0) {
      options.max_wait =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(arguments_.max_wait));
    } else {
      options.max_wait = target_.virtual_time() ? kMaxWaitInVirtualTime : kMaxWaitInRealTime;
    }
    if (!target_.virtual_time()) {
      options.attempts = arguments_.attempts > 0  ? arguments_.attempts
                         : arguments_.has_scripts ? kAttemptsOfScripts
                                                  : kAttempts;
      if (arguments_.has_scripts) options.failures_that_count = kFailuresOfScripts;
    }
    options.repeat = arguments_.repeat;
    options.most_surprises =
        arguments_.until_fail || arguments_.fail_fast ? 1 : arguments_.max_fail;
    if (arguments_.until_fail && arguments_.repeat == 1) options.repeat = RunOptions::kWithoutEnd;
    if (arguments_.shuffle || arguments_.seed) {
      options.seed = arguments_.seed ? *arguments_.seed : std::random_device()();
      run_.seed = options.seed;
    }
    return options;
  }

  Target& target_;
  const RunArguments arguments_;
  const Tests tests_;
  const std::vector<KnownDeparture> known_;
  RunResult run_;
  OutputDirectory directory_;
  const ReportFiles files_;
  Reports reports_;
};

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
  for (const ReportForm& form : ReportForms()) {
    std::string& file = arguments.reports.files.*form.path;
    if (file.empty() || file.find("{sut}") != std::string::npos) continue;
    std::filesystem::path path(file);
    path.replace_filename(path.stem().string() + "-" + name + path.extension().string());
    file = path;
  }
  return arguments;
}

// Of the exit codes of several systems: a surprise, then what could not be tested.
int Worse(int one, int other) {
  if (one == 1 || other == 1) return 1;
  return std::max(one, other);
}

// What git bisect run understands: 125 where nothing is known of this commit.
int BisectCode(const SystemRun& run, int exit_code) {
  if (exit_code == 0 || exit_code > 128) return exit_code;
  const auto& tests = run.result().tests;
  const bool known = std::any_of(tests.begin(), tests.end(), [](const TestResult& test) {
    return test.surprising() && (test.verdict == Verdict::kFail || test.verdict == Verdict::kPass);
  });
  return known ? 1 : kBisectSkip;
}

int RunSystems(const RunArguments& arguments) {
  FilesOf(arguments);  // to be complained about now
  std::vector<RunArguments> own;
  std::vector<Tests> tests;
  for (const std::string& sut : arguments.suts) {
    own.push_back(arguments.suts.size() == 1 ? arguments : ArgumentsFor(sut, arguments));
    tests.push_back(TestsToRun(sut, own.back()));
    const std::string& out = own.back().out;
    if (std::any_of(own.begin(), own.end() - 1,
                    [&out](const RunArguments& other) { return other.out == out; })) {
      throw UsageError("--sut " + sut + " is there twice");
    }
  }
  if (arguments.dry_run) {
    KnownDepartures(arguments.baseline);  // its files are read, to be complained about now
    return DryRun(tests.front());
  }
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string& sut : arguments.suts) {
    targets.push_back(MakeTarget(sut));
    const Target& target = *targets.back();
    if (target.jobs_are_fixed() && Jobs(arguments.jobs) > target.jobs()) {
      throw UsageError(fmt::format("--jobs: {} carries no more than {} at a time", target.name(),
                                   target.jobs()));
    }
  }
  // Held for the whole run, and rid of what an earlier one left.
  std::optional<OutputDirectory> all;
  if (targets.size() > 1) all.emplace(arguments.out).Remove();
  std::vector<std::unique_ptr<SystemRun>> runs;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    runs.push_back(std::make_unique<SystemRun>(*targets[i], own[i], tests[i]));
  }

  if (!arguments.configuration.empty() && !arguments.quiet) {
    Print("configuration from {}\n", arguments.configuration);
    FlushOutput();  // before this process forks
  }
  signal(SIGPIPE, SIG_IGN);  // `| head` ends the output, not the run
  int exit_code = 0;
  for (const auto& run : runs) {
    int code = run->Go();
    if (code > 128) return code;
    if (arguments.bisect) code = BisectCode(*run, code);
    exit_code = Worse(exit_code, code);
  }
  return exit_code;
}

int RunAll(const RunArguments& arguments) {
  for (const auto& addition : arguments.additions) addition->Check();
  const int exit_code = RunSystems(arguments);
  if (exit_code > 128 || arguments.dry_run) return exit_code;
  for (const auto& addition : arguments.additions) addition->AtEnd({arguments.out});
  return exit_code;
}

// What is wrong with the command line ends a bisection; what is wrong with a commit skips it.
int Bisect(const RunArguments& arguments) {
  try {
    for (const std::string& sut : arguments.suts) TestsToRun(sut, arguments);
  } catch (const UsageError& error) {
    Say(error.what());
    return kBisectEnd;
  }
  try {
    return RunAll(arguments);
  } catch (const std::exception& error) {
    Say(error.what());
    return kBisectSkip;
  }
}

constexpr const char* kRunHelp = R"(Examples:
  sockproof run                         all tests; results in ./sockproof-out
  sockproof run HalfClose               one suite
  sockproof run 'TimeWait.*/ipv6'       whatever matches
  sockproof run --junit junit.xml       for a CI system
  sockproof run scripts/*.pkt           packetdrill's scripts
  sockproof run -s host -s lwip         several systems, each in a folder of its own
  git bisect run sockproof run --bisect -s vm:TREE HalfClose

Exit code: 0 all as expected, 1 a surprise, 2 wrong usage, 3 could not test; 128 and the number for
a signal. With --bisect: 0, 1, 125 nothing is known of this commit, 128 wrong usage.)";

void AddSelection(CLI::App& app, RunArguments& run) {
  app.add_option(
      "PATTERN", run.patterns,
      "Suite, Suite.Name, Suite.Name/ipv4, a glob, or the path of a packetdrill script or a "
      "folder of them; default: all tests");
  app.add_option("--level", run.levels, "Tests of claims of that level: MUST, SHOULD, ...")
      ->check(OneOf({"MUST", "SHOULD", "MAY", "documented"}))
      ->type_name("LEVEL");
  const auto known_tag = Checked([](const std::string& tag) { WithTags({}, {tag}, {}); });
  app.add_option("--tag", run.tags, "Tests with that tag ('sockproof list --tags')")
      ->check(known_tag)
      ->type_name("TAG");
  app.add_option("--without", run.without, "Tests without that tag")
      ->check(known_tag)
      ->type_name("TAG");
  app.add_option("--max-wait", run.max_wait,
                 "Skip tests that wait longer; default: 180, in virtual time 172800")
      ->check(NumberFrom(0, 1e9))
      ->type_name("SECONDS");
  app.add_flag("--rerun-failed", run.rerun_failed,
               "Only the tests that were surprises in the results of --out");
  app.add_option("--shard", run.shard, "Part K of N of the tests, K from 1")
      ->check(Checked([](const std::string& shard) { ParseShard(shard); }))
      ->type_name("K/N");
}

void AddCourse(CLI::App& app, RunArguments& run) {
  app.add_option("--jobs", run.jobs,
                 "Tests at once; auto (default): as many as the machine carries")
      ->check(WholeNumber(1, kMostJobs, "auto"))
      ->type_name("N");
  app.add_option("--attempts", run.attempts,
                 "Runs of a test until its verdict is beyond doubt; default: 3, with scripts 10")
      ->check(WholeNumber(1, 100))
      ->type_name("N");
  app.add_option("--repeat", run.repeat, "Run each test N times, or until a surprise")
      ->check(WholeNumber(1, 1000000))
      ->type_name("N");
  app.add_flag("--until-fail", run.until_fail,
               "Run the tests again and again, stop at the first surprise");
  app.add_flag("-x,--fail-fast", run.fail_fast, "Stop at the first surprise");
  app.add_option("--max-fail", run.max_fail, "Stop after N surprises")
      ->check(WholeNumber(1, 1000000))
      ->type_name("N");
  app.add_flag("--dry-run", run.dry_run, "Only say which tests would be run");
  app.add_flag("--bisect", run.bisect, "Exit codes for 'git bisect run'");
  app.add_flag("--shuffle", run.shuffle, "Start tests in a random order");
  app.add_option("--seed", run.seed, "Repeat that random order")
      ->check(WholeNumber(0, std::numeric_limits<long long>::max()))
      ->type_name("SEED");
}

void AddOutput(CLI::App& app, RunArguments& run) {
  app.add_option("--out", run.out, "Folder for the results; default: sockproof-out")
      ->type_name("DIR");
  AddReportOptions(app, run.reports, ", too");
  app.add_option("--color", run.color, "auto, always or never; default: auto")
      ->check(OneOf({"auto", "always", "never"}))
      ->type_name("WHEN");
  app.add_option("--durations", run.durations, "In the end name the N slowest tests")
      ->check(WholeNumber(1, 1000000))
      ->type_name("N");
  app.add_flag("-q,--quiet", run.quiet, "Only surprises, and the summary");
  app.add_flag("-v,--verbose", run.verbose, "A line for each test that passed, always");
}

// Options that are for one kind of system alone.
struct OptionsOfKind {
  SutKind kind;
  std::vector<CLI::Option*> options;
};

std::vector<OptionsOfKind> AddKinds(CLI::App& app, RunArguments& run) {
  app.add_option("-s,--sut", run.suts,
                 "System under test: " + SutSpellings() + "; several, one by one")
      ->type_name("SUT");
  std::vector<OptionsOfKind> all;
  for (const SutKind& kind : AllSutKinds()) {
    if (kind.add_run_options == nullptr) continue;
    const std::vector<CLI::Option*> before = app.get_options();
    kind.add_run_options(app);
    std::vector<CLI::Option*> own = app.get_options();
    own.erase(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(before.size()));
    all.push_back({kind, own});
  }
  return all;
}

void RefuseIdle(const std::vector<OptionsOfKind>& kinds, const std::vector<std::string>& suts) {
  for (const auto& [kind, options] : kinds) {
    const std::string name = kind.name;
    if (std::any_of(suts.begin(), suts.end(),
                    [&name](const std::string& sut) { return ParseSut(sut).kind == name; })) {
      continue;
    }
    for (const CLI::Option* option : options) {
      if (option->empty()) continue;
      throw UsageError(fmt::format("{} is for --sut {}", option->get_name(), kind.spelling));
    }
  }
}

// What --rerun-failed needs to know of the tests again: of each system the folder of its results.
std::vector<std::string> OwnArgumentsOf(const RunArguments& arguments) {
  std::vector<std::string> own;
  for (const std::string& sut : arguments.suts) {
    const std::string out = arguments.suts.size() == 1 ? arguments.out : ArgumentsFor(sut, arguments).out;
    for (const std::string& argument : ReadResult(out).own_arguments) {
      if (std::find(own.begin(), own.end(), argument) == own.end()) own.push_back(argument);
    }
  }
  return own;
}

// Of what failed nothing is left out in silence. For scripts that are known again.
void RefuseGoneScripts(const RunArguments& arguments, const std::vector<std::string>& patterns) {
  for (const std::string& sut : arguments.suts) {
    const std::string out = arguments.suts.size() == 1 ? arguments.out : ArgumentsFor(sut, arguments).out;
    for (const TestResult& test : ReadResult(out).tests) {
      const bool is_meant = patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return MeansTest(pattern, test.id);
      });
      if (!test.surprising() || !test.file.ends_with(".pkt") || !is_meant) continue;
      if (std::any_of(AllTests().begin(), AllTests().end(),
                      [&](const TestCase& known) { return known.file == test.file; })) {
        continue;
      }
      throw UsageError(fmt::format("--rerun-failed: {} failed, and its script {} is no longer there", test.id, test.file));
    }
  }
}

// Patterns become those of tests, and scripts become known.
void FindScripts(RunArguments& run) {
  const std::vector<std::string> patterns = PatternsOf(run.patterns);
  const auto note = [&run] {
    for (const auto& addition : run.additions) {
      const std::vector<std::string> own = addition->ArgumentsOfOwn();
      run.own.insert(run.own.end(), own.begin(), own.end());
    }
  };
  note();
  if (run.own.empty() && run.rerun_failed) {
    const std::vector<std::string> again = OwnArgumentsOf(run);
    for (const auto& addition : run.additions) addition->TakeAgain(again);
    note();
    RefuseGoneScripts(run, patterns);
  }
  run.has_scripts = !run.own.empty();
  run.patterns = patterns;
}

Action AddRun(CLI::App& app) {
  auto run = std::make_shared<RunArguments>();
  AddSelection(app, *run);
  AddCourse(app, *run);
  AddOutput(app, *run);
  AddBaselineOptions(app, run->baseline);
  app.add_option("--config", run->configuration,
                 "TOML file with values for these options: jobs = 8, ...")
      ->configurable(false)
      ->type_name("FILE");
  const std::vector<OptionsOfKind> kinds = AddKinds(app, *run);
  for (const MakeRunAddition make : RunAdditions()) run->additions.push_back(make(app));
  return [=, &app](const std::string& program) {
    run->program = program;
    if (!run->configuration.empty()) ApplyConfiguration(app, run->configuration);
    run->suts = SystemsMeant(run->suts);
    RefuseIdle(kinds, run->suts);
    FindScripts(*run);
    return run->bisect ? Bisect(*run) : RunAll(*run);
  };
}

const CommandRegistration kRun({"run", CommandGroup::kTests, "Run tests and report what they found",
                                kRunHelp, AddRun});

}  // namespace
}  // namespace sockproof
