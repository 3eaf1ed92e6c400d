// The clock of another machine, estimated from calls.
#include "harness/sut/far_clock.h"

#include <gtest/gtest.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

const Time kStart = FromNanoseconds(1'700'000'000'000'000'000);

// A call that was under way for 2 ms there and 1 ms back, on a clock that is `ahead`.
void Call(FarClock& clock, Time sent, Duration ahead) {
  clock.Learn(sent, sent + 2ms + ahead, sent + 3ms + ahead, sent + 4ms);
}

TEST(FarClock, IsOursUntilItIsKnown) { EXPECT_EQ(FarClock().ToOurs(kStart), kStart); }

TEST(FarClock, IsKnownToHalfOfTheTimeUnderWay) {
  for (const Duration ahead : {Duration(-1h), Duration(0), Duration(3s)}) {
    FarClock clock;
    Call(clock, kStart, ahead);
    EXPECT_EQ(clock.Error(kStart + 4ms), 1500us);
    EXPECT_LE(std::chrono::abs(clock.ToOurs(kStart + ahead) - kStart), 1500us);
  }
}

TEST(FarClock, IsKnownBestFromTheQuickestCall) {
  FarClock clock;
  Call(clock, kStart, 1s);
  clock.Learn(kStart + 5ms, kStart + 1s + 5ms, kStart + 1s + 5ms, kStart + 5ms + 10us);
  EXPECT_LE(clock.Error(kStart + 6ms), 10us);
  Call(clock, kStart + 6ms, 1s);
  EXPECT_LE(clock.Error(kStart + 10ms), 10us);
}

TEST(FarClock, IsKnownLessWellWithTime) {
  FarClock clock;
  Call(clock, kStart, 1s);
  EXPECT_GT(clock.Error(kStart + 60s), clock.Error(kStart + 1s));
  // As far as two clocks drift apart, that is no step.
  Call(clock, kStart + 60s, 1s + 10ms);
}

TEST(FarClock, ThatIsSteppedMakesTimesInconclusive) {
  FarClock clock;
  Call(clock, kStart, 1s);
  EXPECT_THROW(Call(clock, kStart + 1s, 2s), Inconclusive);
}

}  // namespace
}  // namespace sockproof
