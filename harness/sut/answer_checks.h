// What an agent may answer (src/agent/README.md), checked before anybody reads it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "harness/base/time.h"

namespace sockproof {

// What a call was, as far as its answer depends on that.
struct AskedCall {
  std::string method;
  std::string option;     // of getsockopt: its name
  bool as_bytes = false;  // of getsockopt: with "length"
};

// The line as JSON. Throws HarnessError for what is none, nests deeper than 16, or holds more than
// 200,000 values, so that no line costs more memory than some of its own lengths.
nlohmann::json ParseAnswer(std::string_view line);

// Throws HarnessError, "shutdown: result.value is \"x\", a whole number expected", for a "result"
// that is not as documented: "begin" and "end" are whole nanoseconds from 1970 to 2116 in order,
// "signals" names of signals, "errno" or "value" is there, and the value has the members and types
// of its method.
void CheckResult(const AskedCall& call, const nlohmann::json& result);

// The same for the "error" of a call that was refused.
void CheckRefusal(const AskedCall& call, const nlohmann::json& error);

// A time that an agent tells, checked alike. `where` begins the message of the error.
Time TimeIn(const std::string& where, const nlohmann::json& nanoseconds);

}  // namespace sockproof
