// The clock, errno and SIGPIPE around one system call.
#include "src/agent/call.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

namespace sockproof::agent {
namespace {

// The kernel raises SIGPIPE in the thread whose call failed, before that call returns.
thread_local volatile sig_atomic_t broken_pipes_in_this_thread = 0;

void CountBrokenPipe(int) { broken_pipes_in_this_thread = broken_pipes_in_this_thread + 1; }

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
  broken_pipes_in_this_thread = 0;
  begin_ = Now();
}

void Call::Leave(bool failed) {
  const int error = errno;
  end_ = Now();
  error_ = failed ? error : 0;
  broken_pipes_ = broken_pipes_in_this_thread;
  if (left_) left_();
}

json Call::Result(json value) const {
  json result = {{"begin", begin_}, {"end", end_}};
  if (error_ != 0) {
    result["errno"] = ErrnoName(error_);
  } else {
    result["value"] = std::move(value);
  }
  if (broken_pipes_ > 0) {
    result["signals"] = json::array();
    for (int i = 0; i < broken_pipes_; ++i) result["signals"].push_back("SIGPIPE");
  }
  return result;
}

void CatchBrokenPipes() {
  struct sigaction action {};
  action.sa_handler = CountBrokenPipe;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace sockproof::agent
