#include "src/compare/comparison.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "src/compare/matrix.h"
#include "src/compare/releases.h"
#include "src/report/axes.h"
#include "src/report/read_result.h"
#include "src/report/text.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double kSamePart = 0.02;
constexpr double kSameSeconds = 0.1;

Answer AnswerOf(const TestResult& test) {
  if (!test.verdict) return Answer::kNotRun;
  switch (*test.verdict) {
    case Verdict::kPass:
      return Answer::kPass;
    case Verdict::kFail:
      return test.departure.empty() ? Answer::kFail : Answer::kKnownDeparture;
    case Verdict::kSkip:
      return Answer::kSkip;
    case Verdict::kInconclusive:
      return Answer::kInconclusive;
    case Verdict::kError:
      break;
  }
  return Answer::kError;
}

void NameSystems(std::vector<ComparedSystem>& systems) {
  for (ComparedSystem& system : systems) {
    const std::string os = system.Fact("os");
    system.name = os.empty() ? system.run.sut : os + " " + system.Fact("release");
    system.name = CleanLine(system.name);
  }
  const auto tell_apart = [&](const auto& more_of) {
    std::map<std::string, int> how_often;
    for (const ComparedSystem& system : systems) ++how_often[system.name];
    for (ComparedSystem& system : systems) {
      if (how_often[system.name] > 1) {
        system.name += fmt::format(" ({})", CleanLine(more_of(system)));
      }
    }
  };
  tell_apart([](const ComparedSystem& system) { return system.run.sut; });
  tell_apart([](const ComparedSystem& system) { return system.folder; });
  int number = 0;
  tell_apart([&number](const ComparedSystem&) { return fmt::format("{}", ++number); });
}

// "131.072 s" in seconds.
std::optional<double> DurationIn(const std::string& text) {
  std::istringstream words(text);
  double number = 0;
  std::string unit;
  std::string rest;
  if (!(words >> number >> unit) || words >> rest) return std::nullopt;
  if (unit == "s") return number;
  if (unit == "ms") return number / 1e3;
  if (unit == "us") return number / 1e6;
  return std::nullopt;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

bool SameDuration(const std::string& a, const std::string& b) {
  const std::optional<double> first = DurationIn(a);
  const std::optional<double> second = DurationIn(b);
  if (!first || !second) return a == b;
  const double tolerance = std::max(kSameSeconds, kSamePart * std::max(*first, *second));
  return std::abs(*first - *second) <= tolerance;
}

// What was observed, and measurements that are no steps of a course ("SYN retransmission 2"), which
// a plot shows.
std::vector<ObservationEvent> ValuesOf(const TestResult& test) {
  std::vector<ObservationEvent> values = test.observations;
  for (const MeasurementEvent& measured : test.measurements) {
    const bool is_step =
        !measured.name.empty() && measured.name.back() >= '0' && measured.name.back() <= '9';
    const bool is_there = std::any_of(values.begin(), values.end(), [&](const auto& value) {
      return value.name == measured.name;
    });
    if (is_step || is_there) continue;
    values.push_back({measured.name, measured.unit == "s"
                                         ? FormatDuration(std::chrono::duration_cast<Duration>(
                                               std::chrono::duration<double>(measured.observed)))
                                         : fmt::format("{}", measured.observed)});
  }
  return values;
}

// --- rows of tests -------------------------------------------------------------------------------

bool SameObservations(const TestResult& a, const TestResult& b) {
  for (const ObservationEvent& one : a.observations) {
    for (const ObservationEvent& other : b.observations) {
      if (one.name == other.name && !SameValue(one.value, other.value)) return false;
    }
  }
  return true;
}

// The cases of one test by the name of what it is run over; for each the result of each system, or
// nullptr.
struct Versions {
  std::vector<std::string> names;
  std::map<std::string, std::vector<const TestResult*>> by_name;

  void Add(const TestResult& test, std::size_t system, std::size_t systems) {
    auto& results = by_name[test.variant];
    if (results.empty()) {
      names.push_back(test.variant);
      results.resize(systems);
    }
    results[system] = &test;
  }

  // Whether each system has the same answer for each version that it has at all.
  bool Agree() const {
    const std::size_t systems = by_name.begin()->second.size();
    for (std::size_t system = 0; system < systems; ++system) {
      const TestResult* first = nullptr;
      for (const auto& [name, results] : by_name) {
        const TestResult* test = results[system];
        if (test == nullptr) continue;
        if (first == nullptr) first = test;
        if (AnswerOf(*first) != AnswerOf(*test) || !SameObservations(*first, *test) ||
            !SameCells(*first, *test)) {
          return false;
        }
      }
    }
    return true;
  }
};

bool ObservationsDiffer(const TestRow& row) {
  for (const std::string& name : ObservedNames(row)) {
    std::string first;
    for (const TestCell& cell : row.cells) {
      const std::string value = ObservedIn(cell, name);
      if (value.empty()) continue;
      if (first.empty()) first = value;
      if (!SameValue(first, value)) return true;
    }
  }
  return false;
}

bool CellsDiffer(const TestRow& row) {
  const ComparedMatrix matrix = CompareMatrices(row);
  return std::any_of(matrix.rows.begin(), matrix.rows.end(),
                     [](const MatrixRow& one) { return one.differs(); });
}

bool AnswersDiffer(const std::vector<Answer>& answers) {
  if (answers.size() == 1) return Departs(answers.front());
  std::set<Answer> known;
  bool some_unknown = false;
  for (const Answer answer : answers) {
    if (IsDecided(answer)) {
      known.insert(answer);
    } else {
      some_unknown = true;
    }
  }
  return known.size() > 1 || (some_unknown && known.count(Answer::kFail) != 0);
}

TestRow MakeRow(const Versions& versions, const std::vector<std::string>& names,
                std::size_t systems) {
  TestRow row;
  row.variants = names;
  row.cells.resize(systems);
  std::vector<Answer> answers;
  std::set<std::string> cited;
  for (std::size_t system = 0; system < systems; ++system) {
    TestCell& cell = row.cells[system];
    for (const std::string& name : names) {
      const TestResult* test = versions.by_name.at(name)[system];
      if (test == nullptr) continue;
      cell.tests.push_back(test);
      cell.answer = AnswerOf(*test);
      row.suite = test->suite;
      row.name = test->name;
      for (const CitedClaim& claim : test->claims) {
        if (cited.insert(claim.id).second) row.claims.push_back(claim);
      }
    }
    answers.push_back(cell.answer);
  }
  row.test = row.suite + "." + row.name;
  if (names.size() == 1 && versions.names.size() > 1) row.test += "/" + names.front();
  row.differs = AnswersDiffer(answers) || ObservationsDiffer(row) || CellsDiffer(row);
  return row;
}

std::vector<TestRow> TestRows(const std::vector<ComparedSystem>& systems) {
  std::vector<std::string> suites;  // in order of first appearance, as are their tests
  std::map<std::string, std::vector<std::string>> names;
  std::map<std::pair<std::string, std::string>, Versions> tests;
  for (std::size_t i = 0; i < systems.size(); ++i) {
    for (const TestResult& test : systems[i].run.tests) {
      if (names.count(test.suite) == 0) suites.push_back(test.suite);
      Versions& versions = tests[{test.suite, test.name}];
      if (versions.names.empty()) names[test.suite].push_back(test.name);
      versions.Add(test, i, systems.size());
    }
  }
  std::vector<TestRow> rows;
  for (const std::string& suite : suites) {
    for (const std::string& name : names[suite]) {
      const Versions& versions = tests[{suite, name}];
      if (versions.Agree()) {
        rows.push_back(MakeRow(versions, versions.names, systems.size()));
      } else {
        for (const std::string& variant : versions.names) {
          rows.push_back(MakeRow(versions, {variant}, systems.size()));
        }
      }
    }
  }
  return rows;
}

// --- rows of claims ------------------------------------------------------------------------------

// Of one claim in one test.
Answer AnswerOf(const TestResult& test, const CitedClaim& claim) {
  switch (test.VerdictOf(claim)) {
    case ClaimVerdict::kHeld:
      return Answer::kPass;
    case ClaimVerdict::kDeparted:
      return test.departure.empty() ? Answer::kFail : Answer::kKnownDeparture;
    case ClaimVerdict::kNotTaken:
      return Answer::kNotTaken;
    case ClaimVerdict::kNotReached:
      return Answer::kSkip;
    case ClaimVerdict::kUndecided:
      break;
  }
  return Answer::kInconclusive;
}

// Of all tests of a claim; the worse of two.
Answer Together(Answer claim, Answer test) {
  constexpr std::array kFromBad{Answer::kFail,  Answer::kKnownDeparture, Answer::kInconclusive,
                                Answer::kSkip,  Answer::kNotTaken,       Answer::kPass,
                                Answer::kAbsent};
  return *std::find_if(kFromBad.begin(), kFromBad.end(),
                       [&](Answer bad) { return bad == claim || bad == test; });
}

// "standards", "documentation" or "notes" for each authority that the systems' tests name.
std::map<std::string, std::pair<int, std::string>> AxesByAuthority(
    const std::vector<ComparedSystem>& systems) {
  std::map<std::string, std::pair<int, std::string>> result;
  for (const ComparedSystem& system : systems) {
    const Axes axes = AxesOf(system.run);
    int rank = 0;
    for (const auto& [name, axis] : {std::pair("standards", &axes.standards),
                                     {"documentation", &axes.documentation},
                                     {"notes", &axes.notes}}) {
      for (const ClaimCounts& counts : *axis) result[counts.authority] = {rank, name};
      ++rank;
    }
  }
  return result;
}

std::vector<ClaimRow> ClaimRows(const Comparison& comparison) {
  std::map<std::string, ClaimRow> by_id;
  for (std::size_t i = 0; i < comparison.tests.size(); ++i) {
    for (const CitedClaim& claim : comparison.tests[i].claims) {
      ClaimRow& row = by_id[claim.id];
      row.claim = claim;
      row.tests.push_back(i);
    }
  }
  for (auto& [id, row] : by_id) row.cells.assign(comparison.systems.size(), Answer::kAbsent);
  for (std::size_t i = 0; i < comparison.systems.size(); ++i) {
    for (const TestResult& test : comparison.systems[i].run.tests) {
      for (const CitedClaim& claim : test.claims) {
        Answer& answer = by_id[claim.id].cells[i];
        answer = Together(answer, AnswerOf(test, claim));
      }
    }
  }
  const auto axes = AxesByAuthority(comparison.systems);
  std::vector<ClaimRow> rows;
  for (auto& [id, row] : by_id) {
    row.authority = id.substr(0, id.find(':'));
    row.axis = axes.at(row.authority).second;
    row.differs = AnswersDiffer(row.cells);
    rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const ClaimRow& a, const ClaimRow& b) {
    return std::pair(axes.at(a.authority).first, a.authority) <
           std::pair(axes.at(b.authority).first, b.authority);
  });
  return rows;
}

// --- JSON ----------------------------------------------------------------------------------------

Json SystemAsJson(const ComparedSystem& system) {
  const Json run = ToJson(system.run);
  return Json{{"name", system.name},
              {"sut", run["sut"]},
              {"os", system.Fact("os")},
              {"release", system.Fact("release")},
              {"suite_version", run["suite_version"]},
              {"host", run["host"]},
              {"started", run["started"]},
              {"finished", run["finished"]},
              {"setup_error", run["setup_error"]},
              {"results", system.folder},
              {"counts", run["counts"]},
              {"axes", run["axes"]}};
}

Json CellAsJson(const TestRow& row, const TestCell& cell) {
  if (cell.answer == Answer::kAbsent) return nullptr;
  const TestResult& first = *cell.tests.front();
  Json json{{"answer", AnswerText(cell.answer)},
            {"why", cell.answer == Answer::kPass ? "" : Headline(first)},
            {"departure", first.departure},
            {"observed", Json::array()},
            {"tests", Json::array()},
            {"directories", Json::array()}};
  for (const std::string& name : ObservedNames(row)) {
    const std::string value = ObservedIn(cell, name);
    if (!value.empty()) json["observed"].push_back(Json{{"name", name}, {"value", value}});
  }
  for (const TestResult* test : cell.tests) {
    json["tests"].push_back(test->id);
    json["directories"].push_back(test->directory);
  }
  return json;
}

}  // namespace

bool IsDecided(Answer answer) {
  return answer == Answer::kPass || answer == Answer::kNotTaken || Departs(answer);
}

bool Departs(Answer answer) { return answer == Answer::kFail || answer == Answer::kKnownDeparture; }

std::string_view AnswerText(Answer answer) {
  switch (answer) {
    case Answer::kPass:
      return "PASS";
    case Answer::kKnownDeparture:
      return "known departure";
    case Answer::kFail:
      return "FAIL";
    case Answer::kError:
      return "ERROR";
    case Answer::kInconclusive:
      return "INCONCLUSIVE";
    case Answer::kSkip:
      return "SKIP";
    case Answer::kNotRun:
      return "NOT-RUN";
    case Answer::kNotTaken:
      return "not taken";
    case Answer::kAbsent:
      break;
  }
  return "no such test";
}

std::string_view ClaimAnswerText(Answer answer) {
  switch (answer) {
    case Answer::kPass:
      return "holds";
    case Answer::kKnownDeparture:
      return "known departure";
    case Answer::kFail:
      return "departs";
    case Answer::kSkip:
      return "not reached";
    case Answer::kNotTaken:
      return "not taken";
    case Answer::kAbsent:
      return "not tested";
    default:
      return "undecided";
  }
}

std::string ComparedSystem::Fact(const std::string& fact) const {
  const auto found = run.facts.find(fact);
  return found != run.facts.end() ? found->second : "";
}

bool SameValue(const std::string& a, const std::string& b) {
  const std::vector<std::string> first = SplitAtCommas(a);
  const std::vector<std::string> second = SplitAtCommas(b);
  return std::equal(first.begin(), first.end(), second.begin(), second.end(), SameDuration);
}

std::string ObservedIn(const TestCell& cell, const std::string& name) {
  for (const TestResult* test : cell.tests) {
    for (const ObservationEvent& value : ValuesOf(*test)) {
      if (value.name == name) return value.value;
    }
  }
  return "";
}

std::vector<std::string> ObservedNames(const TestRow& row) {
  std::vector<std::string> names;
  for (const TestCell& cell : row.cells) {
    for (const TestResult* test : cell.tests) {
      for (const ObservationEvent& value : ValuesOf(*test)) {
        if (std::find(names.begin(), names.end(), value.name) == names.end()) {
          names.push_back(value.name);
        }
      }
    }
  }
  return names;
}

Comparison CompareSystems(std::vector<ComparedSystem> systems) {
  if (systems.empty()) throw std::invalid_argument("a comparison of no system");
  Comparison comparison;
  comparison.systems = std::move(systems);
  NameSystems(comparison.systems);
  comparison.tests = TestRows(comparison.systems);
  comparison.claims = ClaimRows(comparison);
  return comparison;
}

std::vector<ComparedSystem> ReadSystems(const std::string& argument) {
  std::error_code error;
  std::vector<fs::path> folders = ResultsBelow(argument);
  if (fs::exists(fs::path(argument) / "result.json", error)) {
    if (!folders.empty()) {
      throw WrongInput(CleanLine(argument + " holds a result, and those of systems below it (" +
                                 folders.front().string() + "): name those that are meant"));
    }
  }
  if (folders.empty()) folders.push_back(argument);
  std::vector<ComparedSystem> systems;
  for (const fs::path& folder : folders) {
    systems.push_back({"", ResultFile(folder).parent_path(), ReadResult(folder)});
  }
  OrderByRelease(systems);
  return systems;
}

Json MatrixAsJson(const ComparedMatrix& matrix) {
  Json rows = Json::array();
  for (const MatrixRow& row : matrix.rows) {
    Json observed = Json::array();
    Json disagrees = Json::array();
    for (const CellEvent* cell : row.cells) {
      observed.push_back(cell == nullptr ? Json() : Json(cell->observed));
      disagrees.push_back(cell != nullptr && !cell->expected.empty());
    }
    rows.push_back(Json{{"at", row.at}, {"observed", observed}, {"disagrees", disagrees}});
  }
  return Json{{"axes", matrix.axes},
              {"size", matrix.size},
              {"disagreeing", matrix.disagreeing},
              {"rows", rows}};
}

// The IP versions of the cases in a row.
std::vector<std::string> IpsOf(const TestRow& row) {
  std::vector<std::string> ips;
  for (const TestCell& cell : row.cells) {
    for (const TestResult* test : cell.tests) {
      const bool known = std::find(ips.begin(), ips.end(), test->ip) != ips.end();
      if (!known && !test->ip.empty()) ips.push_back(test->ip);
    }
  }
  return ips;
}

Json ToJson(const Comparison& comparison) {
  Json json{{"format", "sockproof-comparison"},
            {"version", 1},
            {"systems", Json::array()},
            {"tests", Json::array()},
            {"claims", Json::array()}};
  for (const ComparedSystem& system : comparison.systems) {
    json["systems"].push_back(SystemAsJson(system));
  }
  for (const TestRow& row : comparison.tests) {
    Json test{{"test", row.test},        {"suite", row.suite},       {"name", row.name},
              {"ip", IpsOf(row)},        {"variants", row.variants}, {"differs", row.differs},
              {"claims", Json::array()}, {"cells", Json::array()}};
    for (const CitedClaim& claim : row.claims) test["claims"].push_back(claim.id);
    for (const TestCell& cell : row.cells) test["cells"].push_back(CellAsJson(row, cell));
    const ComparedMatrix matrix = CompareMatrices(row);
    if (matrix.size > 0) test["matrix"] = MatrixAsJson(matrix);
    if (const std::string since = SinceRelease(comparison, row); !since.empty()) test["since"] = since;
    json["tests"].push_back(std::move(test));
  }
  for (const ClaimRow& row : comparison.claims) {
    Json claim{{"id", row.claim.id},         {"authority", row.authority},
               {"axis", row.axis},           {"level", row.claim.level},
               {"source", row.claim.source}, {"statement", row.claim.statement},
               {"differs", row.differs},     {"tests", Json::array()},
               {"cells", Json::array()}};
    for (const std::size_t test : row.tests) claim["tests"].push_back(comparison.tests[test].test);
    for (const Answer answer : row.cells) {
      claim["cells"].push_back(
          answer == Answer::kAbsent ? Json() : Json{{"answer", ClaimAnswerText(answer)}});
    }
    json["claims"].push_back(std::move(claim));
  }
  return json;
}

}  // namespace sockproof
