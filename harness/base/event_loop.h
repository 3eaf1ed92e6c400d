// The one place where a test waits. Everything that can happen in a test process (a frame on a
// wire, a reply of an agent, a timer) is a handler here, and they run only inside RunUntil().
#pragma once

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

  // How late the latest timer or deadline was served, in all RunUntil() calls so far: by this much
  // the machine may have delayed anything this process did.
  Duration worst_lateness() const { return worst_lateness_; }

 private:
  struct Timer {
    Time time;
    Handler handler;
  };

  void NoteLateness(Time due);
  bool RunOneDueTimer();

  int epoll_ = -1;
  std::map<int, std::shared_ptr<Handler>> watched_;
  std::map<TimerId, Timer> timers_;
  TimerId next_timer_ = 1;
  Duration worst_lateness_{0};
};

}  // namespace sockproof
