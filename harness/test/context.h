// What a running test stands on. There is one test a process, hence one context.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/sut/stack.h"
#include "harness/sut/system.h"
#include "harness/test/registry.h"
#include "harness/trace/event_log.h"

namespace sockproof {

// Made by RunTest(); the loop and every stack started live as long as it does. Not thread-safe.
class TestContext {
 public:
  TestContext(const TestCase& test, System& system, EventLog& log);
  ~TestContext();
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  // The context of the running test. Throws HarnessError when none runs.
  static TestContext& Current();

  const TestCase& test() const { return test_; }
  EventLoop& loop() { return loop_; }
  EventLog& log() { return log_; }

  // The test says that the expectations from here on decide this claim, one that it cites. Throws
  // Skip when an expectation of its set-up, up to the first of these, has failed.
  void Decide(const std::string& claim);
  // The test says something else of a claim that it cites.
  void Tell(const std::string& claim, Decision decision, const std::string& why);
  // What fails from here on condemns all claims of the test.
  void DecideAllClaims() { claim_being_decided_.clear(); }
  // Empty: none, or all.
  const std::string& claim_being_decided() const { return claim_being_decided_; }
  // Whether the test tells its claims apart, as far as is known.
  bool TellsClaimsApart() const { return tells_claims_apart_ || test_.Decides(); }

  // The failure that is about to be reported may come from a process that was served so late.
  void ExplainNextFailure(Duration lateness) { explains_next_failure_ = lateness; }
  Duration TakeExplanation() { return std::exchange(explains_next_failure_, Duration(0)); }

  // Throws Skip when the stack lacks something that the test needs.
  Stack& StartStack(const StackPlan& plan);

  // Throws HarnessError when frames were lost on their way into this process.
  void CheckCaptureIsWhole();

  // Throws HarnessError when an agent has died: its end closes sockets, which on the wire looks
  // like something the system under test does. Throws Departure when its stack has died with it.
  void CheckAgentsAnswer();

  // Set-up is over: what was late so far did no harm.
  void Ready();

  // Notes in the loop how long the agents had to wait for a processor since then.
  void NoteLatenessOfAgents();

 private:
  // Throws HarnessError for a claim that the test does not cite.
  void CheckIsCited(const std::string& claim) const;

  const TestCase& test_;
  System& system_;
  EventLog& log_;
  std::unique_ptr<EventLoop> own_loop_;  // none when the system has a prepared one
  EventLoop& loop_;
  std::vector<std::shared_ptr<Stack>> stacks_;
  std::string claim_being_decided_;
  bool tells_claims_apart_ = false;
  Duration explains_next_failure_{0};
};

}  // namespace sockproof
