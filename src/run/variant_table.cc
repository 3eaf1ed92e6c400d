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
      rows_.back().cells.resize(variants.size());
    }
  }

  std::vector<VariantRow> Run() {
    reports_.Begin(kept_);
    std::vector<Pair> unaltered;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (PlannedFor(row) <= options_.max_wait) unaltered.push_back({row, kUnaltered});
    }
    RunAll(unaltered);
    say_(fmt::format("{} tests, each on the variants that find something to do in it: {} runs",
                     unaltered.size(), waiting_.size()));
    for (int attempt = 1; attempt <= kAttempts && !waiting_.empty(); ++attempt) {
      std::vector<Pair> pairs = std::exchange(waiting_, {});
      std::stable_sort(pairs.begin(), pairs.end(), [this](const Pair& a, const Pair& b) {
        return PlannedFor(a.row) > PlannedFor(b.row);
      });
      if (attempt > 1) say_(fmt::format("attempt {} at {} runs", attempt, pairs.size()));
      RunAll(pairs);
    }
    reports_.Write(kept_);
    return std::move(rows_);
  }

 private:
  static constexpr std::size_t kUnaltered = static_cast<std::size_t>(-1);
  struct Pair {
    std::size_t row;
    std::size_t variant;
  };

  Duration PlannedFor(std::size_t row) const {
    try {
      return rows_[row].test->LastsOn(facts_);
    } catch (const std::exception&) {
      return Duration(0);  // a fact is missing; the test itself will say so
    }
  }

  TestCase AsTest(const Pair& pair) const {
    TestCase test = *rows_[pair.row].test;
    if (pair.variant != kUnaltered) {
      std::string name = variants_[pair.variant].id;
      std::replace(name.begin(), name.end(), '/', '.');
      test.name += "+" + name;
    }
    return test;
  }

  void RunAll(const std::vector<Pair>& pairs) {
    for (std::size_t first = 0; first < pairs.size(); first += kAtOnce) {
      RunSome({pairs.begin() + static_cast<long>(first),
               pairs.begin() + static_cast<long>(std::min(pairs.size(), first + kAtOnce))});
      if (pairs.size() > kAtOnce) {
        say_(fmt::format("{} of {} runs", std::min(pairs.size(), first + kAtOnce), pairs.size()));
      }
    }
  }

  void RunSome(const std::vector<Pair>& pairs) {
    std::vector<TestCase> cases;
    for (const Pair& pair : pairs) cases.push_back(AsTest(pair));
    std::vector<const TestCase*> tests;
    std::map<std::string, Pair> pair_of;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      tests.push_back(&cases[i]);
      pair_of[cases[i].id()] = pairs[i];
    }
    RunResult result = NewResult(tests, options_.sut, options_.program);
    Progress silent(-1, {});
    RunOptions options;
    options.baseline = options_.baseline;
    options.jobs = options_.jobs;
    options.attempts = 2;
    const auto body = [&](const TestCase& test, EventLog& log) {
      const Pair& pair = pair_of.at(test.id());
      body_(*rows_[pair.row].test, pair.variant == kUnaltered ? nullptr : &variants_[pair.variant],
            log);
    };
    const int signal_number = RunTests(tests, facts_, body, options, result, reports_, silent);
    if (signal_number != 0) throw HarnessError("interrupted");
    kept_.facts = result.facts;
    for (const TestResult& ended : result.tests) Judge(pair_of.at(ended.id), ended);
  }

  void Judge(const Pair& pair, const TestResult& ended) {
    if (pair.variant == kUnaltered) {
      Unaltered(pair.row, ended);
    } else {
      Altered(pair, ended);
    }
    for (const Attempt& attempt : ended.attempts) {
      fs::remove_all(directory_.path() / attempt.directory);
    }
  }

  void Unaltered(std::size_t row, const TestResult& ended) {
    rows_[row].unaltered = VerdictText(ended.verdict);
    if (ended.verdict == Verdict::kPass) {
      const std::vector<Event> events =
          ReadEvents((directory_.path() / ended.directory / "events.jsonl").string());
      for (std::size_t variant = 0; variant < variants_.size(); ++variant) {
        if (Meet(row, variant) && MayApply(variants_[variant], events)) {
          waiting_.push_back({row, variant});
        }
      }
    }
    fs::remove_all(directory_.path() / ended.directory);
  }

  bool Meet(std::size_t row, std::size_t variant) const {
    const TestCase& test = *rows_[row].test;
    if (options_.both_versions || !test.variant.has_other_ip) return true;
    const std::size_t turn = std::hash<std::string>()(test.suite + test.name) + variant;
    return (test.variant.family.ip == IpVersion::kIpv4) == (turn % 2 == 0);
  }

  void Altered(const Pair& pair, const TestResult& ended) {
    VariantCell& cell = rows_[pair.row].cells[pair.variant];
    const bool failed_before =
        cell.outcome == VariantOutcome::kWrong || cell.outcome == VariantOutcome::kOwnWord;
    if (ended.verdict == Verdict::kFail) {
      cell.claims = FailedClaims(ended);
      cell.how = FirstLine(ended);
      cell.outcome = AnyWrong(cell.claims, variants_[pair.variant]) ? VariantOutcome::kWrong
                                                                    : VariantOutcome::kOwnWord;
      if (!failed_before) {
        cell.directory = ended.directory;
        kept_.tests.push_back(ended);
        waiting_.push_back(pair);
      }
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
      waiting_.push_back(pair);
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
  std::vector<Pair> waiting_;
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

std::vector<VariantRow> RunOnVariants(const std::vector<const TestCase*>& tests,
                                      const RunOneTestOn& body, const Facts& facts,
                                      const std::vector<Alteration>& variants,
                                      const VariantOptions& options,
                                      const std::function<void(const std::string&)>& say) {
  return VariantTable(tests, body, facts, variants, options, say).Run();
}

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
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const VariantCell& cell = row.cells[i];
      if (cell.outcome == VariantOutcome::kNotApplied) continue;
      test["variants"][variants[i].id] = {{"outcome", VariantOutcomeName(cell.outcome)},
                                          {"claims", cell.claims},
                                          {"how", cell.how},
                                          {"directory", cell.directory}};
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
      for (const VariantCell& cell : row.cells) text += Letter(cell.outcome);
    } else {
      text += fmt::format("{:<{}}", row.unaltered + " as it is", variants.size());
    }
    text += "  " + row.test->id() + '\n';
  }
  return text;
}

}  // namespace sockproof
