// Runs one test in this process: GoogleTest asserts, this file turns what happened into a verdict.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "harness/agent_protocol/capabilities.h"
#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/claims/missing.h"
#include "harness/sut/agent_reply.h"
#include "harness/test/context.h"
#include "harness/test/registry.h"
#include "harness/trace/claim_verdict.h"

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
    const TestContext* const context = g_current;
    log_.Now(FailureEvent{result.file_name() == nullptr ? "" : result.file_name(),
                          result.line_number(), std::move(text),
                          context == nullptr ? "" : context->claim_being_decided(),
                          context == nullptr ? Duration(0) : g_current->TakeExplanation()});
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

// The failure that a test whose set-up failed tells as its reason; null when there is none.
const FailureEvent* FirstFailure(const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (const auto* failure = std::get_if<FailureEvent>(&event.what)) return failure;
  }
  return nullptr;
}

std::string NotReachedBecauseOf(const FailureEvent& failure) {
  return "precondition not reached: " + OnOneLine(failure.text);
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
      EndsUndecided(context, Verdict::kSkip, skip.what());
    } catch (const Inconclusive& inconclusive) {
      EndsUndecided(context, Verdict::kInconclusive, inconclusive.what());
    } catch (const std::exception& error) {
      End(Verdict::kError, error.what());
    }
    const bool went_wrong = ending_.verdict == Verdict::kError || ending_.verdict == Verdict::kSkip;
    if (went_wrong) BlameStackThatDied(context);
    if (ending_.verdict != Verdict::kError) Judge(context, ClockWasStepped(offset, begin));
    if (ending_.verdict == Verdict::kPass) TellIfNothingWasDecided(context);
    ending_.worst_lateness = context.loop().worst_lateness();
  }

 private:
  void End(Verdict verdict, const std::string& reason) {
    ending_.verdict = verdict;
    ending_.reason = reason;
  }

  void Fail() {
    if (!ending_.reason.empty()) log_.Now(NoteEvent{"the test ended early: " + ending_.reason});
    End(Verdict::kFail, "");
  }

  // The claim that was being decided is not, unless it has failed before.
  void EndsUndecided(TestContext& context, Verdict verdict, const std::string& reason) {
    End(verdict, reason);
    const std::string& claim = context.claim_being_decided();
    if (!claim.empty()) context.Tell(claim, Decision::kNotReached, reason);
  }

  // A case of a test that tells its claims apart may pass without a word about any.
  void TellIfNothingWasDecided(TestContext& context) {
    if (!context.TellsClaimsApart()) return;
    std::set<std::string> told;
    for (const Event& event : log_.events()) {
      const auto* decision = std::get_if<DecisionEvent>(&event.what);
      if (decision == nullptr) continue;
      if (decision->decision == Decision::kBegins) return;
      told.insert(decision->claim);
    }
    for (const std::string& claim : test_.traits.claims) {
      if (!told.contains(claim)) {
        context.Tell(claim, Decision::kNotReached, "nothing in this case decides it");
      }
    }
  }

  void Report(const Departure& departure) {
    if (departure.what() == reported_) return;  // once is enough
    reported_ = departure.what();
    g_current->ExplainNextFailure(departure.explained_by());
    ADD_FAILURE_AT(departure.where().file, departure.where().line) << departure.what();
  }

  void ReportCrash(const Departure& departure) {
    crashed_ = true;
    Report(departure);
  }

  // What looks like a broken environment, or a precondition that is not reached, may be a stack
  // that has crashed.
  void BlameStackThatDied(TestContext& context) {
    try {
      context.CheckAgentsAnswer();
    } catch (const Departure& departure) {
      End(Verdict::kPass, "");
      ReportCrash(departure);
    } catch (const std::exception&) {
      // The verdict says it already.
    }
  }

  void Run(TestContext& context) {
    const std::unique_ptr<sockproof::TestBody> body = test_.make();
    context.Ready();
    body->Run();
    if (HasFailure()) return;
    context.DecideAllClaims();
    body->CheckAfterwards();
  }

  // An answer about the system under test stands only if the harness was whole when it was given:
  // else this throws.
  void CheckHarness(TestContext& context) {
    context.CheckCaptureIsWhole();
    if (!HasFailure()) return;
    context.NoteLatenessOfAgents();
    try {
      context.CheckAgentsAnswer();
    } catch (const Departure& departure) {
      ReportCrash(departure);
    }
  }

  // A failure wins over whatever ended the test afterwards. One that lateness explains leaves
  // nothing known, and one of the set-up says that the test did not get to what it decides.
  void Judge(TestContext& context, bool clock_was_stepped) {
    if (ending_.verdict != Verdict::kPass && !HasFailure()) return;
    try {
      CheckHarness(context);
    } catch (const std::exception& error) {
      End(Verdict::kError, error.what());
      return;
    }
    // A step of the clock may be the whole of any interval.
    const Duration lateness = clock_was_stepped ? Duration::max() : context.loop().worst_lateness();
    const FailureEvent* explained = nullptr;
    if (crashed_) return Fail();
    for (const FailureEvent* failure :
         FailuresOfClaims(log_.events(), context.TellsClaimsApart())) {
      if (!IsExplainedBy(*failure, lateness)) return Fail();
      if (explained == nullptr) explained = failure;
    }
    const FailureEvent* const first = FirstFailure(log_.events());
    if (clock_was_stepped) {
      End(Verdict::kInconclusive, "the system clock was stepped during the test");
    } else if (first != nullptr && (explained != nullptr || IsExplainedBy(*first, lateness))) {
      const FailureEvent& late = explained != nullptr ? *explained : *first;
      End(Verdict::kInconclusive,
          fmt::format("{}; but a process of this test was served up to {} late, and {} explain it",
                      OnOneLine(late.text), FormatDuration(lateness),
                      FormatDuration(late.explained_by)));
    } else if (first != nullptr && ending_.verdict != Verdict::kInconclusive) {
      End(Verdict::kSkip, NotReachedBecauseOf(*first));
    }
  }

  const TestCase& test_;
  System& system_;
  EventLog& log_;
  Ending& ending_;
  std::string reported_;  // the last departure
  bool crashed_ = false;  // the stack under test
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

void TestContext::Decide(const std::string& claim) {
  CheckIsCited(claim);
  const bool is_first = !std::exchange(tells_claims_apart_, true);
  const FailureEvent* const failure = FirstFailure(log_.events());
  if (is_first && failure != nullptr) throw Skip(NotReachedBecauseOf(*failure));
  log_.Now(DecisionEvent{claim, Decision::kBegins, ""});
  claim_being_decided_ = claim;
}

void TestContext::Tell(const std::string& claim, Decision decision, const std::string& why) {
  CheckIsCited(claim);
  log_.Now(DecisionEvent{claim, decision, why});
}

void TestContext::CheckIsCited(const std::string& claim) const {
  const std::vector<std::string>& cited = test_.traits.claims;
  if (std::find(cited.begin(), cited.end(), claim) == cited.end()) {
    throw HarnessError(fmt::format("{} decides {}, which it does not cite", test_.id(), claim));
  }
}

Stack& TestContext::StartStack(const StackPlan& plan) {
  if (plan.wired && !system_.has_wire()) {
    throw Skip("no wire leads to this system (--wire), and the test needs one");
  }
  stacks_.push_back(system_.Start(loop_, log_, plan));
  for (const std::string& capability : test_.traits.needs) {
    if (!stacks_.back()->Can(capability)) {
      throw Skip(WhyNoCapability(capability, stacks_.back()->facts()));
    }
  }
  return *stacks_.back();
}

std::size_t RunningRow() { return TestContext::Current().test().variant.row; }

void TestContext::CheckCaptureIsWhole() {
  for (const auto& stack : stacks_) {
    if (!stack->has_wire()) continue;
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
    if (const std::string mistake = MistakeIn(test); !mistake.empty()) throw HarnessError(mistake);
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
  const std::shared_ptr<Stack> stack = system.Start(loop, log, {"sut", 1, 0, system.has_wire()});
  CheckDeclarations(stack->agent());
  Facts facts = stack->facts();
  facts.Set("system", system.name());
  return facts;
}

}  // namespace sockproof
