// How made-up tests end: which verdict, and what of each claim. Each runs in a process of its own,
// this program once more, and tells its events on standard output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "harness/sut/wired_namespace.h"
#include "harness/test/context.h"
#include "harness/test/matrix.h"
#include "harness/test/test.h"
#include "harness/trace/claim_verdict.h"

namespace sockproof {
namespace {

#define ONE "rfc9293:3.5-first-segment"
#define TWO "rfc9293:3.6-close-fin"
#define THREE "notes:C3"

// Needs no system.
class Bare : public TestBody {
 protected:
  static void BeLateBy(Duration lateness) { TestContext::Current().loop().NoteLateness(lateness); }
};

#define MADE_UP(name, ...) TEST_WITH(Bare, MadeUp, name, __VA_ARGS__)

MADE_UP(Passes, .claims = {ONE, TWO}) {}
MADE_UP(Fails, .claims = {ONE, TWO}) { EXPECT_EQ(1, 2); }
MADE_UP(FailsInASection, .claims = {ONE, TWO, THREE}) {
  Deciding(ONE);
  Deciding(TWO);
  EXPECT_EQ(1, 2);
  Deciding(THREE);
}
MADE_UP(DepartsInASection, .claims = {ONE, TWO}) {
  Deciding(ONE);
  throw Departure("Observed: nothing", SourceLocation::Current());
}
MADE_UP(FailsInItsSetUp, .claims = {ONE, TWO}) {
  EXPECT_EQ(1, 2) << "no connection";
  Deciding(ONE);
  Deciding(TWO);
}
MADE_UP(DepartsInItsSetUp, .claims = {ONE, TWO}) {
  if (getpid() > 0)
    throw Departure("  Expected: SYN\n  Observed: nothing", SourceLocation::Current());
  Deciding(ONE);
  Deciding(TWO);
}
MADE_UP(AssertsInItsSetUp, .claims = {ONE, TWO}) {
  ASSERT_EQ(1, 2);
  Deciding(ONE);
  Deciding(TWO);
}
MADE_UP(SkipsAfterAFailure, .claims = {ONE}) {
  EXPECT_EQ(1, 2);
  throw Skip("no such option");
}
MADE_UP(IsInconclusiveAfterAFailure, .claims = {ONE}) {
  EXPECT_EQ(1, 2);
  throw Inconclusive("too slow");
}
MADE_UP(SkipsInItsSecondSection, .claims = {ONE, TWO, THREE}) {
  Deciding(ONE);
  Deciding(TWO);
  NotReached("no option");
}
MADE_UP(FailsThenSkips, .claims = {ONE, TWO, THREE}) {
  Deciding(ONE);
  EXPECT_EQ(1, 2);
  Deciding(TWO);
  NotReached("no option");
}
MADE_UP(DecidesNothingInThisCase, .claims = {ONE, TWO}) {
  if (getpid() < 0) Deciding(ONE);
}
MADE_UP(IsNotTaken, .claims = {ONE, TWO}) {
  Deciding(ONE);
  NotTaken(TWO, "it waits");
}
MADE_UP(DecidesWhatItDoesNotCite, .claims = {ONE}) { Deciding(TWO); }
MADE_UP(TellsWhatItDoesNotCite, .claims = {ONE}) { NotTaken(TWO, "it waits"); }
MADE_UP(CitesNothing) {}
MADE_UP(CitesWhatDoesNotExist, .claims = {"rfc9293:3.5-frist-segment"}) {}
MADE_UP(NeedsWhatNobodyHas, .claims = {ONE}, .needs = {"telepathy"}) {}

// --- lateness: a wrong value stands, what did not come in time may be explained ---

MADE_UP(IsWrongAndLate, .claims = {ONE}) {
  BeLateBy(10s);
  EXPECT_EQ(1, 2);
}
MADE_UP(MissesAndIsLate, .claims = {ONE}) {
  BeLateBy(600ms);
  throw Departure("  Expected: FIN within 5 s\n  Observed: nothing", SourceLocation::Current(),
                  ThatExplainsAbsence(5s));
}
MADE_UP(MissesAndIsHardlyLate, .claims = {ONE}) {
  BeLateBy(400ms);
  throw Departure("  Expected: FIN within 5 s\n  Observed: nothing", SourceLocation::Current(),
                  ThatExplainsAbsence(5s));
}
MADE_UP(TimerIsOffByLessThanItWasLate, .claims = {ONE}) {
  BeLateBy(500ms);
  EXPECT_THAT(Duration(1500ms), FiresAfter(1s));  // at most 1.135 s
}
MADE_UP(TimerIsOffByMore, .claims = {ONE}) {
  BeLateBy(300ms);
  EXPECT_THAT(Duration(1500ms), FiresAfter(1s));
}
MADE_UP(IntervalIsOffByLess, .claims = {ONE}) {
  BeLateBy(100ms);
  EXPECT_THAT(Duration(550ms), LastsAtMost(500ms));
  EXPECT_THAT(Duration(950ms), LastsAtLeast(1s));
}
MADE_UP(IntervalIsOffAndAValueIsWrong, .claims = {ONE}) {
  BeLateBy(100ms);
  EXPECT_THAT(Duration(550ms), LastsAtMost(500ms));
  EXPECT_EQ(1, 2);
}
MADE_UP(SetUpIsLate, .claims = {ONE, TWO}) {
  BeLateBy(600ms);
  if (getpid() > 0) {
    throw Departure("Observed: nothing", SourceLocation::Current(), ThatExplainsAbsence(5s));
  }
  Deciding(ONE);
}

// --- on a system that shows no states ---

TEST_WITH_PEER(MadeUp, ExpectsAStateByTheWay, .claims = {ONE}) {
  const Connection connection = InState(TcpState::kEstablished);
  ExpectStateIfShown(TcpState::kEstablished, connection);
}
TEST_WITH_PEER(MadeUp, IsAboutStates, .claims = {ONE}, .needs = {"states"}) {
  ExpectState(TcpState::kEstablished, Connected());
}
TEST_WITH_PEER(MadeUp, MisspellsAnOption, .claims = {ONE}) {
  sut.NewSocket(ip).GetOption("SO_RCVLOWATT");
}
TEST_WITH_PEER(MadeUp, MisspellsADirection, .claims = {ONE}) {
  sut.NewSocket(ip).Shutdown("SHUT_WRITE");
}
TEST_WITH_PEER(MadeUp, MisspellsAnEvent, .claims = {ONE}) { sut.NewSocket(ip).Poll({"POLLINN"}); }
TEST_WITH_PEER(MadeUp, MisspellsAFlag, .claims = {ONE}) {
  sut.NewSocket(ip).Send("x", {"MSG_NOSIGNALS"});
}
TEST_WITH_PEER(MadeUp, MisspellsAField, .claims = {ONE}) { sut.NewSocket(ip).Info("rtto"); }
TEST_WITH_PEER(MadeUp, MisspellsACounter, .claims = {ONE}) { sut.Counter("TcpExt.ListenDrop"); }
TEST_WITH_PEER(MadeUp, MisspellsASysctl, .claims = {ONE}) {
  sut.SetSysctl("net.ipv4.tcp_syn_retry", 2);
}
TEST_WITH_PEER(MadeUp, BlocksForEver, .claims = {ONE}) {
  auto [socket, peer] = Connected();
  socket.Receive(1);
}
TEST_WITH_PEER(MadeUp, StillBlocks, .claims = {ONE}) {
  auto [socket, peer] = Connected();
  Pending<std::string> receiving = socket.StartReceive(1);
  ExpectStillBlocked(receiving);
  peer.Send(Data("x"));
  ExpectStillBlocked(receiving);
}

// --- what tests run over ---

TEST_WITH_SOCKETS(MadeUp, HasLoopbackAlone, .claims = {ONE}) {
  const IpAddress loopback(family.ip == IpVersion::kIpv4 ? "127.0.0.1" : "::1");
  Socket listener = sut.NewSocket(*family.ip);
  listener.Bind(Endpoint{loopback, 0}).value();
  listener.Listen(1).value();
  Socket client = sut.NewSocket(*family.ip);
  EXPECT_THAT(client.Connect(listener.LocalEndpoint()), Succeeds());
  EXPECT_FALSE(sut.has_wire());
}
TEST_WITH_SOCKETS(MadeUp, RunsOverUnix, .claims = {ONE}, .over = kEachUnixType) {}
TEST_WITH_PEER(MadeUp, RunsOverUnixOnAWire, .claims = {ONE}, .over = kEachUnixType) {}
TEST_WITH_SOCKETS(MadeUp, RunsOnce, .claims = {ONE}, .lasts = 2s, .over = kOnce) {}
struct Fruit {
  const char* name;
  int weight;
};
constexpr Fruit kFruits[] = {{"apple", 3}, {"melon", 9}};
MADE_UP(HasRows, .claims = {ONE}, .rows = kFruits) {
  EXPECT_EQ(RowOf(kFruits).weight, 9);
}
MADE_UP(HasRowsAndOneVersion, .claims = {ONE}, .ipv6_only_because = "so", .rows = kFruits) {}

// --- matrices ---

void CheckSums(int wrong, int skipped = 0) {
  Matrix matrix({"first", "second"});
  for (int first = 0; first < 4; ++first) {
    for (int second = 0; second < 5; ++second) {
      matrix.Check({std::to_string(first), std::to_string(second)}, [&](Cell& cell) {
        if (first * 5 + second < skipped) throw Skip("no such number");
        const bool off = second == 4 && first < wrong;
        cell.Expect(first + second + (off ? 1 : 0), testing::Eq(first + second));
      });
    }
  }
}
MADE_UP(AgreesInEachCell, .claims = {ONE}) { CheckSums(0); }
MADE_UP(DisagreesInTwoCells, .claims = {ONE}) { CheckSums(2); }
MADE_UP(HasNoNumbers, .claims = {ONE}) { CheckSums(0, 20); }
MADE_UP(HasSomeNumbers, .claims = {ONE}) { CheckSums(0, 7); }
MADE_UP(DisagreesForOneClaim, .claims = {ONE, TWO}) {
  Deciding(ONE);
  CheckSums(1);
  Deciding(TWO);
}
MADE_UP(ChecksACellTwice, .claims = {ONE}) {
  Matrix matrix({"one"});
  for (int i = 0; i < 2; ++i) matrix.Check({"a"}, [](Cell& cell) { cell.Expect(1, 1); });
}
TEST_WITH_SOCKETS(MadeUp, CallsInCells, .claims = {ONE}, .over = kOnce) {
  Matrix matrix({"option", "value"});
  for (const char* option : {"SO_KEEPALIVE", "SO_REUSEADDR"}) {
    for (int value = 0; value < 20; ++value) {
      matrix.Check({option, std::to_string(value)}, [&](Cell& cell) {
        Socket socket = sut.NewSocket(IpVersion::kIpv4);
        cell.Expect(socket.SetOption(option, value), HasErrno(0));
        if (value == 9) cell.Expect(socket.GetOption(option), Returns(7));
      });
    }
  }
}

// --- running them ---

class Nowhere : public System {
 public:
  std::string name() const override { return "nowhere"; }
  void EnterPrivateWorld() override {}
  std::shared_ptr<Stack> Start(EventLoop&, EventLog&, const StackPlan&) override {
    throw HarnessError("there is no such system");
  }
};

// This kernel, behind an agent that shows no sockets, and without inet_diag.
class Blind : public System {
 public:
  std::string name() const override { return "blind"; }
  void EnterPrivateWorld() override { EnterPrivateWorldOfWires(); }
  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    WiredNamespace made = MakeWiredNamespace(loop, plan, Answering::kKernel);
    Stack::Parts parts;
    parts.plan = plan;
    parts.wire = std::move(made.port);
    parts.agent = Agent::Spawn(
        loop, log, plan.actor,
        {"/bin/sh",
         {"-c", std::string(SOCKPROOF_AGENT_PROGRAM) + " | sed -u 's/\"tcp_sockets\",//'"},
         EnterBeforeExec(*made.space)});
    parts.world = std::move(made.space);
    return std::make_shared<Stack>(loop, log, std::move(parts));
  }
};

// The same, with loopback alone.
class Wireless : public System {
 public:
  std::string name() const override { return "wireless"; }
  void EnterPrivateWorld() override { host_->EnterPrivateWorld(); }
  bool has_wire() const override { return false; }
  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    return host_->Start(loop, log, plan);
  }

 private:
  std::unique_ptr<System> host_ = MakeHostSystem(SOCKPROOF_AGENT_PROGRAM);
};

// `name` is what follows the suite in an id, "/ipv4" where nothing does, and then "@" or "~".
bool Means(std::string name, const TestCase& test) {
  if (name.ends_with('@') || name.ends_with('~')) name.pop_back();
  if (name.find('/') == std::string::npos) name += "/ipv4";
  if (name.ends_with('/')) name.pop_back();
  return test.id() == "MadeUp." + name;
}

int RunMadeUp(const std::string& name) {
  testing::GTEST_FLAG(filter) = "MadeUp.*";
  Nowhere nowhere;
  Blind blind;
  Wireless wireless;
  System* system = &nowhere;
  if (name.ends_with('@')) system = &blind;
  if (name.ends_with('~')) system = &wireless;
  for (const TestCase& test : AllTests()) {
    if (!Means(name, test)) continue;
    EventLog log(STDOUT_FILENO);
    RunTest(test, *system, log);
    return 0;
  }
  return 1;
}

struct Ended {
  std::vector<CellEvent> cells;
  int calls = 0;
  Verdict verdict = Verdict::kError;
  std::string reason;
  std::vector<std::string> claims;
  std::vector<FailureEvent> failures;
  std::string notes;
};

// A name with "@" at its end: on the system that shows no states; with "~": on one without wire.
Ended EndOf(const std::string& name) {
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  const std::string command =
      std::string(program, static_cast<std::size_t>(std::max<ssize_t>(length, 0))) + " --run " +
      name;
  FILE* const output = popen(command.c_str(), "r");
  std::vector<Event> events;
  char* line = nullptr;
  std::size_t size = 0;
  while (getline(&line, &size, output) > 0) {
    if (*line == '{') events.push_back(nlohmann::json::parse(line).get<Event>());
  }
  free(line);
  pclose(output);

  Ended ended;
  for (const TestCase& candidate : AllTests()) {
    if (!Means(name, candidate)) continue;
    for (const DecidedClaim& claim : DecideClaims(candidate.traits.claims, events)) {
      ended.claims.emplace_back(ClaimVerdictName(claim.verdict));
    }
  }
  for (const Event& event : events) {
    if (const auto* verdict = std::get_if<VerdictEvent>(&event.what)) {
      ended.verdict = verdict->verdict;
      ended.reason = verdict->reason;
    } else if (const auto* failure = std::get_if<FailureEvent>(&event.what)) {
      ended.failures.push_back(*failure);
    } else if (const auto* cell = std::get_if<CellEvent>(&event.what)) {
      ended.cells.push_back(*cell);
    } else if (std::holds_alternative<CallEvent>(event.what)) {
      ++ended.calls;
    } else if (const auto* note = std::get_if<NoteEvent>(&event.what)) {
      ended.notes += note->text + "\n";
    }
  }
  return ended;
}

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Language, WithoutSectionsAllClaimsShareTheFateOfTheTest) {
  EXPECT_EQ(EndOf("Passes").verdict, Verdict::kPass);
  EXPECT_THAT(EndOf("Passes").claims, ElementsAre("held", "held"));
  EXPECT_EQ(EndOf("Fails").verdict, Verdict::kFail);
  EXPECT_THAT(EndOf("Fails").claims, ElementsAre("departed", "departed"));
}

TEST(Language, AFailureCondemnsTheClaimBeingDecided) {
  const Ended fails = EndOf("FailsInASection");
  EXPECT_EQ(fails.verdict, Verdict::kFail);
  EXPECT_THAT(fails.claims, ElementsAre("held", "departed", "held"));
  EXPECT_EQ(fails.failures.at(0).claim, TWO);
  EXPECT_THAT(EndOf("DepartsInASection").claims, ElementsAre("departed", "not reached"));
}

TEST(Language, ASetUpThatFailsReachesNoClaim) {
  for (const char* name : {"FailsInItsSetUp", "DepartsInItsSetUp", "AssertsInItsSetUp"}) {
    const Ended ended = EndOf(name);
    EXPECT_EQ(ended.verdict, Verdict::kSkip) << name;
    EXPECT_THAT(ended.reason, HasSubstr("precondition not reached: ")) << name;
    EXPECT_THAT(ended.claims, Each("not reached")) << name;
  }
  EXPECT_THAT(EndOf("FailsInItsSetUp").reason, HasSubstr("no connection"));
  EXPECT_EQ(EndOf("DepartsInItsSetUp").reason,
            "precondition not reached: Expected: SYN Observed: nothing");
}

TEST(Language, AFailureWinsOverWhateverEndsTheTestAfterwards) {
  for (const char* name : {"SkipsAfterAFailure", "IsInconclusiveAfterAFailure"}) {
    const Ended ended = EndOf(name);
    EXPECT_EQ(ended.verdict, Verdict::kFail) << name;
    EXPECT_THAT(ended.claims, ElementsAre("departed")) << name;
    EXPECT_THAT(ended.notes, HasSubstr("the test ended early: ")) << name;
  }
}

TEST(Language, WhatWasDecidedBeforeASkipStands) {
  const Ended skips = EndOf("SkipsInItsSecondSection");
  EXPECT_EQ(skips.verdict, Verdict::kSkip);
  EXPECT_EQ(skips.reason, "precondition not reached: no option");
  EXPECT_THAT(skips.claims, ElementsAre("held", "not reached", "not reached"));
  const Ended fails = EndOf("FailsThenSkips");
  EXPECT_EQ(fails.verdict, Verdict::kFail);
  EXPECT_THAT(fails.claims, ElementsAre("departed", "not reached", "not reached"));
}

TEST(Language, AClaimMayBeNotTaken) {
  EXPECT_EQ(EndOf("IsNotTaken").verdict, Verdict::kPass);
  EXPECT_THAT(EndOf("IsNotTaken").claims, ElementsAre("held", "not taken"));
}

TEST(Language, ACaseThatDecidesNothingHoldsNothing) {
  EXPECT_EQ(EndOf("DecidesNothingInThisCase").verdict, Verdict::kPass);
  EXPECT_THAT(EndOf("DecidesNothingInThisCase").claims, ElementsAre("not reached", "not reached"));
}

TEST(Language, MistakesOfATestAreErrorsThatNameIt) {
  for (const auto& [name, what] :
       {std::pair("DecidesWhatItDoesNotCite", "decides " TWO ", which it does not cite"),
        {"TellsWhatItDoesNotCite", "decides " TWO ", which it does not cite"},
        {"CitesNothing", "MadeUp.CitesNothing/ipv4 cites no claim"},
        {"CitesWhatDoesNotExist", "cites rfc9293:3.5-frist-segment, which is no claim"},
        {"NeedsWhatNobodyHas", "needs telepathy, which is no capability"},
        {"MisspellsAnOption@", "no table knows the option SO_RCVLOWATT"},
        {"MisspellsADirection@", "no table knows the direction SHUT_WRITE"},
        {"MisspellsAnEvent@", "no table knows the event POLLINN"},
        {"MisspellsAFlag@", "no table knows the flag MSG_NOSIGNALS"},
        {"MisspellsAField@", "no table knows the field rtto of TCP_INFO"},
        {"MisspellsACounter@", "no table knows the counter TcpExt.ListenDrop"},
        {"MisspellsASysctl@", "no table knows the sysctl net.ipv4.tcp_syn_retry"}}) {
    const Ended ended = EndOf(name);
    EXPECT_EQ(ended.verdict, Verdict::kError) << name;
    EXPECT_THAT(ended.reason, HasSubstr(what)) << name;
    EXPECT_THAT(ended.claims, Each("undecided")) << name;
  }
}

TEST(Language, LatenessExplainsOnlyWhatTimeCanExplain) {
  EXPECT_EQ(EndOf("IsWrongAndLate").verdict, Verdict::kFail);
  EXPECT_EQ(EndOf("MissesAndIsHardlyLate").verdict, Verdict::kFail);
  EXPECT_EQ(EndOf("TimerIsOffByMore").verdict, Verdict::kFail);
  EXPECT_EQ(EndOf("IntervalIsOffAndAValueIsWrong").verdict, Verdict::kFail);
  for (const char* name :
       {"MissesAndIsLate", "TimerIsOffByLessThanItWasLate", "IntervalIsOffByLess", "SetUpIsLate"}) {
    EXPECT_EQ(EndOf(name).verdict, Verdict::kInconclusive) << name;
    EXPECT_THAT(EndOf(name).claims, Each("undecided")) << name;
  }
  EXPECT_THAT(EndOf("MissesAndIsLate").reason,
              HasSubstr("Expected: FIN within 5 s Observed: nothing; but a process of this test"));
}

TEST(Language, AStateThatASystemCannotShowIsAnExtra) {
  const Ended by_the_way = EndOf("ExpectsAStateByTheWay@");
  EXPECT_EQ(by_the_way.verdict, Verdict::kPass) << by_the_way.reason;
  EXPECT_THAT(by_the_way.notes, HasSubstr("not shown: the state, which is to be ESTABLISHED"));
  const Ended about_states = EndOf("IsAboutStates@");
  EXPECT_EQ(about_states.verdict, Verdict::kSkip);
  EXPECT_THAT(about_states.reason, HasSubstr("lacks the capability states"));
}

TEST(Language, ACallThatNeverReturnsFailsAtTheLineOfTheTest) {
  const Ended ended = EndOf("BlocksForEver@");
  EXPECT_EQ(ended.verdict, Verdict::kFail);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_THAT(ended.failures[0].file, HasSubstr("language_test.cc"));
}

TEST(Language, ThatACallStillBlocksIsProved) {
  const Ended ended = EndOf("StillBlocks@");
  EXPECT_EQ(ended.verdict, Verdict::kFail);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("still blocks"));
}

std::vector<std::string> CasesOf(const std::string& test) {
  std::vector<std::string> names;
  for (const TestCase& candidate : AllTests()) {
    if (candidate.name == test) names.push_back(candidate.variant.name);
  }
  return names;
}

TEST(Variants, AreTheCasesOfATestInTheOrderOfItsTables) {
  EXPECT_THAT(CasesOf("Passes"), ElementsAre("ipv4", "ipv6"));
  EXPECT_THAT(CasesOf("RunsOverUnix"),
              ElementsAre("unix-stream", "unix-datagram", "unix-seqpacket"));
  EXPECT_THAT(CasesOf("RunsOnce"), ElementsAre(""));
  EXPECT_THAT(CasesOf("HasRows"),
              ElementsAre("apple/ipv4", "apple/ipv6", "melon/ipv4", "melon/ipv6"));
  EXPECT_THAT(CasesOf("HasRowsAndOneVersion"), ElementsAre("apple/ipv6", "melon/ipv6"));
}

TEST(Variants, ATestGetsTheRowOfItsCase) {
  EXPECT_EQ(EndOf("HasRows/melon/ipv6").verdict, Verdict::kPass);
  EXPECT_EQ(EndOf("HasRows/apple/ipv6").verdict, Verdict::kFail);
}

TEST(Variants, ThatOfNoIpVersionHasNoWire) {
  EXPECT_EQ(EndOf("RunsOverUnixOnAWire/unix-stream@").verdict, Verdict::kError);
  EXPECT_THAT(EndOf("RunsOverUnixOnAWire/unix-stream@").reason,
              HasSubstr("runs over 'unix-stream', and over a wire only ipv4 and ipv6 are"));
}

TEST(Variants, ADurationMayBeGivenAsItIs) {
  for (const TestCase& test : AllTests()) {
    const Duration lasts = test.name == "RunsOnce" ? 2s : 0s;
    EXPECT_EQ(test.LastsOn(Facts()), lasts);
  }
}

TEST(Calls, NeedNoWire) {
  for (const char* name : {"HasLoopbackAlone/ipv4~", "HasLoopbackAlone/ipv6~"}) {
    const Ended ended = EndOf(name);
    EXPECT_EQ(ended.verdict, Verdict::kPass) << ended.reason;
  }
  EXPECT_EQ(EndOf("RunsOverUnix/unix-stream~").verdict, Verdict::kPass);
  EXPECT_EQ(EndOf("RunsOnce/~").verdict, Verdict::kPass);
}

TEST(Calls, TestsThatNeedAWireAreSkippedWithoutOne) {
  const Ended ended = EndOf("StillBlocks~");
  EXPECT_EQ(ended.verdict, Verdict::kSkip);
  EXPECT_THAT(ended.reason, HasSubstr("no wire leads to this system"));
}

TEST(Matrices, NameTheCellsThatDisagree) {
  EXPECT_EQ(EndOf("AgreesInEachCell").verdict, Verdict::kPass);
  const Ended ended = EndOf("DisagreesInTwoCells");
  EXPECT_EQ(ended.verdict, Verdict::kFail);
  ASSERT_THAT(ended.failures, SizeIs(1));
  EXPECT_THAT(ended.failures[0].text,
              HasSubstr("Expected: the rule in each of 20 cells (first, second)\n"
                        "  Observed: 2 of 20 disagree\n"
                        "    0, 4: 5, expected: is equal to 4\n"
                        "    1, 4: 6, expected: is equal to 5"));
  EXPECT_THAT(ended.failures[0].file, HasSubstr("language_test.cc"));
  ASSERT_THAT(ended.cells, SizeIs(20));
  EXPECT_THAT(ended.cells[9].at, ElementsAre("1", "4"));
  EXPECT_EQ(ended.cells[9].observed, "6");
  EXPECT_EQ(ended.cells[9].expected, "is equal to 5");
  EXPECT_EQ(ended.cells[8].expected, "");
}

TEST(Matrices, LeaveOutCellsThatASystemDoesNotHave) {
  EXPECT_EQ(EndOf("HasNoNumbers").verdict, Verdict::kSkip);
  EXPECT_EQ(EndOf("HasNoNumbers").reason, "no such number");
  const Ended some = EndOf("HasSomeNumbers");
  EXPECT_EQ(some.verdict, Verdict::kPass) << some.reason;
  ASSERT_THAT(some.cells, SizeIs(20));
  EXPECT_EQ(some.cells[0].observed, "SKIP: no such number");
  EXPECT_EQ(some.cells[7].observed, "3");
}

TEST(Matrices, DecideTheClaimThatIsBeingDecided) {
  EXPECT_THAT(EndOf("DisagreesForOneClaim").claims, ElementsAre("departed", "held"));
  EXPECT_THAT(EndOf("ChecksACellTwice").reason, HasSubstr("a cell is checked twice: a"));
}

TEST(Matrices, ShowTheCallsOfTheFirstCellsAndOfThoseThatDisagree) {
  const Ended ended = EndOf("CallsInCells/~");
  EXPECT_EQ(ended.verdict, Verdict::kFail) << ended.reason;
  EXPECT_THAT(ended.failures.at(0).text, HasSubstr("SO_KEEPALIVE, 9: 0; 1, expected: returns 7"));
  EXPECT_THAT(ended.cells, SizeIs(40));
  EXPECT_EQ(ended.calls, 2 + 3 + 3);  // the first, and both that disagree
}

TEST(AddedTests, MustComeBeforeAnyoneHasLooked) {
  AllTests();
  TestCase late;
  late.suite = "Late";
  EXPECT_THROW(AddTest(late), HarnessError);
}

// What a program may make while it runs, before anyone looks at all tests.
class Added : public TestBody {
  void Run() override {}
};

void AddATest() {
  TestCase test;
  test.suite = "MadeUp";
  test.name = "IsAdded";
  test.traits.claims = {"user:as they say"};
  test.of_user = true;
  test.make = [] { return std::make_unique<Added>(); };
  AddTest(test);
}

TEST(AddedTests, RunAsAllOthers) { EXPECT_EQ(EndOf("IsAdded/").verdict, Verdict::kPass); }

}  // namespace
}  // namespace sockproof

int main(int argument_count, char** arguments) {
  sockproof::AddATest();
  if (argument_count == 3 && std::strcmp(arguments[1], "--run") == 0) {
    return sockproof::RunMadeUp(arguments[2]);
  }
  testing::InitGoogleMock(&argument_count, arguments);
  return RUN_ALL_TESTS();
}
