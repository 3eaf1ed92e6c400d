#include "src/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string_view>

namespace sockproof {
namespace {

constexpr std::size_t kHeadlineCharacters = 200;
constexpr std::size_t kLadderLines = 120;
constexpr std::string_view kShipped = " (shipped)";  // as in RunResult::baselines

std::size_t Characters(const std::string& clean) {
  return static_cast<std::size_t>(std::count_if(clean.begin(), clean.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80;
  }));
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += line.empty() ? "\n" : indent + line + "\n";
  }
  return result;
}

}  // namespace

std::string WithoutMiddle(const std::string& text, std::size_t most) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  const std::size_t head = most / 3;
  const std::size_t tail = most - head;
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > most && i == head) {
      result += fmt::format("... {} lines left out ...\n", lines.size() - most);
      i = lines.size() - tail;
    }
    result += lines[i] + "\n";
  }
  return result;
}

std::string Headline(const TestResult& test) {
  std::string what = !test.departure.empty()  ? "known departure: " + test.departure
                     : !test.surprise.empty() ? test.surprise
                                              : test.reason;
  if (what.empty() && !test.failures.empty()) what = test.failures.front().text;
  std::string citation;
  if (!test.claims.empty()) {
    // Of a failure, the claim that departed.
    const std::vector<const CitedClaim*> departed = test.DepartedClaims();
    const CitedClaim& claim = departed.empty() ? test.claims.front() : *departed.front();
    citation = Shortened(
        fmt::format(" [{}]", OnOneLine(CleanText(claim.source.empty() ? claim.id : claim.source))),
        100);
  }
  const std::size_t room = kHeadlineCharacters - Characters(citation);
  return Shortened(OnOneLine(CleanText(what)), room) + citation;
}

bool ClaimsDiffer(const TestResult& test) {
  return std::any_of(test.claims.begin(), test.claims.end(), [&test](const CitedClaim& claim) {
    return test.VerdictOf(claim) != test.VerdictOf(test.claims.front());
  });
}

// The test, and for a script what makes it known.
std::string WithOwnArguments(const TestResult& test, const RunResult& run) {
  std::string text;
  if (test.file.ends_with(".pkt")) {
    const std::string name = test.file.substr(test.file.rfind('/') + 1);
    for (const std::string& argument : run.own_arguments) {
      const bool is_of_another = argument.ends_with(".pkt") && argument.substr(argument.rfind('/') + 1) != name;
      if (!is_of_another) text += ShellQuoted(argument) + " ";
    }
  }
  return text + ShellQuoted(test.id);
}

std::string Explanation(const TestResult& test, const RunResult& run) {
  std::string text;
  for (const CitedClaim& claim : test.claims) {
    // Where the claims of the test share its fate, its verdict says it.
    const bool differs = claim.verdict && claim.verdict != ClaimVerdictOf(test.verdict);
    const bool tells = differs || (claim.verdict && ClaimsDiffer(test));
    text += fmt::format("  {}  {}  ({}){}\n", claim.level, claim.source, claim.id,
                        tells ? fmt::format(": {}", ClaimVerdictName(*claim.verdict)) : "");
    text += Indented(claim.statement, "    ");
    if (tells && !claim.why.empty() && claim.why != test.reason)
      text += Indented(claim.why, "    ");
  }
  if (!test.reason.empty()) text += Indented(test.reason, "  ");
  if (!test.departure.empty()) text += Indented("known departure: " + test.departure, "  ");
  if (!test.surprise.empty()) text += Indented("surprise: " + test.surprise, "  ");
  for (const FailureEvent& failure : test.failures) {
    text += fmt::format("  {}:{}\n", failure.file, failure.line) + Indented(failure.text, "    ");
  }
  for (const ObservationEvent& observation : test.observations) {
    text += fmt::format("  {}: {}\n", observation.name, observation.value);
  }
  if (!test.ladder.empty()) {
    text += "  ladder\n" + Indented(WithoutMiddle(test.ladder, kLadderLines), "    ");
  }
  if (!test.output.empty()) text += "  output\n" + Indented(test.output, "    ");
  text += fmt::format("  replay: {} run {}{}{}\n", ShellQuoted(run.program), SutOption(run.sut),
                      BaselineOptions(run), WithOwnArguments(test, run));
  return CleanText(text);
}

std::string SutOption(const std::string& sut) {
  return sut.empty() || sut == "host" ? "" : "-s " + ShellQuoted(sut) + " ";
}

bool HadShippedBaseline(const RunResult& run) {
  return std::any_of(run.baselines.begin(), run.baselines.end(),
                     [](const std::string& file) { return file.ends_with(kShipped); });
}

std::string BaselineOptions(const RunResult& run) {
  std::string options;
  if (!HadShippedBaseline(run)) options += "--no-shipped-baseline ";
  for (const std::string& file : run.baselines) {
    if (!file.ends_with(kShipped)) options += "--baseline " + ShellQuoted(file) + " ";
  }
  return options;
}

std::string FormatMinutes(Duration duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace sockproof
