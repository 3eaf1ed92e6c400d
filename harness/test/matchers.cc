#include "harness/test/matchers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/test/context.h"

namespace sockproof {
namespace {

// One tick of the slowest usual clock, HZ=100.
constexpr Duration kTick = 10ms;

// GoogleTest asks for an explanation only of what has failed, just before it reports that.
void ExplainedBy(Duration lateness, testing::MatchResultListener* listener) {
  if (listener->IsInterested()) TestContext::Current().ExplainNextFailure(lateness);
}

}  // namespace

void PrintTo(TcpState state, std::ostream* out) { *out << TcpStateName(state); }

void PrintTo(const Segment& segment, std::ostream* out) { *out << Describe(segment, 0, 0); }

namespace printing {

std::string Readable(const std::string& text) {
  constexpr size_t kShown = 64;
  return fmt::format("\"{}\"{}", text.substr(0, kShown),
                     text.size() > kShown ? fmt::format("... ({} bytes)", text.size()) : "");
}

std::string Readable(const std::vector<std::string>& words) {
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, "|"));
}

}  // namespace printing

Duration FiresAfter::earliest() const { return nominal_ - granularity_ - kTick; }
Duration FiresAfter::latest() const { return nominal_ + nominal_ / 8 + granularity_ + kTick; }

bool FiresAfter::MatchAndExplain(Duration observed, testing::MatchResultListener* listener) const {
  // GoogleTest asks a second time, for the explanation.
  if (!name_.empty() && !listener->IsInterested()) {
    TestContext::Current().log().Now(MeasurementEvent{name_, "s", ToSeconds(observed),
                                                      ToSeconds(nominal_), ToSeconds(earliest()),
                                                      ToSeconds(latest())});
  }
  if (observed >= earliest() && observed <= latest()) return true;
  // A busy machine stamps either end of the interval late.
  const bool early = observed < earliest();
  ExplainedBy(early ? earliest() - observed : observed - latest(), listener);
  *listener << (early ? "early by " : "late by ")
            << FormatDuration(early ? nominal_ - observed : observed - nominal_);
  return false;
}

bool LastsAtLeast::MatchAndExplain(Duration observed,
                                   testing::MatchResultListener* listener) const {
  if (observed >= least_) return true;
  ExplainedBy(least_ - observed, listener);
  return false;
}

void LastsAtLeast::DescribeTo(std::ostream* out) const {
  *out << "lasts at least " << FormatDuration(least_);
}

void LastsAtLeast::DescribeNegationTo(std::ostream* out) const {
  *out << "lasts less than " << FormatDuration(least_);
}

bool LastsAtMost::MatchAndExplain(Duration observed, testing::MatchResultListener* listener) const {
  if (observed <= most_) return true;
  ExplainedBy(observed - most_, listener);
  return false;
}

void LastsAtMost::DescribeTo(std::ostream* out) const {
  *out << "lasts at most " << FormatDuration(most_);
}

void LastsAtMost::DescribeNegationTo(std::ostream* out) const {
  *out << "lasts longer than " << FormatDuration(most_);
}

void FiresAfter::DescribeTo(std::ostream* out) const {
  *out << "is a timer of " << FormatDuration(nominal_) << " (" << FormatDuration(earliest())
       << " to " << FormatDuration(latest()) << ")";
}

void FiresAfter::DescribeNegationTo(std::ostream* out) const {
  *out << "is not a timer of " << FormatDuration(nominal_);
}

}  // namespace sockproof

namespace std::chrono {
void PrintTo(const sockproof::Duration& duration, std::ostream* out) {
  *out << sockproof::FormatDuration(duration);
}
}  // namespace std::chrono
