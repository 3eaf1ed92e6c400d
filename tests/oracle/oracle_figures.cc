// How good the oracle is, in figures: what it says of the tests of a run that passed, and of the
// same traces with one segment of the system changed. The command line is in
// harness/oracle/README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "harness/claims/catalogue.h"
#include "harness/mutants/alteration.h"
#include "harness/trace/event_log.h"
#include "harness/trace/frame_view.h"
#include "src/judge/judge.h"
#include "tests/oracle/change_segment.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Answer = ConnectionJudgement::Answer;

struct Trace {
  std::string name;
  std::vector<Event> events;
  Capture capture;
};

bool Passed(const fs::path& folder) {
  std::ifstream file(folder / "verdict.json");
  const nlohmann::json verdict = nlohmann::json::parse(file, nullptr, false);
  return verdict.is_object() && verdict.value("verdict", "") == "PASS";
}

std::vector<Trace> TracesIn(const fs::path& results, bool all) {
  std::vector<Trace> traces;
  for (const auto& folder : fs::directory_iterator(results / "tests")) {
    if (!fs::exists(folder.path() / "events.jsonl")) continue;
    if (!all && !Passed(folder.path())) continue;
    Trace trace;
    trace.name = folder.path().filename();
    trace.events = ReadEvents(folder.path() / "events.jsonl");
    trace.capture = CaptureOf(trace.events);
    traces.push_back(std::move(trace));
  }
  std::sort(traces.begin(), traces.end(),
            [](const Trace& a, const Trace& b) { return a.name < b.name; });
  return traces;
}

void Judgements(const std::vector<Trace>& traces, bool use_calls) {
  std::map<std::string, int> count;
  for (const Trace& trace : traces) {
    const Judgement judgement = JudgeCapture(trace.capture, trace.events, {}, use_calls);
    std::string answer = judgement.connections.empty() ? "without TCP" : "accepted";
    for (const ConnectionJudgement& one : judgement.connections) {
      ++count["connections"];
      if (one.answer == Answer::kDeparts) answer = "rejected";
      if (one.answer == Answer::kUndecided && answer == "accepted") answer = "undecided";
      if (one.answer == Answer::kAllowed) continue;
      ++count[one.answer == Answer::kDeparts ? "connections rejected" : "connections undecided"];
      fmt::print("{} | {} | {} | {} | {} | {}\n", trace.name, one.number, one.observed,
                 one.departure.expected, one.departure.section, one.why_undecided);
    }
    ++count[answer];
    ++count["traces"];
  }
  for (const auto& [what, number] : count) fmt::print("{}: {}\n", what, number);
}

void Changes(const std::vector<Trace>& traces, bool use_calls, unsigned seed, bool verbose) {
  std::map<std::string, std::pair<int, int>> count;  // rejected, all
  std::mt19937 random(seed);
  for (const Trace& trace : traces) {
    const Judgement before = JudgeCapture(trace.capture, trace.events, {}, use_calls);
    if (before.Departs() || before.IsEmpty()) continue;
    const std::vector<std::size_t> places = SegmentsOfSystem(trace.capture);
    if (places.empty()) continue;
    const std::size_t place = places[random() % places.size()];
    for (const Change change : kChanges) {
      Capture changed = trace.capture;
      if (!ChangeSegment(changed, place, change)) continue;
      auto& [rejected, all] = count[ChangeName(change)];
      ++all;
      if (JudgeCapture(changed, trace.events, {}, use_calls).Departs()) {
        ++rejected;
      } else if (verbose) {
        fmt::print("{} | {} | {}\n", ChangeName(change), trace.capture.frames[place].number,
                   trace.name);
      }
    }
  }
  for (const auto& [what, numbers] : count) {
    fmt::print("{:16} {:4} of {:4} rejected, {:.0f} %\n", what, numbers.first, numbers.second,
               100.0 * numbers.first / std::max(1, numbers.second));
  }
}

// Of the traces of a mutant.
struct Tried {
  bool is_should = false;  // it breaks no MUST and no step, but SHOULDs and MAYs
  int rejected = 0;
  int told = 0;  // not rejected, but that a SHOULD is not followed
  int all = 0;
};
using MutantCounts = std::map<std::string, Tried>;

bool IsOfRfc9293(const std::string& claim) { return claim.starts_with("rfc9293:"); }

bool IsShould(const std::string& id) {
  const Claim* const claim = FindClaim(id);
  return claim != nullptr && (claim->level == "SHOULD" || claim->level == "MAY");
}

// What sockproof selfproof --every-mutant left behind, by mutant.
void Mutants(const std::vector<Trace>& traces, MutantCounts& count, bool verbose) {
  constexpr std::string_view kNote = "alteration ", kApplied = " applied";
  for (const Trace& trace : traces) {
    std::string mutant;
    for (const Event& event : trace.events) {
      const auto* note = std::get_if<NoteEvent>(&event.what);
      if (note == nullptr || !note->text.starts_with(kNote) || !note->text.ends_with(kApplied)) {
        continue;
      }
      mutant = note->text.substr(kNote.size(), note->text.size() - kNote.size() - kApplied.size());
    }
    if (mutant.empty()) continue;
    const std::vector<std::string>& breaks = FindAlteration(mutant).breaks;
    if (std::none_of(breaks.begin(), breaks.end(), IsOfRfc9293)) continue;
    Tried& tried = count[mutant];
    ++tried.all;
    tried.is_should = std::none_of(breaks.begin(), breaks.end(), [](const std::string& claim) {
      return IsOfRfc9293(claim) && !IsShould(claim);
    });
    const Judgement judgement = JudgeCapture(trace.capture, trace.events, {});
    const bool is_told =
        std::any_of(judgement.connections.begin(), judgement.connections.end(),
                    [](const ConnectionJudgement& one) { return !one.unfollowed.empty(); });
    if (judgement.Departs()) {
      ++tried.rejected;
    } else if (is_told) {
      ++tried.told;
    } else if (verbose) {
      fmt::print("{} | {}\n", mutant, trace.name);
    }
  }
}

void PrintMutants(const MutantCounts& count) {
  for (const bool is_should : {false, true}) {
    int caught = 0, told = 0, all = 0;
    for (const auto& [what, tried] : count) {
      if (tried.is_should != is_should) continue;
      fmt::print("{:40} {:4} of {:4} rejected, {:.0f} %{}\n", what, tried.rejected, tried.all,
                 100.0 * tried.rejected / std::max(1, tried.all),
                 tried.told > 0 ? fmt::format(", {} told", tried.told) : "");
      ++all;
      if (tried.rejected > 0) {
        ++caught;
      } else if (tried.told > 0) {
        ++told;
      }
    }
    fmt::print(
        "{} of {} mutants that break {} of RFC 9293 are rejected in some trace, {:.0f} %; {} "
        "told\n",
        caught, all, is_should ? "SHOULDs alone" : "a MUST or a step",
        100.0 * caught / std::max(1, all), told);
  }
}

int Main(int argc, char** argv) {
  bool use_calls = true, change = false, mutants = false, all = false, verbose = false;
  std::vector<std::string> results;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--wire") {
      use_calls = false;
    } else if (argument == "--change") {
      change = true;
    } else if (argument == "--mutants") {
      mutants = all = true;
    } else if (argument == "--verbose") {
      verbose = true;
    } else if (argument == "--all") {
      all = true;
    } else {
      results.push_back(argument);
    }
  }
  if (results.empty()) {
    fmt::print(
        stderr,
        "usage: oracle_figures [--wire] [--all] [--change | --mutants] [--verbose] RESULTS...\n");
    return 2;
  }
  MutantCounts count;
  for (const std::string& folder : results) {
    const std::vector<Trace> traces = TracesIn(folder, all);
    const auto begin = std::chrono::steady_clock::now();
    if (mutants) {
      Mutants(traces, count, verbose);
      continue;
    } else if (change) {
      Changes(traces, use_calls, 1, verbose);
    } else {
      Judgements(traces, use_calls);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{}: {} traces in {:.1f} s\n", folder, traces.size(), took.count());
  }
  if (mutants) PrintMutants(count);
  return 0;
}

}  // namespace
}  // namespace sockproof

int main(int argc, char** argv) { return sockproof::Main(argc, argv); }
