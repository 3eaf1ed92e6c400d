#include "src/run/progress.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "src/report/summary.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";

std::size_t TerminalWidth(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
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
                       const ReportFiles& files) {
  std::string text = style_.live ? kClearLine : "";
  text += RenderSummary(run, style_.color);
  text += "results in " + directory;
  if (!files.junit.empty()) text += ", JUnit in " + PathForSystem(files.junit, run.sut);
  if (!files.ktap.empty()) text += ", KTAP in " + PathForSystem(files.ktap, run.sut);
  text += "\n";
  Print(text);
}

std::string Progress::Paint(std::optional<Verdict> verdict) const {
  return PaintedVerdict(verdict, style_.color);
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
