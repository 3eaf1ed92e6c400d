// The one place where a test waits. Everything that can happen in a test process (a frame on a
// wire, a reply of an agent, a timer) is a handler here, and they run only inside RunUntil().
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "harness/base/time.h"

namespace sockproof {

// Single-threaded: no locks anywhere in a test process, and a test sees the world change only
// between two of its own statements. Not thread-safe.
class EventLoop {
 public:
  using Handler = std::function<void()>;
  using TimerId = int;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `on_readable` whenever `fd` is readable or hung up (level-triggered). The caller keeps
  // the descriptor and calls Unwatch() before closing it.
  void Watch(int fd, Handler on_readable);
  void Unwatch(int fd);

  // Calls `handler` once, at or after `time`.
  TimerId At(Time time, Handler handler);
  void Cancel(TimerId timer);

  // Runs handlers until `done()` holds or `deadline` passes; returns done(). `done` is asked before
  // the first wait and after every handler. Exceptions of handlers pass through.
  bool RunUntil(const std::function<bool()>& done, Time deadline);

  // Something that happened, or fell due, at `due` is served only now. Timers and deadlines of
  // RunUntil() are noted by the loop itself; whoever else learns of such a delay notes it here: of
  // a frame by its timestamp, of an agent by how long it waited for a processor.
  void NoteServed(Time due) { NoteLateness(Clock::now() - std::max(due, judged_from_)); }
  void NoteLateness(Duration lateness) { worst_lateness_ = std::max(worst_lateness_, lateness); }

  // The longest of these delays: by this much the machine may have delayed anything that this
  // process or one of its agents did.
  Duration worst_lateness() const { return worst_lateness_; }

  // What was late so far did no harm: set-up.
  void ForgetLateness();

 private:
  struct Timer {
    Time time;
    Handler handler;
  };

  bool RunOneDueTimer();

  int epoll_ = -1;
  std::map<int, std::shared_ptr<Handler>> watched_;
  std::map<TimerId, Timer> timers_;
  TimerId next_timer_ = 1;
  Duration worst_lateness_{0};
  Time judged_from_;
};

}  // namespace sockproof
