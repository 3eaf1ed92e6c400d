// Watches threads by /proc/thread-self (proc(5)).
#include "src/agent/blocking_call.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string_view>

namespace sockproof::agent {
namespace {

// Out of the way of the descriptors that tests see.
constexpr int kFirstDescriptor = 700;

// The file that tells of this thread: opened once, because a descriptor that comes and goes beside
// accept() would change the one that accept() gives. -1 when there is none.
int FileOfThisThread() {
  struct File {
    pid_t thread;
    int descriptor;
  };
  static thread_local File file{0, -1};
  if (file.thread == gettid()) return file.descriptor;  // else it is of the process forked from
  file = {gettid(), -1};
  // By its number it is found only where /proc is of the PID namespace that this process is in.
  const int opened = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
  if (opened < 0) return -1;
  file.descriptor = fcntl(opened, F_DUPFD_CLOEXEC, kFirstDescriptor);
  close(opened);
  return file.descriptor;
}

// 'S' for a thread that sleeps until something happens, 'R' for one that runs or wants to; 0 when
// nobody tells.
char StateIn(int file) {
  char line[512];
  const ssize_t count = pread(file, line, sizeof line, 0);
  const std::string_view text(line, count < 0 ? 0 : static_cast<std::size_t>(count));
  // "4711 (name) S ...": a name may hold anything.
  const std::size_t end = text.rfind(") ");
  return end == std::string_view::npos || end + 2 >= text.size() ? '\0' : text[end + 2];
}

}  // namespace

BlockingCall::BlockingCall(nlohmann::json id)
    : id_(std::move(id)), thread_(FileOfThisThread()), caller_(pthread_self()) {}

std::optional<pthread_t> BlockingCall::thread() const {
  return stage_ == Stage::kEntered ? std::optional(caller_) : std::nullopt;
}

void BlockingCall::Enters(std::int64_t time) {
  time_ = time;
  stage_ = Stage::kEntered;
}

bool BlockingCall::WaitUntilItSleeps() const {
  constexpr auto kMostPatience = std::chrono::seconds(1);
  // Most calls return or sleep within it. What takes longer may wait for a thread of the kernel, which
  // gets no processor as long as this one, if it has real-time priority, only yields.
  constexpr int kYields = 50;
  constexpr timespec kNap{0, 50'000};
  int looks = 0;
  std::chrono::steady_clock::time_point deadline;
  while (true) {
    const Stage before = stage_;
    if (before == Stage::kLeft) return false;
    if (before == Stage::kEntered) {
      // From Enters() to Left() it can sleep nowhere but in the call.
      const char state = StateIn(thread_);
      const auto now = std::chrono::steady_clock::now();
      if (deadline == std::chrono::steady_clock::time_point()) deadline = now + kMostPatience;
      const bool done = state == 'S' || state == 0 || now >= deadline;
      if (done && stage_ == Stage::kEntered) return true;
    }
    if (++looks <= kYields) {
      sched_yield();
    } else {
      nanosleep(&kNap, nullptr);
    }
  }
}

bool ThreadsCanBeWatched() { return StateIn(FileOfThisThread()) != 0; }

}  // namespace sockproof::agent
