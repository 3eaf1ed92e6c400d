// How long an expectation waits.
#pragma once

#include "harness/base/time.h"

namespace sockproof {

// In the time of the system under test.
struct Within {
  explicit Within(Duration duration) : value(duration) {}
  Duration value;
};

// What does not come within a bound may be late for the machine's sake only if a process of the
// test was served late by a part of that bound that matters: a tenth.
constexpr Duration ThatExplainsAbsence(Duration within) { return within / 10; }

// Answers that come at once are waited for this long: far beyond any delay of a busy machine.
inline constexpr Duration kPatience = 5s;

}  // namespace sockproof
