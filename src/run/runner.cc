#include "src/run/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <queue>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include "harness/base/errors.h"
#include "harness/base/starved.h"
#include "harness/base/unique_fd.h"
#include "harness/claims/catalogue.h"
#include "harness/trace/ladder.h"
#include "harness/trace/pcapng.h"
#include "harness/wire/timestamps.h"
#include "src/report/text.h"
#include "src/run/child.h"
#include "src/run/pace.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr auto kBetweenStatusLines = std::chrono::milliseconds(100);
constexpr auto kBetweenLooks = std::chrono::milliseconds(125);
constexpr std::size_t kKeptLadderLines = 400;
constexpr std::size_t kOutputLines = 60;
// Why a test was killed.
constexpr const char* kStarved = "starved";
constexpr const char* kInterrupted = "interrupted";

// Blocks the signals that the runner waits for, and reads them from a descriptor.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, &before_);
    fd_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) ThrowErrno("signalfd");
  }
  ~Signals() { Restore(); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void Restore() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // Waits until `deadline` for any of the signals, or for a word on one of the descriptors. Returns
  // the last signal other than SIGCHLD, or 0.
  int Wait(Steady::time_point deadline, const std::vector<int>& words) {
    const Duration left = std::max<Duration>(deadline - Steady::now(), Duration(0));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), (left - seconds).count()};
    std::vector<pollfd> readable = {{fd_.get(), POLLIN, 0}};
    for (const int word : words) readable.push_back({word, POLLIN, 0});
    ppoll(readable.data(), readable.size(), &timeout, nullptr);
    int last = 0;
    signalfd_siginfo info{};
    while (read(fd_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD) last = static_cast<int>(info.ssi_signo);
    }
    return last;
  }

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

std::string DirectoryOf(const TestCase& test) {
  std::string name = test.id();
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (!plain) c = '-';
  }
  return "tests/" + name;
}

Duration PlannedDuration(const TestCase& test, const Facts& facts) {
  try {
    return test.LastsOn(facts);
  } catch (const std::exception&) {
    return Duration(0);  // a fact is missing; the test itself will say so
  }
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TestResult NewTestResult(const TestCase& test) {
  TestResult result;
  result.id = test.id();
  result.suite = test.suite;
  result.name = test.name;
  result.ip = test.variant.ip_name();
  result.variant = test.variant.name;
  result.file = test.file;
  result.line = test.line;
  result.needs = test.traits.needs;
  result.tags = TagsOf(test);
  result.directory = DirectoryOf(test);
  for (const std::string& id : test.traits.claims) {
    const Claim* claim = FindClaim(id);
    if (claim == nullptr) {
      result.claims.push_back({id, "documented", id, "(not in the catalogue)"});
    } else {
      result.claims.push_back({id, std::string(claim->level), std::string(claim->source),
                               std::string(claim->statement)});
    }
  }
  return result;
}

std::vector<std::string> IdsOf(const std::vector<CitedClaim>& claims) {
  std::vector<std::string> ids;
  for (const CitedClaim& claim : claims) ids.push_back(claim.id);
  return ids;
}

// What a company says of its tests, in order, an octet for each word.
constexpr char kBegins = 'b';
constexpr char kEnded = 'e';
constexpr char kEndedBadly = 'x';

// In the process of a company: each test's events and output go to its own folder.
class CompanyOfRun final : public Company {
 public:
  CompanyOfRun(std::vector<fs::path> folders, int word)
      : folders_(std::move(folders)), word_(word) {}

  EventLog& Begins() override {
    const fs::path& folder = folders_.at(begun_++);
    fs::create_directories(folder);
    events_.Reset(open((folder / "events.jsonl").c_str(), kNewFile, 0666));
    if (!events_) ThrowErrno("cannot write " + (folder / "events.jsonl").string());
    output_begin_ = OutputSize();
    Say(kBegins);
    return log_.emplace(events_.get());
  }

  void Ended(bool clean) override {
    KeepOutput(folders_.at(begun_ - 1) / "output.txt");
    Say(clean ? kEnded : kEndedBadly);
  }

 private:
  static constexpr int kNewFile = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

  static off_t OutputSize() {
    fflush(nullptr);
    struct stat status {};
    return fstat(STDOUT_FILENO, &status) == 0 ? status.st_size : 0;
  }

  void KeepOutput(const fs::path& path) const {
    const off_t size = OutputSize() - output_begin_;
    if (size <= 0) return;
    std::string text(static_cast<std::size_t>(size), '\0');
    const ssize_t count = pread(STDOUT_FILENO, text.data(), text.size(), output_begin_);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    std::ofstream(path, std::ios::binary) << text;
  }

  void Say(char word) const {
    if (write(word_, &word, 1) != 1) ThrowErrno("write");
  }

  const std::vector<fs::path> folders_;
  const int word_;
  std::size_t begun_ = 0;
  off_t output_begin_ = 0;
  UniqueFd events_;
  std::optional<EventLog> log_;
};

// Everything that RunTests() needs between its first and its last statement.
class Run {
 public:
  Run(const std::vector<const TestCase*>& tests, const Facts& facts, const RunOneTest& body,
      const RunOptions& options, RunResult& run, Reports& reports, Progress& progress)
      : facts_(facts),
        body_(body),
        options_(options),
        run_(run),
        reports_(reports),
        progress_(progress),
        pace_(options.jobs, static_cast<int>(std::thread::hardware_concurrency())) {
    int left_out = 0;
    std::vector<Planned> planned;
    for (std::size_t i = 0; i < tests.size(); ++i) {
      TestResult& result = run.tests[i];
      if (result.planned > options.max_wait) {
        result.verdict = Verdict::kSkip;
        result.reason = fmt::format("waits {:.0f} s, and --max-wait is {:.0f} s",
                                    ToSeconds(result.planned), ToSeconds(options.max_wait));
        reports_.Changed();
        ++left_out;
      } else {
        planned.push_back({tests[i], &result});
      }
    }
    if (left_out > 0) progress_.LeftOut(left_out, options.max_wait);
    if (options.seed) {
      std::shuffle(planned.begin(), planned.end(), std::mt19937_64(*options.seed));
    } else {
      std::stable_sort(planned.begin(), planned.end(), [](const Planned& a, const Planned& b) {
        return a.result->planned > b.result->planned;
      });
    }
    PutInCompany(std::move(planned));
  }

  ~Run() {
    for (const Running& running : running_) Kill(running.child);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int UntilDone() {
    int signal_number = 0;
    while (!running_.empty() ||
           (!(waiting_.empty() && again_.empty()) && signal_number == 0)) {
      if (signal_number == 0) StartTests();
      ShowStatus();
      if (reports_.changed() && Steady::now() >= reports_.due()) reports_.Write(run_);
      const int received = signals_.Wait(WakeUp(), Words());
      for (Running& running : running_) Hear(running);
      // Ended tests first: a test that ended in time is not hung, however late this process is.
      ReapTests();
      KillHungTests();
      if (received != 0 && signal_number == 0) {
        signal_number = received;
        Interrupt();
      }
    }
    return signal_number;
  }

 private:
  struct Planned {
    const TestCase* test;
    TestResult* result;
    bool is_follow_up = false;
  };
  using Group = std::vector<Planned>;  // tests that are run in one process, one after another

  struct Running {
    Group tests;
    std::size_t ended = 0;  // so many of them have
    std::size_t begun = 0;
    UniqueFd word;  // of a company: what it says of them
    pid_t child = -1;
    Steady::time_point started;
    Duration limit{0};
    std::string killed_because;  // empty: it was not killed
    std::string error_type;
    // As far as it was looked.
    bool is_set_up = false;
    std::uintmax_t logged = 0;  // octets
    Steady::time_point logged_at;
    Steady::time_point next_look;
  };

  // Puts tests in groups and these behind those that wait. Who is in company with whom depends on the
  // tests alone: the same each time, so that their times are.
  void PutInCompany(Group tests) {
    constexpr std::size_t kFewest = 4;  // a process for fewer is not worth its start
    const auto jobs = static_cast<std::size_t>(std::max(options_.jobs, 1));
    const auto most = static_cast<std::size_t>(options_.run_many ? options_.most_in_company : 1);
    for (std::size_t begin = 0; begin < tests.size();) {
      const std::size_t left = tests.size() - begin;
      // Smaller towards the end, so that all processors have something to do until then.
      const std::size_t size =
          std::min({std::max((left + jobs - 1) / jobs, kFewest), most, left});
      const auto first = tests.begin() + static_cast<std::ptrdiff_t>(begin);
      waiting_.emplace_back(first, first + static_cast<std::ptrdiff_t>(size));
      begin += size;
    }
  }

  double Load() {
    if (pace_.is_fixed()) return static_cast<double>(running_.size());
    double load = 0;
    for (Running& running : running_) {
      LookWhatItLogs(running);
      load += LoadOf(running);
    }
    return load;
  }

  double LoadOf(const Running& running) const {
    return pace_.Load(Steady::now() - running.logged_at, running.is_set_up);
  }

  // Looks whether it has logged more, now and then, and into that once, when it has not for a while.
  void LookWhatItLogs(Running& running) const {
    const auto now = Steady::now();
    if (now < running.next_look) return;
    running.next_look = now + kBetweenLooks;
    const fs::path log = FolderOf(running.tests.front()) / "events.jsonl";
    std::error_code gone;
    const std::uintmax_t logged = fs::file_size(log, gone);
    if (logged != running.logged) {
      running.logged = logged;
      running.logged_at = now;
      return;
    }
    if (running.is_set_up) return;
    try {
      const std::vector<Event> events = ReadEvents(log.string());
      running.is_set_up = std::any_of(events.begin(), events.end(), [](const Event& event) {
        return std::holds_alternative<ReadyEvent>(event.what);
      });
    } catch (const std::exception&) {
      running.is_set_up = true;  // it says something, and will be judged for what
    }
  }

  fs::path FolderOf(const Planned& planned) const {
    return reports_.directory().path() / planned.result->directory;
  }

  std::vector<int> Words() const {
    std::vector<int> words;
    for (const Running& running : running_) {
      if (running.word) words.push_back(running.word.get());
    }
    return words;
  }

  void StartTests() {
    if (waiting_.empty()) PutInCompany(std::exchange(again_, {}));
    while (!waiting_.empty() && pace_.HasRoom(running_.size(), Load())) {
      const Group next = waiting_.front();
      if (!running_.empty() && (NeedsPeace(next) || NeedsPeace(running_.front().tests))) return;
      try {
        Start(next);
      } catch (const HarnessError& error) {
        if (!running_.empty()) {
          pace_.AtMost(running_.size());
          return;
        }
        for (const Planned& planned : next) {
          planned.result->verdict = Verdict::kError;
          planned.result->error_type = "harness";
          planned.result->reason = error.what();
          Report(*planned.result);
        }
      }
      waiting_.pop_front();
    }
  }

  // What was inconclusive beside others that were run again runs while nothing else does.
  static bool NeedsPeace(const Group& group) {
    constexpr std::ptrdiff_t kTriesBesideOthers = 3;
    return std::ranges::count(group.front().result->attempts, Verdict::kInconclusive, &Attempt::verdict) >=
           kTriesBesideOthers;
  }

  void Start(const Group& next) {
    for (const Planned& planned : next) {
      fs::remove_all(FolderOf(planned));  // of an earlier run of this test
    }
    Running running{next};
    if (next.size() == 1) {
      StartAlone(running);
      running.begun = 1;
    } else {
      StartInCompany(running);
    }
    running.started = Steady::now();
    running.logged_at = running.started;
    running.next_look = running.started + kBetweenLooks;
    running.limit = LimitOf(next.front());
    running_.push_back(std::move(running));
    for (const Planned& planned : next) {
      planned.result->reason = "started, not ended";
      if (planned.result->runs > 0) {
        planned.result->reason = fmt::format("run {} started, not ended", planned.result->runs + 1);
      }
    }
    reports_.Changed();
  }

  Duration LimitOf(const Planned& planned) const {
    return planned.result->planned * 3 / 2 + options_.extra_time;
  }

  void StartAlone(Running& running) {
    const Planned& only = running.tests.front();
    const fs::path directory = FolderOf(only);
    fs::create_directories(directory);
    const auto create = [&directory](const char* name) {
      UniqueFd fd(
          open((directory / name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
      if (!fd) ThrowErrno("cannot write " + (directory / name).string());
      return fd;
    };
    const UniqueFd events = create("events.jsonl");
    const UniqueFd output = create("output.txt");
    running.child = ForkChild(events.get(), output.get(), [this, &only](int channel) {
      EventLog log(channel);
      body_(*only.test, log);
    });
  }

  void StartInCompany(Running& running) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("pipe2");
    running.word.Reset(ends[0]);
    const UniqueFd to_us(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const UniqueFd output(memfd_create("output of a company", MFD_CLOEXEC));
    if (!output) ThrowErrno("memfd_create");
    fcntl(output.get(), F_SETFL, O_APPEND);
    running.child = ForkChild(to_us.get(), output.get(), [this, &running](int channel) {
      std::vector<const TestCase*> tests;
      std::vector<fs::path> folders;
      for (const Planned& planned : running.tests) {
        tests.push_back(planned.test);
        folders.push_back(FolderOf(planned));
      }
      CompanyOfRun company(std::move(folders), channel);
      options_.run_many(tests, company);
    });
  }

  Steady::time_point WakeUp() const {
    auto wake_up = Steady::now() + std::chrono::hours(1);
    for (const Running& running : running_) {
      if (running.killed_because.empty()) {
        wake_up = std::min(wake_up, running.started + running.limit);
      }
      // From then on there may be room for another test.
      if (!pace_.is_fixed() && !waiting_.empty() && LoadOf(running) >= 1) {
        wake_up = std::min(wake_up, running.next_look);
      }
    }
    if (reports_.changed()) wake_up = std::min(wake_up, reports_.due());
    if (progress_.live()) wake_up = std::min(wake_up, status_shown_ + kBetweenStatusLines);
    return wake_up;
  }

  void ReapTests() {
    for (auto running = running_.begin(); running != running_.end();) {
      ChildEnd end;
      if (Reap(running->child, end)) {
        Running ended = std::move(*running);
        running = running_.erase(running);
        if (ended.word) {
          Hear(ended);
          CompanyEnded(ended, end);
        } else {
          Ended(ended, ended.tests.front(), end);
        }
      } else {
        ++running;
      }
    }
  }

  // Takes in what a company has said since.
  void Hear(Running& running) {
    if (!running.word) return;
    char words[256];
    for (ssize_t count; (count = read(running.word.get(), words, sizeof words)) > 0;) {
      for (const char word : std::string_view(words, static_cast<std::size_t>(count))) {
        if (word == kBegins) {
          ++running.begun;
        } else if (running.ended < running.tests.size()) {
          const Planned& planned = running.tests[running.ended++];
          ChildEnd end;
          end.clean = word == kEnded;
          end.text = "ended as no process of a test should";
          Ended(running, planned, end);
          running.started = Steady::now();
          if (running.ended < running.tests.size()) {
            running.limit = LimitOf(running.tests[running.ended]);
          }
        }
      }
    }
  }

  // The process of a company has ended: the test that it was at, or with which it could not even
  // begin, is run alone.
  void CompanyEnded(const Running& running, const ChildEnd& end) {
    Group left(running.tests.begin() + static_cast<std::ptrdiff_t>(running.ended),
               running.tests.end());
    if (left.empty()) return;
    if (running.begun > running.ended || running.ended == 0) {
      fs::create_directories(FolderOf(left.front()));
      Ended(running, left.front(), end);
      left.erase(left.begin());
    }
    for (const Planned& planned : left) {
      *planned.result = BlankOf(planned);
      if (Interrupted(running)) planned.result->reason = "interrupted before it began";
      if (abandoned_) planned.result->reason = "not started after " + Surprises();
    }
    reports_.Changed();
    if (!left.empty() && !Interrupted(running) && !abandoned_) waiting_.push_back(std::move(left));
  }

  void Ended(const Running& running, const Planned& ended, const ChildEnd& end) {
    if (abandoned_) {
      *ended.result = BlankOf(ended);
      ended.result->reason = "stopped after " + Surprises();
      reports_.Changed();
      return;
    }
    if (Interrupted(running)) {
      *ended.result = BlankOf(ended);
      ended.result->reason = "interrupted before it ended";
      Report(*ended.result);
      return;
    }
    const bool in_company = static_cast<bool>(running.word);
    const Duration lateness = Judge(running, ended, end);
    const bool repeated = !in_company && FailIfRepeated(*ended.test, *ended.result, lateness);
    pace_.Ended(lateness, Steady::now());
    TestResult& result = *ended.result;
    if (in_company && (result.surprising() || !end.clean)) {
      TryAgain(ended, in_company);
      return;
    }
    if (InDoubt(result, lateness)) {
      if (static_cast<int>(result.attempts.size()) + 1 < options_.attempts) {
        TryAgain(ended, in_company);
        return;
      }
      Doubt(result, lateness);
    }
    if (!repeated && result.verdict == Verdict::kFail &&
        result.planned < RunOptions::kLong &&
        ++failures_[result.id] < std::min(options_.failures_that_count, options_.attempts)) {
      TryAgain(ended, in_company);
      return;
    }
    ForgetTheSameInCompany(result);
    KeepVerdict(result);
    ++result.runs;
    if (!result.surprising() && WantsAnotherRun(result)) {
      RunAgain(ended);
      return;
    }
    if (options_.repeat != 1 && result.surprising()) {
      result.reason += fmt::format("{}in run {}", result.reason.empty() ? "" : "; ", result.runs);
    }
    Report(result);
    if (options_.follow_up) {
      for (const TestCase* test : options_.follow_up(result)) AddTest(*test);
      if (ended.is_follow_up) KeepVerdictAlone(result);
    }
    surprises_ += result.surprising() ? 1 : 0;
    if (options_.most_surprises > 0 && surprises_ >= options_.most_surprises) Abandon();
  }

  static bool Interrupted(const Running& running) {
    return !running.killed_because.empty() && running.error_type == kInterrupted;
  }

  // What a test did in company is worth keeping only where it differs.
  void ForgetTheSameInCompany(TestResult& result) const {
    const std::string alone = WithoutNumbers(Headline(result));
    std::erase_if(result.attempts, [&](const Attempt& attempt) {
      const bool same = attempt.in_company && attempt.verdict == result.verdict &&
                        (result.verdict != Verdict::kFail ||
                         WithoutNumbers(attempt.reason) == alone);
      if (same) fs::remove_all(reports_.directory().path() / attempt.directory);
      return same;
    });
  }

  static std::string WithoutNumbers(std::string text) {
    std::erase_if(text, [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
    return text;
  }

  void AddTest(const TestCase& test) {
    TestResult& result = run_.tests.emplace_back(NewTestResult(test));
    result.planned = PlannedDuration(test, facts_);
    const auto shorter =
        std::find_if(waiting_.begin(), waiting_.end(), [&result](const Group& group) {
          return group.front().result->planned < result.planned;
        });
    waiting_.insert(shorter, Group{{&test, &result, true}});
  }

  // Of tests that follow there may be many thousands, and each process of a test begins as a copy of this one.
  static void KeepVerdictAlone(TestResult& result) {
    TestResult kept;
    kept.id = std::move(result.id);
    kept.suite = std::move(result.suite);
    kept.name = std::move(result.name);
    kept.ip = std::move(result.ip);
    kept.variant = std::move(result.variant);
    kept.file = std::move(result.file);
    kept.line = result.line;
    kept.verdict = result.verdict;
    kept.reason = std::move(result.reason);
    kept.error_type = std::move(result.error_type);
    kept.planned = result.planned;
    kept.wall = result.wall;
    kept.sut_time = result.sut_time;
    kept.directory = std::move(result.directory);
    result = std::move(kept);
  }

  // As it was before the first attempt.
  static TestResult BlankOf(const Planned& planned) {
    TestResult blank = NewTestResult(*planned.test);
    blank.planned = planned.result->planned;
    return blank;
  }

  // Whether the machine may have made this verdict.
  static bool InDoubt(const TestResult& result, Duration lateness) {
    if (result.verdict == Verdict::kInconclusive) return true;
    // What failed says itself whether lateness explains it; that a known departure vanished,
    // nobody.
    return result.verdict == Verdict::kPass && result.surprising() && lateness > Pace::kTolerable;
  }

  // What fails in the same words so often, each time in a process that was not much late, is no accident
  // of the machine. Nor is what has failed so in a process that was not late at all: lateness is not its reason.
  bool FailIfRepeated(const TestCase& test, TestResult& result, Duration lateness) {
    constexpr Duration kNotMuch = 10ms;
    constexpr int kOften = 5;
    const bool in_doubt = result.verdict == Verdict::kInconclusive;
    if ((!in_doubt && result.verdict != Verdict::kFail) || result.failures.empty()) return false;
    const FailureEvent& first = result.failures.front();
    const std::string words = fmt::format("{}: {}", first.line, WithoutNumbers(first.text));
    SameFailures& so_far = failed_so_[{test.id(), words}];
    ++(in_doubt ? so_far.in_doubt : so_far.in_time);
    if (in_doubt && lateness <= kNotMuch) ++so_far.little_late;
    if (!in_doubt) return false;
    const int all = so_far.in_time + so_far.in_doubt;
    const bool in_time_too = so_far.in_time > 0 && all >= std::min(options_.failures_that_count, options_.attempts);
    if (!in_time_too && (lateness > kNotMuch || so_far.little_late < kOften)) return false;
    result.verdict = Verdict::kFail;
    result.reason = fmt::format("it failed so {} times, {} of them in time; this time a process of it was served up to {} late",
                                all, so_far.in_time, FormatDuration(lateness));
    options_.baseline.Judge(result);
    return true;
  }

  static void Doubt(TestResult& result, Duration lateness) {
    if (result.verdict == Verdict::kInconclusive) return;
    result.reason = fmt::format("{}, but a process of this test was served up to {} late",
                                VerdictText(result.verdict), FormatDuration(lateness));
    result.verdict = Verdict::kInconclusive;
    for (CitedClaim& claim : result.claims) claim.verdict = ClaimVerdict::kUndecided;
    result.surprise.clear();
  }

  // Alone, behind all others: by then the machine may be less busy.
  void TryAgain(const Planned& ended, bool in_company) {
    TestResult& result = *ended.result;
    const std::string kept =
        fmt::format("{}.attempt-{}", result.directory, result.attempts.size() + 1);
    const fs::path out = reports_.directory().path();
    fs::remove_all(out / kept);
    fs::rename(out / result.directory, out / kept);
    std::vector<Attempt> attempts = std::move(result.attempts);
    attempts.push_back({*result.verdict, Headline(result), result.wall, kept, in_company});
    if (!in_company) progress_.Again(result);
    MakeBlank(ended, std::move(attempts), result.runs);
    waiting_.push_back({ended});
  }

  bool WantsAnotherRun(const TestResult& result) const {
    return options_.repeat == RunOptions::kWithoutEnd || result.runs < options_.repeat;
  }

  void RunAgain(const Planned& ended) {
    failures_.erase(ended.result->id);
    std::vector<Attempt> attempts = std::move(ended.result->attempts);
    MakeBlank(ended, std::move(attempts), ended.result->runs);
    again_.push_back(ended);
  }

  void MakeBlank(const Planned& ended, std::vector<Attempt> attempts, int runs) {
    *ended.result = BlankOf(ended);
    ended.result->attempts = std::move(attempts);
    ended.result->runs = runs;
    reports_.Changed();
  }

  std::string Surprises() const {
    return surprises_ == 1 ? "the first surprise" : fmt::format("{} surprises", surprises_);
  }

  // Ends the run without a verdict on what still runs.
  void Abandon() {
    abandoned_ = true;
    ForWaiting([this](TestResult& result) { result.reason = "not started after " + Surprises(); });
    waiting_.clear();
    again_.clear();
    for (const Running& running : running_) Kill(running.child);
  }

  void KillHungTests() {
    for (Running& running : running_) {
      if (running.ended == running.tests.size()) continue;
      if (Steady::now() < running.started + running.limit) continue;
      const std::string late =
          fmt::format("not ended after {:.1f} s, planned {:.1f} s", ToSeconds(running.limit),
                      ToSeconds(running.tests[running.ended].result->planned));
      // Who had no processor has not hung.
      const std::string why = WhyStarved(running.child, std::max<Duration>(running.limit / 10, 2s));
      Stop(running, why.empty() ? "timeout" : kStarved, why.empty() ? "hung: " + late : late + ", but " + why);
    }
  }

  template <typename What>
  void ForWaiting(What what) {
    for (const Group& group : waiting_) {
      for (const Planned& planned : group) what(*planned.result);
    }
    for (const Planned& planned : again_) what(*planned.result);
  }

  void Interrupt() {
    signals_.Restore();  // the next signal ends this process, and with it its children
    for (Running& running : running_) Stop(running, kInterrupted, "interrupted");
    ForWaiting([](TestResult& result) { result.reason = "interrupted before it began"; });
    // SIGCHLD is no longer blocked, so it wakes no one.
    while (!running_.empty()) {
      WaitForEnd(running_.front().child);
      ReapTests();
    }
  }

  static void Stop(Running& running, const std::string& error_type, const std::string& reason) {
    if (!running.killed_because.empty()) return;
    running.killed_because = reason;
    running.error_type = error_type;
    Kill(running.child);
  }

  // Fills the result from the event log and the end of the process; returns how late that process
  // was served.
  Duration Judge(const Running& running, const Planned& ended, const ChildEnd& end) {
    TestResult& result = *ended.result;
    const fs::path directory = FolderOf(ended);
    result.wall = Steady::now() - running.started;
    result.reason.clear();

    std::vector<Event> events;
    std::string broken;
    Duration lateness{0};
    try {
      events = ReadEvents(directory / "events.jsonl");
    } catch (const std::exception& error) {
      broken = std::string("its event log cannot be read: ") + error.what();
    }
    for (const Event& event : events) {
      if (const auto* verdict = std::get_if<VerdictEvent>(&event.what)) {
        result.verdict = verdict->verdict;
        result.reason = verdict->reason;
        lateness = verdict->worst_lateness;
        if (verdict->verdict == Verdict::kError) result.error_type = "harness";
      } else if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
        result.failures.push_back(*failure);
      } else if (const auto* observation = std::get_if<ObservationEvent>(&event.what)) {
        result.observations.push_back(*observation);
      } else if (const auto* matrix = std::get_if<MatrixEvent>(&event.what)) {
        result.axes = matrix->axes;
      } else if (const auto* cell = std::get_if<CellEvent>(&event.what)) {
        result.cells.push_back(*cell);
      } else if (const auto* measurement = std::get_if<MeasurementEvent>(&event.what)) {
        result.measurements.push_back(*measurement);
      }
    }
    const std::vector<DecidedClaim> claims = DecideClaims(IdsOf(result.claims), events);
    for (std::size_t i = 0; i < claims.size(); ++i) {
      result.claims[i].verdict = claims[i].verdict;
      result.claims[i].why = claims[i].why;
    }
    if (!events.empty()) result.sut_time = events.back().time - events.front().time;
    if (running.error_type == kStarved) {
      // What a test has said stands, however long the kernel takes to clear away behind it.
      if (!result.verdict || !broken.empty()) SetUndecided(result, Verdict::kInconclusive, running.killed_because);
    } else if (!running.killed_because.empty()) {
      SetError(result, running.error_type, running.killed_because);
    } else if (!broken.empty()) {
      SetError(result, "harness", broken);
    } else if (!result.verdict) {
      SetError(result, "crash", end.text + (end.by_signal ? "" : " without a verdict"));
    } else if (result.verdict == Verdict::kPass && !end.clean) {
      SetError(result, "crash", end.text + " after it passed");
    }
    options_.baseline.Judge(result);
    KeepEvidence(events, directory, result);
    return lateness;
  }

  static void SetError(TestResult& result, const std::string& type, const std::string& reason) {
    SetUndecided(result, Verdict::kError, reason);
    result.error_type = type;
  }

  static void SetUndecided(TestResult& result, Verdict verdict, const std::string& reason) {
    result.verdict = verdict;
    result.reason = reason;
    for (CitedClaim& claim : result.claims) {
      claim.verdict = ClaimVerdict::kUndecided;
      claim.why.clear();
    }
  }

  void KeepEvidence(const std::vector<Event>& events, const fs::path& directory,
                    TestResult& result) {
    const auto keep = [&](const char* name, const std::string& content) {
      ReplaceFile(directory / name, content);
      result.files.push_back(result.directory + "/" + name);
    };
    std::string ladder;
    try {
      const Bytes capture = RenderPcapng(events, result.id);
      keep("capture.pcapng", std::string(capture.begin(), capture.end()));
      ladder = RenderLadder(events);
    } catch (const HarnessError&) {
      throw;
    } catch (const std::exception& error) {
      ladder += std::string("the events cannot be drawn: ") + error.what() + "\n";
    }
    keep("ladder.txt", ladder);
    if (const fs::path output = directory / "output.txt"; fs::exists(output)) {
      if (fs::is_empty(output)) {
        fs::remove(output);
      } else {
        result.files.push_back(result.directory + "/output.txt");
      }
    }
    result.files.push_back(result.directory + "/events.jsonl");
    if (result.verdict != Verdict::kPass) result.ladder = WithoutMiddle(ladder, kKeptLadderLines);
    if (result.verdict == Verdict::kError) {
      result.output = WithoutMiddle(ReadText(directory / "output.txt"), kOutputLines);
    }
  }

  void KeepVerdict(const TestResult& result) {
    ReplaceFile(reports_.directory().path() / result.directory / "verdict.json",
                DumpJson(ToJson(result)));
  }

  void Report(const TestResult& result) {
    reports_.Changed();
    progress_.Finished(result, run_);
  }

  void ShowStatus() {
    if (!progress_.live() || Steady::now() < status_shown_ + kBetweenStatusLines) return;
    const Counts counts = run_.counts();
    progress_.Status({static_cast<int>(running_.size()), counts.tests - counts.not_run,
                      counts.tests,
                      counts.fail - counts.known_departures + counts.unexpected_passes +
                          counts.error + counts.inconclusive,
                      Remaining(counts)});
    status_shown_ = Steady::now();
  }

  // Until the last test ends: at the pace so far, and not before all waits are over.
  Duration Remaining(const Counts& counts) const {
    constexpr int kEnoughToKnowThePace = 10;
    const int done = counts.tests - counts.not_run - counts.skip;
    Duration at_this_pace{0};
    if (done >= kEnoughToKnowThePace) {
      int waiting = static_cast<int>(again_.size());
      for (const Group& group : waiting_) waiting += static_cast<int>(group.size());
      at_this_pace = (Steady::now() - began_) / done * waiting;
    }
    return std::max(ToWait(), at_this_pace);
  }

  // If every test takes as long as planned.
  Duration ToWait() const {
    std::priority_queue<Duration, std::vector<Duration>, std::greater<>> ends;
    for (const Running& running : running_) {
      const Duration so_far = Steady::now() - running.started;
      Duration planned{0};
      for (std::size_t i = running.ended; i < running.tests.size(); ++i) {
        planned += running.tests[i].result->planned;
      }
      ends.push(std::max(planned - so_far, Duration(0)));
    }
    Duration last{0};
    const auto add = [&](const Planned& planned) {
      Duration begin{0};
      if (ends.size() >= pace_.most_processes()) {
        begin = ends.top();
        ends.pop();
      }
      ends.push(begin + planned.result->planned);
    };
    for (const Group& group : waiting_) std::for_each(group.begin(), group.end(), add);
    std::for_each(again_.begin(), again_.end(), add);
    for (; !ends.empty(); ends.pop()) last = ends.top();
    return last;
  }

  const Facts& facts_;
  const RunOneTest& body_;
  const RunOptions& options_;
  RunResult& run_;
  Reports& reports_;
  Progress& progress_;
  Pace pace_;
  std::deque<Group> waiting_;
  Group again_;  // to be run again when none waits any more
  std::list<Running> running_;
  std::map<std::string, int> failures_;                           // of each test, in this repetition
  struct SameFailures {
    int in_time = 0, in_doubt = 0;
    int little_late = 0;  // of those in doubt
  };
  std::map<std::pair<std::string, std::string>, SameFailures> failed_so_;  // by test and words
  bool abandoned_ = false;
  int surprises_ = 0;
  const Steady::time_point began_ = Steady::now();
  Steady::time_point status_shown_;
  Signals signals_;
};

}  // namespace

RunResult NewResult(const std::vector<const TestCase*>& tests, const std::string& sut,
                    const std::string& program) {
  RunResult run;
  run.suite_version = SOCKPROOF_VERSION;
  run.sut = sut;
  run.program = program;
  run.started = Clock::now();
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  run.host = host;
  for (const TestCase* test : tests) run.tests.push_back(NewTestResult(*test));
  return run;
}

int RunTests(const std::vector<const TestCase*>& tests, const Facts& facts, const RunOneTest& body,
             const RunOptions& options, RunResult& run, Reports& reports, Progress& progress) {
  run.facts = facts.values();
  run.baselines = options.baseline.Files();
  for (std::size_t i = 0; i < tests.size(); ++i) {
    run.tests[i].planned = PlannedDuration(*tests[i], facts);
  }
  const KernelTimestamps from_the_first_packet_on;
  progress.Begin(run);
  const int signal_number = Run(tests, facts, body, options, run, reports, progress).UntilDone();
  run.finished = Clock::now();
  run.interrupted = signal_number;
  run.stale_departures = options.baseline.Stale(run, IdsOf(AllTests()));
  reports.Write(run);
  return signal_number;
}

int ExitCode(const RunResult& run) {
  const Counts counts = run.counts();
  if (counts.tests > 0 && counts.skip == counts.tests) return 3;
  const int as_expected =
      counts.pass - counts.unexpected_passes + counts.skip + counts.known_departures;
  return as_expected == counts.tests ? 0 : 1;
}

}  // namespace sockproof
