// Runs one test in this process: GoogleTest asserts, this file turns what happened into a verdict.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <time.h>

#include <optional>
#include <utility>

#include "harness/agent_protocol/capabilities.h"
#include "harness/base/errors.h"
#include "harness/claims/missing.h"
#include "harness/test/context.h"
#include "harness/test/registry.h"

namespace sockproof {
namespace {

TestContext* g_current = nullptr;

// GoogleTest's failures become events at once, so that a crash afterwards loses none.
class FailuresToLog : public testing::EmptyTestEventListener {
 public:
  explicit FailuresToLog(EventLog& log) : log_(log) {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::string text = result.message();
    if (text.starts_with(kNothingSaid)) text.erase(0, kNothingSaid.size());
    log_.Now(FailureEvent{result.file_name() == nullptr ? "" : result.file_name(),
                          result.line_number(), std::move(text)});
  }

 private:
  // The first line of a failure that is no failed comparison.
  static constexpr std::string_view kNothingSaid = "Failed\n";
  EventLog& log_;
};

struct Ending {
  Verdict verdict = Verdict::kPass;
  std::string reason;
  Duration worst_lateness{0};
};

// CLOCK_REALTIME against CLOCK_MONOTONIC.
Duration ClockOffset() {
  timespec monotonic{};
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return Clock::now().time_since_epoch() - std::chrono::seconds(monotonic.tv_sec) -
         Duration(monotonic.tv_nsec);
}

// A clock that is slewed (at most 500 ppm) does no harm; one that is stepped falsifies intervals.
bool ClockWasStepped(Duration offset_before, Time begin) {
  const Duration slewed = (Clock::now() - begin) / 1000 + 5ms;
  return std::chrono::abs(ClockOffset() - offset_before) > slewed;
}

class Body : public testing::Test {
 public:
  Body(const TestCase& test, System& system, EventLog& log, Ending& ending)
      : test_(test), system_(system), log_(log), ending_(ending) {}

  void TestBody() override {
    const Duration offset = ClockOffset();
    const Time begin = Clock::now();
    TestContext context(test_, system_, log_);
    try {
      Run(context);
    } catch (const Departure& departure) {
      Report(departure);
    } catch (const Skip& skip) {
      End(Verdict::kSkip, skip.what());
    } catch (const Inconclusive& inconclusive) {
      End(Verdict::kInconclusive, inconclusive.what());
    } catch (const std::exception& error) {
      End(Verdict::kError, error.what());
    }
    if (ending_.verdict == Verdict::kPass && HasFailure()) ending_.verdict = Verdict::kFail;
    if (ending_.verdict == Verdict::kError) BlameStackThatDied(context);
    Doubt(context, offset, begin);
    ending_.worst_lateness = context.loop().worst_lateness();
  }

 private:
  void End(Verdict verdict, const std::string& reason) {
    ending_.verdict = verdict;
    ending_.reason = reason;
  }

  void Report(const Departure& departure) {
    if (departure.what() == reported_) return;  // once is enough
    reported_ = departure.what();
    ADD_FAILURE_AT(departure.where().file, departure.where().line) << departure.what();
  }

  // What looks like a broken environment may be a stack that has crashed.
  void BlameStackThatDied(TestContext& context) {
    try {
      context.CheckAgentsAnswer();
    } catch (const Departure& departure) {
      End(Verdict::kFail, "");
      Report(departure);
    } catch (const std::exception&) {
      // The verdict says it already.
    }
  }

  void Run(TestContext& context) {
    const std::unique_ptr<sockproof::TestBody> body = test_.make();
    context.Ready();
    body->Run();
    if (!HasFailure()) body->CheckAfterwards();
  }

  // An answer about the system under test stands only if the harness was whole when it was given.
  void Doubt(TestContext& context, Duration offset, Time begin) {
    const bool failed = ending_.verdict == Verdict::kFail;
    if (!failed && ending_.verdict != Verdict::kPass) return;
    try {
      context.CheckCaptureIsWhole();
      if (failed) {
        context.NoteLatenessOfAgents();
        context.CheckAgentsAnswer();
      }
    } catch (const Departure& departure) {
      Report(departure);
    } catch (const std::exception& error) {
      End(Verdict::kError, error.what());
      return;
    }
    if (ClockWasStepped(offset, begin)) {
      End(Verdict::kInconclusive, "the system clock was stepped during the test");
    }
  }

  const TestCase& test_;
  System& system_;
  EventLog& log_;
  Ending& ending_;
  std::string reported_;  // the last departure
};

// Frames that this process sends stay in order only if they leave by one processor: each has its
// own queue of frames to be taken in.
void StayOnThisProcessor() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  if (sched_setaffinity(0, sizeof here, &here) != 0) ThrowErrno("sched_setaffinity");
}

Ending RunUnderGoogleTest(const TestCase& test, System& system, EventLog& log) {
  GetReadyToRunTest();
  testing::UnitTest::GetInstance()->listeners().Append(new FailuresToLog(log));

  Ending ending;
  testing::RegisterTest(test.suite.c_str(), test.name.c_str(), nullptr, nullptr, test.file.c_str(),
                        test.line,
                        [&]() -> testing::Test* { return new Body(test, system, log, ending); });
  if (RUN_ALL_TESTS() != 0 && ending.verdict == Verdict::kPass) ending.verdict = Verdict::kFail;
  return ending;
}

// Throws HarnessError for a capability that the agent declares and that does not work: tests would
// be judged that must be skipped.
void CheckDeclarations(Agent& agent) {
  const auto ask = [&agent](const std::string& method, const nlohmann::json& parameters) {
    try {
      const AgentReply reply = agent.Call(method, parameters, "");
      return reply.error != 0 ? nlohmann::json{{"errno", ErrnoName(reply.error)}}
                              : nlohmann::json{{"value", reply.value}};
    } catch (const Skip& refusal) {
      return nlohmann::json{{"error", {{"message", refusal.what()}}}};
    }
  };
  for (const agent_protocol::Capability& capability : agent_protocol::Capabilities()) {
    const std::string name(capability.name);
    if (!agent.Can(name)) continue;
    const std::string why_not = capability.why_not(ask);
    if (why_not.empty()) continue;
    throw HarnessError(fmt::format("the agent declares the capability {}, which does not work: {}",
                                   name, why_not));
  }
}

}  // namespace

TestContext::TestContext(const TestCase& test, System& system, EventLog& log)
    : test_(test),
      system_(system),
      log_(log),
      own_loop_(system.PreparedLoop() == nullptr ? std::make_unique<EventLoop>() : nullptr),
      loop_(own_loop_ ? *own_loop_ : *system.PreparedLoop()) {
  g_current = this;
}

TestContext::~TestContext() { g_current = nullptr; }

TestContext& TestContext::Current() {
  if (g_current == nullptr) throw HarnessError("no test is running");
  return *g_current;
}

Stack& TestContext::StartStack(const StackPlan& plan) {
  stacks_.push_back(system_.Start(loop_, log_, plan));
  for (const std::string& capability : test_.traits.needs) {
    if (!stacks_.back()->Can(capability)) {
      throw Skip(WhyNoCapability(capability, stacks_.back()->facts()));
    }
  }
  return *stacks_.back();
}

void TestContext::CheckCaptureIsWhole() {
  for (const auto& stack : stacks_) {
    const unsigned dropped = stack->wire().Dropped();
    if (dropped == 0) continue;
    throw HarnessError(fmt::format("{} frames from {} were lost on their way to the harness",
                                   dropped, stack->actor()));
  }
}

void TestContext::CheckAgentsAnswer() {
  for (const auto& stack : stacks_) {
    stack->agent().Call("ping", nlohmann::json::object(), "");
  }
}

void TestContext::Ready() {
  log_.Now(ReadyEvent{});
  loop_.ForgetLateness();
  for (const auto& stack : stacks_) {
    if (!stack->Can("virtual-time")) stack->agent().NoteWaits();  // else it waits for no one
  }
}

void TestContext::NoteLatenessOfAgents() {
  for (const auto& stack : stacks_) loop_.NoteLateness(stack->agent().WorstWait());
}

void GetReadyToRunTest() {
  static bool ready = false;
  if (std::exchange(ready, true)) return;
  StayOnThisProcessor();
  int argument_count = 1;
  char program[] = "sockproof";
  char* arguments[] = {program, nullptr};
  testing::InitGoogleMock(&argument_count, arguments);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
}

Verdict RunTest(const TestCase& test, System& system, EventLog& log) {
  Ending ending;
  try {
    system.EnterPrivateWorld();
    ending = RunUnderGoogleTest(test, system, log);
  } catch (const Skip& skip) {
    ending = {Verdict::kSkip, skip.what(), Duration(0)};
  } catch (const std::exception& error) {
    ending = {Verdict::kError, error.what(), Duration(0)};
  }
  log.Now(VerdictEvent{ending.verdict, ending.reason, ending.worst_lateness});
  return ending.verdict;
}

Facts ReadFacts(System& system) {
  system.EnterPrivateWorld();
  EventLoop loop;
  EventLog log(-1);
  const std::shared_ptr<Stack> stack = system.Start(loop, log, {"sut", 1, 0});
  CheckDeclarations(stack->agent());
  Facts facts = stack->facts();
  facts.Set("system", system.name());
  return facts;
}

}  // namespace sockproof
