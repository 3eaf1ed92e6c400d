// Results of made-up systems, to be compared.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/compare/comparison.h"
#include "tests/report/sample.h"

namespace sockproof {

inline ComparedSystem System(const std::string& release, std::vector<TestResult> tests) {
  ComparedSystem system{"", "results/" + release, SampleRun()};
  system.run.facts["release"] = release;
  system.run.tests = {tests.begin(), tests.end()};
  return system;
}

inline TestResult OnIp(const std::string& ip, TestResult test) {
  test.ip = ip;
  test.variant = ip;
  test.id = test.suite + "." + test.name + "/" + ip;
  test.directory = "tests/" + test.suite + "." + test.name + "-" + ip;
  return test;
}

inline TestResult Observing(const std::string& name, const std::string& value, TestResult test) {
  test.observations.push_back({name, value});
  return test;
}

inline TestResult Citing(std::vector<CitedClaim> claims, TestResult test) {
  test.claims = std::move(claims);
  return test;
}

inline TestResult Passes(const std::string& name) {
  return SampleTest("Close", name, Verdict::kPass);
}

inline TestResult Fails(const std::string& name) {
  TestResult test = SampleTest("Close", name, Verdict::kFail);
  test.reason = "";
  test.failures = {{"suites/close.cc", 7, "Expected: FIN\n  Actual: nothing"}};
  test.ladder = "   0.000000  close(3) = 0\n";
  return test;
}

inline TestResult DepartsAsKnown(const std::string& name) {
  TestResult test = Fails(name);
  test.departure = "close() forgets the FIN (https://example.org/why)";
  return test;
}

inline TestResult Skipped(const std::string& name) {
  TestResult test = SampleTest("Close", name, Verdict::kSkip);
  test.reason = "needs diag";
  return test;
}

template <typename... Systems>
Comparison Compared(Systems... systems) {
  std::vector<ComparedSystem> all;
  (all.push_back(std::move(systems)), ...);
  return CompareSystems(std::move(all));
}

}  // namespace sockproof
