// The clock, errno and SIGPIPE around one system call.
#include "src/agent/call.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <iterator>

namespace sockproof::agent {
namespace {

struct Caught {
  int number;
  const char* name;
  int flags;
};
constexpr Caught kCaught[] = {
    {SIGPIPE, "SIGPIPE", SA_RESTART}, {SIGUSR1, "SIGUSR1", 0}, {SIGUSR2, "SIGUSR2", SA_RESTART}};

// How often each was raised in this thread. The kernel raises SIGPIPE in the thread whose call
// failed, before that call returns.
thread_local volatile sig_atomic_t raised_in_this_thread[std::size(kCaught)];

void CountSignal(int number) {
  for (std::size_t i = 0; i < std::size(kCaught); ++i) {
    if (kCaught[i].number == number) raised_in_this_thread[i] = raised_in_this_thread[i] + 1;
  }
}

// CLOCK_REALTIME, because kernels stamp packets with it.
std::int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::string ErrnoName(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "errno " + std::to_string(error);
}

void Call::Enter() {
  parameters_.CheckAllRead();
  if (enters_) enters_(Now());
  for (auto& count : raised_in_this_thread) count = 0;
  begin_ = Now();
}

void Call::Leave(bool failed) {
  const int error = errno;
  end_ = Now();
  error_ = failed ? error : 0;
  for (std::size_t i = 0; i < std::size(kCaught); ++i) {
    signals_.insert(signals_.end(), static_cast<std::size_t>(raised_in_this_thread[i]),
                    kCaught[i].name);
  }
  if (left_) left_();
}

json Call::Result(json value) const {
  json result = {{"begin", begin_}, {"end", end_}};
  if (error_ != 0) {
    result["errno"] = ErrnoName(error_);
  } else {
    result["value"] = std::move(value);
  }
  if (!signals_.empty()) result["signals"] = signals_;
  return result;
}

std::string Call::AnswerSoFar(const json& value) const {
  const json result = {{"begin", begin_}, {"end", begin_}, {"value", value}};
  return json{{"jsonrpc", "2.0"}, {"id", id_}, {"result", result}}.dump();
}

void CatchSignals() {
  for (const Caught& caught : kCaught) {
    struct sigaction action {};
    action.sa_handler = CountSignal;
    action.sa_flags = caught.flags;
    sigaction(caught.number, &action, nullptr);
  }
}

}  // namespace sockproof::agent
