#include "src/report/junit.h"

#include <fmt/format.h>

#include <filesystem>
#include <pugixml.hpp>
#include <sstream>

#include "src/report/text.h"

namespace sockproof {
namespace {

void Set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name) = CleanText(value).c_str();
}

void SetText(pugi::xml_node node, const std::string& text) {
  node.text() = CleanText(text).c_str();
}

std::string Seconds(Duration duration) {
  return fmt::format("{:.3f}", ToSeconds(AsKept(duration)));
}

// What JUnit counts: a test without verdict and one that is inconclusive are errors, a known
// departure is skipped, a departure that vanished is a failure.
void SetCounts(pugi::xml_node node, const Counts& counts, int more_errors, bool with_skipped) {
  Set(node, "tests", std::to_string(counts.tests + more_errors));
  Set(node, "failures",
      std::to_string(counts.fail - counts.known_departures + counts.unexpected_passes));
  Set(node, "errors",
      std::to_string(counts.error + counts.inconclusive + counts.not_run + more_errors));
  if (with_skipped) Set(node, "skipped", std::to_string(counts.skip + counts.known_departures));
}

// Those that departed; of an attempt that is no FAIL any more, all that the test checks.
std::vector<const CitedClaim*> CondemnedClaims(const TestResult& test) {
  std::vector<const CitedClaim*> claims = test.DepartedClaims();
  if (!claims.empty()) return claims;
  for (const CitedClaim& claim : test.claims) claims.push_back(&claim);
  return claims;
}

// "must-violation" when a MUST departed, and so on down.
std::string FailureType(const TestResult& test) {
  for (const auto& [level, type] :
       {std::pair("MUST", "must-violation"), std::pair("SHOULD", "should-violation"),
        std::pair("MAY", "may-violation")}) {
    for (const CitedClaim* claim : CondemnedClaims(test)) {
      if (claim->level == level) return type;
    }
  }
  return "documented-violation";
}

struct ResultChild {
  const char* element;
  std::string type;
};

ResultChild ResultOf(const TestResult& test) {
  if (!test.verdict) return {"error", "not-run"};
  if (!test.departure.empty()) return {"skipped", "known-departure"};
  if (test.verdict == Verdict::kPass) return {"failure", "unexpected-pass"};
  switch (*test.verdict) {
    case Verdict::kFail:
      return {"failure", FailureType(test)};
    case Verdict::kSkip:
      return {"skipped", "unsupported"};
    case Verdict::kInconclusive:
      return {"error", "inconclusive"};
    case Verdict::kPass:
    case Verdict::kError:
      break;
  }
  return {"error", test.error_type.empty() ? "harness" : test.error_type};
}

void AppendAttempts(pugi::xml_node node, const TestResult& test, bool well_in_the_end) {
  for (std::size_t i = 0; i < test.attempts.size(); ++i) {
    const Attempt& attempt = test.attempts[i];
    const bool failure = attempt.verdict == Verdict::kFail;
    pugi::xml_node child =
        node.append_child(well_in_the_end ? (failure ? "flakyFailure" : "flakyError")
                                          : (failure ? "rerunFailure" : "rerunError"));
    Set(child, "message", OnOneLine(attempt.reason));
    Set(child, "type",
        failure                                     ? FailureType(test)
        : attempt.verdict == Verdict::kInconclusive ? "inconclusive"
                                                    : "harness");
    SetText(child.append_child("stackTrace"),
            fmt::format("attempt {}: {} after {} s\n{}\nevidence in {}\n", i + 1,
                        VerdictText(attempt.verdict), Seconds(attempt.wall), attempt.reason,
                        attempt.directory));
  }
}

void AppendCase(pugi::xml_node suite, const TestResult& test, const RunResult& run,
                const std::string& results_path, JunitDialect dialect) {
  pugi::xml_node node = suite.append_child("testcase");
  Set(node, "classname", run.sut + "." + test.suite);
  Set(node, "name",
      test.variant.empty() ? test.name : fmt::format("{}[{}]", test.name, test.variant));
  Set(node, "time", Seconds(test.wall));
  if (dialect == JunitDialect::kCommon) {
    Set(node, "file", test.file);
    Set(node, "line", std::to_string(test.line));
  }

  const bool passed = test.verdict == Verdict::kPass && test.surprise.empty();
  if (!passed) {
    const ResultChild result = ResultOf(test);
    pugi::xml_node child = node.append_child(result.element);
    const std::string headline = Headline(test);
    Set(child, "message", headline);
    Set(child, "type", result.type);
    SetText(child, fmt::format("{}\n{}  {}\n{}", headline, VerdictText(test.verdict), test.id,
                               Explanation(test, run)));
  }

  if (dialect == JunitDialect::kCommon) AppendAttempts(node, test, !test.surprising());

  std::string out;
  for (const std::string& file : test.files) {
    const std::string path = (std::filesystem::path(results_path) / file).lexically_normal();
    out += fmt::format("[[ATTACHMENT|{}]]\n", path);
  }
  for (const ObservationEvent& observation : test.observations) {
    out += fmt::format("{}: {}\n", observation.name, observation.value);
  }
  if (passed && ClaimsDiffer(test)) {
    for (const CitedClaim& claim : test.claims) {
      out += fmt::format("{}: {}{}\n", claim.id, ClaimVerdictName(test.VerdictOf(claim)),
                         claim.why.empty() ? "" : ", " + claim.why);
    }
  }
  if (!passed) out += test.ladder;
  if (!out.empty()) SetText(node.append_child("system-out"), out);
}

pugi::xml_node AppendSuite(pugi::xml_node root, const std::string& name, int id,
                           const RunResult& run) {
  pugi::xml_node suite = root.append_child("testsuite");
  Set(suite, "name", run.sut + "." + name);
  Set(suite, "package", "sockproof");
  Set(suite, "id", std::to_string(id));
  Set(suite, "hostname", run.host);
  Set(suite, "timestamp", FormatUtc(run.started));
  return suite;
}

void AppendSetupSuite(pugi::xml_node root, int id, const RunResult& run) {
  pugi::xml_node suite = AppendSuite(root, "setup", id, run);
  SetCounts(suite, Counts{}, 1, true);
  Set(suite, "time", Seconds(Duration(0)));
  pugi::xml_node node = suite.append_child("testcase");
  Set(node, "classname", run.sut + ".setup");
  Set(node, "name", "setup");
  Set(node, "time", Seconds(Duration(0)));
  pugi::xml_node error = node.append_child("error");
  Set(error, "message", run.setup_error);
  Set(error, "type", "harness");
  SetText(error, run.setup_error);
}

}  // namespace

std::string RenderJunit(const RunResult& run, const std::string& results_path,
                        JunitDialect dialect) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";

  const bool setup_failed = !run.setup_error.empty();
  pugi::xml_node root = document.append_child("testsuites");
  Set(root, "name", "sockproof");
  const bool common = dialect == JunitDialect::kCommon;
  SetCounts(root, run.counts(), setup_failed ? 1 : 0, common);
  Set(root, "time", Seconds(AsKept(run.finished.value_or(Clock::now())) - AsKept(run.started)));
  if (common) Set(root, "timestamp", FormatUtc(run.started));

  int id = 0;
  if (setup_failed) AppendSetupSuite(root, id++, run);
  // The tests of a suite stand together, as in the registry.
  for (auto begin = run.tests.begin(); begin != run.tests.end();) {
    auto end = begin;
    Counts counts;
    Duration time{0};
    for (; end != run.tests.end() && end->suite == begin->suite; ++end) {
      counts.Add(*end);
      time += AsKept(end->wall);
    }
    pugi::xml_node suite = AppendSuite(root, begin->suite, id++, run);
    SetCounts(suite, counts, 0, true);
    Set(suite, "time", Seconds(time));
    pugi::xml_node properties = suite.append_child("properties");
    const auto property = [&properties](const std::string& name, const std::string& value) {
      pugi::xml_node node = properties.append_child("property");
      Set(node, "name", name);
      Set(node, "value", value);
    };
    property("sut", run.sut);
    property("suite-version", run.suite_version);
    if (run.seed) property("seed", std::to_string(*run.seed));
    if (run.shard) property("shard", fmt::format("{}/{}", run.shard->index, run.shard->count));
    for (const std::string& file : run.baselines) property("baseline", file);
    for (const std::string& entry : run.stale_departures) property("stale-departure", entry);
    for (const auto& [name, value] : run.facts) property(name, value);
    for (; begin != end; ++begin) AppendCase(suite, *begin, run, results_path, dialect);
  }

  std::ostringstream text;
  document.save(text, " ");
  return text.str();
}

}  // namespace sockproof
