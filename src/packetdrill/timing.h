// When the events of a script are due, and how late they may be.
#pragma once

#include <algorithm>

#include "harness/base/event_loop.h"
#include "harness/base/time.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// The axis of the script's time. Events count from the one before them: as it was to be, so that nothing adds up;
// as it was where it was later than that.
class Timing {
 public:
  // With the tolerances of the script: a time, and a part of an interval. The loop is told what this process is
  // late with, and must outlive this.
  Timing(EventLoop& loop, Duration tolerance, double tolerance_percent)
      : loop_(loop), tolerance_(tolerance), tolerance_percent_(tolerance_percent) {}

  void BeginAt(Time start) { start_ = start; }
  Time start() const { return start_; }
  Duration Since(Time time) const { return time - start_; }

  // Puts the times of an event on the axis: it is the one that runs, until EndOf().
  void Place(const Event& event);
  void EndOf(const Event& event);

  // When it is to be; of a range until when; of a call that waits when it is to return.
  Duration from() const { return from_; }
  Duration to() const { return to_; }
  Duration ends() const { return ends_; }
  // By how much later than the script says, by the time that the lines before took.
  Duration drift() const { return std::max(from_ - nominal_, Duration(0)); }
  // When the event before it was over.
  Duration last_done() const { return last_done_; }

  struct Lateness {
    Duration all{0};  // behind from()
    Duration own{0};  // what of that is this process's, and not that of the event before
  };
  // Sleeps until the event is due.
  Lateness Wait();

  // When the event was over, for the one that counts from there. What this process and the answer of
  // the kernel need for an event counts for nothing, else it would add up.
  void Done(Time time, bool at_once = true);
  // Of an event that may come at any time: it came.
  void CameAt(Duration at) { from_ = at; }
  // Of a call that waited.
  void Returned(Duration at) { really_done_ = last_done_ = std::max(last_done_, at); }
  // Of what this process does itself. From what is late the script counts on, so that delays, beyond
  // what a line takes anyway, add up against the clock of the kernel.
  void NoteBegun(Time time);

  // Of something that is to be at `at`.
  Duration Tolerance(Duration at) const { return ToleranceOf(at - last_from_); }
  // Of something that takes so long.
  Duration ToleranceOf(Duration interval) const;

 private:
  EventLoop& loop_;
  const Duration tolerance_;
  const double tolerance_percent_;
  Time start_;
  Duration from_{0}, to_{0}, ends_{0};  // of the event that runs
  Duration nominal_{0};                 // the same if nothing before it had taken time of its own
  Duration last_from_{0};               // when the one before it was to be
  Duration last_done_{0};               // when it was over
  Duration really_done_{0};             // the same, whatever was taken for nothing
  Duration really_done_before_{0};      // that of the line before
  Duration delayed_{0};                 // by how much this machine has delayed all that follows
  bool last_was_injected_ = false;
};

}  // namespace sockproof::packetdrill
