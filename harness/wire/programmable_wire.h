// The wire between two real stacks when the harness is the wire: it forwards every frame, and
// loses, delays, duplicates or reorders exactly those that a test names.
//
//   wire.Drop(Fin().From(client));                       // the first FIN of the client
//   wire.Drop(Syn()).Times(3);                           // the first three SYNs
//   wire.Delay(SynAck(), 1500ms);
//   const Segment fin = wire.Expect(Fin().From(client)); // as it arrives at the wire
#pragma once

#include <deque>
#include <list>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/trace/event_log.h"
#include "harness/wire/partial_segment.h"
#include "harness/wire/port.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

// One end of a programmable wire.
struct WireEnd {
  std::string actor;
  WirePort* port = nullptr;
};

// Not thread-safe; ports, loop and log must outlive it.
class ProgrammableWire {
 public:
  // What happens to the frames that match. Applies to the first one unless Times() or Always()
  // says otherwise.
  class Rule {
   public:
    Rule& Times(int times) { return left_ = times, *this; }
    Rule& Always() { return left_ = -1, *this; }
    // The rule ends now, e.g. to mend a cut wire.
    void Stop() { left_ = 0; }
    int applied() const { return applied_; }

   private:
    friend class ProgrammableWire;
    enum class Action { kDrop, kDelay, kDuplicate, kSwapWithNext };
    Rule(Action action, PartialSegment pattern, Duration delay, SourceLocation where)
        : action_(action), pattern_(std::move(pattern)), delay_(delay), where_(where) {}
    Action action_;
    PartialSegment pattern_;
    Duration delay_;
    SourceLocation where_;
    int left_ = 1;
    int applied_ = 0;
  };

  ProgrammableWire(EventLoop& loop, EventLog& log, WireEnd a, WireEnd b);
  ~ProgrammableWire();

  // Rules are tried in the order in which they were made; the first that matches decides. The
  // returned reference lives as long as the wire.
  Rule& Drop(const PartialSegment& pattern, SourceLocation where = SourceLocation::Current());
  Rule& Delay(const PartialSegment& pattern, Duration delay,
              SourceLocation where = SourceLocation::Current());
  Rule& Duplicate(const PartialSegment& pattern, SourceLocation where = SourceLocation::Current());
  // Held back until the next frame in the same direction has passed.
  Rule& SwapWithNext(const PartialSegment& pattern,
                     SourceLocation where = SourceLocation::Current());

  // The next segment at the wire, after the one that was expected last, that matches; others are
  // passed over. `time` is its arrival at the wire, whatever became of it then.
  // Throws Departure, which lateness of this process may explain.
  Segment Expect(const PartialSegment& pattern, Within within = Within(kPatience),
                 SourceLocation where = SourceLocation::Current());

  // Every segment so far that matches, in order of arrival.
  std::vector<Segment> Seen(const PartialSegment& pattern) const;

  // Throws Departure for a rule that never applied: the frame the test named never came.
  void CheckEveryRuleApplied() const;

 private:
  struct Passed {
    std::string from;
    Segment segment;
  };
  struct Direction {
    WireEnd from;
    WireEnd to;
    Bytes held;  // by kSwapWithNext
  };

  Rule& Add(Rule rule);
  void TakeFrame(Direction& direction, Time time, Bytes frame);
  void Forward(Direction& direction, const Bytes& frame);
  Rule* RuleFor(const Segment& segment, const std::string& from);
  static bool Matches(const PartialSegment& pattern, const Passed& passed);

  EventLoop& loop_;
  EventLog& log_;
  Direction a_to_b_;
  Direction b_to_a_;
  std::list<Rule> rules_;
  std::vector<Passed> passed_;
  size_t expected_up_to_ = 0;
  std::vector<EventLoop::TimerId> timers_;
};

}  // namespace sockproof
