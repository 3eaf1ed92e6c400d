// The search, on a made-up system: one that keeps silent whatever it is sent, or crashes.
#include "src/explore/explorer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <set>

#include "harness/base/files.h"
#include "src/explore/choices.h"
#include "src/explore/report.h"

namespace sockproof::explore {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint32_t kMadeUpIss = 5000, kMadeUpIrs = 1000;

bool Is(const Step& step, CallName name) {
  const auto* const call = std::get_if<Call>(&step);
  return call != nullptr && call->name == name;
}

// Of a system that opens connections and answers nothing, or any segment with an ACK.
Record RecordOf(const Sequence& sequence, bool answers) {
  Record record;
  Time now{std::chrono::hours(1)};
  bool is_open = false;
  const auto add = [&](bool is_of_peer, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack) {
    SeenSegment seen{is_of_peer, now += 1us, {}};
    seen.segment.flags = flags;
    seen.segment.seq = seq;
    seen.segment.ack = ack;
    seen.segment.window = 60000;
    if ((flags & oracle::kSyn) != 0) seen.segment.mss = 1460;
    record.steps.back().segments.push_back(seen);
  };
  for (const Step& step : sequence.steps) {
    record.steps.push_back({now += 1ms, {}, "", {}});
    if (Is(step, CallName::kConnect)) {
      record.steps.back().outcome = "EINPROGRESS";
      add(false, oracle::kSyn, kMadeUpIss, 0);
      is_open = true;
    } else if (const auto* segment = std::get_if<PeerSegment>(&step);
               segment != nullptr && is_open) {
      add(true, segment->flags, kMadeUpIrs + static_cast<std::uint32_t>(segment->seq_offset),
          kMadeUpIss + 1 + static_cast<std::uint32_t>(segment->ack_offset));
      if (answers) add(false, oracle::kAck, kMadeUpIss + 1, kMadeUpIrs + 1);
    } else {
      record.steps.back().outcome = "absent";
    }
    record.steps.back().end = now += 1ms;
  }
  record.steps.push_back({now, now + 700ms, "", {}});
  return record;
}

void Run(const TestCase& test, EventLog& log, const std::function<Record(const Sequence&)>& seen) {
  const std::string id = test.id();
  const std::vector<Sequence> sequences = ParseOneLine(id.substr(id.find('.') + 1));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    log.Now(ObservationEvent{std::to_string(i), RecordText(seen(sequences[i]))});
  }
  log.Now(VerdictEvent{Verdict::kPass, "", Duration(0)});
}

void RunSilently(const TestCase& test, EventLog& log) {
  Run(test, log, [](const Sequence& sequence) { return RecordOf(sequence, false); });
}

void RunAnsweringAll(const TestCase& test, EventLog& log) {
  Run(test, log, [](const Sequence& sequence) { return RecordOf(sequence, true); });
}

// Of a sequence that runs alone nothing can be said.
void RunSilentlyInCompany(const TestCase& test, EventLog& log) {
  if (test.id().find('|') != std::string::npos) return RunSilently(test, log);
  Run(test, log, [](const Sequence&) { return Record(); });
}

// Urgent data kills it.
void RunUntilUrgent(const TestCase& test, EventLog& log) {
  if (test.id().find("URG") == std::string::npos) return RunSilently(test, log);
  // At an address that is another one each time, and with more to say than fits a line.
  const std::string where = fmt::format(" at {:#x} goroutine {}, ",
                                        std::hash<std::string>()(test.id()), test.id().size());
  const std::string text = "the stack was killed by SIGSEGV" + where + std::string(300, 'x');
  log.Now(FailureEvent{"", 0, text, "", Duration(0)});
  log.Now(VerdictEvent{Verdict::kFail, "", Duration(0)});
}

ExploreOptions Few(std::uint64_t sequences) {
  ExploreOptions options;
  options.sequences = sequences;
  options.batch = 20;
  return options;
}

TEST(Explore, ShrinksWhatItFindsToWhatIsNeeded) {
  Pool pool(RunSilently, 2);
  const Exploration exploration = Explore(pool, Few(200));
  EXPECT_EQ(exploration.sequences, 200U);
  ASSERT_FALSE(exploration.causes.empty());
  const Cause& first = exploration.causes.front();
  EXPECT_TRUE(first.IsCertain());
  EXPECT_EQ(first.again, Few(1).replays / 2 + 1);
  for (const Cause& cause : exploration.causes) EXPECT_LE(cause.count, first.count);
  // connect(), one segment that should be answered, and perhaps another that shows that it was not.
  ASSERT_EQ(first.example.size(), 1U);
  EXPECT_LE(first.example.front().steps.size(), 3U);
  EXPECT_THAT(first.text, HasSubstr("SYN-SENT: "));
}

// Of what is known once is enough, and no miss makes it uncertain before all times are over.
TEST(Explore, RunsWhatIsKnownAgainUntilItComes) {
  Pool pool(RunSilently, 2);
  ExploreOptions options = Few(40);
  options.is_known = [](const std::string&) { return true; };
  const Exploration exploration = Explore(pool, options);
  ASSERT_FALSE(exploration.causes.empty());
  for (const Cause& cause : exploration.causes) EXPECT_EQ(cause.again, 1);

  Pool other(RunSilentlyInCompany, 2);
  const Exploration fleeting = Explore(other, options);
  const ReportOn on{"made-up", options.plan, Facts(), {{"*", "it is so", "", {}}}, "out"};
  EXPECT_THAT(RenderExploration(fleeting, on),
              AllOf(HasSubstr("known: it is so"), HasSubstr(" did not come again, ")));
}

// A system that is wrong in company alone: nobody who runs a find again would see it.
TEST(Explore, IsNotCertainOfWhatDoesNotComeAgain) {
  Pool pool(RunSilentlyInCompany, 2);
  const Exploration exploration = Explore(pool, Few(60));
  EXPECT_TRUE(exploration.causes.empty());
  ASSERT_FALSE(exploration.fleeting.empty());
  const ReportOn on{"made-up", Few(60).plan, Facts(), {}, "out"};
  EXPECT_EQ(SurprisesIn(exploration, on), 0U);
  EXPECT_THAT(RenderExploration(exploration, on),
              AllOf(HasSubstr("did not come again by itself, and is not certain:"),
                    HasSubstr("again 0 of 3"), HasSubstr(" more did not come again\n")));
}

TEST(Explore, TellsWhatItHasFoundWhenItIsInterrupted) {
  int asked = 0;
  ExploreOptions options;  // without end
  options.batch = 5;
  options.is_interrupted = [&asked] { return ++asked > 40; };
  Pool pool(RunSilently, 2);
  const Exploration exploration = Explore(pool, options);
  EXPECT_TRUE(exploration.is_interrupted);
  EXPECT_GT(exploration.sequences, 0U);
  EXPECT_FALSE(exploration.fleeting.empty());
  const ReportOn on{"made-up", options.plan, Facts(), {}, "out"};
  EXPECT_THAT(
      RenderExploration(exploration, on),
      AllOf(HasSubstr("INTERRUPTED"), HasSubstr("not run again: the time was over (--time), or it was interrupted:"),
            HasSubstr(" more were not run again")));
}

TEST(Explore, EndsWhenItsTimeIsOver) {
  ExploreOptions options;
  options.time = 300ms;
  Pool pool(RunSilently, 2);
  EXPECT_FALSE(Explore(pool, options).is_interrupted);
}

TEST(Choices, AreSeenInEstablished) {
  Pool challenging(RunAnsweringAll, 2), silent(RunSilently, 2);
  const oracle::Stack stack = ChoicesOf(challenging);
  EXPECT_EQ(stack.rst, oracle::Stack::InWindow::kChallenged);
  EXPECT_EQ(stack.syn, oracle::Stack::InWindow::kChallenged);
  EXPECT_EQ(ChoicesText(stack), "RST in the window is challenged, SYN in the window is challenged");
  EXPECT_EQ(ChoicesText(ChoicesOf(silent)), "");
}

TEST(Explore, SaysTheSameEachTime) {
  const auto report = [] {
    Pool pool(RunSilently, 3);
    const ReportOn on{"made-up", Few(100).plan, Facts(), {}, "out"};
    return RenderExploration(Explore(pool, Few(100)), on);
  };
  EXPECT_EQ(report(), report());
}

TEST(Explore, FindsTheSequenceThatCrashesASystem) {
  Pool pool(RunUntilUrgent, 2);
  const Exploration exploration = Explore(pool, Few(100));
  ASSERT_GE(exploration.causes.size(), 2U);
  const Cause& crash = exploration.causes.front();
  EXPECT_TRUE(crash.is_crash);
  EXPECT_FALSE(exploration.causes[1].is_crash);
  EXPECT_THAT(crash.text, HasSubstr("SIGSEGV"));
  ASSERT_EQ(crash.example.size(), 1U);
  EXPECT_EQ(crash.example.front().steps.size(), 1U);
}

// What crashes it is left out from then on, so that the rest is seen.
TEST(Explore, SeesWhatElseIsWrongWithASystemThatCrashesOften) {
  Pool pool(RunUntilUrgent, 1);
  const Exploration exploration = Explore(pool, Few(400));
  ASSERT_GE(exploration.causes.size(), 2U);
  EXPECT_TRUE(exploration.causes[0].is_crash);
  EXPECT_FALSE(exploration.causes[1].is_crash);
}

TEST(Explore, TellsWhatIsKnownFromWhatIsNot) {
  Pool pool(RunSilently, 2);
  const Exploration exploration = Explore(pool, Few(60));
  ReportOn on{"made-up", Few(60).plan, Facts(), {}, "out"};
  EXPECT_EQ(SurprisesIn(exploration, on), exploration.causes.size());
  on.known = {{"*", "it is made up", "", {}}};
  EXPECT_EQ(SurprisesIn(exploration, on), 0U);
  EXPECT_THAT(RenderExploration(exploration, on), HasSubstr("it is made up"));
}

// Of a system that goes on after a reset: connect();SYN,ACK seq=ISS;RST;ACK len=4.
void RunAfterReset(const TestCase& test, EventLog& log) {
  Time now{std::chrono::hours(1)};
  Record record;
  const auto step = [&](const std::vector<SeenSegment>& segments, const char* outcome = "") {
    record.steps.push_back({now, now + 1ms, outcome, segments});
    now += 2ms;
  };
  const auto seen = [&](bool is_of_peer, std::uint16_t flags, std::uint32_t seq, std::uint32_t ack,
                        std::uint32_t text = 0) {
    SeenSegment one{is_of_peer, now += 1us, {}};
    one.segment.flags = flags;
    one.segment.seq = (is_of_peer ? kMadeUpIrs : kMadeUpIss) + seq;
    one.segment.ack = (is_of_peer ? kMadeUpIss : kMadeUpIrs) + ack;
    one.segment.window = 60000;
    one.segment.text = text;
    if ((flags & oracle::kSyn) != 0) one.segment.mss = 1460;
    return one;
  };
  step({seen(false, oracle::kSyn, 0, 0)}, "EINPROGRESS");
  step({seen(true, oracle::kSyn | oracle::kAck, 0, 1), seen(false, oracle::kAck, 1, 1)});
  step({seen(true, oracle::kRst, 1, 0)});
  step({seen(true, oracle::kAck, 1, 1, 4), seen(false, oracle::kAck, 1, 5)});
  step({});
  Run(test, log, [&](const Sequence&) { return record; });
}

TEST(Pool, LooksForNoEarlierCauseOfWhatIsKnownAsItIsSeen) {
  Pool pool(RunAfterReset, 1);
  const auto finding = [&pool] {
    const std::vector<Sequence> one =
        ParseOneLine("ipv4;none;connect();SYN,ACK seq=ISS;RST;ACK len=4");
    return pool.RunAll({one}, Logged::kNothing).front().sequences.at(0).prompt.value();
  };
  EXPECT_EQ(finding().Cause(), "ESTABLISHED: RST -> does not end the connection");
  pool.Know([](const std::string& seen) { return seen.starts_with("CLOSED: ACK with text -> "); });
  EXPECT_EQ(finding().Cause(), finding().Seen());
}

TEST(Explore, NamesTheMutantInWhatRunsAFindAgain) {
  Pool pool(RunSilently, 2);
  ReportOn on{"made-up", Few(60).plan, Facts(), {}, "out", "fin-lost"};
  EXPECT_THAT(RenderExploration(Explore(pool, Few(60)), on),
              HasSubstr("explore -s made-up --mutant fin-lost --replay out/1.seq"));
}

TEST(Explore, WritesWhatReplaysIt) {
  char name[] = "/tmp/explore-test-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  Pool pool(RunUntilUrgent, 2);
  const Exploration exploration = Explore(pool, Few(60));
  const ReportOn on{"made-up", Few(60).plan, Facts(), {}, name};
  WriteExploration(exploration, on);
  for (std::size_t i = 1; i <= exploration.causes.size(); ++i) {
    const std::string sequence = ReadFile(on.folder / (std::to_string(i) + ".seq"));
    EXPECT_EQ(ParseSequences(sequence), exploration.causes[i - 1].example);
    EXPECT_TRUE(std::filesystem::exists(on.folder / (std::to_string(i) + ".cc")));
  }
  std::filesystem::remove_all(name);
}

TEST(Between, SystemsThatAreTheSameNothingDiffers) {
  Pool base(RunSilently, 2), patched(RunSilently, 2);
  const Comparison comparison = Between(base, patched, Few(60));
  EXPECT_EQ(comparison.sequences, 60U);
  EXPECT_EQ(comparison.alike, 60U);
  EXPECT_TRUE(comparison.differences.empty());
}

TEST(Between, WhatIsKnownForOneReasonIsOneDifference) {
  Pool base(RunSilently, 2), patched(RunAnsweringAll, 2);
  ExploreOptions options = Few(60);
  options.why_known = [](const std::string&) { return "it is made up"; };
  const Comparison comparison = Between(base, patched, options);
  ASSERT_FALSE(comparison.differences.empty());
  std::set<Difference::Kind> kinds;
  for (const Difference& one : comparison.differences) kinds.insert(one.kind);
  EXPECT_EQ(kinds.size(), comparison.differences.size());
  EXPECT_THAT(RenderComparison(comparison, "one", "other"), HasSubstr("known     it is made up"));
}

}  // namespace
}  // namespace sockproof::explore
