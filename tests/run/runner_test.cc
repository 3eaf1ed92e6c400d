// The runner with tests that pass, fail, crash, hang and get killed.
#include "src/run/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "harness/base/unique_fd.h"
#include "src/run/child.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void End(EventLog& log, Verdict verdict, const std::string& reason = "") {
  log.Now(VerdictEvent{verdict, reason, Duration(0)});
}

[[noreturn]] void Hang() {
  while (true) pause();
}

// A named pipe: every process that has it open for writing is known to be alive; at end of file,
// none is.
class Witness {
 public:
  explicit Witness(std::string path) : path_(std::move(path)) {
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    // Its own write end lets it wait for a first byte instead of seeing an end at once.
    reader_.Reset(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  }

  // In the watched process: says that it lives and goes on being seen.
  void Watch() const {
    const int fd = open(path_.c_str(), O_WRONLY);
    if (write(fd, "!", 1) != 1) abort();
  }

  void WaitForOne() const {
    char byte = 0;
    EXPECT_EQ(read(reader_.get(), &byte, 1), 1);
  }

  void WaitUntilAllAreDead() {
    const UniqueFd only_reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    reader_.Reset();
    fcntl(only_reader.get(), F_SETFL, 0);
    char bytes[64];
    while (read(only_reader.get(), bytes, sizeof bytes) > 0) {
    }
  }

 private:
  std::string path_;
  UniqueFd reader_;
};

class RunnerTest : public testing::Test {
 protected:
  using Body = std::function<void(EventLog&)>;

  void Add(const std::string& name, Body body, Duration (*lasts)(const Facts&) = nullptr) {
    TestCase& test = tests_.emplace_back();
    test.suite = "Suite";
    test.name = name;
    test.variant = OverIp(IpVersion::kIpv4);
    test.file = "suite.cc";
    test.line = 7;
    test.traits.lasts = lasts;
    test.traits.claims = {"nobody:1"};
    bodies_[name] = std::move(body);
  }

  // Runs all added tests in this process; returns the signal that ended the run.
  int Run() {
    std::vector<const TestCase*> tests;
    for (const TestCase& test : tests_) tests.push_back(&test);
    result_ = NewResult(tests, "fake", "sockproof");
    OutputDirectory directory(out_);
    Reports reports(directory, {.junit = junit_});
    reports.Begin(result_);
    const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    Progress progress(nowhere.get(), {});
    const RunOneTest body = [this](const TestCase& test, EventLog& log) {
      bodies_[test.name](log);
    };
    return RunTests(tests, Facts(), body, options_, result_, reports, progress);
  }

  // Runs them in a process of its own, whose exit code is that signal.
  pid_t RunInBackground() {
    const pid_t runner = fork();
    if (runner == 0) _exit(Run());
    return runner;
  }

  const TestResult& Of(const std::string& name) {
    for (const TestResult& test : result_.tests) {
      if (test.name == name) return test;
    }
    abort();
  }

  nlohmann::json ResultFile() { return nlohmann::json::parse(ReadText(out_ + "/result.json")); }

  std::string Kept(const std::string& name, const std::string& file) {
    return ReadText(out_ + "/tests/Suite." + name + "-ipv4/" + file);
  }

  void ExpectError(const std::string& name, const std::string& type, const std::string& reason) {
    const TestResult& test = Of(name);
    EXPECT_EQ(test.verdict, Verdict::kError) << name;
    EXPECT_EQ(test.error_type, type) << name;
    EXPECT_THAT(test.reason, HasSubstr(reason)) << name;
  }

  TemporaryFolder folder_;
  const std::string out_ = folder_ / "out";
  const std::string junit_ = folder_ / "reports/junit.xml";
  std::deque<TestCase> tests_;
  std::map<std::string, Body> bodies_;
  RunOptions options_;
  RunResult result_;
};

// Tests whose bodies are run in company, as a virtual machine does it.
class CompanyTest : public RunnerTest {
 protected:
  CompanyTest() {
    options_.jobs = 2;
    options_.most_in_company = 4;
    options_.run_many = [this](const std::vector<const TestCase*>& tests, Company& company) {
      in_company_ = true;
      for (const TestCase* test : tests) {
        bodies_[test->name](company.Begins());
        company.Ended(!ends_badly_);
        ends_badly_ = false;
      }
    };
  }

  void AddThatPass(int count) {
    for (int i = 0; i < count; ++i) {
      Add(fmt::format("Passes{}", tests_.size()), [](EventLog& log) { End(log, Verdict::kPass); });
    }
  }

  void ExpectThatAllPass() {
    for (const TestResult& test : result_.tests) EXPECT_EQ(test.verdict, Verdict::kPass) << test.id;
  }

  // As a body of a test sees it, in its process.
  bool in_company_ = false;
  bool ends_badly_ = false;
};

TEST_F(CompanyTest, EachHasItsOwnVerdictEventsAndOutput) {
  AddThatPass(3);
  Add("Prints", [](EventLog& log) {
    puts("a word");
    End(log, Verdict::kSkip, "no wish to");
  });
  AddThatPass(6);
  Run();
  EXPECT_EQ(Of("Prints").verdict, Verdict::kSkip);
  EXPECT_EQ(Of("Prints").reason, "no wish to");
  EXPECT_EQ(Kept("Prints", "output.txt"), "a word\n");
  EXPECT_EQ(Kept("Passes1", "output.txt"), "");
  EXPECT_THAT(Kept("Passes1", "events.jsonl"), HasSubstr("PASS"));
  EXPECT_EQ(result_.counts().pass, 9);
}

TEST_F(CompanyTest, WhatFailsThereIsJudgedAloneAndTheDifferenceIsKept) {
  AddThatPass(5);
  Add("FailsInCompany", [this](EventLog& log) {
    End(log, in_company_ ? Verdict::kFail : Verdict::kPass);
  });
  Run();
  ExpectThatAllPass();
  const std::vector<Attempt>& attempts = Of("FailsInCompany").attempts;
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].verdict, Verdict::kFail);
  EXPECT_TRUE(attempts[0].in_company);
  EXPECT_TRUE(fs::exists(out_ + "/" + attempts[0].directory + "/events.jsonl"));
  const nlohmann::json kept = ResultFile()["tests"].back()["attempts"];
  EXPECT_TRUE(kept[0]["in_company"]);
}

TEST_F(CompanyTest, WhatFailsAloneTooIsJustAFailure) {
  AddThatPass(5);
  Add("Fails", [](EventLog& log) { End(log, Verdict::kFail); });
  Run();
  EXPECT_EQ(Of("Fails").verdict, Verdict::kFail);
  EXPECT_TRUE(Of("Fails").attempts.empty());
  EXPECT_FALSE(fs::exists(out_ + "/tests/Suite.Fails-ipv4.attempt-1"));
}

TEST_F(CompanyTest, ACrashHitsTheTestThatRunsAndNoOther) {
  AddThatPass(2);
  Add("Crashes", [](EventLog&) { raise(SIGKILL); });
  AddThatPass(3);
  Run();
  ExpectError("Crashes", "crash", "SIGKILL");
  EXPECT_EQ(result_.counts().pass, 5);
}

TEST_F(CompanyTest, OneThatEndsBadlyIsRunAlone) {
  AddThatPass(5);
  Add("EndsBadly", [this](EventLog& log) {
    ends_badly_ = in_company_;
    End(log, Verdict::kPass);
  });
  Run();
  ExpectThatAllPass();
  EXPECT_EQ(Of("EndsBadly").attempts.size(), 1U);
}

TEST_F(CompanyTest, WhereNoneCanBeginEachIsRunAlone) {
  options_.run_many = [](const std::vector<const TestCase*>&, Company&) {};
  AddThatPass(6);
  Run();
  ExpectThatAllPass();
}

TEST_F(CompanyTest, ARunEndsAtItsFirstSurprise) {
  options_.most_surprises = 1;
  options_.jobs = 1;
  Add("Fails", [](EventLog& log) { End(log, Verdict::kFail); });
  AddThatPass(2);
  Add("HangsAlone", [this](EventLog& log) {
    if (!in_company_) Hang();
    End(log, Verdict::kFail);
  });
  Run();
  EXPECT_EQ(Of("Fails").verdict, Verdict::kFail);
  EXPECT_FALSE(Of("HangsAlone").verdict);
}

TEST_F(CompanyTest, RunsAreRepeated) {
  options_.repeat = 3;
  AddThatPass(5);
  Run();
  ExpectThatAllPass();
  EXPECT_EQ(Of("Passes4").runs, 3);
}

TEST_F(RunnerTest, VerdictIsTheLastOneLogged) {
  Add("Passes", [](EventLog& log) { End(log, Verdict::kPass); });
  Add("Fails", [](EventLog& log) {
    log.Now(FailureEvent{"suite.cc", 9, "Expected: FIN"});
    log.Now(ObservationEvent{"RTO", "1 s"});
    End(log, Verdict::kFail);
  });
  Add("Skips", [](EventLog& log) { End(log, Verdict::kSkip, "no diag"); });
  Add("IsLate", [](EventLog& log) { End(log, Verdict::kInconclusive, "3 s late"); });
  Add("Breaks", [](EventLog& log) { End(log, Verdict::kError, "agent gone"); });
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(Of("Passes").verdict, Verdict::kPass);
  EXPECT_EQ(Of("Fails").verdict, Verdict::kFail);
  ASSERT_EQ(Of("Fails").failures.size(), 1U);
  EXPECT_EQ(Of("Fails").failures[0].line, 9);
  ASSERT_EQ(Of("Fails").observations.size(), 1U);
  EXPECT_EQ(Of("Skips").verdict, Verdict::kSkip);
  EXPECT_EQ(Of("Skips").reason, "no diag");
  EXPECT_EQ(Of("IsLate").verdict, Verdict::kInconclusive);
  ExpectError("Breaks", "harness", "agent gone");
  EXPECT_EQ(ExitCode(result_), 1);
}

TEST_F(RunnerTest, EvidenceIsKept) {
  Add("Prints", [](EventLog& log) {
    printf("printed\n");
    log.Now(CallEvent{1, "sut", "shutdown(3, SHUT_WR)"});
    End(log, Verdict::kPass);
  });
  Add("IsSilent", [](EventLog& log) { End(log, Verdict::kPass); });
  Run();
  EXPECT_EQ(Kept("Prints", "output.txt"), "printed\n");
  EXPECT_THAT(Kept("Prints", "events.jsonl"), HasSubstr("SHUT_WR"));
  EXPECT_EQ(nlohmann::json::parse(Kept("Prints", "verdict.json"))["verdict"], "PASS");
  EXPECT_NE(Kept("Prints", "ladder.txt"), "");
  EXPECT_TRUE(fs::exists(out_ + "/tests/Suite.IsSilent-ipv4/capture.pcapng"));
  EXPECT_FALSE(fs::exists(out_ + "/tests/Suite.IsSilent-ipv4/output.txt"));
}

TEST_F(RunnerTest, CrashesAreErrorsWithTheLadderSoFar) {
  Add("Faults", [](EventLog& log) {
    log.Now(CallEvent{1, "sut", "connect(3, 192.0.2.2:80)"});
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  });
  Add("Aborts", [](EventLog&) {
    fprintf(stderr, "assertion failed\n");
    abort();
  });
  Add("Exits", [](EventLog&) { _exit(3); });
  Add("ReturnsSilently", [](EventLog&) {});
  Add("Throws", [](EventLog&) { throw std::runtime_error("unexpected"); });
  Add("FaultsAfterPass", [](EventLog& log) {
    End(log, Verdict::kPass);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  });
  Run();
  ExpectError("Faults", "crash", "crashed: SIGSEGV");
  EXPECT_NE(Of("Faults").ladder, "");
  ExpectError("Aborts", "crash", "crashed: SIGABRT");
  EXPECT_THAT(Of("Aborts").output, HasSubstr("assertion failed"));
  ExpectError("Exits", "crash", "exited with 3 without a verdict");
  ExpectError("ReturnsSilently", "crash", "exited with 0 without a verdict");
  ExpectError("Throws", "crash", "exited with 1 without a verdict");
  EXPECT_THAT(Of("Throws").output, HasSubstr("unexpected"));
  ExpectError("FaultsAfterPass", "crash", "crashed: SIGSEGV after it passed");
}

TEST_F(RunnerTest, GarbageInTheEventLogIsAnError) {
  Add("Scribbles", [this](EventLog& log) {
    std::ofstream(out_ + "/tests/Suite.Scribbles-ipv4/events.jsonl") << "garbage\n";
    End(log, Verdict::kPass);
  });
  Run();
  ExpectError("Scribbles", "harness", "event log cannot be read");
}

TEST_F(RunnerTest, HungTestIsKilledWithEverythingItStarted) {
  Witness witness(folder_ / "witness");
  Add("Hangs", [&witness](EventLog&) {
    witness.Watch();
    fork();
    Hang();
  });
  options_.extra_time = 50ms;
  Run();
  ExpectError("Hangs", "timeout", "hung");
  witness.WaitUntilAllAreDead();
}

// The parent of vfork() waits in the kernel, and cannot be interrupted.
[[noreturn]] void WaitInKernel() {
  if (vfork() == 0) {
    while (true) pause();
  }
  _exit(1);
}

TEST_F(RunnerTest, TestThatTheKernelHoldsUpIsInconclusive) {
  Add("Waits", [](EventLog&) { WaitInKernel(); });
  Add("HasSaidWhatItHasToSay", [](EventLog& log) {
    End(log, Verdict::kPass);
    WaitInKernel();
  });
  options_.extra_time = 500ms;
  options_.attempts = 1;
  Run();
  EXPECT_EQ(Of("Waits").verdict, Verdict::kInconclusive);
  EXPECT_THAT(Of("Waits").reason, HasSubstr("waits in the kernel"));
  EXPECT_EQ(Of("HasSaidWhatItHasToSay").verdict, Verdict::kPass);
}

TEST_F(RunnerTest, WhatFailsTheSameEachTimeIsNoAccident) {
  const auto fail_late = [this](const char* name, Duration lateness) {
    Add(name, [lateness](EventLog& log) {
      log.Now(FailureEvent{"file.cc", 3, "at " + std::to_string(getpid()), "", 1s});
      log.Now(VerdictEvent{Verdict::kInconclusive, "late", lateness});
    });
  };
  fail_late("ALittleLate", 5ms);
  fail_late("Late", 50ms);
  options_.attempts = 6;
  Run();
  EXPECT_EQ(Of("ALittleLate").verdict, Verdict::kFail);
  EXPECT_THAT(Of("ALittleLate").reason, HasSubstr("failed so 5 times"));
  EXPECT_THAT(Of("ALittleLate").attempts, testing::SizeIs(4));
  EXPECT_EQ(Of("Late").verdict, Verdict::kInconclusive);
}

TEST_F(RunnerTest, LeftOverProcessesOfATestAreKilled) {
  Witness witness(folder_ / "witness");
  Add("Leaks", [&witness](EventLog& log) {
    witness.Watch();
    if (fork() == 0) Hang();
    End(log, Verdict::kPass);
  });
  Run();
  EXPECT_EQ(Of("Leaks").verdict, Verdict::kPass);
  witness.WaitUntilAllAreDead();
}

TEST_F(RunnerTest, LongestTestsComeFirst) {
  const std::string order = folder_ / "order";
  const auto note = [&order](const char* name) {
    return [&order, name](EventLog& log) {
      std::ofstream(order, std::ios::app) << name << " ";
      End(log, Verdict::kPass);
    };
  };
  Add("AtOnce", note("AtOnce"));
  Add("Short", note("Short"), [](const Facts&) -> Duration { return 2s; });
  Add("Long", note("Long"), [](const Facts&) -> Duration { return 60s; });
  Add("UnknownFact", note("UnknownFact"),
      [](const Facts& facts) -> Duration { return Duration(facts.Sysctl("no.such")); });
  options_.jobs = 1;
  Run();
  EXPECT_EQ(ReadText(order), "Long Short AtOnce UnknownFact ");
  // The reports keep the order of the registry.
  EXPECT_EQ(result_.tests[0].name, "AtOnce");
}

TEST_F(RunnerTest, AsManyTestsAtOnceAsAllowed) {
  struct Shared {
    pthread_barrier_t pair;
    std::atomic<int> running;
    std::atomic<int> most;
  };
  auto* const shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared->pair, &attributes, 2);
  for (int i = 0; i < 8; ++i) {
    Add("Meets" + std::to_string(i), [shared](EventLog& log) {
      const int now = ++shared->running;
      int most = shared->most;
      while (now > most && !shared->most.compare_exchange_weak(most, now)) {
      }
      pthread_barrier_wait(&shared->pair);  // hangs unless two run at once
      --shared->running;
      End(log, Verdict::kPass);
    });
  }
  options_.jobs = 2;
  Run();
  EXPECT_EQ(result_.counts().pass, 8);
  EXPECT_EQ(shared->most, 2);
  munmap(shared, sizeof(Shared));
}

TEST_F(RunnerTest, KilledRunnerLeavesTruthfulFilesAndNoProcess) {
  Witness witness(folder_ / "witness");
  Add("Passes", [](EventLog& log) { End(log, Verdict::kPass); });
  Add("Hangs", [&witness](EventLog&) {
    witness.Watch();
    Hang();
  });
  Add("NeverStarts", [](EventLog& log) { End(log, Verdict::kPass); });
  options_.jobs = 1;
  const pid_t runner = RunInBackground();
  witness.WaitForOne();
  kill(runner, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(runner, &status, 0), runner);
  EXPECT_TRUE(WIFSIGNALED(status));
  witness.WaitUntilAllAreDead();

  const nlohmann::json result = ResultFile();
  EXPECT_TRUE(result["finished"].is_null());
  ASSERT_EQ(result["tests"].size(), 3U);
  EXPECT_EQ(result["tests"][1]["verdict"], "NOT-RUN");
  EXPECT_EQ(result["tests"][2]["verdict"], "NOT-RUN");
  EXPECT_EQ(result["tests"][2]["reason"], "not started");
  EXPECT_EQ(nlohmann::json::parse(Kept("Passes", "verdict.json"))["verdict"], "PASS");
  EXPECT_FALSE(fs::exists(out_ + "/tests/Suite.Hangs-ipv4/verdict.json"));

  pugi::xml_document junit;
  ASSERT_TRUE(junit.load_string(ReadText(junit_).c_str()));
  EXPECT_EQ(junit.child("testsuites").attribute("tests").as_int(), 3);
  // The folder is free again.
  OutputDirectory next(out_);
}

TEST_F(RunnerTest, InterruptedRunWritesItsReports) {
  Witness witness(folder_ / "witness");
  Add("Hangs", [&witness](EventLog&) {
    witness.Watch();
    Hang();
  });
  Add("NeverStarts", [](EventLog& log) { End(log, Verdict::kPass); });
  options_.jobs = 1;
  const pid_t runner = RunInBackground();
  witness.WaitForOne();
  kill(runner, SIGINT);
  int status = 0;
  ASSERT_EQ(waitpid(runner, &status, 0), runner);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), SIGINT);
  witness.WaitUntilAllAreDead();

  const nlohmann::json result = ResultFile();
  EXPECT_FALSE(result["finished"].is_null());
  EXPECT_EQ(result["tests"][0]["verdict"], "NOT-RUN");
  EXPECT_EQ(result["tests"][0]["reason"], "interrupted before it ended");
  EXPECT_EQ(result["tests"][1]["verdict"], "NOT-RUN");
  EXPECT_EQ(result["tests"][1]["reason"], "interrupted before it began");
}

// Counts how often something happened, over processes.
class Counter {
 public:
  explicit Counter(std::string path) : path_(std::move(path)) {}
  int Next() const {
    std::ofstream(path_, std::ios::app) << "x";
    return static_cast<int>(fs::file_size(path_));
  }
  int count() const { return fs::exists(path_) ? static_cast<int>(fs::file_size(path_)) : 0; }

 private:
  std::string path_;
};

TEST_F(RunnerTest, AnInconclusiveTestIsRunAgain) {
  const Counter counter(folder_ / "count");
  Add("IsLateTwice", [&counter](EventLog& log) {
    counter.Next() < 3 ? End(log, Verdict::kInconclusive, "late") : End(log, Verdict::kPass);
  });
  Run();
  const TestResult& test = Of("IsLateTwice");
  EXPECT_EQ(test.verdict, Verdict::kPass);
  EXPECT_EQ(test.runs, 1);
  ASSERT_EQ(test.attempts.size(), 2U);
  EXPECT_EQ(test.attempts[0].verdict, Verdict::kInconclusive);
  EXPECT_EQ(test.attempts[0].directory, "tests/Suite.IsLateTwice-ipv4.attempt-1");
  EXPECT_TRUE(fs::exists(out_ + "/" + test.attempts[1].directory + "/ladder.txt"));
  EXPECT_THAT(ResultFile()["tests"][0]["attempts"][1]["reason"], HasSubstr("late"));
  EXPECT_EQ(ExitCode(result_), 0);
}

TEST_F(RunnerTest, AFailureCountsWhenItCameAsOftenAsAsked) {
  const Counter counter(folder_ / "count");
  Add("FailsTwice", [&counter](EventLog& log) {
    End(log, counter.Next() < 3 ? Verdict::kFail : Verdict::kPass);
  });
  Add("Fails", [](EventLog& log) { End(log, Verdict::kFail); });
  options_.attempts = 10;
  options_.failures_that_count = 4;
  Run();
  EXPECT_EQ(Of("FailsTwice").verdict, Verdict::kPass);
  EXPECT_EQ(Of("FailsTwice").attempts.size(), 2U);
  EXPECT_EQ(Of("Fails").verdict, Verdict::kFail);
  EXPECT_EQ(Of("Fails").attempts.size(), 3U);
}

TEST_F(RunnerTest, WhatFailedInTimeFailsInTheSameWordsLateToo) {
  const Counter same(folder_ / "same"), other(folder_ / "other");
  const auto fails = [](EventLog& log, const std::string& words, bool late) {
    log.Now(FailureEvent{"script.pkt", 9, words});
    log.Now(VerdictEvent{late ? Verdict::kInconclusive : Verdict::kFail, "", late ? 300ms : 0ms});
  };
  Add("SameWords", [&](EventLog& log) {
    const int time = same.Next();
    fails(log, fmt::format("Observed: TS val {} at 0.{}", 97 * time, 31 * time), time != 2);
  });
  Add("OtherWords", [&](EventLog& log) {
    const int time = other.Next();
    fails(log, std::string("Observed: ") + "abcdefgh"[time - 1], time != 2);
  });
  options_.attempts = 6;
  options_.failures_that_count = 4;
  Run();
  EXPECT_EQ(Of("SameWords").verdict, Verdict::kFail);
  EXPECT_EQ(same.count(), 4);
  EXPECT_EQ(Of("OtherWords").verdict, Verdict::kInconclusive);
  EXPECT_EQ(other.count(), 6);
}

TEST_F(RunnerTest, AttemptsAreBounded) {
  const Counter counter(folder_ / "count");
  Add("IsAlwaysLate", [&counter](EventLog& log) {
    counter.Next();
    End(log, Verdict::kInconclusive, "late");
  });
  options_.attempts = 4;
  Run();
  EXPECT_EQ(counter.count(), 4);
  EXPECT_EQ(Of("IsAlwaysLate").verdict, Verdict::kInconclusive);
  EXPECT_EQ(ExitCode(result_), 1);
}

TEST_F(RunnerTest, AFailureStandsHoweverLateItsProcessWasServed) {
  Add("FailsLate", [](EventLog& log) {
    log.Now(FailureEvent{"suite.cc", 9, "Observed: 2"});
    log.Now(VerdictEvent{Verdict::kFail, "", 300ms});
  });
  Add("PassesLate", [](EventLog& log) { log.Now(VerdictEvent{Verdict::kPass, "", 300ms}); });
  Run();
  EXPECT_EQ(Of("FailsLate").verdict, Verdict::kFail);
  EXPECT_TRUE(Of("FailsLate").attempts.empty());
  EXPECT_EQ(Of("PassesLate").verdict, Verdict::kPass);
}

TEST_F(RunnerTest, ClaimsAreDecidedOneByOne) {
  Add("TellsThemApart", [](EventLog& log) {
    log.Now(DecisionEvent{"nobody:1", Decision::kBegins, ""});
    log.Now(DecisionEvent{"nobody:2", Decision::kBegins, ""});
    log.Now(FailureEvent{"suite.cc", 9, "Observed: 2", "nobody:2"});
    log.Now(DecisionEvent{"nobody:3", Decision::kNotTaken, "it waits"});
    End(log, Verdict::kFail);
  });
  Add("Crashes", [](EventLog& log) {
    log.Now(DecisionEvent{"nobody:1", Decision::kBegins, ""});
    _exit(3);
  });
  for (TestCase& test : tests_)
    test.traits.claims = {"nobody:1", "nobody:2", "nobody:3", "nobody:4"};
  Run();
  const auto verdicts = [this](const std::string& name) {
    std::vector<std::string> texts;
    for (const CitedClaim& claim : Of(name).claims) {
      texts.emplace_back(ClaimVerdictName(Of(name).VerdictOf(claim)));
    }
    return texts;
  };
  EXPECT_THAT(verdicts("TellsThemApart"),
              testing::ElementsAre("held", "departed", "not taken", "not reached"));
  EXPECT_THAT(verdicts("Crashes"), testing::Each("undecided"));
  EXPECT_EQ(ResultFile()["tests"][0]["claims"][2]["why"], "it waits");
  EXPECT_EQ(ResultFile()["tests"][0]["failures"][0]["claim"], "nobody:2");
}

TEST_F(RunnerTest, RepeatsUntilASurprise) {
  const Counter passes(folder_ / "passes");
  const Counter fails(folder_ / "fails");
  Add("Passes", [&](EventLog& log) {
    passes.Next();
    End(log, Verdict::kPass);
  });
  Add("FailsInTheThirdRun",
      [&](EventLog& log) { End(log, fails.Next() == 3 ? Verdict::kFail : Verdict::kPass); });
  options_.repeat = 5;
  Run();
  EXPECT_EQ(passes.count(), 5);
  EXPECT_EQ(Of("Passes").runs, 5);
  EXPECT_EQ(fails.count(), 3);
  EXPECT_EQ(Of("FailsInTheThirdRun").verdict, Verdict::kFail);
  EXPECT_THAT(Of("FailsInTheThirdRun").reason, HasSubstr("in run 3"));
}

TEST_F(RunnerTest, UntilFailEndsAtTheFirstSurprise) {
  const Counter counter(folder_ / "count");
  Witness witness(folder_ / "witness");
  Add("Hangs", [&witness](EventLog&) {
    witness.Watch();
    Hang();
  });
  Add("FailsInTheTenthRun", [&](EventLog& log) {
    if (counter.Next() == 1) witness.WaitForOne();
    End(log, counter.count() >= 10 ? Verdict::kFail : Verdict::kPass);
  });
  options_.jobs = 2;
  options_.most_surprises = 1;
  options_.repeat = RunOptions::kWithoutEnd;
  EXPECT_EQ(Run(), 0);
  witness.WaitUntilAllAreDead();
  EXPECT_EQ(Of("FailsInTheTenthRun").verdict, Verdict::kFail);
  EXPECT_FALSE(Of("Hangs").verdict);
  EXPECT_EQ(Of("Hangs").reason, "stopped after the first surprise");
  EXPECT_EQ(ExitCode(result_), 1);
}

TEST_F(RunnerTest, ATestThatWaitsTooLongIsSkipped) {
  Add(
      "WaitsForHours", [](EventLog& log) { End(log, Verdict::kPass); },
      [](const Facts&) -> Duration { return 7200s; });
  Add("Passes", [](EventLog& log) { End(log, Verdict::kPass); });
  options_.max_wait = 180s;
  Run();
  EXPECT_EQ(Of("WaitsForHours").verdict, Verdict::kSkip);
  EXPECT_EQ(Of("WaitsForHours").reason, "waits 7200 s, and --max-wait is 180 s");
  EXPECT_EQ(Of("Passes").verdict, Verdict::kPass);
}

TEST_F(RunnerTest, ASeedGivesTheSameOrderAgain) {
  const std::string order = folder_ / "order";
  for (const char* name : {"A", "B", "C", "D", "E", "F", "G", "H"}) {
    Add(name, [&order, name](EventLog& log) {
      std::ofstream(order, std::ios::app) << name;
      End(log, Verdict::kPass);
    });
  }
  const auto run_with = [&](std::uint64_t seed) {
    fs::remove(order);
    options_.jobs = 1;
    options_.seed = seed;
    Run();
    return ReadText(order);
  };
  const std::string first = run_with(1);
  EXPECT_EQ(run_with(1), first);
  EXPECT_NE(run_with(2), first);
}

TEST_F(RunnerTest, NoTestsAreNoSurprise) {
  Run();
  EXPECT_EQ(ExitCode(result_), 0);
}

TEST_F(RunnerTest, ResultsOfAnEarlierRunAreGone) {
  Add("IsRenamed", [](EventLog& log) { End(log, Verdict::kPass); });
  Run();
  tests_.clear();
  Add("IsNew", [](EventLog& log) { End(log, Verdict::kPass); });
  Run();
  EXPECT_FALSE(fs::exists(out_ + "/tests/Suite.IsRenamed-ipv4"));
  EXPECT_TRUE(fs::exists(out_ + "/tests/Suite.IsNew-ipv4"));
}

TEST_F(RunnerTest, ExitCodeTellsSurpriseFromNothingTested) {
  Add("Skips", [](EventLog& log) { End(log, Verdict::kSkip, "no diag"); });
  Run();
  EXPECT_EQ(ExitCode(result_), 3);
  Add("Passes", [](EventLog& log) { End(log, Verdict::kPass); });
  Run();
  EXPECT_EQ(ExitCode(result_), 0);
  Add("IsLate", [](EventLog& log) { End(log, Verdict::kInconclusive, "late"); });
  Run();
  EXPECT_EQ(ExitCode(result_), 1);
}

}  // namespace
}  // namespace sockproof
