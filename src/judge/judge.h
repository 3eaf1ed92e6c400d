// A capture judged by the oracle, connection by connection.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/oracle/oracle.h"
#include "src/judge/capture.h"

namespace sockproof {

// One end of one connection.
struct ConnectionJudgement {
  enum class Answer { kAllowed, kDeparts, kUndecided };
  std::string local;  // the end that is judged: "192.0.2.1:40000"
  std::string remote;
  std::string actor;  // "sut"; empty for captures of others
  bool are_calls_known = false;
  Answer answer = Answer::kAllowed;
  int segments = 0;  // taken in, of both directions
  // Of a departure: the segment that no reading allows, or the last one before something is
  // missing.
  int number = 0;  // of the frame in the capture
  Duration at{0};  // after the first frame of the capture
  std::string observed;
  oracle::Departure departure;
  std::string why_undecided;
  // Each SHOULD that was not followed, which is no departure: "RFC 9293 section 3.7.1: a SYN ...".
  std::vector<std::string> unfollowed;
};

struct Judgement {
  std::vector<ConnectionJudgement> connections;  // in order of their first segments
  std::vector<std::string> remarks;              // what was not judged, and why
  std::string judged;                            // which ends: "both ends of each connection"

  bool Departs() const;
  bool IsEmpty() const;  // nothing could be judged
};

struct JudgeOptions {
  // Judge this address only, at which the capture was made; empty: the systems of a test, and of a
  // capture that is of none, both ends.
  std::string side;
};

// `events` are those of the test in which the capture was made, with its calls; empty: not known.
// Whether the calls are used may be chosen, to see what the wire alone says.
Judgement JudgeCapture(const Capture& capture, const std::vector<Event>& events,
                       const JudgeOptions& options, bool use_calls = true);

// Text for people: each departure with what was expected and why; clean, ends with a newline.
std::string RenderJudgement(const Judgement& judgement, const std::string& name);
void to_json(nlohmann::json& json, const Judgement& judgement);

}  // namespace sockproof
