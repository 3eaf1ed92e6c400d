// Text that means something in every format that a report could have.
#pragma once

#include <string>
#include <vector>

#include "tests/report/sample.h"

namespace sockproof {

inline const std::string& HostileText() {
  static const std::string text = [] {
    std::string all =
        "]]> <b>&amp;</b> <!-- \"quoted\" 'single' # SKIP # TODO\nok 1 forged # SKIP\n";
    all += "KTAP version 1\n1..0\n\r\nnot ok 7\n\tBail out!\n\xff\xfe \xed\xa0\x80 \xef\xbf\xbf ";
    all += "\xc2\x85 \xe2\x80\xa8 ${x} $(x) `x` \\ {sut} %s %n";
    for (char c = 1; c < 32; ++c) all += c;
    all += '\0';
    return all + "\x7f the end";
  }();
  return text;
}

// The sample run with that text wherever a test, a system or a machine could put it.
inline RunResult HostileRun() {
  RunResult run = SampleRun();
  run.sut = run.host = run.program = run.suite_version = HostileText();
  run.facts[HostileText()] = HostileText();
  run.baselines = {HostileText()};
  run.stale_departures = {HostileText()};
  for (TestResult& test : run.tests) {
    test.name += HostileText();
    test.id += HostileText();
    test.file = HostileText();
    test.reason = test.reason.empty() ? "" : HostileText();
    test.ladder = test.output = HostileText();
    test.failures = {{HostileText(), 1, HostileText()}};
    test.observations = {{HostileText(), HostileText()}};
    test.claims[0].source = test.claims[0].statement = test.claims[0].level = HostileText();
    test.attempts = {{Verdict::kInconclusive, HostileText(), 1s, "tests/x.attempt-1"}};
    test.tags = test.needs = {HostileText()};
  }
  run.tests[1].departure = HostileText();
  run.tests[0].surprise = HostileText();
  return run;
}

}  // namespace sockproof
