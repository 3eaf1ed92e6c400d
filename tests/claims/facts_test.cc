// Facts: look-up of sysctls, and JSON.
#include "harness/claims/facts.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

TEST(Facts, FindsWhatWasSet) {
  Facts facts;
  facts.Set("os", "Linux");
  EXPECT_EQ(facts.Find("os"), "Linux");
  EXPECT_EQ(facts.Find("release"), std::nullopt);
  facts.Erase("os");
  EXPECT_EQ(facts.Find("os"), std::nullopt);
}

TEST(Facts, SysctlIsAnInteger) {
  Facts facts;
  facts.Set("sysctl.net.ipv4.tcp_fin_timeout", "60");
  facts.Set("sysctl.net.ipv4.tcp_adv_win_scale", "-2");
  EXPECT_EQ(facts.Sysctl("net.ipv4.tcp_fin_timeout"), 60);
  EXPECT_EQ(facts.Sysctl("net.ipv4.tcp_adv_win_scale"), -2);
  EXPECT_EQ(facts.SysctlOr("net.ipv4.tcp_fin_timeout", 7), 60);
}

TEST(Facts, MissingSysctlIsASkipThatNamesIt) {
  try {
    Facts().Sysctl("net.ipv4.tcp_fin_timeout");
    FAIL() << "no exception";
  } catch (const Skip& skip) {
    EXPECT_NE(std::string(skip.what()).find("net.ipv4.tcp_fin_timeout"), std::string::npos);
  }
  EXPECT_EQ(Facts().SysctlOr("net.ipv4.tcp_fin_timeout", 7), 7);
}

TEST(Facts, SysctlThatIsNoNumberIsAHarnessError) {
  for (const char* text : {"", "cubic", "60 s", "99999999999"}) {
    Facts facts;
    facts.Set("sysctl.x", text);
    EXPECT_THROW(facts.Sysctl("x"), HarnessError) << text;
    EXPECT_THROW(facts.SysctlOr("x", 1), HarnessError) << text;
  }
}

TEST(Facts, SurviveJson) {
  Facts facts;
  facts.Set("os", "Linux");
  facts.Set("sysctl.x", "1");
  const nlohmann::json json = facts;
  EXPECT_EQ(json.dump(), R"({"os":"Linux","sysctl.x":"1"})");
  EXPECT_EQ(json.get<Facts>().values(), facts.values());
}

TEST(Facts, RefuseJsonThatIsNoObjectOfStrings) {
  EXPECT_THROW(nlohmann::json::parse("[1]").get<Facts>(), nlohmann::json::exception);
  EXPECT_THROW(nlohmann::json::parse(R"({"os":1})").get<Facts>(), nlohmann::json::exception);
}

}  // namespace
}  // namespace sockproof
