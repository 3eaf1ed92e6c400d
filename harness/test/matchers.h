// GoogleTest matchers for socket calls, states and times. They print what the system under test
// did in its own words: names of errnos, states as RFC 9293 spells them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/time.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/outcome.h"
#include "harness/wire/segment.h"

namespace sockproof {

// How the values print in a failure.
void PrintTo(TcpState state, std::ostream* out);
void PrintTo(const Segment& segment, std::ostream* out);

namespace printing {
std::string Readable(const std::string& text);
inline std::string Readable(int number) { return std::to_string(number); }
std::string Readable(const std::vector<std::string>& words);
template <typename T>
std::string Readable(const T&) {
  return "success";
}
}  // namespace printing

template <typename T>
void PrintTo(const Outcome<T>& outcome, std::ostream* out) {
  *out << outcome.call() << " = "
       << (outcome.ok() ? printing::Readable(outcome.value()) : ErrnoName(outcome.error()));
  for (const std::string& signal : outcome.signals) *out << ", raising " << signal;
}

// The call succeeded, whatever it gave.
MATCHER(Succeeds, negation ? "fails" : "succeeds") { return arg.ok(); }

// The call succeeded and gave this.
MATCHER_P(Returns, expected, "returns " + testing::PrintToString(expected)) {
  return arg.ok() &&
         testing::ExplainMatchResult(testing::Eq(expected), arg.value(), result_listener);
}

// recv() returned 0 bytes: the peer has sent FIN and all data before it has been read.
MATCHER(IsEndOfFile, "returns the end of file") { return arg.ok() && arg.value().empty(); }

// The call failed with this errno, e.g. FailsWith(ECONNREFUSED).
MATCHER_P(FailsWith, error, "fails with " + ErrnoName(error)) { return arg.error() == error; }

// The call failed with this errno, or succeeded if that is 0.
MATCHER_P(HasErrno, error,
          error == 0 ? std::string(negation ? "fails" : "succeeds")
                     : (negation ? "does not fail with " : "fails with ") + ErrnoName(error)) {
  return arg.error() == error;
}

// The call raised this signal in its thread, e.g. "SIGPIPE".
MATCHER_P(Raises, signal, "raises " + std::string(signal)) {
  return std::find(arg.signals.begin(), arg.signals.end(), signal) != arg.signals.end();
}

// A timer set to `nominal` fired after this Duration. Timers never fire early but for the clock's
// granularity, and late by up to 1/8 of their length: so coarse are the far levels of Linux's timer
// wheel (kernel/time/timer.c), the coarsest documented clock among the systems tested.
// A clock that is documented to be coarser makes it early or late by its `granularity` as well.
// With a name, what is matched is recorded as a MeasurementEvent of that name.
// A Duration that misses that by no more than a process of the test was served late cannot be
// judged: the test ends INCONCLUSIVE.
class FiresAfter {
 public:
  using is_gtest_matcher = void;
  explicit FiresAfter(Duration nominal, std::string name = "")
      : FiresAfter(nominal, Duration{0}, std::move(name)) {}
  FiresAfter(Duration nominal, Duration granularity, std::string name = "")
      : nominal_(nominal), granularity_(granularity), name_(std::move(name)) {}
  bool MatchAndExplain(Duration observed, testing::MatchResultListener* listener) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

  Duration earliest() const;
  Duration latest() const;

 private:
  Duration nominal_;
  Duration granularity_;
  std::string name_;
};

// Intervals with one bound; of lateness the same holds.
class LastsAtLeast {
 public:
  using is_gtest_matcher = void;
  explicit LastsAtLeast(Duration least) : least_(least) {}
  bool MatchAndExplain(Duration observed, testing::MatchResultListener* listener) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

 private:
  Duration least_;
};

class LastsAtMost {
 public:
  using is_gtest_matcher = void;
  explicit LastsAtMost(Duration most) : most_(most) {}
  bool MatchAndExplain(Duration observed, testing::MatchResultListener* listener) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

 private:
  Duration most_;
};

}  // namespace sockproof

// GoogleTest prints durations as what they are.
namespace std::chrono {
void PrintTo(const sockproof::Duration& duration, std::ostream* out);
}
