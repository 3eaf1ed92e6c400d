// Which tests there are. Filled by the macros of harness/test/test.h before main(), and by parts of
// the program that make tests from files.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "harness/base/time.h"
#include "harness/claims/facts.h"
#include "harness/net/ip.h"
#include "harness/test/variant.h"
#include "harness/trace/event_log.h"
#include "harness/trace/verdict.h"

namespace sockproof {

class System;

// How long a test waits: a duration, or what computes it from the facts of a system.
class Lasts {
 public:
  using Computed = Duration (*)(const Facts&);

  constexpr Lasts() = default;  // it waits for nothing
  template <typename T>
    requires std::is_convertible_v<T, Computed>
  constexpr Lasts(T computed) : computed_(computed) {}  // NOLINT: `.lasts = LinuxTimeWait`
  template <typename T>
    requires std::is_convertible_v<T, Duration>
  constexpr Lasts(T duration) : fixed_(duration) {}  // NOLINT: `.lasts = 2s`

  bool waits() const { return computed_ != nullptr || fixed_ != Duration(0); }
  Duration On(const Facts& facts) const { return computed_ != nullptr ? computed_(facts) : fixed_; }

 private:
  Computed computed_ = nullptr;
  Duration fixed_{0};
};

// What the author of a test says about it, with designated initialisers:
//   .claims = {"rfc9293:3.5-third-segment", "notes:O3"}, .lasts = &TimeWait
struct TestTraits {
  // Ids of the claims that the test checks (harness/claims/catalogue); at least one.
  std::initializer_list<const char*> claims;
  // Capabilities without which the test is a SKIP, e.g. {"sysctl", "states"}.
  std::initializer_list<const char*> needs;
  // How long the test waits, in the time of the system under test. Left out for a test that waits
  // for nothing. Used to plan and to list, never to judge.
  Lasts lasts;
  // What it is run over (harness/test/variant.h): a case for each of these families, and of `rows`.
  std::span<const Family> over = kBothIpVersions;
  // Why the test does not run on the other version; empty: it runs on both.
  const char* ipv4_only_because = "";
  const char* ipv6_only_because = "";
  Rows rows;
};

// A test as it runs. The testbeds of test.h derive from it; their constructors set up the world.
class TestBody {
 public:
  virtual ~TestBody() = default;
  virtual void Run() = 0;
  // What must hold when Run() has returned without a failure. Throws Departure.
  virtual void CheckAfterwards() {}
};

// One case of a test: the test over one family, one row.
struct TestCase {
  std::string suite;  // "HalfClose"
  std::string name;   // "DataStillFlowsToTheSideThatSentItsFin"
  Variant variant;
  struct {  // as in TestTraits
    std::vector<std::string> claims;
    std::vector<std::string> needs;
    Lasts lasts;
    std::string ipv4_only_because;
    std::string ipv6_only_because;
  } traits;
  std::string file;
  int line = 0;
  std::function<std::unique_ptr<TestBody>()> make;
  // Whether its body tells its claims apart by Deciding(): what comes before is set-up.
  bool (*decides)() = nullptr;
  // Whether it is a user's and no part of the suites: then it may cite what no catalogue has.
  bool of_user = false;

  bool Decides() const { return decides != nullptr && decides(); }
  // "HalfClose.DataStillFlowsToTheSideThatSentItsFin/ipv4": stable, unique.
  std::string id() const;
  // The id without what tells its cases apart.
  std::string test() const { return suite + "." + name; }
  Duration LastsOn(const Facts& facts) const { return traits.lasts.On(facts); }
};

// A test as the macros declare it: a constant, so that nothing is built before main().
struct DeclaredTest {
  const char* suite;
  const char* name;
  const char* file;
  int line;
  TestTraits traits;
  std::unique_ptr<TestBody> (*make)();
  bool (*decides)();
};

// Called by the macros before main(). `test` must live as long as the program.
bool RegisterTest(const DeclaredTest& test);

// Adds a case that is made while the program runs, from a file for instance. Before the first
// AllTests(): throws HarnessError afterwards, when others hold what that gave, and for an id that
// is there already.
void AddTest(TestCase test);

// What is wrong with the test itself, whatever system it runs on, as the reason of an ERROR: it
// cites no claim, or one that is not in the catalogue, or needs a capability that nobody knows.
// Empty: nothing is.
std::string MistakeIn(const TestCase& test);

// All test cases, sorted by suite, then by place in the file, then as their test names its rows and
// families: ipv4 before ipv6.
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
