#include "src/run/progress.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

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
  if (style_.quiet) return;
  Duration longest{0};
  for (const TestResult& test : run.tests) longest = std::max(longest, test.planned);
  std::string line =
      fmt::format("sockproof {}: {} tests on {}{}{}", run.suite_version, run.tests.size(), run.sut,
                  Find(run.facts, "os"), Find(run.facts, "release"));
  if (longest >= 1s) line += fmt::format(", the longest waits {}", FormatMinutes(longest));
  Print(CleanLine(line) + "\n");
}

void Progress::LeftOut(int tests, Duration longest_wait) {
  if (style_.quiet) return;
  Print(fmt::format("{} of them left out: they wait longer than --max-wait {:.0f}\n", tests,
                    ToSeconds(longest_wait)));
}

void Progress::Finished(const TestResult& test, const RunResult& run) {
  const bool passed = test.verdict == Verdict::kPass && test.surprise.empty();
  if (style_.live && passed && !style_.verbose) return;
  if (style_.quiet && !test.surprising()) return;
  std::string text = fmt::format("{}  {}  {:.2f} s", Paint(test.verdict), CleanPart(test.id),
                                 ToSeconds(test.wall));
  if (!test.departure.empty()) {
    text += "  known departure: " + CleanPart(test.departure) + "\n";
  } else if (test.verdict == Verdict::kSkip || !test.verdict) {
    text += "  " + CleanPart(test.reason) + "\n";
  } else {
    text += "\n";
    if (!passed) text += Explanation(test, run) + "\n";
  }
  Print((style_.live ? kClearLine : "") + text);
}

void Progress::Again(const TestResult& test) {
  if (style_.quiet) return;
  Print(fmt::format("{}{}  {}  in doubt, to be run again: {}\n", style_.live ? kClearLine : "",
                    Paint(test.verdict), CleanText(test.id), Headline(test)));
}

void Progress::Status(const RunStatus& status) {
  if (!style_.live) return;
  std::string line =
      fmt::format("running {}  done {}/{}  failed {}  left {}", status.running, status.done,
                  status.total, status.failed, status.total - status.done - status.running);
  if (status.remaining >= 1s) {
    line += fmt::format("  about {} to go", FormatMinutes(status.remaining));
  }
  // A full last column would wrap in some terminals.
  Print(kClearLine + line.substr(0, TerminalWidth(fd_) - 1));
}

void Progress::Summary(const RunResult& run, const std::string& directory,
                       const ReportFiles& files) {
  std::string text = style_.live ? kClearLine : "";
  text += RenderSummary(run, style_.color);
  text += "results in " + directory;
  for (const ReportForm& form : ReportForms()) {
    const std::string& path = files.*form.path;
    if (!path.empty()) text += fmt::format(", {} in {}", form.name, PathForSystem(path, run.sut));
  }
  text += "\n";
  Print(text);
}

void Progress::Durations(const RunResult& run, int most) {
  std::vector<const TestResult*> tests;
  for (const TestResult& test : run.tests) {
    if (test.verdict && test.wall > Duration(0)) tests.push_back(&test);
  }
  std::stable_sort(tests.begin(), tests.end(),
                   [](const TestResult* a, const TestResult* b) { return a->wall > b->wall; });
  if (tests.size() > static_cast<std::size_t>(most)) tests.resize(static_cast<std::size_t>(most));
  std::string text;
  for (const TestResult* test : tests) {
    text += fmt::format("{:8.2f} s  {}\n", ToSeconds(test->wall), CleanPart(test->id));
  }
  Print(text);
}

std::string Progress::Paint(std::optional<Verdict> verdict) const {
  return PaintedVerdict(verdict, style_.color);
}

// Unbuffered, because this process forks. A reader that went away does not stop the run.
void Progress::Print(const std::string& lines) {
  const std::string text = WithoutCommands(lines);
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t count = write(fd_, text.data() + written, text.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd writable{fd_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      if (errno != EPIPE && write_error_ == 0) write_error_ = errno;
      return;
    }
  }
}

}  // namespace sockproof
