#include "src/packetdrill/timing.h"

#include <gtest/gtest.h>

namespace sockproof::packetdrill {
namespace {

Event CallAfter(Duration interval) {
  Event event;
  event.when = {When::Kind::kRelative, interval, Duration(0)};
  event.what = CallEvent{};
  return event;
}

class TimingTest : public testing::Test {
 protected:
  TimingTest() { timing_.BeginAt(start_); }

  // When what comes `interval` after a call that was over so late is to be.
  Duration DueAfter(Duration late, Duration interval) {
    const Event call = CallAfter(10ms);
    timing_.Place(call);
    timing_.Done(start_ + timing_.from() + late);
    timing_.EndOf(call);
    timing_.Place(CallAfter(interval));
    return timing_.from();
  }

  EventLoop loop_;
  Timing timing_{loop_, 4ms, 0};
  const Time start_ = Clock::now();
};

TEST_F(TimingTest, WhatALineTakesDoesNotPutOffTheNext) { EXPECT_EQ(DueAfter(600us, 10ms), 20ms); }

TEST_F(TimingTest, AShortIntervalIsNeverShorterThanWritten) { EXPECT_EQ(DueAfter(600us, 1ms), 11600us); }

TEST_F(TimingTest, WhatComesAtOnceIsNotPutOff) { EXPECT_EQ(DueAfter(600us, 0ms), 10ms); }

TEST_F(TimingTest, FromWhatWasLateItCountsOn) { EXPECT_EQ(DueAfter(3ms, 10ms), 23ms); }

}  // namespace
}  // namespace sockproof::packetdrill
