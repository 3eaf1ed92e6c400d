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

TEST(Judge, CallsNothingOfMultipathTcpADeparture) {
  constexpr std::size_t kFirstOption = 54;  // behind Ethernet, IPv4 and TCP
  std::vector<Bytes> frames;
  for (const MadeUpSegment& segment : WholeConnection(1)) {
    frames.push_back(EthernetFrame(segment));
    if ((segment.flags & kS) != 0) frames.back()[kFirstOption] = 30;
  }
  const Judgement judgement = JudgeCapture(ReadCapture(PcapOf(frames, 1)), {}, {});
  EXPECT_FALSE(judgement.Departs());
  EXPECT_THAT(RenderJudgement(judgement, "x"), HasSubstr("RFC 8684"));
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
  // Something else, until a challenge is not rationed any more, and until it is overdue.
  Bytes filler(60);
  filler[12] = 0x88;
  filler[13] = 0xb5;
  frames.insert(frames.end(), 5100, filler);
  frames.insert(frames.end(), other.begin(), other.end());
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

// The first segment may be one that is sent again, with others behind it.
TEST(Judge, LeavesOpenWhatRestsOnTheTimeBeforeTheCapture) {
  const std::vector<MadeUpSegment> cut = {{true, kA | kP, 101, 1001, 100},
                                          {false, kA, 1001, 401},
                                          {true, kA | kP, 401, 1001, 100},
                                          {true, kA, 501, 1200}};
  const Judgement open = Judged(cut, "192.0.2.1");
  EXPECT_FALSE(open.Departs());
  EXPECT_TRUE(open.IsEmpty());
  EXPECT_THAT(RenderJudgement(open, "x"), HasSubstr("began before the capture"));
  // What a later connection does rests on nothing of that.
  std::vector<MadeUpSegment> then = WholeConnection(1003);
  then.insert(then.begin(), {{true, kA | kP, 101, 901, 100}, {false, kR, 901, 0}});
  EXPECT_TRUE(Judged(then, "192.0.2.1").Departs());
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

// What is written, sent, has arrived and is received has the same octets.
TEST(Judge, HoldsDataToWhatWasWrittenAndWhatHasArrived) {
  const auto judged = [](const std::string& written, const std::string& received) {
    std::vector<MadeUpSegment> segments = WholeConnection();
    segments.resize(4);
    segments.push_back({false, kP | kA, 1001, 5101, 5});
    segments.push_back({true, kA, 5101, 1006});
    std::vector<Event> events = EventsOf(segments, "send(3, \"" + written + "\"..., 100, 0)");
    events.resize(events.size() - 2);  // without close()
    const Time now = events.back().time;
    events.push_back({now, CallEvent{100, "sut", "recv(3, 64, 0)"}});
    events.push_back({now, ReturnEvent{100, "sut", "5: \"" + received + '"', now, {}}});
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_FALSE(judged("xxxx", "xxxxx"));
  EXPECT_FALSE(judged("xxxx\\nyy", "xxxxx"));  // what is shown otherwise is not compared
  EXPECT_TRUE(judged("xxyx", "xxxxx"));
  EXPECT_TRUE(judged("xxxx", "xxxxy"));
}

// Sections 3.8.5 and 3.10.7.4, sixth check: POLLPRI, and SIOCATMARK, of an octet with or without URG.
TEST(Judge, HoldsWhatIsToldOfUrgentDataToTheSegments) {
  const auto departs = [](bool is_urgent, const std::string& call, const std::string& result,
                          const std::string& before = "fcntl(3, F_GETFL)") {
    std::vector<MadeUpSegment> segments = WholeConnection();
    segments.resize(3);
    const std::uint8_t flags = kP | kA | (is_urgent ? 0x20 : 0);
    segments.push_back({false, flags, 1001, 5001, 5, 5});
    segments.push_back({true, kA, 5001, 1006});
    std::vector<Event> events = EventsOf(segments, "fcntl(3, F_GETFL)");
    Time now = events.back().time;
    int id = 100;
    for (const auto& [text, value] : {std::pair{before, std::string("1: \"x\"")}, {call, result}}) {
      events.push_back({now += 1ms, CallEvent{++id, "sut", text}});
      events.push_back({now, ReturnEvent{id, "sut", value, now, {}}});
    }
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  const std::string poll = "poll(3: POLLIN|POLLPRI, 0 ms)", mark = "ioctl(3, SIOCATMARK)";
  EXPECT_FALSE(departs(true, poll, "POLLIN|POLLPRI"));
  EXPECT_TRUE(departs(true, poll, "POLLIN"));
  EXPECT_FALSE(departs(true, poll, "POLLIN", "recv(3, 1, MSG_OOB)"));
  EXPECT_FALSE(departs(false, poll, "POLLIN"));
  EXPECT_TRUE(departs(false, poll, "POLLIN|POLLPRI"));
  EXPECT_FALSE(departs(false, poll, "POLLPRI", "setsockopt(3, SO_SELECT_ERR_QUEUE, 1)"));
  EXPECT_FALSE(departs(true, "poll(3: POLLIN, 0 ms)", "POLLIN"));
  EXPECT_FALSE(departs(true, mark, "0"));
  EXPECT_TRUE(departs(true, mark, "1"));  // four octets are before it
  EXPECT_TRUE(departs(false, mark, "1"));
}

// Section 3.10.8: the user is told, once.
TEST(Judge, HoldsTheErrorOfAConnectionToItsTimeout) {
  const auto departs = [](const std::string& state, const std::string& error,
                          const std::string& before = "fcntl(3, F_GETFL)") {
    std::vector<MadeUpSegment> segments = WholeConnection();
    segments.resize(4);  // data that nobody acknowledges
    std::vector<Event> events = EventsOf(segments, "send(3, \"xxxx\"..., 100, 0)");
    Time now = events.back().time + 2s;
    events.push_back({now, StateEvent{"sut", "192.0.2.1:1000", state}});
    int id = 100;
    for (const auto& [text, value] :
         {std::pair{before, std::string(before.starts_with("send") ? "ETIMEDOUT" : "0")},
          {"getsockopt(3, SO_ERROR)", error}}) {
      events.push_back({now += 1ms, CallEvent{++id, "sut", text}});
      events.push_back({now, ReturnEvent{id, "sut", value, now, {}}});
    }
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_FALSE(departs("CLOSED", "ETIMEDOUT"));
  EXPECT_TRUE(departs("CLOSED", "0"));
  EXPECT_FALSE(departs("CLOSED", "0", "send(3, \"x\", 1, 0)"));  // which has told it
  EXPECT_FALSE(departs("ESTABLISHED", "0"));
}

TEST(Judge, HoldsDataToTheFieldsOfIpThatTheApplicationSets) {
  const auto departs = [](const std::string& call, const std::string& result) {
    std::vector<Event> events = EventsOf(WholeConnection(), "send(3, \"xxxx\"..., 100, 0)");
    const Time now = events[7].time;
    events.insert(events.begin() + 7, {Event{now, CallEvent{100, "sut", call}},
                                       Event{now, ReturnEvent{100, "sut", result, now, {}}}});
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_FALSE(departs("setsockopt(3, IP_TTL, 64)", "0"));
  EXPECT_TRUE(departs("setsockopt(3, IP_TTL, 65)", "0"));
  EXPECT_TRUE(departs("setsockopt(3, IP_TOS, 72)", "0"));
  EXPECT_TRUE(departs("setsockopt(3, IP_TOS, 72)", "ENOPROTOOPT"));
  EXPECT_FALSE(departs("setsockopt(3, IPV6_TCLASS, 72)", "ENOPROTOOPT"));
}

TEST(Judge, KnowsWhatASocketWithoutAConnectionMayReturn) {
  const auto departs = [](const std::string& call, const std::string& result) {
    std::vector<Event> events = EventsOf(WholeConnection(), "send(3, \"xxxx\"..., 100, 0)");
    const Time now = events[7].time;
    events.insert(
        events.begin() + 7,
        {Event{now, CallEvent{100, "sut", "socket(AF_INET, SOCK_STREAM)"}},
         Event{now, ReturnEvent{100, "sut", "9", now, {}}}, Event{now, CallEvent{101, "sut", call}},
         Event{now, ReturnEvent{101, "sut", result, now, {}}}});
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_TRUE(departs("send(9, \"x\", 1, 0)", "1"));
  EXPECT_FALSE(departs("send(9, \"x\", 1, 0)", "EPIPE"));
  EXPECT_TRUE(departs("recv(9, 10, 0)", "0: \"\""));
  EXPECT_FALSE(departs("recv(9, 10, 0)", "ENOTCONN"));
  EXPECT_TRUE(departs("listen(9, 1)", "EOPNOTSUPP"));
}

// A reset is told; a call that waits was not.
TEST(Judge, LetsNoReceiveWaitForAConnectionThatWasReset) {
  const auto judged = [](std::uint8_t flags) {
    std::vector<MadeUpSegment> segments = WholeConnection();
    segments.resize(3);
    segments.push_back({false, flags, 1001, 5001});
    std::vector<Event> events = EventsOf(segments, "fcntl(3, F_GETFL)");
    const Time now = events.back().time;
    events.push_back({now, CallEvent{100, "sut", "recv(3, 64, 0)"}});
    events.push_back({now + 5s, BlockedEvent{100}});
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_FALSE(judged(kA));
  EXPECT_TRUE(judged(kR));
}

// MUST-44.
TEST(Judge, KnowsAnAddressThatNoHostHas) {
  std::vector<Event> events = EventsOf({{true, kS, 5000, 0}}, "");
  EXPECT_FALSE(JudgeCapture(CaptureOf(events), events, {}).Departs());
  Bytes& frame = std::get<FrameEvent>(events.back().what).bytes;
  std::fill_n(frame.begin() + 14 + 12, 4, std::uint8_t{0});
  EXPECT_TRUE(JudgeCapture(CaptureOf(events), events, {}).Departs());
}

// Section 3.10.4: "in any case, enter FIN-WAIT-1 state".
TEST(Judge, HoldsTheStateAfterACloseToFinWait1) {
  const auto departs = [](const std::string& call) {
    std::vector<MadeUpSegment> segments = WholeConnection();
    segments.resize(3);
    std::vector<Event> events = EventsOf(segments, "");
    const Time now = events.back().time;
    events.push_back({now, CallEvent{100, "sut", call}});
    events.push_back({now, ReturnEvent{100, "sut", "0", now, {}}});
    events.push_back({now + 1ms, StateEvent{"sut", "192.0.2.1:1000", "ESTABLISHED"}});
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_TRUE(departs("shutdown(3, SHUT_WR)"));
  EXPECT_FALSE(departs("fcntl(3, F_GETFL)"));
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
  const auto judged = [](std::uint32_t step, std::uint8_t connections = 4) {
    std::vector<Bytes> frames;
    for (std::uint8_t port = 1; port <= connections; ++port) {
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
  EXPECT_FALSE(judged(0, 2).Departs());  // within 3 ms: "neither ... realtime nor precise"
  EXPECT_TRUE(judged(0, 8).Departs());
}

// MUST-56, also of a connection that is being opened; SHLD-26.
TEST(Judge, LetsNoSoftIcmpErrorEndAnAttempt) {
  const auto departs = [](std::uint8_t type, std::uint8_t code) {
    std::vector<Event> events = EventsOf({{true, kS, 900, 0},
                                          {false, kS | kA, 5000, 901},
                                          {false, kS | kA, 5000, 901},
                                          {true, kR, 901, 0}},
                                         "fcntl(3, F_GETFL)");
    constexpr std::size_t kCalls = 4, kProtocol = 14 + 9, kIcmp = 14 + 20;
    Bytes& frame = std::get<FrameEvent>(events[kCalls + 1].what).bytes;
    frame[kProtocol] = 1;
    frame[kIcmp] = type;
    frame[kIcmp + 1] = code;
    return JudgeCapture(CaptureOf(events), events, {}).Departs();
  };
  EXPECT_FALSE(departs(3, 3));  // port unreachable
  for (const std::uint8_t soft : Bytes{0, 1, 5}) EXPECT_TRUE(departs(3, soft));
  EXPECT_TRUE(departs(11, 0));  // time exceeded
  EXPECT_TRUE(departs(4, 0));   // source quench
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
