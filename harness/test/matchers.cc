#include "harness/test/matchers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/test/context.h"

namespace sockproof {
namespace {

// One tick of the slowest usual clock, HZ=100.
constexpr Duration kTick = 10ms;

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
  const Duration own_lateness = TestContext::Current().loop().worst_lateness();
  const bool early = observed < earliest();
  if (early ? observed + own_lateness >= earliest() : observed - own_lateness <= latest()) {
    throw Inconclusive(fmt::format(
        "{} where {} was documented, but this process was served up to {} late",
        FormatDuration(observed), FormatDuration(nominal_), FormatDuration(own_lateness)));
  }
  *listener << (early ? "early by " : "late by ")
            << FormatDuration(early ? nominal_ - observed : observed - nominal_);
  return false;
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
