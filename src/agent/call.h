// The system call of one request.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/agent/parameters.h"

namespace sockproof::agent {

// "ECONNREFUSED"; a number in words for one that has no name.
std::string ErrnoName(int error);

// Runs the system call of one request between two readings of the clock and keeps what came of it.
// Used by the thread that makes the call only.
class Call {
 public:
  // `enters` is called with the time just before the call, `left` just after it; both in its
  // thread, either may be empty. `parameters` is borrowed.
  Call(const Parameters& parameters, std::function<void(std::int64_t)> enters,
       std::function<void()> left, json id = nullptr)
      : parameters_(parameters),
        enters_(std::move(enters)),
        left_(std::move(left)),
        id_(std::move(id)) {}

  // Makes the call; `system_call` returns a negative number and sets errno when it fails. Returns
  // what it returned. Throws RpcError when the request has parameters that nobody has read.
  template <typename SystemCall>
  auto Run(const SystemCall& system_call) {
    Enter();
    const auto result = system_call();
    Leave(result < 0);
    return result;
  }

  // Makes a call that has succeeded one that failed: what it began did.
  void Fail(int error) { error_ = error; }

  // The answer to this request with that value, begun and ended when the call was entered.
  std::string AnswerSoFar(const json& value) const;

  // The "result" of the reply, `value` being its value if the call succeeded.
  json Result(json value) const;

 private:
  void Enter();
  void Leave(bool failed);

  const Parameters& parameters_;
  const std::function<void(std::int64_t)> enters_;
  const std::function<void()> left_;
  const json id_;
  int error_ = 0;
  std::vector<std::string> signals_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

// Makes signals something that a Call counts instead of the end of the process: SIGPIPE, SIGUSR1
// without SA_RESTART, and SIGUSR2 with it.
void CatchSignals();

}  // namespace sockproof::agent
