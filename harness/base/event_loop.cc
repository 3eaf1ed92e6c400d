#include "harness/base/event_loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/base/errors.h"

namespace sockproof {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) ThrowErrno("epoll_create1");
}

EventLoop::~EventLoop() { ::close(epoll_); }

void EventLoop::Watch(int fd, Handler on_readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) ThrowErrno("epoll_ctl(ADD)");
  watched_[fd] = std::make_shared<Handler>(std::move(on_readable));
}

void EventLoop::Unwatch(int fd) {
  if (watched_.erase(fd) != 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::At(Time time, Handler handler) {
  const TimerId id = next_timer_++;
  timers_.emplace(id, Timer{time, std::move(handler)});
  return id;
}

void EventLoop::Cancel(TimerId timer) { timers_.erase(timer); }

void EventLoop::ForgetLateness() {
  worst_lateness_ = Duration(0);
  judged_from_ = Clock::now();
}

bool EventLoop::RunOneDueTimer() {
  const auto earliest =
      std::min_element(timers_.begin(), timers_.end(),
                       [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
  if (earliest == timers_.end() || earliest->second.time > Clock::now()) return false;
  NoteServed(earliest->second.time);
  const Handler handler = std::move(earliest->second.handler);
  timers_.erase(earliest);
  handler();
  return true;
}

bool EventLoop::RunUntil(const std::function<bool()>& done, Time deadline) {
  bool deadline_waited_for = false;
  while (true) {
    if (done()) return true;
    if (RunOneDueTimer()) continue;

    Time wake = deadline;
    for (const auto& [id, timer] : timers_) wake = std::min(wake, timer.time);
    const Time now = Clock::now();
    const Duration wait = std::max(wake - now, Duration(0));
    if (wait > Duration(0) && wake == deadline) deadline_waited_for = true;

    // epoll_wait() counts in milliseconds; ppoll() on the epoll descriptor counts in nanoseconds.
    pollfd epoll_readable{epoll_, POLLIN, 0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const timespec timeout{seconds.count(), (wait - seconds).count()};
    const int ready = ppoll(&epoll_readable, 1, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) ThrowErrno("ppoll");
    if (ready <= 0) {
      if (Clock::now() < deadline) continue;
      if (deadline_waited_for) NoteServed(deadline);
      return done();
    }

    std::array<epoll_event, 16> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      const auto handler = watched_.find(events[static_cast<size_t>(i)].data.fd);
      if (handler == watched_.end()) continue;
      const std::shared_ptr<Handler> keep = handler->second;  // it may unwatch itself
      (*keep)();
      if (done()) return true;
    }
    // What had arrived by the deadline has been handled above, however late this process was.
    if (wait == Duration(0) && Clock::now() >= deadline) return done();
  }
}

}  // namespace sockproof
