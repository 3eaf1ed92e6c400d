// Where two ladders part.
#include "src/picture/divergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trace/frames.h"

namespace sockproof {
namespace {

using testing::SizeIs;
using Tins::TCP;

class DivergenceTest : public testing::Test {
 protected:
  Divergence Find(std::vector<Event> left, std::vector<Event> right) {
    left_ = std::move(left);
    right_ = std::move(right);
    return FirstDivergence(MakeLadder(left_), MakeLadder(right_));
  }

 private:
  std::vector<Event> left_, right_;  // ladders refer to them
};

TEST_F(DivergenceTest, ThereIsNoneBetweenEqualsWithOtherNumbersAndPorts) {
  const Divergence found = Find(
      {FromSut(0ms, Segment(TCP::SYN, 1000)), FromPeer(1ms, Reply(TCP::SYN | TCP::ACK, 5, 1001))},
      {FromSut(0ms, Segment(TCP::SYN, 99, 0, 40001)),
       FromPeer(3ms, Segment(TCP::SYN | TCP::ACK, 8, 100, 80, 40001))});
  EXPECT_FALSE(found.found());
  EXPECT_THAT(found.alike, SizeIs(2));
}

TEST_F(DivergenceTest, IsTheFirstSegmentOfAnotherKind) {
  const Divergence found =
      Find({FromSut(0ms, Segment(TCP::SYN, 1)), FromSut(1ms, Segment(TCP::ACK, 2))},
           {FromSut(0ms, Segment(TCP::SYN, 1)), FromSut(1ms, Segment(TCP::RST, 2))});
  EXPECT_EQ(found.left, 1U);
  EXPECT_EQ(found.right, 1U);
}

TEST_F(DivergenceTest, IsAResultOfACall) {
  const auto run = [](const char* result) {
    return std::vector<Event>{{At(0ms), CallEvent{1, "sut", "connect(3, 192.0.2.2:80)"}},
                              {At(1ms), ReturnEvent{1, "sut", result, std::nullopt, {}}},
                              FromSut(2ms, Segment(TCP::SYN, 1))};
  };
  const Divergence found = Find(run("0"), run("ECONNREFUSED"));
  EXPECT_EQ(found.left, 0U);
  EXPECT_EQ(found.right, 0U);
  EXPECT_FALSE(Find(run("3"), run("4")).found());
}

TEST_F(DivergenceTest, IsWhereOneHasNothingMore) {
  const Divergence found = Find({FromSut(0ms, Segment(TCP::SYN, 1))}, {});
  EXPECT_EQ(found.left, 0U);
  EXPECT_EQ(found.right, std::nullopt);
}

TEST_F(DivergenceTest, MayBeOneInTimeOnly) {
  const auto run = [](Duration again) {
    return std::vector<Event>{FromSut(0ms, Segment(TCP::SYN, 1)),
                              FromSut(again, Segment(TCP::SYN, 1))};
  };
  EXPECT_EQ(Find(run(1000ms), run(1100ms)).first_in_time, std::nullopt);
  EXPECT_EQ(Find(run(10ms), run(300ms)).first_in_time, std::nullopt);
  const Divergence found = Find(run(1s), run(3s));
  EXPECT_EQ(found.first_in_time, 1U);
  EXPECT_FALSE(found.found());
}

}  // namespace
}  // namespace sockproof
