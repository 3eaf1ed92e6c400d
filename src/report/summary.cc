#include "src/report/summary.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "src/report/axes.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

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

std::string CountsLine(const RunResult& run) {
  const Counts counts = run.counts();
  std::string line = fmt::format("{} tests: {} PASS", counts.tests, counts.pass);
  for (const auto& [count, name] : {std::pair(counts.fail - counts.known_departures, "FAIL"),
                                    {counts.known_departures, "known departures"},
                                    {counts.unexpected_passes, "of the PASS unexpected"},
                                    {counts.error, "ERROR"},
                                    {counts.skip, "SKIP"},
                                    {counts.inconclusive, "INCONCLUSIVE"},
                                    {counts.not_run, "NOT-RUN"}}) {
    if (count != 0) line += fmt::format(", {} {}", count, name);
  }
  if (run.finished) {
    line += fmt::format(" in {:.1f} s", ToSeconds(*run.finished - run.started));
  } else {
    line += "; not finished";
  }
  if (run.interrupted != 0) line += fmt::format(", interrupted by signal {}", run.interrupted);
  const TestResult* longest = nullptr;
  for (const TestResult& test : run.tests) {
    if (test.verdict && (longest == nullptr || test.wall > longest->wall)) longest = &test;
  }
  if (longest != nullptr) {
    line += fmt::format("; longest {:.1f} s: {}", ToSeconds(longest->wall), CleanText(longest->id));
  }
  return line + "\n";
}

// "claims of standards: 30 held, 1 departed (held of MUST 20/21, SHOULD 10/10)"
std::string AxisLine(const char* name, const std::vector<ClaimCounts>& axis) {
  ClaimCounts all;
  std::vector<std::string> levels;  // in the order of their first appearance
  std::map<std::string, ClaimCounts> by_level;
  for (const ClaimCounts& counts : axis) {
    if (by_level.count(counts.level) == 0) levels.push_back(counts.level);
    ClaimCounts& level = by_level[counts.level];
    level.held += counts.held;
    level.tested += counts.tested;
    all.tested += counts.tested;
    all.held += counts.held;
    all.departed += counts.departed;
    all.undecided += counts.undecided;
    all.not_taken += counts.not_taken;
    all.not_reached += counts.not_reached;
  }
  if (all.tested == 0) return "";
  std::string line = fmt::format("claims of {}: {} held", name, all.held);
  if (all.departed != 0) line += fmt::format(", {} departed", all.departed);
  if (all.not_taken != 0) line += fmt::format(", {} not taken", all.not_taken);
  if (all.not_reached != 0) line += fmt::format(", {} not reached", all.not_reached);
  const int unknown = all.undecided - all.not_reached;
  if (unknown != 0) line += fmt::format(", {} undecided", unknown);
  std::vector<std::string> parts;
  for (const std::string& level : levels) {
    parts.push_back(fmt::format("{} {}/{}", level, by_level[level].held, by_level[level].tested));
  }
  return CleanText(line + " (held of " + Joined(parts) + ")") + "\n";
}

}  // namespace

std::string PaintedVerdict(std::optional<Verdict> verdict, bool color) {
  const std::string word = fmt::format("{:<5}", VerdictText(verdict));
  return color ? ColorOf(verdict) + word + "\x1b[0m" : word;
}

std::string RenderSummary(const RunResult& run, bool color) {
  std::string text;
  if (!run.setup_error.empty()) text += "no test could run: " + CleanText(run.setup_error) + "\n";
  for (const TestResult& test : run.tests) {
    if (!test.verdict || !test.surprising()) continue;
    text += fmt::format("{}  {}  {}\n", PaintedVerdict(test.verdict, color), CleanText(test.id),
                        Headline(test));
  }
  for (const TestResult& test : run.tests) {
    for (const Attempt& attempt : test.attempts) {
      if (!attempt.in_company) continue;
      text += fmt::format("{}  {}  alone; in company {}: {}\n",
                          PaintedVerdict(test.verdict, color), CleanText(test.id),
                          VerdictText(attempt.verdict), CleanText(attempt.reason));
    }
  }
  text += CountsLine(run);
  const Axes axes = AxesOf(run);
  text += AxisLine("standards", axes.standards);
  text += AxisLine("the system's own documentation", axes.documentation);
  text += AxisLine("the notes", axes.notes);
  for (const std::string& entry : run.stale_departures) {
    text += "stale departure: " + CleanText(entry) + "\n";
  }
  return text;
}

}  // namespace sockproof
