// What a running test stands on. There is one test a process, hence one context.
#pragma once

#include <memory>
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
  const TestCase& test_;
  System& system_;
  EventLog& log_;
  std::unique_ptr<EventLoop> own_loop_;  // none when the system has a prepared one
  EventLoop& loop_;
  std::vector<std::shared_ptr<Stack>> stacks_;
};

}  // namespace sockproof
