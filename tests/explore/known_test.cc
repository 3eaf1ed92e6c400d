// Files of known causes.
#include "src/explore/known.h"

#include <gmock/gmock.h>

#include "src/run/usage_error.h"

namespace sockproof::explore {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Known, IsFoundByAGlobAndTheFactsOfASystem) {
  const auto known = ParseKnownCauses(R"(
[[known]]
cause = "TIME-WAIT*: FIN -> ACK"
why = "it looks at no flag but these"
when = { os = "Linux", release = ">=6.1" }
)",
                                      "mine.toml");
  Facts linux;
  linux.Set("os", "Linux");
  linux.Set("release", "6.12.4");
  EXPECT_NE(FindKnown(known, "TIME-WAIT, process gone: FIN -> ACK", linux), nullptr);
  EXPECT_EQ(FindKnown(known, "TIME-WAIT: FIN -> ACK + RST", linux), nullptr);
  linux.Set("release", "5.10.1");
  EXPECT_EQ(FindKnown(known, "TIME-WAIT: FIN -> ACK", linux), nullptr);
}

TEST(Known, MaySayWhatACauseIsNot) {
  const std::vector<KnownCause> known{
      {"@(CLOSE-WAIT|CLOSING)*: FIN,ACK!(*old*) -> nothing", "it is made up", "", {}}};
  const auto is_known = [&](const std::string& cause) {
    return FindKnown(known, cause, Facts()) != nullptr;
  };
  EXPECT_TRUE(is_known("CLOSE-WAIT: FIN,ACK -> nothing"));
  EXPECT_TRUE(is_known("CLOSING, process gone: FIN,ACK, ACK of nothing new -> nothing"));
  EXPECT_FALSE(is_known("CLOSING: FIN,ACK, all old -> nothing"));
  EXPECT_FALSE(is_known("LAST-ACK: FIN,ACK -> nothing"));
}

TEST(Known, SaysWhereAFileIsWrong) {
  const auto refuses = [](const std::string& text, const std::string& why) {
    EXPECT_THAT([&] { ParseKnownCauses(text, "mine.toml"); },
                ThrowsMessage<UsageError>(HasSubstr(why)));
  };
  refuses("[[known]]\ncause = \"x\"\n", "mine.toml:1: an entry needs 'cause' and 'why'");
  refuses("[[known]]\ncause = 1\n", "mine.toml:2: cause is no text");
  refuses("[[known]]\nwho = \"x\"\n", "mine.toml:2: unknown key 'who'");
  refuses("[[departure]]\n", "there are [[known]] alone");
  refuses("known = 1\n", "there are [[known]] alone");
  refuses("=", "mine.toml:1");
}

TEST(Known, ThatComesAlongIsWellFormed) {
  for (const KnownCause& one : ShippedKnownCauses()) {
    const bool is_crash = one.cause.starts_with("Expected: ");
    EXPECT_TRUE(is_crash || one.cause.find(" -> ") != std::string::npos) << one.cause;
  }
}

}  // namespace
}  // namespace sockproof::explore
