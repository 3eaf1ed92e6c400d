// A result with one test of every verdict.
#pragma once

#include <string>

#include "src/report/result.h"

namespace sockproof {

inline TestResult SampleTest(const std::string& suite, const std::string& name,
                             std::optional<Verdict> verdict) {
  TestResult test;
  test.suite = suite;
  test.name = name;
  test.ip = "ipv4";
  test.variant = "ipv4";
  test.id = suite + "." + name + "/ipv4";
  test.file = "suites/half_close.cc";
  test.line = 42;
  test.verdict = verdict;
  test.reason = verdict == Verdict::kPass ? "" : "because";
  test.claims = {{"rfc9293:3.6.1", "MUST", "RFC 9293 section 3.6.1", "Half-close is possible."},
                 {"notes:C3", "documented", "the notes, C3", "The other side may still send."}};
  test.wall = 1500ms;
  test.directory = "tests/" + suite + "." + name + "-ipv4";
  if (verdict) test.files = {test.directory + "/capture.pcapng", test.directory + "/ladder.txt"};
  return test;
}

inline RunResult SampleRun() {
  RunResult run;
  run.suite_version = "1.2.3";
  run.sut = "host";
  run.host = "builder7";
  run.program = "build/bin/sockproof";
  run.facts = {{"os", "Linux"}, {"release", "6.1.0"}};
  run.started = FromNanoseconds(1'769'860'800'250'000'000);  // 2026-01-31T12:00:00.25Z
  run.finished = run.started + 90s;
  run.tests = {SampleTest("Close", "Passes", Verdict::kPass),
               SampleTest("Close", "Fails", Verdict::kFail),
               SampleTest("Close", "Breaks", Verdict::kError),
               SampleTest("Open", "IsSkipped", Verdict::kSkip),
               SampleTest("Open", "IsInconclusive", Verdict::kInconclusive),
               SampleTest("Open", "IsNotRun", std::nullopt)};
  run.tests[1].reason = "";
  run.tests[1].failures = {
      {"suites/half_close.cc", 45, "Value of: peer.Next()\nExpected: FIN\n  Actual: nothing"}};
  run.tests[1].ladder = "+0.000 sut > peer SYN\n";
  run.tests[2].error_type = "crash";
  return run;
}

}  // namespace sockproof
