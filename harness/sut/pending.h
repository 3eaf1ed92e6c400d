// A call that has begun and may not have returned yet.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/sut/agent.h"
#include "harness/sut/outcome.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

class Stack;

// What is the same for calls of every kind.
class PendingCall {
 public:
  PendingCall(Stack& stack, Agent::CallId call, std::string text)
      : stack_(&stack), call_(call), text_(std::move(text)) {}

  // Proves that the call has not returned (Agent::StillBlocks()). What was sent before must have
  // been taken in by the system: the testbeds' ExpectStillBlocked() sees to that. Throws Departure.
  void ExpectStillBlocked(SourceLocation where = SourceLocation::Current());

  // A signal to the thread that sleeps in the call: SIGUSR1, or SIGUSR2, whose handler has
  // SA_RESTART. Throws Departure when it does not sleep there, Skip where that cannot be seen.
  void Interrupt(SourceLocation where = SourceLocation::Current()) { Signal(false, where); }
  void InterruptAndRestart(SourceLocation where = SourceLocation::Current()) {
    Signal(true, where);
  }

  // Whether the call still has not returned after so long.
  bool BlocksFor(Duration duration);

 protected:
  // How it ended.
  struct End {
    int error = 0;  // errno, 0 when it succeeded
    Time begin, end;
    std::vector<std::string> signals;
  };
  // Waits for that; `read` gets the value if it succeeded. Throws Departure when it does not come
  // within the time given.
  End AwaitEnd(Within within, SourceLocation where,
               const std::function<void(const nlohmann::json& value)>& read);
  const std::string& text() const { return text_; }

 private:
  void Signal(bool restart, SourceLocation where);

  Stack* stack_;
  Agent::CallId call_;
  std::string text_;
};

// Move-only.
template <typename T>
class Pending : public PendingCall {
 public:
  // Makes a T of the value in the agent's answer.
  using Reader = std::function<T(const nlohmann::json& value)>;

  Pending(Stack& stack, Agent::CallId call, std::string text, Reader read)
      : PendingCall(stack, call, std::move(text)), read_(std::move(read)) {}
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&&) noexcept = default;

  // Waits until the call returns. Throws Departure when it has not within the time given.
  Outcome<T> Await(Within within = Within(kPatience),
                   SourceLocation where = SourceLocation::Current()) {
    std::optional<T> value;
    End end =
        AwaitEnd(within, where, [&](const nlohmann::json& told) { value.emplace(read_(told)); });
    Outcome<T> outcome = value ? Outcome<T>::Succeeded(text(), *std::move(value))
                               : Outcome<T>::Failed(text(), end.error);
    outcome.begin = end.begin;
    outcome.end = end.end;
    outcome.signals = std::move(end.signals);
    return outcome;
  }

 private:
  Reader read_;
};

}  // namespace sockproof
