#include "src/report/kcidb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "src/report/text.h"

namespace sockproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMajor = 5;
constexpr int kMinor = 3;
constexpr std::size_t kLongestExcerpt = 16384;  // characters

const char* StatusOf(const TestResult& test) {
  if (!test.verdict) return "MISS";
  switch (*test.verdict) {
    case Verdict::kPass:
      return "PASS";
    case Verdict::kFail:
      return "FAIL";
    case Verdict::kSkip:
      return "SKIP";
    case Verdict::kInconclusive:
    case Verdict::kError:
      break;
  }
  return "ERROR";
}

// Nodes of a tree, of letters, digits, '_' and '-', with points between.
std::string PathOf(const TestResult& test) {
  std::string path = fmt::format("sockproof.{}.{}{}{}", test.suite, test.name,
                                 test.variant.empty() ? "" : ".", test.variant);
  std::replace(path.begin(), path.end(), '/', '.');
  bool in_node = false;
  for (char& c : path) {
    const bool plain = (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '-';
    if (c != '.' || !in_node) c = plain ? c : '_';
    in_node = c != '.';
  }
  if (!in_node) path += '_';
  return path;
}

// FNV-1a: the same on every machine and in every version.
std::uint64_t HashOfText(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

std::string FactOf(const RunResult& run, const std::string& name) {
  const auto fact = run.facts.find(name);
  return fact == run.facts.end() ? "" : CleanLine(fact->second);
}

Json EnvironmentOf(const RunResult& run) {
  return {{"comment",
           fmt::format("sockproof {} on {}", CleanLine(run.suite_version), CleanLine(run.host))},
          {"misc",
           {{"sut", CleanLine(run.sut)},
            {"os", FactOf(run, "os")},
            {"release", FactOf(run, "release")}}}};
}

// Whatever the schema has no place for.
Json MiscOf(const TestResult& test) {
  Json misc = {{"verdict", VerdictText(test.verdict)}};
  if (!test.surprise.empty()) misc["surprise"] = CleanLine(test.surprise);
  Json claims = Json::array();
  for (const CitedClaim& claim : test.claims) {
    claims.push_back({{"id", CleanLine(claim.id)},
                      {"source", CleanLine(claim.source)},
                      {"verdict", ClaimVerdictName(test.VerdictOf(claim))}});
  }
  misc["claims"] = std::move(claims);
  for (const ObservationEvent& observation : test.observations) {
    misc["observations"][CleanLine(observation.name)] = CleanLine(observation.value);
  }
  return misc;
}

}  // namespace

std::string RenderKcidb(const RunResult& run, const KcidbNames& names) {
  const std::string origin =
      names.origin.empty() ? names.build.substr(0, names.build.find(':')) : names.origin;
  const std::string run_id =
      fmt::format("{}:sockproof:{}:{}:{}:", origin, CleanLine(run.host), CleanLine(run.sut),
                  ToNanoseconds(AsKept(run.started)) / 1'000'000);
  const std::string started = FormatUtc(run.started) + "+00:00";
  const Json environment = EnvironmentOf(run);

  Json tests = Json::array();
  Json incidents = Json::array();
  std::map<std::string, Json> issues;  // by id
  const auto add = [&](const std::string& id, const std::string& path,
                       const char* status) -> Json& {
    tests.push_back({{"build_id", names.build},
                     {"id", run_id + id},
                     {"origin", origin},
                     {"environment", environment},
                     {"path", path},
                     {"status", status},
                     {"start_time", started}});
    return tests.back();
  };
  if (!run.setup_error.empty()) {
    add("", "sockproof", "MISS")["comment"] = CleanLine(run.setup_error);
  }
  for (const TestResult& test : run.tests) {
    Json& entry = add(CleanLine(test.id), PathOf(test), StatusOf(test));
    if (test.verdict) entry["duration"] = ToSeconds(AsKept(test.wall));
    if (test.verdict != Verdict::kPass || !test.surprise.empty()) {
      entry["comment"] = CleanLine(Headline(test));
    }
    if (test.surprising() && test.verdict) {
      entry["log_excerpt"] = Shortened(CleanText(Explanation(test, run)), kLongestExcerpt);
    }
    entry["misc"] = MiscOf(test);
    if (test.departure.empty()) continue;
    const std::string why = CleanLine(test.departure);
    const std::string issue =
        fmt::format("{}:sockproof:departure:{:016x}", origin, HashOfText(why));
    issues[issue] = {{"id", issue},
                     {"version", 1},
                     {"origin", origin},
                     {"report_subject", why},
                     {"culprit", {{"code", true}}},
                     {"comment", "a known departure from what is documented"}};
    incidents.push_back({{"id", run_id + CleanLine(test.id) + ":departure"},
                         {"origin", origin},
                         {"issue_id", issue},
                         {"issue_version", 1},
                         {"test_id", run_id + CleanLine(test.id)},
                         {"present", true}});
  }
  Json all = {{"version", {{"major", kMajor}, {"minor", kMinor}}}, {"tests", std::move(tests)}};
  for (auto& [id, issue] : issues) all["issues"].push_back(std::move(issue));
  if (!incidents.empty()) all["incidents"] = std::move(incidents);
  return DumpJson(all);
}

bool IsKcidbOrigin(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsKcidbId(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon != std::string::npos && IsKcidbOrigin(text.substr(0, colon)) &&
         colon + 1 < text.size() && CleanLine(text) == text;
}

}  // namespace sockproof
