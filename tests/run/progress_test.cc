// The terminal: plain lines in a pipe, a status line that fits on a terminal.
#include "src/run/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/unique_fd.h"
#include "tests/report/sample.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ProgressTest : public testing::Test {
 protected:
  ProgressTest() : terminal_(posix_openpt(O_RDWR | O_NOCTTY)) {
    grantpt(terminal_.get());
    unlockpt(terminal_.get());
    program_side_.Reset(open(ptsname(terminal_.get()), O_RDWR | O_NOCTTY));
    fcntl(terminal_.get(), F_SETFL, O_NONBLOCK);
  }

  void SetWidth(unsigned short columns) {
    const winsize size{24, columns, 0, 0};
    ioctl(program_side_.get(), TIOCSWINSZ, &size);
  }

  // What the terminal got since the last call.
  std::string Shown() {
    char buffer[65536];
    const ssize_t count = read(terminal_.get(), buffer, sizeof buffer);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }

  Progress OnTerminal(Progress::Style style) { return Progress(program_side_.get(), style); }

  UniqueFd terminal_;
  UniqueFd program_side_;
  RunResult run_ = SampleRun();
};

TEST_F(ProgressTest, PipeGetsOnePlainLineForAPassedTest) {
  OnTerminal({}).Finished(run_.tests[0], run_);
  EXPECT_EQ(Shown(), "PASS   Close.Passes/ipv4  1.50 s\r\n");  // CR is the terminal's
}

TEST_F(ProgressTest, LiveTerminalGetsNoLineForAPassedTest) {
  OnTerminal({.live = true}).Finished(run_.tests[0], run_);
  EXPECT_EQ(Shown(), "");
  OnTerminal({.live = true, .verbose = true}).Finished(run_.tests[0], run_);
  EXPECT_THAT(Shown(), HasSubstr("PASS   Close.Passes/ipv4"));
}

TEST_F(ProgressTest, FailureIsExplainedAtOnce) {
  OnTerminal({.live = true}).Finished(run_.tests[1], run_);
  EXPECT_THAT(Shown(), testing::AllOf(HasSubstr("FAIL   Close.Fails/ipv4"),
                                      HasSubstr("suites/half_close.cc:45"), HasSubstr("replay:")));
}

TEST_F(ProgressTest, StatusLineFitsTheTerminalAsItIsNow) {
  Progress progress = OnTerminal({.live = true});
  const RunStatus status{12, 34, 60, 0, 92s};
  SetWidth(100);
  progress.Status(status);
  EXPECT_EQ(Shown(), "\r\x1b[Krunning 12  done 34/60  failed 0  left 14  about 1:32 to go");
  SetWidth(11);
  progress.Status(status);
  EXPECT_EQ(Shown(), "\r\x1b[Krunning 12");
  SetWidth(1);
  progress.Status(status);
  EXPECT_EQ(Shown(), "\r\x1b[K");
}

TEST_F(ProgressTest, QuietShowsSurprisesAlone) {
  Progress progress = OnTerminal({.quiet = true});
  progress.Begin(run_);
  progress.LeftOut(3, 2s);
  progress.Finished(run_.tests[0], run_);
  progress.Again(run_.tests[1]);
  EXPECT_EQ(Shown(), "");
  progress.Finished(run_.tests[1], run_);
  EXPECT_THAT(Shown(), HasSubstr("FAIL   Close.Fails/ipv4"));
}

TEST_F(ProgressTest, TestsLeftOutAreOneLine) {
  OnTerminal({}).LeftOut(156, 2s);
  EXPECT_EQ(Shown(), "156 of them left out: they wait longer than --max-wait 2\r\n");
}

TEST_F(ProgressTest, NoLineOfATestIsACommandToTheLog) {
  TestResult& test = run_.tests[1];
  test.verdict = Verdict::kSkip;
  test.reason = "unsup\n::error::x\x1b[31m\n  ##[error]y";
  OnTerminal({}).Finished(test, run_);
  const std::string skipped = Shown();
  EXPECT_EQ(std::count(skipped.begin(), skipped.end(), '\n'), 1) << skipped;
  EXPECT_THAT(skipped, Not(HasSubstr("##[")));
  test.verdict = Verdict::kFail;
  test.failures.front().text = "Expected: 1\n  ::error::x";
  OnTerminal({}).Finished(test, run_);
  EXPECT_THAT(Shown(), testing::AllOf(HasSubstr("    \\::error::x"), Not(HasSubstr("\x1b"))));
}

TEST_F(ProgressTest, LostOutputIsKnown) {
  const UniqueFd full(open("/dev/full", O_WRONLY));
  Progress progress(full.get(), {});
  EXPECT_EQ(progress.write_error(), 0);
  progress.Begin(run_);
  EXPECT_EQ(progress.write_error(), ENOSPC);
}

TEST_F(ProgressTest, ColorsOnlyWhenAskedFor) {
  OnTerminal({.color = true}).Finished(run_.tests[0], run_);
  EXPECT_THAT(Shown(), StartsWith("\x1b["));
  OnTerminal({}).Finished(run_.tests[1], run_);
  EXPECT_THAT(Shown(), Not(HasSubstr("\x1b")));
}

TEST_F(ProgressTest, SummaryCountsAndSaysWhereToLook) {
  OnTerminal({}).Summary(run_, "sockproof-out", {.junit = "{sut}.xml", .ktap = "ktap"});
  EXPECT_THAT(Shown(), testing::AllOf(
                           HasSubstr("6 tests: 1 PASS, 1 FAIL, 1 ERROR, 1 SKIP, 1 INCONCLUSIVE, "
                                     "1 NOT-RUN in 90.0 s"),
                           HasSubstr("results in sockproof-out, JUnit in host.xml, KTAP in ktap")));
}

TEST_F(ProgressTest, ReaderThatWentAwayIsNoError) {
  terminal_.Reset();
  OnTerminal({.live = true}).Summary(run_, "sockproof-out", {});
}

}  // namespace
}  // namespace sockproof
