// What can happen in a test, as values. The event log of a test is the single source of its
// ladder, its pcapng and its verdict; a test process that dies leaves the events so far.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/time.h"
#include "harness/packet/bytes.h"
#include "harness/trace/verdict.h"

namespace sockproof {

// A socket call is about to be made by `actor` ("sut", "client", "server").
struct CallEvent {
  int id = 0;  // unique in one test; the ReturnEvent carries the same
  std::string actor;
  std::string text;  // as C writes it: connect(3, 192.0.2.2:80)
};

// The call came back. The event's time is the end of the call, by the agent's clock.
struct ReturnEvent {
  int id = 0;
  std::string actor;
  std::string text;                  // "0", "ECONNREFUSED", "5: \"hello\""
  std::optional<Time> begin;         // when the call was entered, by the agent's clock
  std::vector<std::string> signals;  // raised in the calling thread during the call: "SIGPIPE"
};

// A test waited for the return of the call, or looked for it, and it had not returned then.
struct BlockedEvent {
  int id = 0;
};

// What became of a frame.
enum class Fate {
  kSent,        // made and sent by the scripted peer
  kReceived,    // taken in by the scripted peer
  kForwarded,   // passed from one stack to the other by the programmable wire
  kDropped,     // lost by the programmable wire, because a test said so
  kDelayed,     // held back: arrived at the wire now, will be forwarded `delay` later
  kDuplicated,  // the second copy of a frame
};

// A frame on a wire. The event's time is the kernel's receive timestamp, or, for kSent, the moment
// before the send.
struct FrameEvent {
  std::string from;  // actor: "sut", "peer", "client", "server"
  std::string to;
  Fate fate = Fate::kReceived;
  Duration delay{0};
  Bytes bytes;  // from the Ethernet header on
};

// A TCP state was read (inet_diag) or entered by the scripted peer.
struct StateEvent {
  std::string actor;
  std::string socket;  // "192.0.2.1:40000", as far as known
  std::string state;   // "FIN-WAIT-2", as RFC 9293 spells it; "CLOSED" when there is none
};

// Something a test waited for. The event's time is when waiting ended.
struct ExpectationEvent {
  std::string actor;  // from whom
  std::string text;   // what: "FIN seq=1"
  bool met = false;
};

// A failed expectation: one GoogleTest failure.
struct FailureEvent {
  std::string file;
  int line = 0;
  std::string text;
  // The claim that was being decided; empty: none, so that it condemns all of the test or is of its
  // set-up (harness/trace/claim_verdict.h).
  std::string claim = "";
  // What failed is a matter of time, and a process that was served so late, or later, explains it.
  // 0: no lateness does.
  Duration explained_by{0};
};

// What a test says of one of the claims that it cites.
enum class Decision {
  kBegins,      // the expectations from here on decide it
  kNotTaken,    // the system makes no use of what it allows
  kNotReached,  // the test ended before it was decided
};
struct DecisionEvent {
  std::string claim;
  Decision decision = Decision::kBegins;
  std::string why;  // for all but kBegins: what the system does instead, what was in the way
};

// One line of free text, e.g. a sysctl that the test set.
struct NoteEvent {
  std::string text;
};

// A measured value that belongs beside the verdict ("TIME-WAIT", "60.412 s").
struct ObservationEvent {
  std::string name;
  std::string value;
};

// A number that was measured, and what is documented of it with the tolerance of the test: what a
// plot is made from.
struct MeasurementEvent {
  std::string name;  // "TIME-WAIT"; "SYN retransmission 2": after the one with the number before
  std::string unit;  // "s", or empty for a count
  double observed = 0;
  double documented = 0;
  double lower = 0;  // the least and the most that the test takes for what is documented
  double upper = 0;
};

// A rule is about to be checked on cells with these axes (harness/test/matrix.h).
struct MatrixEvent {
  std::vector<std::string> axes;
};

// One of those cells.
struct CellEvent {
  std::vector<std::string> at;  // a word for each axis
  std::string observed;         // "0", "EADDRINUSE"; "SKIP: " and why
  std::string expected;         // by the rule; empty where what was observed agrees with it
};

// Set-up is over; the first frame is possible from here on.
struct ReadyEvent {};

// The last event of a test that ended by itself.
struct VerdictEvent {
  Verdict verdict = Verdict::kError;
  std::string reason;          // why, for all but PASS; the failures themselves are FailureEvents
  Duration worst_lateness{0};  // of this process, EventLoop::worst_lateness()
};

struct Event {
  Time time;
  std::variant<CallEvent, ReturnEvent, BlockedEvent, FrameEvent, StateEvent, ExpectationEvent,
               FailureEvent, DecisionEvent, NoteEvent, ObservationEvent, MeasurementEvent,
               MatrixEvent, CellEvent, ReadyEvent, VerdictEvent>
      what;
};

// JSON object with "time" (ns), "kind" ("call", "return", "frame", ...) and the fields above under
// their names; frame bytes in hexadecimal. from_json throws nlohmann::json::exception or
// std::invalid_argument on anything else.
void to_json(nlohmann::json& json, const Event& event);
void from_json(const nlohmann::json& json, Event& event);

}  // namespace sockproof
