// What a socket call on the system under test gave: a value that tests match on, never an
// exception. Matchers are in harness/test/matchers.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/time.h"

namespace sockproof {

// The result of a call: a value of type T, or an errno of the system under test.
template <typename T>
class Outcome {
 public:
  static Outcome Succeeded(std::string call, T value) {
    return Outcome(std::move(call), std::move(value), 0);
  }
  static Outcome Failed(std::string call, int error) {
    return Outcome(std::move(call), std::nullopt, error);
  }

  bool ok() const { return value_.has_value(); }
  // errno of the call; 0 when it succeeded.
  int error() const { return error_; }
  // The value of a call that must have succeeded for the test to go on: throws Departure.
  const T& value(SourceLocation where = SourceLocation::Current()) const {
    if (!ok()) {
      throw Departure(
          "  Expected: " + call_ + " succeeds\n  Observed: it fails with " + ErrnoName(error_),
          where);
    }
    return *value_;
  }
  // As a C program wrote it: "shutdown(3, SHUT_WR)".
  const std::string& call() const { return call_; }

  // When the call was entered and when it returned, by the agent's clock.
  Time begin, end;
  // Signals raised in the calling thread meanwhile: "SIGPIPE".
  std::vector<std::string> signals;

 private:
  Outcome(std::string call, std::optional<T> value, int error)
      : call_(std::move(call)), value_(std::move(value)), error_(error) {}
  std::string call_;
  std::optional<T> value_;
  int error_ = 0;
};

}  // namespace sockproof
