// Plots of timers.
#include "src/picture/timer_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/picture/drawn.h"

namespace sockproof {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

MeasurementEvent Measured(const std::string& name, double observed, double documented) {
  return {name, "s", observed, documented, documented - 0.01, documented * 1.125 + 0.01};
}

Drawn DrawPlot(const std::vector<TimerRow>& rows, const std::string& title = "SYN") {
  Drawn drawn(TimerPlotSvg(title, rows));
  ExpectSound(drawn);
  return drawn;
}

TEST(TimerPoints, StepsOfACourseFollowOneAnother) {
  const auto points =
      TimerPoints({Measured("SYN retransmission 1", 1.5, 1), Measured("SYN retransmission 2", 2, 2),
                   Measured("SYN give-up", 8, 7)});
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1].observed, 3.5);
  EXPECT_EQ(points[1].documented, 3.5);
  EXPECT_EQ(points[2].observed, 8);
  EXPECT_FALSE(points[0].is_within());
  EXPECT_TRUE(points[1].is_within());
}

TEST(TimerPoints, CountsAreNotTimes) {
  EXPECT_TRUE(TimerPoints({{"probes", "", 9, 9, 9, 9}}).empty());
}

TEST(TimerPlot, HasADotForEachObservationAndABandForEachDocumentedValue) {
  const Drawn drawn =
      DrawPlot({{"Linux 6.1", TimerPoints({Measured("SYN retransmission 1", 1.02, 1),
                                           Measured("SYN retransmission 2", 2.01, 2)})},
                {"lwIP", TimerPoints({Measured("SYN retransmission 1", 6, 1)})}});
  EXPECT_THAT(drawn.Texts("sp-callleft"), ElementsAre("Linux 6.1", "lwIP"));
  EXPECT_THAT(drawn.Texts("sp-middle"), IsSupersetOf({"1.02 s", "3.03 s", "6 s"}));
  EXPECT_EQ(drawn.Shapes("sp-dot"), 2U);
  EXPECT_EQ(drawn.Shapes("sp-wrongdot"), 1U);
  EXPECT_EQ(drawn.Shapes("sp-band"), 3U);
  EXPECT_LT(drawn.size(), 10'000U);
}

TEST(TimerPlot, IsLogarithmicWhereTimesAreFarApart) {
  const Drawn drawn =
      DrawPlot({{"a", {{"x", 0.2, 0.2, 0.19, 0.23}, {"y", 7200, 7200, 7200, 8100}}}});
  EXPECT_THAT(drawn.Texts("sp-remark"), Contains(HasSubstr("logarithmic")));
}

TEST(TimerPlot, TakesWhateverThereIs) {
  DrawPlot({});
  DrawPlot({{"nothing", {}}});
  DrawPlot({{std::string(200, 'x') + "<&>\x01", {{"x", 0, 0, 0, 0}, {"y", -5, 1, 1e300, -1e300}}}},
           std::string(500, '"'));
  std::vector<TimerRow> many(100, {"system", {{"x", 1, 1, 1, 1}}});
  for (int number = 0; number < 200; ++number)
    many[0].points.push_back({"", 1.0 * number, 1, 1, 1});
  EXPECT_LT(DrawPlot(many).size(), 60'000U);
}

}  // namespace
}  // namespace sockproof
