// Captures judged, and what is said of them.
#include "src/judge/judge.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/judge/made_up_capture.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using Answer = ConnectionJudgement::Answer;

std::string FileOf(const std::vector<MadeUpSegment>& segments) {
  std::vector<Bytes> frames;
  for (const MadeUpSegment& segment : segments) frames.push_back(EthernetFrame(segment));
  return PcapOf(frames, 1);
}

Judgement Judged(const std::vector<MadeUpSegment>& segments, const std::string& side = "") {
  return JudgeCapture(ReadCapture(FileOf(segments)), {}, {.side = side});
}

// The same as events of a test, 1 ms apart, with the calls that make them.
std::vector<Event> EventsOf(const std::vector<MadeUpSegment>& segments, const std::string& send) {
  std::vector<Event> events;
  Time now = FromNanoseconds(1'000'000'000);
  int id = 0;
  const auto call = [&](const std::string& text, const std::string& result) {
    events.push_back({now, CallEvent{++id, "sut", text}});
    events.push_back({now + 1us, ReturnEvent{id, "sut", result, now, {}}});
    now += 1ms;
  };
  call("socket(AF_INET, SOCK_STREAM)", "3");
  call("connect(3, 192.0.2.2:80)", "EINPROGRESS");
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i == 3) call(send, "100");
    const bool out = segments[i].by_system;
    events.push_back({now += 1ms, FrameEvent{.from = out ? "sut" : "peer",
                                             .to = out ? "peer" : "sut",
                                             .fate = out ? Fate::kReceived : Fate::kSent,
                                             .bytes = EthernetFrame(segments[i])}});
    if (i == 5) call("close(3)", "0");
  }
  return events;
}

TEST(Judge, AllowsBothEndsOfAWholeConnection) {
  const Judgement judgement = Judged(WholeConnection());
  ASSERT_THAT(judgement.connections, SizeIs(2));
  EXPECT_FALSE(judgement.Departs());
  EXPECT_FALSE(judgement.IsEmpty());
  EXPECT_THAT(RenderJudgement(judgement, "x"),
              HasSubstr("192.0.2.1:1000 > 192.0.2.2:80: allowed (8 segments)"));
}

// An RST in the window: challenged by one connection, obeyed by another of the same system.
TEST(Judge, HoldsASystemToWhatItChoosesInAnotherConnection) {
  using Segments = std::vector<MadeUpSegment>;
  const Segments open = {
      {true, kS, 900, 0}, {false, kS | kA, 5000, 901}, {true, kA, 901, 5001}, {false, kR, 5011, 0}};
  const auto frames_of = [&](std::uint8_t port, const Segments& then) {
    Segments all = open;
    all.insert(all.end(), then.begin(), then.end());
    std::vector<Bytes> frames;
    for (const MadeUpSegment& segment : all) {
      frames.push_back(EthernetFrame(segment));
      frames.back()[segment.by_system ? 35 : 37] = port;  // the low octet of the system's port
    }
    return frames;
  };
  std::vector<Bytes> frames = frames_of(1, {{true, kA, 901, 5001}});
  const std::vector<Bytes> other = frames_of(2, {});
  frames.insert(frames.end(), other.begin(), other.end());
  // Something else, until a challenge is overdue.
  Bytes filler(60);
  filler[12] = 0x88;
  filler[13] = 0xb5;
  frames.insert(frames.end(), 1000, filler);
  const auto departs = [](const std::vector<Bytes>& some) {
    return JudgeCapture(ReadCapture(PcapOf(some, 1)), {}, {.side = "192.0.2.1"}).Departs();
  };
  EXPECT_TRUE(departs(frames));
  frames.erase(frames.begin(), frames.begin() + 5);
  EXPECT_FALSE(departs(frames));
}

TEST(Judge, NamesTheFirstSegmentThatNoReadingAllows) {
  const Judgement judgement = Judged(WholeConnection(1003));
  EXPECT_TRUE(judgement.Departs());
  EXPECT_EQ(judgement.connections[0].number, 7);
  const std::string text = RenderJudgement(judgement, "x");
  EXPECT_THAT(text, HasSubstr("DEPARTS at segment 7, 0.006000 s"));
  EXPECT_THAT(text, HasSubstr("observed  FIN,ACK seq=101 ack=3"));
  EXPECT_THAT(text, HasSubstr("in CLOSE-WAIT: "));
  EXPECT_THAT(text, HasSubstr("RFC 9293 section 3.10.7.4, eighth check"));
  const nlohmann::json json = judgement;
  EXPECT_EQ(json["connections"][0]["segment"], 7);
  EXPECT_EQ(json["connections"][0]["answer"], "departs");
}

// Of a scripted peer. What it is to answer has nothing to do with it.
TEST(Judge, SaysOfAFinBehindAGapThatItIsMisnumbered) {
  const Judgement judgement = Judged({{true, kS, 900, 0},
                                      {false, kS | kA, 5000, 901},
                                      {true, kA, 901, 5001},
                                      {false, kF | kA, 5005, 901}},
                                     "192.0.2.2");
  EXPECT_TRUE(judgement.Departs());
  EXPECT_THAT(RenderJudgement(judgement, "x"), AllOf(HasSubstr("observed  FIN,ACK seq=5"),
                                                     HasSubstr("section 3.1, Sequence Number")));
}

TEST(Judge, JudgesTheSideThatWasNamedAlone) {
  std::vector<MadeUpSegment> segments = WholeConnection(1003);
  segments.pop_back();
  const Judgement judgement = Judged(segments, "192.0.2.2");
  ASSERT_THAT(judgement.connections, SizeIs(1));
  EXPECT_EQ(judgement.connections[0].local, "192.0.2.2:80");
  EXPECT_FALSE(judgement.Departs());
}

TEST(Judge, TakesAConnectionThatBeganBeforeTheCapture) {
  std::vector<MadeUpSegment> segments = WholeConnection();
  segments.erase(segments.begin(), segments.begin() + 3);
  EXPECT_FALSE(Judged(segments).Departs());
}

TEST(Judge, CopesWithLossesAndSegmentsLargerThanTheMss) {
  std::vector<MadeUpSegment> segments = WholeConnection();
  segments[3].text = 9000;
  for (std::size_t i = 4; i < segments.size(); ++i) {
    (segments[i].by_system ? segments[i].seq : segments[i].ack) += 8900;
  }
  segments.insert(segments.begin() + 4, segments[3]);  // again, as its ACK was lost
  EXPECT_FALSE(Judged(segments).Departs());
}

TEST(Judge, SaysWhatItCannotJudge) {
  // Of this end there is nothing.
  const Judgement judgement = Judged({{false, kA, 7, 9, 10}}, "192.0.2.1");
  EXPECT_TRUE(judgement.IsEmpty());
  EXPECT_THAT(RenderJudgement(judgement, "x"), HasSubstr("undecided"));
}

TEST(Judge, KnowsTheCallsOfATest) {
  const std::vector<Event> right = EventsOf(WholeConnection(), "send(3, \"xxxxxxxx\"..., 100, 0)");
  const Judgement allowed = JudgeCapture(CaptureOf(right), right, {});
  EXPECT_FALSE(allowed.Departs()) << RenderJudgement(allowed, "x");
  ASSERT_THAT(allowed.connections, SizeIs(1));
  EXPECT_TRUE(allowed.connections[0].are_calls_known);

  // More than was written.
  const std::vector<Event> wrong = EventsOf(WholeConnection(), "send(3, \"x\"..., 99, 0)");
  EXPECT_TRUE(JudgeCapture(CaptureOf(wrong), wrong, {}).Departs());
  EXPECT_FALSE(JudgeCapture(CaptureOf(wrong), wrong, {}, false).Departs());
}

TEST(Judge, HoldsCallsAndStatesToTheSegments) {
  std::vector<Event> events = EventsOf(WholeConnection(), "send(3, \"xxxxxxxx\"..., 100, 0)");
  const auto departs = [&](const StateEvent& what) {
    std::vector<Event> all = events;
    const Time now = all[8].time;
    all.insert(all.begin() + 9, Event{now, what});
    return JudgeCapture(CaptureOf(all), all, {}).Departs();
  };
  const StateEvent right{"sut", "192.0.2.1:1000", "ESTABLISHED"};
  const StateEvent wrong{"sut", "192.0.2.1:1000", "LAST-ACK"};
  EXPECT_FALSE(departs(right));
  EXPECT_TRUE(departs(wrong));
}

// SHLD-5: beside the verdict, which it does not change.
TEST(Judge, TellsAShouldThatIsNotFollowedAndNoDeparture) {
  std::vector<Bytes> frames;
  for (const MadeUpSegment& segment : WholeConnection()) frames.push_back(EthernetFrame(segment));
  constexpr std::size_t kOptions = 14 + 20 + 20;
  for (std::size_t i = kOptions; i < kOptions + 4; ++i) frames[0][i] = 1;  // NOP in place of MSS
  const Judgement judgement = JudgeCapture(ReadCapture(PcapOf(frames, 1)), {}, {});
  EXPECT_FALSE(judgement.Departs());
  EXPECT_THAT(RenderJudgement(judgement, "x"),
              AllOf(HasSubstr("allowed (8 segments)"), HasSubstr("rfc9293:SHLD-5")));
  EXPECT_THAT(RenderJudgement(Judged(WholeConnection()), "x"), Not(HasSubstr("SHLD")));
}

// MUST-8 asks for a clock alone; SHLD-1 for a function of the connection on top of it.
TEST(Judge, AllowsInitialNumbersOfAPlainClock) {
  const auto judged = [](std::uint32_t step) {
    std::vector<Bytes> frames;
    for (std::uint8_t port = 1; port <= 4; ++port) {
      const std::uint32_t iss = 5000 + step * port;
      for (const MadeUpSegment& segment : std::vector<MadeUpSegment>{
               {true, kS, 900, 0}, {false, kS | kA, iss, 901}, {true, kA, 901, iss + 1}}) {
        frames.push_back(EthernetFrame(segment));
        frames.back()[segment.by_system ? 35 : 37] = port;  // the low octet of the client's port
      }
    }
    return JudgeCapture(ReadCapture(PcapOf(frames, 1)), {}, {.side = "192.0.2.2"});
  };
  EXPECT_FALSE(judged(64000).Departs());
  EXPECT_THAT(RenderJudgement(judged(64000), "x"), HasSubstr("rfc9293:SHLD-1"));
  EXPECT_FALSE(judged(700'000'001).Departs());
  EXPECT_THAT(RenderJudgement(judged(700'000'001), "x"), Not(HasSubstr("rfc9293:SHLD-1")));
  EXPECT_TRUE(judged(0).Departs());
}

// Section 3.10.4, and that close() is no call of files.
TEST(Judge, HoldsShutdownAndCloseToWhatTheyMayReturn) {
  const auto departs = [](const std::vector<std::pair<std::string, std::string>>& calls) {
    std::vector<Event> events = EventsOf(WholeConnection(), "send(3, \"xxxxxxxx\"..., 100, 0)");
    const Time now = events[8].time;
    int id = 100;
    for (const auto& [text, result] : calls) {
      events.insert(events.begin() + 9, {Event{now, CallEvent{++id, "sut", text}},
                                         Event{now, ReturnEvent{id, "sut", result, now, {}}}});
    }
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_TRUE(departs({{"shutdown(3, SHUT_WR)", "ENOTCONN"}}));
  EXPECT_FALSE(departs({{"shutdown(3, SHUT_RD)", "0"}}));
  EXPECT_TRUE(departs({{"close(3)", "EIO"}}));
}

TEST(Judge, ShowsHostileTextHarmlessly) {
  Judgement judgement;
  judgement.remarks.push_back("\x1b[31mred\n");
  EXPECT_THAT(RenderJudgement(judgement, "a\x1b[0m"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sockproof
