// Which tests there are. Filled by the macros of harness/test/test.h before main().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/claims/facts.h"
#include "harness/net/ip.h"
#include "harness/trace/event_log.h"
#include "harness/trace/verdict.h"

namespace sockproof {

class System;

// What the author of a test says about it, with designated initialisers:
//   .claims = {"rfc9293:3.5-third-segment", "notes:O3"}, .lasts = &TimeWait
struct TestTraits {
  // Ids of the claims that the test checks (harness/claims/catalogue); at least one.
  std::vector<std::string> claims;
  // Capabilities without which the test is a SKIP, e.g. {"sysctl", "states"}.
  std::vector<std::string> needs;
  // How long the test waits, in the time of the system under test, from that system's facts. Left
  // out for a test that waits for nothing. Used to plan and to list, never to judge.
  Duration (*lasts)(const Facts&) = nullptr;
  // Why the test does not run on the other version; empty: it runs on both.
  std::string ipv4_only_because;
  std::string ipv6_only_because;
};

// A test as it runs. The testbeds of test.h derive from it; their constructors set up the world.
class TestBody {
 public:
  virtual ~TestBody() = default;
  virtual void Run() = 0;
  // What must hold when Run() has returned without a failure. Throws Departure.
  virtual void CheckAfterwards() {}
};

// One test on one IP version.
struct TestCase {
  std::string suite;  // "HalfClose"
  std::string name;   // "DataStillFlowsToTheSideThatSentItsFin"
  IpVersion ip = IpVersion::kIpv4;
  TestTraits traits;
  std::string file;
  int line = 0;
  std::function<std::unique_ptr<TestBody>()> make;
  // Whether its body tells its claims apart by Deciding(): what comes before is set-up.
  bool (*decides)() = nullptr;

  bool Decides() const { return decides != nullptr && decides(); }
  // "HalfClose.DataStillFlowsToTheSideThatSentItsFin/ipv4": stable, unique.
  std::string id() const;
  Duration LastsOn(const Facts& facts) const;
};

// Adds a test, once for each IP version that its traits allow. Called by the macros before main().
bool RegisterTest(std::string suite, std::string name, const char* file, int line,
                  TestTraits traits, std::function<std::unique_ptr<TestBody>()> make,
                  bool (*decides)() = nullptr);

// What is wrong with the test itself, whatever system it runs on, as the reason of an ERROR: it
// cites no claim, or one that is not in the catalogue, or needs a capability that nobody knows.
// Empty: nothing is.
std::string MistakeIn(const TestCase& test);

// All test cases, sorted by suite, then by place in the file, ipv4 before ipv6.
const std::vector<TestCase>& AllTests();

// Does now what RunTest() otherwise does first, for processes that run none before they know which.
void GetReadyToRunTest();

// Runs one test in this process, which must be single-threaded and is good for nothing else
// afterwards: enters private namespaces, starts what the test needs, runs it, logs every event to
// `log` (the last one a VerdictEvent) and returns the verdict. Never throws.
Verdict RunTest(const TestCase& test, System& system, EventLog& log);

// Reads the facts of a system: starts one stack in this process (same conditions) and asks it.
// Throws HarnessError with what is missing and what would mend it.
Facts ReadFacts(System& system);

}  // namespace sockproof
