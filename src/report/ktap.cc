#include "src/report/ktap.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>
#include <vector>

#include "src/report/text.h"

namespace sockproof {
namespace {

// Clean, in one line, without what begins a directive.
std::string Plain(const std::string& text) {
  std::string plain;
  for (const char c : CleanLine(text)) {
    plain += c == '#' ? std::string("\xef\xbc\x83") : std::string(1, c);
  }
  return plain;
}

// A level of nesting: its version line, its plan and its results.
class Level {
 public:
  Level(std::string indent, const std::string& name, std::size_t tests)
      : indent_(std::move(indent)) {
    Line("KTAP version 1");
    if (!name.empty()) Line("# Subtest: " + Plain(name));  // kunit.py shows it
    Line(fmt::format("1..{}", tests));
  }

  void Diagnose(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) Line(line.empty() ? "#" : "# " + line);
  }

  void Result(bool ok, const std::string& name, const std::string& directive = "") {
    Line(fmt::format("{} {} {}{}", ok ? "ok" : "not ok", ++number_, Plain(name),
                     directive.empty() ? "" : " # " + directive));
    ok_ = ok_ && ok;
    if (!directive.starts_with("SKIP")) skipped_ = false;
  }

  // The result of a test is preceded by the level below it.
  void Result(const Level& below, const std::string& name, const std::string& diagnosis = "") {
    text_ += below.text_;
    Diagnose(diagnosis);
    Result(below.ok_, name, below.number_ > 0 && below.skipped_ ? "SKIP" : "");
  }

  const std::string& text() const { return text_; }

 private:
  void Line(const std::string& line) { text_ += indent_ + line + "\n"; }

  std::string indent_;
  std::string text_;
  int number_ = 0;
  bool ok_ = true;
  bool skipped_ = true;  // all of them
};

struct Outcome {
  bool ok;
  std::string directive;
};

Outcome OutcomeOf(const TestResult& test) {
  if (!test.verdict) return {false, "ERROR not run: " + Plain(test.reason)};
  if (!test.departure.empty()) return {true, "XFAIL " + Plain(test.departure)};
  switch (*test.verdict) {
    case Verdict::kPass:
      // Without a directive: there is none for a test that was to fail.
      return {test.surprise.empty(),
              test.surprise.empty() ? "" : "passed: " + Plain(test.surprise)};
    case Verdict::kFail:
      return {false, ""};
    case Verdict::kSkip:
      return {true, "SKIP " + Plain(test.reason)};
    case Verdict::kInconclusive:
      return {false, "ERROR inconclusive: " + Plain(test.reason)};
    case Verdict::kError:
      break;
  }
  return {false, (test.error_type == "timeout" ? "TIMEOUT " : "ERROR ") + Plain(test.reason)};
}

void AddTest(const TestResult& test, const RunResult& run, Level& level) {
  const Outcome outcome = OutcomeOf(test);
  for (std::size_t i = 0; i < test.attempts.size(); ++i) {
    level.Diagnose(fmt::format("attempt {}: {}: {}", i + 1, VerdictText(test.attempts[i].verdict),
                               CleanLine(test.attempts[i].reason)));
  }
  if (test.verdict && !outcome.ok) {
    level.Diagnose(fmt::format("{}  {}\n{}", VerdictText(test.verdict), CleanText(test.id),
                               Explanation(test, run)));
  } else {
    for (const ObservationEvent& observation : test.observations) {
      level.Diagnose(
          fmt::format("  {}: {}", CleanLine(observation.name), CleanLine(observation.value)));
    }
  }
  if (outcome.ok && ClaimsDiffer(test)) {
    for (const CitedClaim& claim : test.claims) {
      level.Diagnose(fmt::format("  {}: {}{}", CleanLine(claim.id),
                                 ClaimVerdictName(test.VerdictOf(claim)),
                                 claim.why.empty() ? "" : ", " + CleanLine(claim.why)));
    }
  }
  level.Result(outcome.ok, test.variant.empty() ? test.name : test.name + "/" + test.variant,
               outcome.directive);
}

}  // namespace

std::string RenderKtap(const RunResult& run) {
  // The tests of a suite stand together, as in the registry.
  std::vector<std::pair<std::string, std::vector<const TestResult*>>> suites;
  for (const TestResult& test : run.tests) {
    if (suites.empty() || suites.back().first != test.suite) suites.push_back({test.suite, {}});
    suites.back().second.push_back(&test);
  }
  const bool setup_failed = !run.setup_error.empty();
  Level sut("  ", run.sut, suites.size() + (setup_failed ? 1 : 0));
  if (setup_failed) sut.Result(false, "setup", "ERROR " + Plain(run.setup_error));
  for (const auto& [name, tests] : suites) {
    Level suite("    ", name, tests.size());
    for (const TestResult* test : tests) AddTest(*test, run, suite);
    sut.Result(suite, name);
  }
  Level top("", "", 1);
  std::string diagnosis;
  for (const std::string& file : run.baselines) {
    diagnosis += "baseline: " + CleanLine(file) + "\n";
  }
  for (const std::string& entry : run.stale_departures) {
    diagnosis += "stale departure: " + CleanLine(entry) + "\n";
  }
  top.Result(sut, run.sut, diagnosis);
  return top.text();
}

}  // namespace sockproof
