#include "src/run/variant_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/report/axes.h"
#include "src/run/output_directory.h"
#include "src/run/runner.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 1500;  // what a run keeps in memory and on disk until it ends
constexpr int kAttempts = 3;
constexpr Duration kNever = std::chrono::hours(24);

// A test on the system with these variants at once; with none, on the system as it is.
struct Meeting {
  std::size_t row = 0;
  std::vector<std::size_t> variants;
};

class VariantTable {
 public:
  VariantTable(const std::vector<const TestCase*>& tests, const RunOneTestOn& body,
               const Facts& facts, const std::vector<Alteration>& variants,
               const VariantOptions& options, const std::function<void(const std::string&)>& say)
      : body_(body),
        facts_(facts),
        variants_(variants),
        options_(options),
        say_(say),
        directory_(options.out),
        reports_(directory_, {}, kNever),
        kept_(NewResult({}, options.sut, options.program)) {
    for (const TestCase* test : tests) {
      rows_.push_back({test, "SKIP", {}});
    }
  }

  RanOnVariants Run() {
    reports_.Begin(kept_);
    std::vector<Meeting> unaltered;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (PlannedFor(row) <= options_.max_wait) unaltered.push_back({row, {}});
    }
    RunAll(unaltered);
    say_(fmt::format("{} tests, each on the variants that find something to do in it: {} runs",
                     unaltered.size(), waiting_.size()));
    for (int round = 1; !waiting_.empty() && interrupted_ == 0; ++round) {
      std::vector<Meeting> meetings = std::exchange(waiting_, {});
      std::stable_sort(meetings.begin(), meetings.end(), [this](const auto& a, const auto& b) {
        return PlannedFor(a.row) > PlannedFor(b.row);
      });
      if (round > 1) say_(fmt::format("once more, what did not pass: {} runs", meetings.size()));
      RunAll(meetings);
    }
    reports_.Write(kept_);
    return {std::move(rows_), interrupted_};
  }

 private:
  Duration PlannedFor(std::size_t row) const {
    try {
      return rows_[row].test->LastsOn(facts_);
    } catch (const std::exception&) {
      return Duration(0);  // a fact is missing; the test itself will say so
    }
  }

  TestCase AsTest(const Meeting& meeting) {
    TestCase test = *rows_[meeting.row].test;
    if (meeting.variants.empty()) return test;
    std::string name = variants_[meeting.variants.front()].id;
    std::replace(name.begin(), name.end(), '/', '.');
    test.name += "+" + name;
    if (meeting.variants.size() > 1) {
      test.name += fmt::format("+{}-more.{}", meeting.variants.size() - 1, ++companies_);
    }
    return test;
  }

  void RunAll(const std::vector<Meeting>& meetings) {
    for (std::size_t first = 0; first < meetings.size() && interrupted_ == 0; first += kAtOnce) {
      const std::size_t end = std::min(meetings.size(), first + kAtOnce);
      RunSome(
          {meetings.begin() + static_cast<long>(first), meetings.begin() + static_cast<long>(end)});
      if (meetings.size() > kAtOnce) say_(fmt::format("{} of {} runs", end, meetings.size()));
    }
  }

  void RunSome(const std::vector<Meeting>& meetings) {
    std::vector<TestCase> cases;
    for (const Meeting& meeting : meetings) cases.push_back(AsTest(meeting));
    std::vector<const TestCase*> tests;
    std::map<std::string, const Meeting*> meeting_of;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      tests.push_back(&cases[i]);
      meeting_of[cases[i].id()] = &meetings[i];
    }
    RunResult result = NewResult(tests, options_.sut, options_.program);
    Progress silent(-1, {});
    RunOptions options;
    options.baseline = options_.baseline;
    options.jobs = options_.jobs;
    options.attempts = 2;
    const auto body = [&](const TestCase& test, EventLog& log) {
      const Meeting& meeting = *meeting_of.at(test.id());
      Alterations alterations;
      for (const std::size_t variant : meeting.variants) alterations.push_back(&variants_[variant]);
      body_(*rows_[meeting.row].test, alterations, log);
    };
    interrupted_ = RunTests(tests, facts_, body, options, result, reports_, silent);
    kept_.facts = result.facts;
    for (const TestResult& ended : result.tests) {
      if (interrupted_ == 0 || ended.verdict) Judge(*meeting_of.at(ended.id), ended);
    }
  }

  void Judge(const Meeting& meeting, const TestResult& ended) {
    if (meeting.variants.empty()) {
      Unaltered(meeting.row, ended);
    } else if (meeting.variants.size() > 1) {
      InCompany(meeting, ended);
    } else {
      Alone(meeting, ended);
    }
    for (const Attempt& attempt : ended.attempts) {
      fs::remove_all(directory_.path() / attempt.directory);
    }
  }

  std::vector<Event> EventsOf(const TestResult& ended) const {
    return ReadEvents((directory_.path() / ended.directory / "events.jsonl").string());
  }

  void Unaltered(std::size_t row, const TestResult& ended) {
    rows_[row].unaltered = VerdictText(ended.verdict);
    if (ended.verdict == Verdict::kPass) {
      const TestCourse course(EventsOf(ended));
      std::vector<Meeting> meetings;
      for (std::size_t variant = 0; variant < variants_.size(); ++variant) {
        if (Meet(row, variant) && MayApply(variants_[variant], course)) {
          Invite(meetings, row, variant);
        }
      }
      waiting_.insert(waiting_.end(), meetings.begin(), meetings.end());
    }
    fs::remove_all(directory_.path() / ended.directory);
  }

  // Into the first of the meetings of this test in which no variant undoes what it does.
  void Invite(std::vector<Meeting>& meetings, std::size_t row, std::size_t variant) const {
    const auto place = std::find_if(meetings.begin(), meetings.end(), [&](const Meeting& meeting) {
      return !options_.alone &&
             std::all_of(meeting.variants.begin(), meeting.variants.end(), [&](std::size_t other) {
               return CanBeTogether(variants_[other], variants_[variant]);
             });
    });
    if (place != meetings.end()) {
      place->variants.push_back(variant);
    } else {
      meetings.push_back({row, {variant}});
    }
  }

  bool Meet(std::size_t row, std::size_t variant) const {
    const TestCase& test = *rows_[row].test;
    if (options_.both_versions || !test.variant.has_other_ip) return true;
    const std::size_t turn = std::hash<std::string>()(test.suite + test.name) + variant;
    return (test.variant.family.ip == IpVersion::kIpv4) == (turn % 2 == 0);
  }

  // A PASS is one on each variant that did something. All else is found out by halves.
  void InCompany(const Meeting& meeting, const TestResult& ended) {
    if (ended.verdict == Verdict::kPass) {
      const std::vector<Event> events = EventsOf(ended);
      const auto company = std::make_shared<const std::vector<std::size_t>>(meeting.variants);
      for (const std::size_t variant : meeting.variants) {
        if (!WasApplied(variants_[variant], events)) {
          waiting_.push_back({meeting.row, {variant}});
          continue;
        }
        rows_[meeting.row].cells[variant] = {VariantOutcome::kHeld, {}, "", "", company};
      }
    } else {
      const auto middle = meeting.variants.begin() + static_cast<long>(meeting.variants.size() / 2);
      waiting_.push_back({meeting.row, {meeting.variants.begin(), middle}});
      waiting_.push_back({meeting.row, {middle, meeting.variants.end()}});
    }
    fs::remove_all(directory_.path() / ended.directory);
  }

  void Alone(const Meeting& meeting, const TestResult& ended) {
    const Alteration& variant = variants_[meeting.variants.front()];
    VariantCell& cell = rows_[meeting.row].cells[meeting.variants.front()];
    const bool again = ++attempts_[{meeting.row, meeting.variants.front()}] < kAttempts;
    const bool failed_before =
        cell.outcome == VariantOutcome::kWrong || cell.outcome == VariantOutcome::kOwnWord;
    if (ended.verdict == Verdict::kFail) {
      cell.claims = FailedClaims(ended);
      cell.how = FirstLine(ended);
      cell.outcome =
          AnyWrong(cell.claims, variant) ? VariantOutcome::kWrong : VariantOutcome::kOwnWord;
      if (!failed_before) {
        cell.directory = ended.directory;
        kept_.tests.push_back(ended);
      }
      if (again && cell.outcome == VariantOutcome::kWrong) waiting_.push_back(meeting);
      return;
    }
    fs::remove_all(directory_.path() / ended.directory);
    if (ended.verdict == Verdict::kPass) {
      cell.outcome = failed_before ? VariantOutcome::kUnstable : VariantOutcome::kHeld;
    } else if (ended.verdict == Verdict::kSkip) {
      cell.outcome = VariantOutcome::kUnavailable;
      cell.how = ended.reason;
    } else if (!failed_before) {
      cell.outcome = VariantOutcome::kUndecided;
      cell.how = FirstLine(ended);
      if (again) waiting_.push_back(meeting);
    }
  }

  static bool AnyWrong(const std::vector<std::string>& claims, const Alteration& variant) {
    // Set-up that fails is of no claim, and of none that the variant may depart from.
    if (claims.empty()) return true;
    return std::any_of(claims.begin(), claims.end(), [&](const std::string& claim) {
      return IsStandard(claim) && !variant.DepartsFrom(claim);
    });
  }

  const RunOneTestOn& body_;
  const Facts& facts_;
  const std::vector<Alteration>& variants_;
  const VariantOptions& options_;
  const std::function<void(const std::string&)>& say_;
  OutputDirectory directory_;
  Reports reports_;
  RunResult kept_;  // those that failed
  std::vector<VariantRow> rows_;
  std::vector<Meeting> waiting_;
  std::map<std::pair<std::size_t, std::size_t>, int> attempts_;  // at a test on one variant alone
  int companies_ = 0;
  int interrupted_ = 0;  // by this signal
};

char Letter(VariantOutcome outcome) {
  switch (outcome) {
    case VariantOutcome::kNotApplied:
      return ' ';
    case VariantOutcome::kHeld:
      return '.';
    case VariantOutcome::kWrong:
      return 'W';
    case VariantOutcome::kOwnWord:
      return 'o';
    case VariantOutcome::kUnstable:
      return '~';
    case VariantOutcome::kUnavailable:
      return '-';
    case VariantOutcome::kUndecided:
      return '?';
  }
  return '?';
}

}  // namespace

std::string_view VariantOutcomeName(VariantOutcome outcome) {
  switch (outcome) {
    case VariantOutcome::kNotApplied:
      return "not-applied";
    case VariantOutcome::kHeld:
      return "held";
    case VariantOutcome::kWrong:
      return "wrong";
    case VariantOutcome::kOwnWord:
      return "own-word";
    case VariantOutcome::kUnstable:
      return "unstable";
    case VariantOutcome::kUnavailable:
      return "unavailable";
    case VariantOutcome::kUndecided:
      return "undecided";
  }
  return "?";
}

RanOnVariants RunOnVariants(const std::vector<const TestCase*>& tests, const RunOneTestOn& body,
                            const Facts& facts, const std::vector<Alteration>& variants,
                            const VariantOptions& options,
                            const std::function<void(const std::string&)>& say) {
  return VariantTable(tests, body, facts, variants, options, say).Run();
}

const VariantCell& VariantRow::On(std::size_t variant) const {
  static const VariantCell kNothingThere;
  const auto found = cells.find(variant);
  return found != cells.end() ? found->second : kNothingThere;
}

namespace {

std::vector<std::string> InCompanyOf(std::size_t variant, const VariantCell& cell,
                                     const std::vector<Alteration>& variants) {
  std::vector<std::string> others;
  for (const std::size_t other : cell.company ? *cell.company : std::vector<std::size_t>()) {
    if (other != variant) others.push_back(variants[other].id);
  }
  return others;
}

}  // namespace

nlohmann::ordered_json ToJson(const std::vector<VariantRow>& rows,
                              const std::vector<Alteration>& variants) {
  nlohmann::ordered_json json;
  json["format"] = "sockproof-variants";
  json["version"] = 1;
  json["variants"] = nlohmann::ordered_json::array();
  for (const Alteration& variant : variants) {
    json["variants"].push_back({{"id", variant.id},
                                {"what", variant.what},
                                {"allowed_by", variant.allowed_by},
                                {"departs_from", variant.departs_from}});
  }
  json["tests"] = nlohmann::ordered_json::array();
  for (const VariantRow& row : rows) {
    nlohmann::ordered_json test;
    test["id"] = row.test->id();
    test["unaltered"] = row.unaltered;
    test["variants"] = nlohmann::ordered_json::object();
    for (const auto& [variant, cell] : row.cells) {
      if (cell.outcome == VariantOutcome::kNotApplied) continue;
      test["variants"][variants[variant].id] = {
          {"outcome", VariantOutcomeName(cell.outcome)},
          {"claims", cell.claims},
          {"how", cell.how},
          {"directory", cell.directory},
          {"in_company_of", InCompanyOf(variant, cell, variants)}};
    }
    json["tests"].push_back(std::move(test));
  }
  return json;
}

std::string ToText(const std::vector<VariantRow>& rows, const std::vector<Alteration>& variants) {
  std::string text =
      "Conforming variants (columns) and tests (rows).\n"
      ". held   W a claim of a standard failed: the test is wrong   o a claim of the system's own\n"
      "documentation failed, or one that the variant departs from   ~ failed once, passed once\n"
      "- the system cannot be altered so   ? undecided   blank: nothing there for the variant\n\n";
  for (std::size_t i = 0; i < variants.size(); ++i) {
    text += fmt::format("{:3} {}: {}\n    {}\n", i + 1, variants[i].id, variants[i].what,
                        variants[i].allowed_by);
  }
  text += '\n';
  for (const int digit : {100, 10, 1}) {
    for (std::size_t i = 1; i <= variants.size(); ++i) {
      text += static_cast<char>('0' + i / static_cast<std::size_t>(digit) % 10);
    }
    text += '\n';
  }
  for (const VariantRow& row : rows) {
    if (row.unaltered == "PASS") {
      for (std::size_t i = 0; i < variants.size(); ++i) text += Letter(row.On(i).outcome);
    } else {
      text += fmt::format("{:<{}}", row.unaltered + " as it is", variants.size());
    }
    text += "  " + row.test->id() + '\n';
  }
  return text;
}

}  // namespace sockproof
