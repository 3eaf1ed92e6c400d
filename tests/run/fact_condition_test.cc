#include "src/run/fact_condition.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

bool Holds(const std::string& condition, const std::string& fact) {
  return FactCondition::Parse(condition).Holds(fact);
}

TEST(FactCondition, ComparesNumbersNotText) {
  EXPECT_TRUE(Holds(">=6.5", "6.18.44-generic"));
  EXPECT_FALSE(Holds(">=6.5", "6.1.0-13-amd64"));
  EXPECT_TRUE(Holds("<6.5", "6.1.0-13-amd64"));
  EXPECT_FALSE(Holds("<6.5", "6.18"));
  EXPECT_TRUE(Holds("!=6", "60"));
}

TEST(FactCondition, ComparesAsFarAsTheConditionGoes) {
  EXPECT_TRUE(Holds("=6.12", "6.12.48"));
  EXPECT_TRUE(Holds("6.12", "6.12.48+deb13-amd64"));
  EXPECT_TRUE(Holds("<=6.12", "6.12.48"));
  EXPECT_FALSE(Holds(">6.12", "6.12.48"));
  EXPECT_FALSE(Holds("6.1", "6.12.48"));
  EXPECT_FALSE(Holds(">=6.12.49", "6.12"));
  EXPECT_TRUE(Holds("6.12.0", "6.12"));
}

TEST(FactCondition, OfARangeBothEndsMustHold) {
  EXPECT_TRUE(Holds(">=6.5 <6.12", "6.5.0-rc1"));
  EXPECT_TRUE(Holds(">=6.5  <6.12", "6.11.99"));
  EXPECT_FALSE(Holds(">=6.5 <6.12", "6.12.0"));
  EXPECT_FALSE(Holds(">=6.5 <6.12", "6.4"));
}

TEST(FactCondition, OtherTextIsAGlobOverTheWholeFact) {
  EXPECT_TRUE(Holds("Linux", "Linux"));
  EXPECT_FALSE(Holds("Linux", "Linux-like"));
  EXPECT_TRUE(Holds("*-rt*", "6.12.48-rt7-amd64"));
}

TEST(FactCondition, AFactWithoutNumberSatisfiesNoComparison) {
  EXPECT_FALSE(Holds(">=6", "unknown"));
  EXPECT_FALSE(Holds("<6", ""));
  EXPECT_FALSE(Holds("!=6", "-7"));
}

TEST(FactCondition, AnAbsentFactIsOnlyAbsent) {
  EXPECT_FALSE(FactCondition::Parse("*").Holds(std::nullopt));
  EXPECT_FALSE(FactCondition::Present(true).Holds(std::nullopt));
  EXPECT_TRUE(FactCondition::Present(false).Holds(std::nullopt));
  EXPECT_TRUE(FactCondition::Present(true).Holds(""));
  EXPECT_FALSE(FactCondition::Present(false).Holds("x"));
}

TEST(FactCondition, NonsenseIsRefused) {
  for (const char* nonsense : {">=", "> 6", ">=6.5 and <6.12", ">=6.5,<6.12", ">=six", "<6.x",
                               ">=6.", ">=99999999999", ">=-1"}) {
    EXPECT_THAT([&] { FactCondition::Parse(nonsense); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("is no comparison")))
        << nonsense;
  }
  EXPECT_THROW(FactCondition::Parse(""), std::invalid_argument);
}

}  // namespace
}  // namespace sockproof
