// The ladder of a test as data: what happened between which two actors, in order of time, as far as
// a reader wants to see it. Its text (ladder.h) and its picture (src/picture) are drawn from this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "harness/trace/event.h"
#include "harness/trace/frame_view.h"
#include "harness/trace/relative_numbers.h"
#include "harness/trace/timeline.h"

namespace sockproof {

enum class LadderSide {
  kLeft,   // the system under test, or the client
  kRight,  // the other end of the wire
  kOther,  // a third actor
};

struct LadderActor {
  std::string name;  // "sut"; empty: there is none
  // "192.0.2.1:40000", as much of it as all of its segments share; without segments, its datagrams.
  std::string endpoint;
};

struct LadderCall {
  CallSpan span;
  LadderSide side = LadderSide::kLeft;
  // It returned, soon, and nothing else is to be seen in between: it has no LadderReturn.
  bool is_whole = false;

  bool has_returned() const { return span.return_event != nullptr; }
  std::string ShortName() const;  // "connect(3)" of "connect(3, 192.0.2.2:80)"
};

// The beginning and the end of Ladder::calls[call].
struct LadderBegin {
  std::size_t call = 0;
};
struct LadderReturn {
  std::size_t call = 0;
};

// What a TCP segment says.
struct LadderSegment {
  TcpView tcp;
  std::string connection;  // "40000>80", when the test has several; else empty
  LadderNumber seq;
  std::optional<LadderNumber> ack;          // with the ACK bit
  std::optional<std::uint16_t> new_window;  // when it is another than before; not of a RST
  std::string options;  // "mss 1460,sackOK"; empty when there is nothing a reader would miss
  bool is_retransmission = false;

  std::string FlagsText() const;    // "SYN,ACK"
  std::string NumbersText() const;  // "seq=0 ack=1 win=65160"
  std::string PayloadText() const;  // "len=5 \"hello\"", empty without
};

// A frame that is no noise.
struct LadderFrame {
  const FrameEvent* event = nullptr;
  bool to_the_right = false;
  bool is_between_sides = true;  // else a third actor sends or receives it
  std::optional<LadderSegment> segment;
  std::string kind;   // of what is not TCP, without numbers that differ from run to run
  std::string other;  // all that is said of it: "UDP 40000>53 len=5 \"hello\""
  std::string defect;
  bool is_resolution = false;

  Fate fate() const { return event->fate; }
  std::string Label() const;                 // all that is said of it, in one line
  std::vector<std::string> Remarks() const;  // "lost", "retransmitted", "bad checksum"
};

// A state that is another than the one shown before of that socket.
struct LadderState {
  const StateEvent* event = nullptr;
  LadderSide side = LadderSide::kLeft;
};

struct LadderItem {
  Time time;
  const Event* event = nullptr;  // what it was made from
  // Of expectations only those that were not met.
  std::variant<LadderBegin, LadderReturn, LadderFrame, LadderState, ExpectationEvent, FailureEvent,
               NoteEvent, ObservationEvent, VerdictEvent>
      what;
};

// Refers to the events it was made from.
struct Ladder {
  Time zero;  // of the time axis
  LadderActor left, right;
  bool has_several_connections = false;
  std::vector<LadderCall> calls;  // in order of their CallEvents
  std::vector<LadderItem> items;  // in order of time; of two at the same time the one logged first

  LadderSide SideOf(const std::string& actor) const;
};

// Never throws on malformed frames: they are shown as what can be said of them.
Ladder MakeLadder(const std::vector<Event>& events);

// Whether so much time between two items deserves to be pointed out.
constexpr bool IsSilence(Duration between) { return between > 1500ms; }

}  // namespace sockproof
