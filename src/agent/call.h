// The system call of one request.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>

#include "src/agent/parameters.h"

namespace sockproof::agent {

// Runs the system call of one request between two readings of the clock and keeps what came of it.
// Used by the thread that makes the call only.
class Call {
 public:
  // `announce` is called with the time just before the call; empty: nobody asked for that.
  // `parameters` is borrowed.
  Call(const Parameters& parameters, std::function<void(std::int64_t)> announce)
      : parameters_(parameters), announce_(std::move(announce)) {}

  // Makes the call; `system_call` returns a negative number and sets errno when it fails. Returns
  // what it returned. Throws RpcError when the request has parameters that nobody has read.
  template <typename SystemCall>
  auto Run(const SystemCall& system_call) {
    Enter();
    const auto result = system_call();
    Leave(result < 0);
    return result;
  }

  // The "result" of the reply, `value` being its value if the call succeeded.
  json Result(json value) const;

 private:
  void Enter();
  void Leave(bool failed);

  const Parameters& parameters_;
  const std::function<void(std::int64_t)> announce_;
  int error_ = 0;
  int broken_pipes_ = 0;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

// Makes SIGPIPE something that a Call counts instead of the end of the process.
void CatchBrokenPipes();

}  // namespace sockproof::agent
