#include "src/report/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "src/report/text.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

enum class State { kAbsent, kPass, kFailure, kKnown, kSkip, kUndecided };

State StateOf(const TestResult& test) {
  if (!test.verdict) return State::kUndecided;
  switch (*test.verdict) {
    case Verdict::kPass:
      return State::kPass;
    case Verdict::kFail:
      return test.departure.empty() ? State::kFailure : State::kKnown;
    case Verdict::kSkip:
      return State::kSkip;
    case Verdict::kError:
    case Verdict::kInconclusive:
      break;
  }
  return State::kUndecided;
}

std::optional<Change> ChangeOf(State before, State after) {
  switch (after) {
    case State::kAbsent:
      return Change::kVanished;
    case State::kFailure:
      return before == State::kFailure ? Change::kStillFailing : Change::kNewFailure;
    case State::kUndecided:
      return before == State::kUndecided ? Change::kStillUndecided : Change::kNewlyUndecided;
    case State::kPass:
      if (before == State::kFailure || before == State::kKnown) return Change::kFixed;
      if (before == State::kSkip || before == State::kUndecided) return Change::kDecided;
      break;
    case State::kSkip:
      if (before != State::kSkip && before != State::kAbsent) return Change::kNewlySkipped;
      break;
    case State::kKnown:
      if (before != State::kKnown && before != State::kAbsent) return Change::kNewlyKnown;
      break;
  }
  if (before == State::kAbsent) return Change::kNewTest;
  return std::nullopt;
}

std::string StateText(const TestResult& test) {
  return test.departure.empty() ? std::string(VerdictText(test.verdict)) : "known departure";
}

struct Names {
  const char* text;
  const char* json;
};

Names NamesOf(Change change) {
  switch (change) {
    case Change::kNewFailure:
      return {"new failures", "new_failures"};
    case Change::kVanished:
      return {"vanished", "vanished"};
    case Change::kNewlySkipped:
      return {"newly skipped", "newly_skipped"};
    case Change::kNewlyUndecided:
      return {"newly undecided", "newly_undecided"};
    case Change::kStillFailing:
      return {"still failing", "still_failing"};
    case Change::kStillUndecided:
      return {"still undecided", "still_undecided"};
    case Change::kFixed:
      return {"fixed", "fixed"};
    case Change::kDecided:
      return {"decided now", "decided"};
    case Change::kNewlyKnown:
      return {"newly known departures", "newly_known"};
    case Change::kNewTest:
      break;
  }
  return {"new tests", "new_tests"};
}

std::string Fact(const RunResult& run, const std::string& name) {
  const auto fact = run.facts.find(name);
  return fact != run.facts.end() ? fact->second : "";
}

std::string SystemLine(const char* role, const std::string& name, const RunResult& run) {
  const std::string line = fmt::format("{} {}: {} {} {}, sockproof {}, {} tests, {}Z", role, name,
                                       run.sut, Fact(run, "os"), Fact(run, "release"),
                                       run.suite_version, run.tests.size(), FormatUtc(run.started));
  return CleanLine(line) + "\n" +
         (run.setup_error.empty()
              ? ""
              : "      no test could run: " + CleanLine(run.setup_error) + "\n");
}

Json SystemAsJson(const RunResult& run) {
  return Json{{"suite_version", run.suite_version},
              {"sut", run.sut},
              {"os", Fact(run, "os")},
              {"release", Fact(run, "release")},
              {"host", run.host},
              {"started", FormatUtc(run.started) + "Z"}};
}

double Rounded(Duration duration) {
  return static_cast<double>(AsKept(duration) / std::chrono::milliseconds(1)) / 1000.0;
}

}  // namespace

bool IsRegression(Change change) {
  return change == Change::kNewFailure || change == Change::kVanished ||
         change == Change::kNewlySkipped || change == Change::kNewlyUndecided;
}

int ResultDiff::regressions() const {
  return static_cast<int>(
      std::count_if(changed.begin(), changed.end(),
                    [](const ChangedTest& test) { return IsRegression(test.change); }));
}

ResultDiff Compare(const RunResult& base, const RunResult& current, const SlowerThan& slower) {
  std::map<std::string, const TestResult*> before_by_id;
  for (const TestResult& test : base.tests) before_by_id[test.id] = &test;
  ResultDiff diff;
  std::set<std::string> there;
  for (const TestResult& after : current.tests) {
    there.insert(after.id);
    const auto found = before_by_id.find(after.id);
    const TestResult* before = found != before_by_id.end() ? found->second : nullptr;
    const State state = StateOf(after);
    const State state_before = before != nullptr ? StateOf(*before) : State::kAbsent;
    if (const std::optional<Change> change = ChangeOf(state_before, state)) {
      diff.changed.push_back({*change, after.id, before != nullptr ? StateText(*before) : "",
                              StateText(after), Headline(after)});
    }
    const bool comparable =
        state == state_before && (state == State::kPass || state == State::kKnown);
    if (comparable && before->sut_time && after.sut_time) {
      const Duration more = *after.sut_time - *before->sut_time;
      if (more > slower.least &&
          ToSeconds(more) > ToSeconds(*before->sut_time) * slower.percent / 100) {
        diff.slower.push_back({after.id, *before->sut_time, *after.sut_time});
      }
    }
  }
  for (const TestResult& before : base.tests) {
    if (there.count(before.id) != 0) continue;
    diff.changed.push_back({Change::kVanished, before.id, StateText(before), "", ""});
  }
  std::stable_sort(diff.changed.begin(), diff.changed.end(),
                   [](const ChangedTest& a, const ChangedTest& b) { return a.change < b.change; });
  return diff;
}

std::string RenderDiff(const ResultDiff& diff, const RunResult& base, const std::string& base_name,
                       const RunResult& current, const std::string& current_name,
                       const SlowerThan& slower) {
  std::string text = SystemLine("base", base_name, base) + SystemLine("new", current_name, current);
  for (auto first = diff.changed.begin(); first != diff.changed.end();) {
    const auto end = std::find_if(first, diff.changed.end(), [&](const ChangedTest& test) {
      return test.change != first->change;
    });
    text += fmt::format("{} ({}){}\n", NamesOf(first->change).text, end - first,
                        IsRegression(first->change) ? " REGRESSION" : "");
    for (; first != end; ++first) {
      std::string states = first->before.empty()           ? first->after
                           : first->after.empty()          ? "was " + first->before
                           : first->before == first->after ? first->after
                                                           : first->before + " -> " + first->after;
      if (!first->why.empty()) states += "  " + first->why;
      text += fmt::format("  {}  {}\n", CleanLine(first->id), states);
    }
  }
  if (!diff.slower.empty()) {
    text += fmt::format("slower by more than {} % and {} ({})\n", slower.percent,
                        FormatDuration(slower.least), diff.slower.size());
    for (const SlowerTest& test : diff.slower) {
      text += fmt::format("  {}  {:.3f} s -> {:.3f} s\n", CleanLine(test.id),
                          ToSeconds(test.before), ToSeconds(test.after));
    }
  }
  const int regressions = diff.regressions();
  return text + (regressions == 0   ? "no regressions\n"
                 : regressions == 1 ? "1 regression\n"
                                    : fmt::format("{} regressions\n", regressions));
}

Json ToJson(const ResultDiff& diff, const RunResult& base, const RunResult& current,
            const SlowerThan& slower) {
  Json json{{"format", "sockproof-diff"},
            {"version", 1},
            {"base", SystemAsJson(base)},
            {"new", SystemAsJson(current)},
            {"slower_than", Json{{"percent", slower.percent}, {"least_s", Rounded(slower.least)}}},
            {"regressions", diff.regressions()}};
  for (int change = 0; change <= static_cast<int>(kLastChange); ++change) {
    json[NamesOf(static_cast<Change>(change)).json] = Json::array();
  }
  for (const ChangedTest& test : diff.changed) {
    json[NamesOf(test.change).json].push_back(
        Json{{"id", test.id},
             {"base", test.before.empty() ? Json() : Json(test.before)},
             {"new", test.after.empty() ? Json() : Json(test.after)},
             {"why", test.why}});
  }
  json["slower"] = Json::array();
  for (const SlowerTest& test : diff.slower) {
    json["slower"].push_back(
        Json{{"id", test.id}, {"base_s", Rounded(test.before)}, {"new_s", Rounded(test.after)}});
  }
  return json;
}

}  // namespace sockproof
