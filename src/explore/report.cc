#include "src/explore/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/trace/ladder.h"
#include "src/explore/choices.h"

namespace sockproof::explore {
namespace {

std::string SequenceLine(const Sequence& sequence) {
  std::string line(IpVersionName(sequence.ip));
  if (sequence.options == Options::kAll) line += ", options";
  line += ": ";
  for (const Step& step : sequence.steps) {
    line += (&step == &sequence.steps.front() ? "" : " | ") + StepText(step);
  }
  return line;
}

std::string BecauseText(const Finding& finding) {
  const std::string& claim = finding.departure.claim;
  return fmt::format("{}: {}{}", oracle::SectionText(finding.departure.section), finding.departure.sentence,
                     claim.empty() ? "" : " (" + claim + ")");
}

std::string SequenceLine(const std::vector<Sequence>& example) {
  return example.size() == 1
             ? SequenceLine(example.front())
             : fmt::format("{} of them together; none does so alone", example.size());
}

// "3 sequences, again 5 of 5"
std::string CountsText(std::uint64_t sequences, int again, int replays) {
  return fmt::format(
      "{} sequences, {}", sequences,
      replays == 0 ? "not run again" : fmt::format("again {} of {}", again, replays));
}

// "FIN-WAIT-1: ACK -> RST   (3 sequences, again 5 of 5)"
std::string Headline(const Cause& cause) {
  return fmt::format("{}{}   ({})", cause.is_crash ? "CRASH: " : "", cause.text,
                     CountsText(cause.count, cause.again, cause.replays));
}

std::string CauseText(const Cause& cause, std::size_t number, const ReportOn& on) {
  std::string text = fmt::format("\n{}. {}\n", number, Headline(cause));
  text += fmt::format("  sequence  {}\n", SequenceLine(cause.example));
  if (cause.finding) {
    text += fmt::format("  observed  {}\n  expected  {}\n  because   {}\n", cause.finding->observed,
                        cause.finding->departure.expected, BecauseText(*cause.finding));
  }
  const std::string mutant = on.mutant.empty() ? "" : " --mutant " + ShellQuoted(on.mutant);
  text += fmt::format("  again     sockproof explore -s {}{} --replay {}\n", ShellQuoted(on.system),
                      mutant, ShellQuoted((on.folder / fmt::format("{}.seq", number)).string()));
  return text;
}

// What is not certain: it was run again, and did not come again often enough; or there was no time.
constexpr const char* kNotAgain = "\ndid not come again by itself, and is not certain:\n";
constexpr const char* kNoTime = "\nnot run again: the time was over (--time), or it was interrupted:\n";

template <typename One>
bool WasRunAgain(const One& one) {
  return one.replays > 0;
}

// "; 3 more did not come again, 1 of them known; 2 more were not run again". `is_known`: of one.
template <typename One, typename IsKnown>
std::string UncertainText(const std::vector<One>& fleeting, const IsKnown& is_known) {
  std::string text;
  for (const bool was_run : {true, false}) {
    int all = 0, known = 0;
    for (const One& one : fleeting) {
      if (WasRunAgain(one) != was_run) continue;
      ++all;
      if (is_known(one)) ++known;
    }
    if (all == 0) continue;
    text += fmt::format("; {} more {}", all, was_run ? "did not come again" : "were not run again");
    if (known > 0) text += fmt::format(", {} of them known", known);
  }
  return text;
}

void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) ThrowErrno("cannot write " + path.string());
}

const char* KindText(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::kDeparts:
      return "departs now";
    case Difference::Kind::kMended:
      return "mended";
    case Difference::Kind::kBothDepart:
      return "departed before, and departs now";
    case Difference::Kind::kBothAllowed:
      return "allowed before, and allowed now";
  }
  return "";
}

}  // namespace

std::size_t SurprisesIn(const Exploration& exploration, const ReportOn& on) {
  std::size_t surprises = 0;
  for (const Cause& cause : exploration.causes) {
    if (FindKnown(on.known, cause.text, on.facts) == nullptr) ++surprises;
  }
  return surprises;
}

std::string RenderExploration(const Exploration& exploration, const ReportOn& on) {
  std::string text, known;
  for (std::size_t i = 0; i < exploration.causes.size(); ++i) {
    const Cause& cause = exploration.causes[i];
    const KnownCause* const why = FindKnown(on.known, cause.text, on.facts);
    if (why == nullptr) {
      text += CauseText(cause, i + 1, on);
    } else {
      known += fmt::format("  {}. {}: {}\n", i + 1, Headline(cause), why->why);
    }
  }
  if (!known.empty()) text += "\nknown:\n" + known;
  for (const bool was_run : {true, false}) {
    std::string some;
    for (std::size_t i = 0; i < exploration.fleeting.size(); ++i) {
      const Cause& cause = exploration.fleeting[i];
      if (WasRunAgain(cause) != was_run) continue;
      some +=
          fmt::format("  {}. {}\n    {}\n", i + 1, Headline(cause), SequenceLine(cause.example));
      const KnownCause* const why = FindKnown(on.known, cause.text, on.facts);
      if (why != nullptr) some += fmt::format("    known: {}\n", why->why);
    }
    if (!some.empty()) text += (was_run ? kNotAgain : kNoTime) + some;
  }
  for (const std::string& complaint : exploration.complaints) {
    text += fmt::format("\nnot run: {}\n", complaint);
  }
  const std::size_t surprises = SurprisesIn(exploration, on);
  text += fmt::format(
      "\n{} sequences of {} (seed {}{}): {} cause{}, {} of them not known{}{}{}\n",
      exploration.sequences, on.system, on.plan.seed, on.plan.pairs ? ", pairs" : "",
      exploration.causes.size(), exploration.causes.size() == 1 ? "" : "s", surprises,
      UncertainText(exploration.fleeting,
                    [&](const Cause& one) {
                      return FindKnown(on.known, one.text, on.facts) != nullptr;
                    }),
      exploration.undecided == 0 ? "" : fmt::format("; {} undecided", exploration.undecided),
      exploration.is_interrupted ? "; INTERRUPTED" : "");
  const std::string choices = ChoicesText(exploration.stack);
  if (!choices.empty()) text += fmt::format("held to what it does in ESTABLISHED: {}\n", choices);
  return CleanText(text);
}

namespace {

std::string DifferenceText(const Difference& one, int number) {
  std::string text =
      fmt::format("\n{}. {}: {}   ({})\n  sequence  {}\n", number, KindText(one.kind), one.text,
                  CountsText(one.count, one.again, one.replays), SequenceLine(one.example));
  if (!one.why.empty()) text += fmt::format("  known     {}\n", one.why);
  const std::optional<Finding>& finding = one.after ? one.after : one.before;
  if (!finding) return text;
  return text + fmt::format("  expected  {}\n  because   {}\n", finding->departure.expected,
                            BecauseText(*finding));
}

}  // namespace

std::string RenderComparison(const Comparison& comparison, const std::string& base,
                             const std::string& patched) {
  std::string text;
  int number = 0;
  for (const Difference& one : comparison.differences) text += DifferenceText(one, ++number);
  for (const bool was_run : {true, false}) {
    std::string some;
    for (const Difference& one : comparison.fleeting) {
      if (WasRunAgain(one) == was_run) some += DifferenceText(one, ++number);
    }
    if (!some.empty()) text += (was_run ? kNotAgain : kNoTime) + some;
  }
  for (const std::string& complaint : comparison.complaints) {
    text += fmt::format("\nnot run: {}\n", complaint);
  }
  text += fmt::format("\n{} sequences on {} and {}: {} alike, {} differences{}{}\n",
                      comparison.sequences, base, patched, comparison.alike,
                      comparison.differences.size(),
                      UncertainText(comparison.fleeting,
                                    [](const Difference& one) { return !one.why.empty(); }),
                      comparison.is_interrupted ? "; INTERRUPTED" : "");
  return CleanText(text);
}

namespace {

// A line of a .seq file; how a system crashed may be longer than one can be.
std::string Comment(const std::string& text) {
  constexpr std::size_t kLongest = 150;
  return "# " + CleanLine(text.size() > kLongest ? text.substr(0, kLongest) + "..." : text) + "\n";
}

}  // namespace

void WriteExploration(const Exploration& exploration, const ReportOn& on) {
  for (std::size_t i = 0; i < exploration.causes.size(); ++i) {
    const Cause& cause = exploration.causes[i];
    const std::string name = std::to_string(i + 1);
    std::string comment = Comment(cause.text);
    if (cause.finding) comment += Comment(BecauseText(*cause.finding));
    WriteText(on.folder / (name + ".seq"), comment + SequencesText(cause.example));
    if (!cause.events.empty()) {
      WriteText(on.folder / (name + ".ladder.txt"), RenderLadder(cause.events));
    }
    if (cause.example.size() == 1) {
      WriteText(on.folder / (name + ".cc"), TestText(cause, static_cast<int>(i + 1)));
    }
  }
  for (std::size_t i = 0; i < exploration.fleeting.size(); ++i) {
    const Cause& cause = exploration.fleeting[i];
    WriteText(on.folder / fmt::format("once-{}.seq", i + 1),
              Comment(cause.text) + SequencesText(cause.example));
  }
  WriteText(on.folder / "report.txt", RenderExploration(exploration, on));
}

}  // namespace sockproof::explore
