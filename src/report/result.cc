#include "src/report/result.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/report/axes.h"
#include "src/report/matrix_json.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

template <typename Items, typename ToItem>
Json Array(const Items& items, ToItem to_item) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(to_item(item));
  return array;
}

double Milliseconds3(Duration duration) {
  return static_cast<double>(AsKept(duration) / std::chrono::milliseconds(1)) / 1000.0;
}

std::string FormatUtcMilliseconds(Time time) {
  const auto milliseconds = time.time_since_epoch() / std::chrono::milliseconds(1) % 1000;
  return fmt::format("{}.{:03}Z", FormatUtc(time), milliseconds);
}

Json AxisAsJson(const std::vector<ClaimCounts>& axis) {
  return Array(axis, [](const ClaimCounts& counts) {
    return Json{{"authority", counts.authority}, {"level", counts.level},
                {"tested", counts.tested},       {"held", counts.held},
                {"departed", counts.departed},   {"undecided", counts.undecided},
                {"not_taken", counts.not_taken}, {"not_reached", counts.not_reached}};
  });
}

}  // namespace

void Counts::Add(const TestResult& test) {
  ++tests;
  if (!test.departure.empty()) ++known_departures;
  if (!test.surprise.empty() && test.verdict == Verdict::kPass) ++unexpected_passes;
  if (!test.verdict) {
    ++not_run;
    return;
  }
  switch (*test.verdict) {
    case Verdict::kPass:
      ++pass;
      break;
    case Verdict::kFail:
      ++fail;
      break;
    case Verdict::kError:
      ++error;
      break;
    case Verdict::kSkip:
      ++skip;
      break;
    case Verdict::kInconclusive:
      ++inconclusive;
      break;
  }
}

Counts RunResult::counts() const {
  Counts counts;
  for (const TestResult& test : tests) counts.Add(test);
  return counts;
}

bool TestResult::surprising() const {
  if (verdict == Verdict::kSkip || !departure.empty()) return false;
  return verdict != Verdict::kPass || !surprise.empty();
}

ClaimVerdict TestResult::VerdictOf(const CitedClaim& claim) const {
  return claim.verdict.value_or(ClaimVerdictOf(verdict));
}

std::vector<const CitedClaim*> TestResult::DepartedClaims() const {
  std::vector<const CitedClaim*> departed;
  for (const CitedClaim& claim : claims) {
    if (VerdictOf(claim) == ClaimVerdict::kDeparted) departed.push_back(&claim);
  }
  return departed;
}

std::string_view VerdictText(std::optional<Verdict> verdict) {
  return verdict ? VerdictName(*verdict) : "NOT-RUN";
}

Duration AsKept(Duration duration) {
  return std::chrono::floor<std::chrono::milliseconds>(duration);
}

Time AsKept(Time time) { return Time(AsKept(time.time_since_epoch())); }

std::string FormatUtc(Time time) {
  const std::time_t seconds = ToNanoseconds(time) / 1'000'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(seconds));
}

Json ToJson(const TestResult& test) {
  Json json{
      {"id", test.id},
      {"suite", test.suite},
      {"name", test.name},
      {"ip", test.ip},
      {"variant", test.variant},
      {"file", test.file},
      {"line", test.line},
      {"verdict", VerdictText(test.verdict)},
      {"reason", test.reason},
      {"error_type", test.error_type},
      {"departure", test.departure},
      {"surprise", test.surprise},
      {"claims", Array(test.claims,
                       [&test](const CitedClaim& claim) {
                         return Json{{"id", claim.id},
                                     {"level", claim.level},
                                     {"source", claim.source},
                                     {"statement", claim.statement},
                                     {"verdict", ClaimVerdictName(test.VerdictOf(claim))},
                                     {"why", claim.why}};
                       })},
      {"needs", test.needs},
      {"tags", test.tags},
      {"planned_s", Milliseconds3(test.planned)},
      {"wall_s", Milliseconds3(test.wall)},
      {"sut_s", test.sut_time ? Json(Milliseconds3(*test.sut_time)) : Json()},
      {"runs", test.runs},
      {"attempts", Array(test.attempts,
                         [](const Attempt& attempt) {
                           Json one{{"verdict", VerdictText(attempt.verdict)},
                                    {"reason", attempt.reason},
                                    {"wall_s", Milliseconds3(attempt.wall)},
                                    {"directory", attempt.directory}};
                           if (attempt.in_company) one["in_company"] = true;
                           return one;
                         })},
      {"failures",
       Array(test.failures,
             [](const FailureEvent& failure) {
               Json one{{"file", failure.file}, {"line", failure.line}, {"text", failure.text}};
               if (!failure.claim.empty()) one["claim"] = failure.claim;
               return one;
             })},
      {"observations",
       Array(test.observations,
             [](const ObservationEvent& observation) {
               return Json{{"name", observation.name}, {"value", observation.value}};
             })},
      {"ladder", test.ladder},
      {"output", test.output},
      {"directory", test.directory},
      {"files", test.files},
  };
  if (!test.measurements.empty()) {
    json["measurements"] = Array(test.measurements, [](const MeasurementEvent& measurement) {
      return Json{{"name", measurement.name},         {"unit", measurement.unit},
                  {"observed", measurement.observed}, {"documented", measurement.documented},
                  {"lower", measurement.lower},       {"upper", measurement.upper}};
    });
  }
  if (!test.cells.empty()) json["matrix"] = MatrixJson(test.axes, test.cells);
  return json;
}

Json ToJson(const RunResult& run) {
  const Counts counts = run.counts();
  const Axes axes = AxesOf(run);
  return Json{
      {"format", "sockproof-result"},
      {"version", 1},
      {"suite_version", run.suite_version},
      {"sut", run.sut},
      {"host", run.host},
      {"program", run.program},
      {"own_arguments", run.own_arguments},
      {"facts", run.facts},
      {"started", FormatUtcMilliseconds(run.started)},
      {"finished", run.finished ? Json(FormatUtcMilliseconds(*run.finished)) : Json()},
      {"setup_error", run.setup_error},
      {"seed", run.seed ? Json(*run.seed) : Json()},
      {"shard",
       run.shard ? Json{{"index", run.shard->index}, {"count", run.shard->count}} : Json()},
      {"interrupted", run.interrupted},
      {"baselines", run.baselines},
      {"stale_departures", run.stale_departures},
      {"counts", Json{{"tests", counts.tests},
                      {"pass", counts.pass},
                      {"fail", counts.fail},
                      {"error", counts.error},
                      {"skip", counts.skip},
                      {"inconclusive", counts.inconclusive},
                      {"not_run", counts.not_run},
                      {"known_departures", counts.known_departures},
                      {"unexpected_passes", counts.unexpected_passes}}},
      {"axes", Json{{"standards", AxisAsJson(axes.standards)},
                    {"documentation", AxisAsJson(axes.documentation)},
                    {"notes", AxisAsJson(axes.notes)}}},
      {"tests", Array(run.tests, [](const TestResult& test) { return ToJson(test); })},
  };
}

std::string DumpJson(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void ReplaceFile(const std::string& path, std::string_view content) {
  // Through symbolic links, so that a link stays one.
  std::error_code error;
  const std::string target = std::filesystem::weakly_canonical(path, error).string();
  if (error) ThrowErrno("cannot write " + path, error.value());
  const std::string unfinished = target + ".unfinished";
  errno = 0;
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (file.fail()) {
    const int error_number = errno;
    std::remove(unfinished.c_str());
    ThrowErrno("cannot write " + path, error_number);
  }
  if (std::rename(unfinished.c_str(), target.c_str()) != 0) {
    const int error_number = errno;
    std::remove(unfinished.c_str());
    ThrowErrno("cannot write " + path, error_number);
  }
}

}  // namespace sockproof
