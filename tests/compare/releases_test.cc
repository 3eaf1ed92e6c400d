// Since which release of Linux something holds.
#include "src/compare/releases.h"

#include <gmock/gmock.h>

#include "src/compare/table.h"
#include "tests/compare/systems.h"

namespace sockproof {
namespace {

using testing::HasSubstr;

std::string Since(const Comparison& comparison) { return SinceRelease(comparison, comparison.tests.at(0)); }

TEST(Releases, TellSinceWhenATestHolds) {
  const Comparison comparison = Compared(System("6.12.117+deb13-amd64", {Passes("A")}), System("5.10.0", {Fails("A")}),
                                         System("6.1.0-44-amd64", {DepartsAsKnown("A")}));
  EXPECT_EQ(Since(comparison), "otherwise since 6.1, holds since 6.12");
  EXPECT_EQ(Since(Compared(System("6.1", {Fails("A")}), System("6.12", {Passes("A")}))), "holds since 6.12");
  EXPECT_EQ(Since(Compared(System("6.1", {Passes("A")}), System("6.12", {Fails("A")}))), "departs since 6.12");
  EXPECT_EQ(Since(Compared(System("6.1", {Observing("retries", "6", Passes("A"))}),
                           System("6.12", {Observing("retries", "4", Passes("A"))}))),
            "otherwise since 6.12");
  EXPECT_THAT(RenderTable(comparison, {}), HasSubstr("= otherwise since 6.1, holds since 6.12"));
  EXPECT_EQ(ToJson(comparison).at("tests").at(0).at("since"), "otherwise since 6.1, holds since 6.12");
}

TEST(Releases, TellNothingWhereNothingChangesOrIsKnown) {
  EXPECT_EQ(Since(Compared(System("6.1", {Passes("A")}), System("6.12", {Passes("A")}))), "");
  EXPECT_EQ(Since(Compared(System("6.1", {Skipped("A")}), System("6.12", {Passes("A")}))), "");
  EXPECT_EQ(Since(Compared(System("6.1", {Fails("A")}), System("6.2", {Skipped("A")}), System("6.3", {Passes("A")}))),
            "holds since 6.3");
  EXPECT_EQ(Since(Compared(System("6.1.1", {Fails("A")}), System("6.1.2", {Passes("A")}))), "");
  EXPECT_EQ(Since(Compared(System("next", {Fails("A")}), System("6.1.2", {Passes("A")}))), "");
}

TEST(Releases, OrderSystemsByNumber) {
  std::vector<ComparedSystem> systems = {System("6.12", {}), System("5.10", {}), System("6.2", {})};
  OrderByRelease(systems);
  EXPECT_EQ(systems[0].Fact("release"), "5.10");
  EXPECT_EQ(systems[1].Fact("release"), "6.2");
  EXPECT_EQ(systems[2].Fact("release"), "6.12");
  systems = {System("6.12.1", {}), System("6.12.0", {})};
  OrderByRelease(systems);
  EXPECT_EQ(systems[0].Fact("release"), "6.12.1");
}

}  // namespace
}  // namespace sockproof
