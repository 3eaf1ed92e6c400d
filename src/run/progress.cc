#include "src/run/progress.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";

std::size_t TerminalWidth(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

const char* ColorOf(std::optional<Verdict> verdict) {
  if (!verdict) return "\x1b[33m";
  switch (*verdict) {
    case Verdict::kPass:
      return "\x1b[32m";
    case Verdict::kFail:
    case Verdict::kError:
      return "\x1b[1;31m";
    case Verdict::kSkip:
    case Verdict::kInconclusive:
      break;
  }
  return "\x1b[33m";
}

std::string Find(const std::map<std::string, std::string>& facts, const std::string& name) {
  const auto fact = facts.find(name);
  return fact != facts.end() ? " " + fact->second : "";
}

}  // namespace

void Progress::Begin(const RunResult& run) {
  Duration longest{0};
  for (const TestResult& test : run.tests) longest = std::max(longest, test.planned);
  std::string line =
      fmt::format("sockproof {}: {} tests on {}{}{}", run.suite_version, run.tests.size(), run.sut,
                  Find(run.facts, "os"), Find(run.facts, "release"));
  if (longest >= 1s) line += fmt::format(", the longest waits {}", FormatMinutes(longest));
  Print(CleanText(line) + "\n");
}

void Progress::Finished(const TestResult& test, const RunResult& run) {
  const bool passed = test.verdict == Verdict::kPass && test.surprise.empty();
  if (style_.live && passed && !style_.verbose) return;
  std::string text = fmt::format("{}  {}  {:.2f} s", Paint(test.verdict), CleanText(test.id),
                                 ToSeconds(test.wall));
  if (!test.departure.empty()) {
    text += "  known departure: " + CleanText(test.departure) + "\n";
  } else if (test.verdict == Verdict::kSkip || test.error_type == "interrupted") {
    text += "  " + CleanText(test.reason) + "\n";
  } else {
    text += "\n";
    if (!passed) text += Explanation(test, run) + "\n";
  }
  Print((style_.live ? kClearLine : "") + text);
}

void Progress::Again(const TestResult& test) {
  Print(fmt::format("{}{}  {}  in doubt, to be run again: {}\n", style_.live ? kClearLine : "",
                    Paint(test.verdict), CleanText(test.id), Headline(test)));
}

void Progress::Status(const RunStatus& status) {
  if (!style_.live) return;
  std::string line =
      fmt::format("running {}  done {}/{}  failed {}  left {}", status.running, status.done,
                  status.total, status.failed, status.total - status.done - status.running);
  if (status.to_wait >= 1s) {
    line += fmt::format("  about {} to wait", FormatMinutes(status.to_wait));
  }
  // A full last column would wrap in some terminals.
  Print(kClearLine + line.substr(0, TerminalWidth(fd_) - 1));
}

void Progress::Summary(const RunResult& run, const std::string& directory,
                       const std::string& junit) {
  std::string text = style_.live ? kClearLine : "";
  const TestResult* longest = nullptr;
  for (const TestResult& test : run.tests) {
    if (test.verdict && (longest == nullptr || test.wall > longest->wall)) longest = &test;
    const bool as_expected = !test.verdict || !test.departure.empty() ||
                             test.verdict == Verdict::kSkip || test.error_type == "interrupted" ||
                             (test.verdict == Verdict::kPass && test.surprise.empty());
    if (!as_expected) {
      text += fmt::format("{}  {}  {}\n", Paint(test.verdict), CleanText(test.id), Headline(test));
    }
  }
  const Counts counts = run.counts();
  text += fmt::format("{} tests: {} PASS", counts.tests, counts.pass);
  for (const auto& [count, name] : {std::pair(counts.fail - counts.known_departures, "FAIL"),
                                    {counts.known_departures, "known departures"},
                                    {counts.unexpected_passes, "of the PASS unexpected"},
                                    {counts.error, "ERROR"},
                                    {counts.skip, "SKIP"},
                                    {counts.inconclusive, "INCONCLUSIVE"},
                                    {counts.not_run, "NOT-RUN"}}) {
    if (count != 0) text += fmt::format(", {} {}", count, name);
  }
  text += fmt::format(" in {:.1f} s", ToSeconds(run.finished.value_or(Clock::now()) - run.started));
  if (longest != nullptr) {
    text += fmt::format("; longest {:.1f} s: {}", ToSeconds(longest->wall), CleanText(longest->id));
  }
  text += "\nresults in " + directory + (junit.empty() ? "" : ", JUnit in " + junit) + "\n";
  Print(text);
}

std::string Progress::Paint(std::optional<Verdict> verdict) const {
  const std::string word = fmt::format("{:<5}", VerdictText(verdict));
  return style_.color ? ColorOf(verdict) + word + "\x1b[0m" : word;
}

// Unbuffered, because this process forks. A reader that went away does not stop the run.
void Progress::Print(const std::string& text) {
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = write(fd_, text.data() + written, text.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd writable{fd_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace sockproof
