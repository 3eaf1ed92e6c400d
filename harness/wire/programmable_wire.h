// The wire between two real stacks when the harness is the wire: it forwards every frame, and
// loses, delays, duplicates or reorders exactly those that a test names.
//
//   wire.Drop(Fin().From(client));                       // the first FIN of the client
//   wire.Drop(Syn()).Times(3);                           // the first three SYNs
//   wire.Delay(SynAck(), 1500ms);
//   wire.Drop(Datagram("lost"));  wire.Drop(Fragment(0)); // so with datagrams, and their fragments
//   const Segment fin = wire.Expect(Fin().From(client)); // as it arrives at the wire
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/event_loop.h"
#include "harness/trace/event_log.h"
#include "harness/wire/partial_packet.h"
#include "harness/wire/partial_segment.h"
#include "harness/wire/port.h"
#include "harness/wire/within.h"

namespace sockproof {

// One end of a programmable wire.
struct WireEnd {
  std::string actor;
  WirePort* port = nullptr;
};

// Which frames are meant: those with such a segment, or with such a packet of another kind. What
// comes in fragments is no datagram here but several Fragment()s.
class WirePattern {
 public:
  WirePattern(const PartialSegment& segment) : segment_(segment) {}  // NOLINT: meant to convert
  WirePattern(const PartialPacket& packet) : packet_(packet) {}      // NOLINT: likewise

  bool Matches(const std::string& from, const std::optional<Segment>& segment,
               const packet::Packet& packet) const;
  const std::string& from() const { return segment_ ? segment_->from() : packet_->from(); }
  std::string Describe() const { return segment_ ? segment_->Describe() : packet_->Describe(); }

 private:
  std::optional<PartialSegment> segment_;
  std::optional<PartialPacket> packet_;
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
    Rule(Action action, WirePattern pattern, Duration delay, SourceLocation where)
        : action_(action), pattern_(std::move(pattern)), delay_(delay), where_(where) {}
    Action action_;
    WirePattern pattern_;
    Duration delay_;
    SourceLocation where_;
    int left_ = 1;
    int applied_ = 0;
  };

  ProgrammableWire(EventLoop& loop, EventLog& log, WireEnd a, WireEnd b);
  ~ProgrammableWire();

  // Rules are tried in the order in which they were made; the first that matches decides. The
  // returned reference lives as long as the wire.
  Rule& Drop(const WirePattern& pattern, SourceLocation where = SourceLocation::Current());
  Rule& Delay(const WirePattern& pattern, Duration delay,
              SourceLocation where = SourceLocation::Current());
  Rule& Duplicate(const WirePattern& pattern, SourceLocation where = SourceLocation::Current());
  // Held back until the next frame in the same direction has passed that is not ARP or ICMPv6.
  Rule& SwapWithNext(const WirePattern& pattern, SourceLocation where = SourceLocation::Current());

  // The next segment at the wire, after the one that was expected last, that matches; others are
  // passed over. `time` is its arrival at the wire, whatever became of it then.
  // Throws Departure, which lateness of this process may explain.
  Segment Expect(const PartialSegment& pattern, Within within = Within(kPatience),
                 SourceLocation where = SourceLocation::Current());
  // The same of another packet.
  IpPacket Expect(const PartialPacket& pattern, Within within = Within(kPatience),
                  SourceLocation where = SourceLocation::Current());

  // Every segment, or other packet, so far that matches, in order of arrival.
  std::vector<Segment> Seen(const PartialSegment& pattern) const;
  std::vector<IpPacket> Seen(const PartialPacket& pattern) const;

  // Throws Departure for a rule that never applied: the frame the test named never came.
  void CheckEveryRuleApplied() const;

 private:
  struct Passed {
    std::string from;
    std::optional<Segment> segment;
    IpPacket packet;
  };
  struct Direction {
    WireEnd from;
    WireEnd to;
    Bytes held;  // by kSwapWithNext
  };

  Rule& Add(Rule rule);
  void TakeFrame(Direction& direction, Time time, Bytes frame);
  void Forward(Direction& direction, const Bytes& frame);
  Rule* RuleFor(const Passed& passed);
  static bool Matches(const WirePattern& pattern, const Passed& passed);
  const Passed& ExpectPassed(const WirePattern& pattern, Within within, SourceLocation where);

  EventLoop& loop_;
  EventLog& log_;
  Direction a_to_b_;
  Direction b_to_a_;
  std::list<Rule> rules_;
  std::deque<Passed> passed_;
  size_t expected_up_to_ = 0;
  std::vector<EventLoop::TimerId> timers_;
};

}  // namespace sockproof
