// A call that may block, as other threads than the one that makes it see it.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

namespace sockproof::agent {

class BlockingCall {
 public:
  // In the thread that will make the call, while no other thread makes descriptors.
  explicit BlockingCall(nlohmann::json id);

  const nlohmann::json& id() const { return id_; }
  // The thread that makes it; none before it is entered.
  std::optional<pthread_t> thread() const;

  // In the thread that makes the call: just before and after it, and when all is over, also if the
  // call was never made.
  void Enters(std::int64_t time);
  void Left() { stage_ = Stage::kLeft; }

  // Waits until its thread sleeps in the call or has left it; `true`: it sleeps. For at most a
  // second: a call that is busy for longer counts as one that sleeps.
  bool WaitUntilItSleeps() const;

  // Calls `announce` with the time of the call's begin, once; it has been called on return.
  template <typename Announce>
  void AnnounceOnce(const Announce& announce) {
    const std::lock_guard lock(announcing_);
    if (announced_) return;
    announced_ = true;
    announce(time_.load());
  }

 private:
  enum class Stage { kReadsParameters, kEntered, kLeft };

  const nlohmann::json id_;
  std::atomic<Stage> stage_ = Stage::kReadsParameters;
  std::atomic<std::int64_t> time_ = 0;
  const int thread_;  // what the system tells of it: a descriptor, -1 for none
  const pthread_t caller_;
  std::mutex announcing_;
  bool announced_ = false;
};

// Whether the system tells of threads whether they sleep (/proc).
bool ThreadsCanBeWatched();

}  // namespace sockproof::agent
