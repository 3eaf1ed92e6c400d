#include "src/report/read_result.h"

#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "src/report/text.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A value of the document, and where it stands there.
class Value {
 public:
  Value(const Json& json, const std::string& file) : json_(json), file_(file) {}

  [[noreturn]] void Refuse(const std::string& problem) const {
    throw WrongInput(
        CleanText(fmt::format("{}: {}{}", file_, pointer_.empty() ? "" : pointer_ + " ", problem)));
  }

  Value At(const std::string& name) const {
    if (!json_.is_object()) Refuse("is no object");
    const auto member = json_.find(name);
    if (member == json_.end()) Below(json_, name).Refuse("is missing");
    return Below(*member, name);
  }

  // Whether there is such a member: those that came later are missing in older results.
  bool Has(const std::string& name) const { return json_.is_object() && json_.contains(name); }

  bool null() const { return json_.is_null(); }

  std::string String() const {
    if (!json_.is_string()) Refuse("is no string");
    return json_.get<std::string>();
  }

  std::int64_t Integer(std::int64_t least, std::int64_t most) const {
    const bool too_large =
        json_.is_number_unsigned() &&
        json_.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (!json_.is_number_integer() || too_large || json_.get<std::int64_t>() < least ||
        json_.get<std::int64_t>() > most) {
      Refuse(fmt::format("is no whole number from {} to {}", least, most));
    }
    return json_.get<std::int64_t>();
  }

  int Count() const { return static_cast<int>(Integer(0, std::numeric_limits<int>::max())); }

  std::uint64_t Unsigned() const {
    if (!json_.is_number_unsigned()) Refuse("is no whole number from 0");
    return json_.get<std::uint64_t>();
  }

  Duration Seconds() const {
    constexpr double kMost = 1e9;
    const double seconds = json_.is_number() ? json_.get<double>() : kMost * 2;
    if (!(std::abs(seconds) <= kMost)) Refuse("is no number of seconds");
    return std::chrono::milliseconds(std::llround(seconds * 1000));
  }

  double Number() const {
    if (!json_.is_number()) Refuse("is no number");
    return json_.get<double>();
  }

  // "2026-01-31T12:00:00.250Z"
  Time Utc() const {
    const std::string text = String();
    tm broken_down{};
    int milliseconds = 0;
    int length = 0;
    const int fields =
        std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &broken_down.tm_year,
                    &broken_down.tm_mon, &broken_down.tm_mday, &broken_down.tm_hour,
                    &broken_down.tm_min, &broken_down.tm_sec, &milliseconds, &length);
    broken_down.tm_year -= 1900;
    broken_down.tm_mon -= 1;
    const std::time_t seconds = fields == 7 ? timegm(&broken_down) : 0;
    const Time time = FromNanoseconds(std::int64_t{seconds} * 1'000'000'000) +
                      std::chrono::milliseconds(milliseconds);
    if (fields != 7 || length != 24 || text.size() != 24 ||
        fmt::format("{}.{:03}Z", FormatUtc(time), milliseconds) != text) {
      Refuse("is no time like 2026-01-31T12:00:00.250Z");
    }
    return time;
  }

  std::optional<Verdict> AnyVerdict() const {
    const std::string name = String();
    const std::optional<Verdict> verdict = VerdictFromName(name);
    if (!verdict && name != VerdictText(std::nullopt)) Refuse("is no verdict");
    return verdict;
  }

  // "tests/...": reports link to it, merging copies it.
  std::string PathBelowTests() const {
    std::string text = String();
    const fs::path path(text);
    const bool climbs = std::any_of(path.begin(), path.end(), [](const fs::path& part) {
      return part.empty() || part == "." || part == "..";
    });
    if (!text.starts_with("tests/") || climbs || text.find('\0') != std::string::npos) {
      Refuse("is no path below tests/");
    }
    return text;
  }

  void ForEach(const std::function<void(const Value& item)>& visit) const {
    if (!json_.is_array()) Refuse("is no array");
    for (std::size_t i = 0; i < json_.size(); ++i) visit(Below(json_[i], std::to_string(i)));
  }

  template <typename FromItem>
  auto List(FromItem from_item) const {
    std::vector<decltype(from_item(*this))> items;
    ForEach([&](const Value& item) { items.push_back(from_item(item)); });
    return items;
  }

  std::vector<std::string> Strings() const {
    return List([](const Value& item) { return item.String(); });
  }

  std::map<std::string, std::string> StringMap() const {
    if (!json_.is_object()) Refuse("is no object");
    std::map<std::string, std::string> map;
    for (const auto& [name, value] : json_.items()) map[name] = Below(value, name).String();
    return map;
  }

  const Json& json() const { return json_; }

 private:
  Value Below(const Json& json, const std::string& name) const {
    Value value(json, file_);
    std::string token;  // RFC 6901
    for (const char c : name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    value.pointer_ = pointer_ + "/" + token;
    return value;
  }

  const Json& json_;
  const std::string& file_;
  std::string pointer_;
};

Attempt ReadAttempt(const Value& value) {
  Attempt attempt;
  const std::optional<Verdict> verdict = value.At("verdict").AnyVerdict();
  if (!verdict) value.At("verdict").Refuse("is no verdict of an attempt");
  attempt.verdict = *verdict;
  attempt.reason = value.At("reason").String();
  attempt.wall = value.At("wall_s").Seconds();
  attempt.directory = value.At("directory").PathBelowTests();
  attempt.in_company = value.Has("in_company");
  return attempt;
}

// As MatrixJson() writes it.
void ReadMatrix(const Value& value, TestResult& test) {
  test.axes = value.At("axes").Strings();
  if (test.axes.empty()) value.At("axes").Refuse("is empty");
  const std::vector<std::string> columns = value.At("columns").Strings();
  value.At("rows").ForEach([&](const Value& row) {
    const std::vector<std::string> at = row.At("at").Strings();
    if (at.size() + 1 != test.axes.size()) row.At("at").Refuse("has other axes");
    std::size_t column = 0;
    row.At("cells").ForEach([&](const Value& cell) {
      if (column == columns.size()) row.At("cells").Refuse("has more cells than there are columns");
      CellEvent event{at, "", ""};
      event.at.push_back(columns[column++]);
      if (cell.null()) return;
      const bool agrees = cell.json().is_string();
      event.observed = agrees ? cell.String() : cell.At("observed").String();
      if (!agrees) event.expected = cell.At("expected").String();
      test.cells.push_back(std::move(event));
    });
  });
}

TestResult ReadTest(const Value& value) {
  TestResult test;
  test.id = value.At("id").String();
  test.suite = value.At("suite").String();
  test.name = value.At("name").String();
  test.ip = value.At("ip").String();
  test.variant = value.Has("variant") ? value.At("variant").String() : test.ip;
  test.file = value.At("file").String();
  test.line = value.At("line").Count();
  test.verdict = value.At("verdict").AnyVerdict();
  test.reason = value.At("reason").String();
  test.error_type = value.At("error_type").String();
  test.departure = value.At("departure").String();
  if (!test.departure.empty() && test.verdict != Verdict::kFail) {
    value.At("departure").Refuse("is there, and the verdict is not FAIL");
  }
  test.surprise = value.At("surprise").String();
  test.claims = value.At("claims").List([&test](const Value& claim) {
    CitedClaim cited{claim.At("id").String(), claim.At("level").String(),
                     claim.At("source").String(), claim.At("statement").String()};
    if (!claim.Has("verdict")) return cited;  // an older result
    cited.verdict = ClaimVerdictFromName(claim.At("verdict").String());
    if (!cited.verdict) claim.At("verdict").Refuse("is no verdict on a claim");
    cited.why = claim.At("why").String();
    if (cited.verdict == ClaimVerdict::kDeparted && test.verdict != Verdict::kFail) {
      claim.At("verdict").Refuse("is departed, and the verdict of the test is not FAIL");
    }
    return cited;
  });
  test.needs = value.At("needs").Strings();
  test.tags = value.At("tags").Strings();
  test.planned = value.At("planned_s").Seconds();
  test.wall = value.At("wall_s").Seconds();
  if (!value.At("sut_s").null()) test.sut_time = value.At("sut_s").Seconds();
  test.runs = value.At("runs").Count();
  test.attempts = value.At("attempts").List(ReadAttempt);
  test.failures = value.At("failures").List([](const Value& failure) {
    return FailureEvent{failure.At("file").String(),
                        static_cast<int>(failure.At("line").Integer(
                            std::numeric_limits<int>::min(), std::numeric_limits<int>::max())),
                        failure.At("text").String(),
                        failure.Has("claim") ? failure.At("claim").String() : ""};
  });
  test.observations = value.At("observations").List([](const Value& observation) {
    return ObservationEvent{observation.At("name").String(), observation.At("value").String()};
  });
  if (value.json().contains("measurements")) {
    test.measurements = value.At("measurements").List([](const Value& measurement) {
      return MeasurementEvent{
          measurement.At("name").String(),     measurement.At("unit").String(),
          measurement.At("observed").Number(), measurement.At("documented").Number(),
          measurement.At("lower").Number(),    measurement.At("upper").Number()};
    });
  }
  if (value.Has("matrix")) ReadMatrix(value.At("matrix"), test);
  test.ladder = value.At("ladder").String();
  test.output = value.At("output").String();
  test.directory = value.At("directory").PathBelowTests();
  test.files = value.At("files").List([](const Value& file) { return file.PathBelowTests(); });
  return test;
}

RunShard ReadShard(const Value& value) {
  constexpr std::int64_t kMost = 1'000'000;
  RunShard shard;
  shard.count = static_cast<int>(value.At("count").Integer(1, kMost));
  shard.index = static_cast<int>(value.At("index").Integer(1, shard.count));
  return shard;
}

// Whether both are the same, but for members that came later and are missing in an older result.
bool IsPartOf(const Json& read, const Json& derived) {
  const auto came_later = [](const std::string& name) {
    return name == "not_taken" || name == "not_reached";
  };
  if (derived.is_array()) {
    return read.is_array() &&
           std::equal(read.begin(), read.end(), derived.begin(), derived.end(), IsPartOf);
  }
  if (!derived.is_object()) return read == derived;
  if (!read.is_object()) return false;
  for (const auto& [name, value] : derived.items()) {
    const auto member = read.find(name);
    if (member == read.end() ? !came_later(name) : !IsPartOf(*member, value)) return false;
  }
  return std::all_of(read.items().begin(), read.items().end(),
                     [&derived](const auto& item) { return derived.contains(item.key()); });
}

RunResult ReadRun(const Value& value) {
  if (!value.json().is_object() || value.json().value("format", Json()) != "sockproof-result") {
    value.Refuse("this is not a result of sockproof run");
  }
  if (value.At("version").json() != 1) {
    value.At("version").Refuse("is not 1, the version that this program reads");
  }
  RunResult run;
  run.suite_version = value.At("suite_version").String();
  run.sut = value.At("sut").String();
  run.host = value.At("host").String();
  run.program = value.At("program").String();
  if (value.Has("own_arguments")) run.own_arguments = value.At("own_arguments").Strings();
  run.facts = value.At("facts").StringMap();
  run.started = value.At("started").Utc();
  if (!value.At("finished").null()) run.finished = value.At("finished").Utc();
  run.setup_error = value.At("setup_error").String();
  if (!value.At("seed").null()) run.seed = value.At("seed").Unsigned();
  if (!value.At("shard").null()) run.shard = ReadShard(value.At("shard"));
  run.interrupted = value.At("interrupted").Count();
  if (value.Has("baselines")) run.baselines = value.At("baselines").Strings();
  run.stale_departures = value.At("stale_departures").Strings();
  std::set<std::string> ids;
  value.At("tests").ForEach([&](const Value& test) {
    run.tests.push_back(ReadTest(test));
    const std::string& id = run.tests.back().id;
    if (!ids.insert(id).second) test.At("id").Refuse("is there twice: " + id);
  });
  const Json derived = ToJson(run);
  for (const char* name : {"counts", "axes"}) {
    if (!IsPartOf(value.At(name).json(), derived[name])) {
      value.At(name).Refuse("is not that of the tests");
    }
  }
  return run;
}

}  // namespace

fs::path ResultFile(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? path / "result.json" : path;
}

std::vector<fs::path> ResultsBelow(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (fs::exists(entry.path() / "result.json", error)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return strverscmp(a.c_str(), b.c_str()) < 0;
  });
  return found;
}

RunResult FromJson(const Json& json, const std::string& name) { return ReadRun(Value(json, name)); }

RunResult ReadResult(const fs::path& path) {
  const std::string name = ResultFile(path).string();
  errno = 0;
  if (fs::exists(name) && !fs::is_regular_file(name))
    throw WrongInput(fmt::format("cannot read {}: not a file", name));
  std::ifstream file(name, std::ios::binary);
  std::ostringstream content;
  if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  const std::vector<fs::path> below = file.is_open() ? std::vector<fs::path>() : ResultsBelow(path);
  if (!below.empty()) {
    std::vector<std::string> folders;
    for (const fs::path& folder : below) folders.push_back(folder.string());
    throw WrongInput(CleanLine(fmt::format("{} holds the results of several systems; name one: {}",
                                           path.string(), Joined(folders))));
  }
  if (!file.is_open() || file.bad() || content.fail()) {
    throw WrongInput(fmt::format("cannot read {}: {}", name, strerror(errno)));
  }
  const std::string text = content.str();
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw WrongInput(
        fmt::format("{}:{}: this is not JSON", name, 1 + std::count(text.begin(), end, '\n')));
  } catch (const Json::out_of_range&) {
    throw WrongInput(name + ": it has a number that is too large");
  }
  return FromJson(json, name);
}

}  // namespace sockproof
