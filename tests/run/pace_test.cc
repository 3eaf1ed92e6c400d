// How many tests run at once: fixed, or found out from how late their processes were served.
#include "src/run/pace.h"

#include <gtest/gtest.h>

namespace sockproof {
namespace {

class PaceTest : public testing::Test {
 protected:
  void End(Pace& pace, Duration lateness, int times = 1) {
    for (int i = 0; i < times; ++i) pace.Ended(lateness, now_ += std::chrono::seconds(1));
  }

  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
};

TEST_F(PaceTest, AFixedNumberStays) {
  Pace pace(3, 2);
  End(pace, 1s, 100);
  EXPECT_TRUE(pace.HasRoom(2, 2));
  EXPECT_FALSE(pace.HasRoom(3, 3));
  // Waiting tests count as any other.
  EXPECT_EQ(pace.Load(60s, true), 1);
}

TEST_F(PaceTest, RisesWhileTestsAreServedInTimeAndFallsWhenLate) {
  Pace pace(0, 2);
  const double first = pace.limit();
  End(pace, 1ms, 10);
  const double risen = pace.limit();
  EXPECT_GT(risen, first);
  End(pace, 15ms, 10);
  EXPECT_EQ(pace.limit(), risen);
  End(pace, 50ms);
  EXPECT_LT(pace.limit(), risen);
}

TEST_F(PaceTest, ABurstOfLateTestsLowersOnce) {
  Pace pace(0, 2);
  const double first = pace.limit();
  for (int i = 0; i < 50; ++i) pace.Ended(50ms, now_);
  EXPECT_GT(pace.limit(), first / 2);
}

TEST_F(PaceTest, StaysBetweenItsBounds) {
  Pace pace(0, 1);
  End(pace, 1s, 1000);
  const double least = pace.limit();
  EXPECT_GE(least, 1);
  EXPECT_TRUE(pace.HasRoom(0, 0));
  End(pace, Duration(0), 100000);
  EXPECT_GT(pace.limit(), least);
  EXPECT_LT(pace.limit(), 1000);
}

TEST_F(PaceTest, ATestThatWaitsLeavesRoomForOthers) {
  const Pace pace(0, 2);
  EXPECT_EQ(pace.Load(100ms, true), 1) << "it has just logged something";
  EXPECT_LT(pace.Load(10s, true), 0.5);
  EXPECT_EQ(pace.Load(10s, false), 1) << "one that is still being set up";
}

TEST_F(PaceTest, NoMoreProcessesThanTheMachineAllows) {
  Pace pace(0, 2);
  pace.AtMost(5);
  EXPECT_TRUE(pace.HasRoom(4, 0.4));
  EXPECT_FALSE(pace.HasRoom(5, 0.5));
}

}  // namespace
}  // namespace sockproof
