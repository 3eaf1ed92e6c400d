// Every kind of event to JSON and back.
#include "harness/trace/event.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sockproof {
namespace {

using nlohmann::json;

// What JSON makes of `what`, and makes of that again.
template <typename What>
What RoundTrip(const What& what) {
  const Time time = FromNanoseconds(1'700'000'000'123'456'789);
  const json written = Event{time, what};
  const Event read = json::parse(written.dump()).get<Event>();
  EXPECT_EQ(read.time, time);
  EXPECT_EQ(json(read), written);
  return std::get<What>(read.what);
}

TEST(EventJson, Call) {
  const auto call = RoundTrip(CallEvent{7, "sut", "connect(3, 192.0.2.2:80)"});
  EXPECT_EQ(call.id, 7);
  EXPECT_EQ(call.actor, "sut");
  EXPECT_EQ(call.text, "connect(3, 192.0.2.2:80)");
}

TEST(EventJson, Return) {
  const Time begin = FromNanoseconds(1'700'000'000'000'000'001);
  const auto result = RoundTrip(ReturnEvent{7, "sut", "EPIPE", begin, {"SIGPIPE", "SIGALRM"}});
  EXPECT_EQ(result.id, 7);
  EXPECT_EQ(result.actor, "sut");
  EXPECT_EQ(result.text, "EPIPE");
  EXPECT_EQ(result.begin, begin);
  EXPECT_EQ(result.signals, (std::vector<std::string>{"SIGPIPE", "SIGALRM"}));
  EXPECT_EQ(RoundTrip(ReturnEvent{7, "sut", "0", std::nullopt, {}}).begin, std::nullopt);
}

TEST(EventJson, Measurement) {
  const auto measurement = RoundTrip(MeasurementEvent{"TIME-WAIT", "s", 60.25, 60, 59.99, 67.51});
  EXPECT_EQ(measurement.name, "TIME-WAIT");
  EXPECT_EQ(measurement.unit, "s");
  EXPECT_EQ(measurement.observed, 60.25);
  EXPECT_EQ(measurement.documented, 60);
  EXPECT_EQ(measurement.lower, 59.99);
  EXPECT_EQ(measurement.upper, 67.51);
}

TEST(EventJson, FrameOfEveryFate) {
  for (const Fate fate : {Fate::kSent, Fate::kReceived, Fate::kForwarded, Fate::kDropped,
                          Fate::kDelayed, Fate::kDuplicated}) {
    const auto frame = RoundTrip(FrameEvent{"sut", "peer", fate, 300ms, {0x00, 0x7f, 0x80, 0xff}});
    EXPECT_EQ(frame.from, "sut");
    EXPECT_EQ(frame.to, "peer");
    EXPECT_EQ(frame.fate, fate);
    EXPECT_EQ(frame.delay, 300ms);
    EXPECT_EQ(frame.bytes, (Bytes{0x00, 0x7f, 0x80, 0xff}));
  }
  EXPECT_TRUE(RoundTrip(FrameEvent{"sut", "peer", Fate::kSent, 0s, {}}).bytes.empty());
}

TEST(EventJson, FrameBytesAreHexadecimal) {
  const json written = Event{Time(), FrameEvent{"sut", "peer", Fate::kSent, 0s, {0x0a, 0xff}}};
  EXPECT_EQ(written.at("kind"), "frame");
  EXPECT_EQ(written.at("bytes"), "0aff");
  EXPECT_EQ(written.at("fate"), "sent");
}

TEST(EventJson, State) {
  const auto state = RoundTrip(StateEvent{"sut", "192.0.2.1:40000", "FIN-WAIT-2"});
  EXPECT_EQ(state.actor, "sut");
  EXPECT_EQ(state.socket, "192.0.2.1:40000");
  EXPECT_EQ(state.state, "FIN-WAIT-2");
}

TEST(EventJson, Expectation) {
  const auto expectation = RoundTrip(ExpectationEvent{"sut", "FIN seq=1", true});
  EXPECT_EQ(expectation.actor, "sut");
  EXPECT_EQ(expectation.text, "FIN seq=1");
  EXPECT_TRUE(expectation.met);
}

TEST(EventJson, Failure) {
  const auto failure = RoundTrip(FailureEvent{"suites/half_close.cc", 42, "two\nlines"});
  EXPECT_EQ(failure.file, "suites/half_close.cc");
  EXPECT_EQ(failure.line, 42);
  EXPECT_EQ(failure.text, "two\nlines");
  EXPECT_EQ(failure.claim, "");
  EXPECT_EQ(failure.explained_by, 0s);
  const auto of_a_claim = RoundTrip(FailureEvent{"x.cc", 1, "late", "rfc9293:MUST-1", 500ms});
  EXPECT_EQ(of_a_claim.claim, "rfc9293:MUST-1");
  EXPECT_EQ(of_a_claim.explained_by, 500ms);
}

TEST(EventJson, FailuresOfOlderLogsAreOfNoClaim) {
  const Event read =
      json::parse(R"({"kind":"failure","time":1,"file":"x.cc","line":7,"text":"t"})").get<Event>();
  EXPECT_EQ(std::get<FailureEvent>(read.what).claim, "");
  EXPECT_THROW(json::parse(R"({"kind":"failure","time":1,"file":"x.cc","line":7})").get<Event>(),
               json::exception);
}

TEST(EventJson, DecisionAndBlocked) {
  for (const Decision value : {Decision::kBegins, Decision::kNotTaken, Decision::kNotReached}) {
    const auto decision = RoundTrip(DecisionEvent{"rfc9293:MUST-1", value, "why"});
    EXPECT_EQ(decision.claim, "rfc9293:MUST-1");
    EXPECT_EQ(decision.decision, value);
    EXPECT_EQ(decision.why, "why");
  }
  EXPECT_EQ(RoundTrip(BlockedEvent{7}).id, 7);
}

TEST(EventJson, NoteAndObservation) {
  EXPECT_EQ(RoundTrip(NoteEvent{"a note"}).text, "a note");
  const auto observation = RoundTrip(ObservationEvent{"TIME-WAIT", "60.412 s"});
  EXPECT_EQ(observation.name, "TIME-WAIT");
  EXPECT_EQ(observation.value, "60.412 s");
}

TEST(EventJson, Ready) { RoundTrip(ReadyEvent{}); }

TEST(EventJson, EveryVerdict) {
  for (const Verdict value :
       {Verdict::kPass, Verdict::kFail, Verdict::kError, Verdict::kSkip, Verdict::kInconclusive}) {
    const auto verdict = RoundTrip(VerdictEvent{value, "why", 87us});
    EXPECT_EQ(verdict.verdict, value);
    EXPECT_EQ(verdict.reason, "why");
    EXPECT_EQ(verdict.worst_lateness, 87us);
  }
}

TEST(EventJson, RefusesWhatIsNoEvent) {
  const auto read = [](const std::string& text) { return json::parse(text).get<Event>(); };
  EXPECT_THROW(read("[]"), json::exception);
  EXPECT_THROW(read("{}"), json::exception);
  EXPECT_THROW(read(R"({"kind":"note","text":"x"})"), json::exception);
  EXPECT_THROW(read(R"({"kind":"note","time":1})"), json::exception);
  EXPECT_THROW(read(R"({"kind":"note","time":1,"text":2})"), json::exception);
  EXPECT_THROW(read(R"({"kind":"poem","time":1})"), std::invalid_argument);
  for (const char* time : {"1.5", "1e30", "18446744073709551615"}) {
    EXPECT_THROW(read(fmt::format(R"({{"kind":"note","text":"x","time":{}}})", time)),
                 std::invalid_argument);
  }
  const std::string frame = R"({"kind":"frame","time":1,"from":"a","to":"b","delay":0,)";
  EXPECT_NO_THROW(read(frame + R"("fate":"sent","bytes":"00"})"));
  EXPECT_THROW(read(frame + R"("fate":"eaten","bytes":"00"})"), std::invalid_argument);
  EXPECT_THROW(read(frame + R"("fate":"sent","bytes":"0"})"), std::invalid_argument);
  EXPECT_THROW(read(frame + R"("fate":"sent","bytes":"0x"})"), std::invalid_argument);
  EXPECT_THROW(
      read(R"({"kind":"verdict","time":1,"verdict":"MAYBE","reason":"","worst_lateness":0})"),
      std::invalid_argument);
}

TEST(VerdictNames, AreThoseOfReports) {
  EXPECT_EQ(VerdictName(Verdict::kInconclusive), "INCONCLUSIVE");
  EXPECT_EQ(VerdictFromName("SKIP"), Verdict::kSkip);
  EXPECT_EQ(VerdictFromName("skip"), std::nullopt);
}

}  // namespace
}  // namespace sockproof
