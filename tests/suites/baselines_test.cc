// What the shipped baselines must keep: entries that name tests, cite what their
// system violates, and have links to their sources.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/test/registry.h"
#include "src/run/baseline.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

TEST(ShippedBaselines, EveryPatternNamesATest) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    for (const std::string& pattern : entry.tests) {
      EXPECT_TRUE(
          std::any_of(AllTests().begin(), AllTests().end(),
                      [&pattern](const TestCase& test) { return MeansTest(pattern, test.id()); }))
          << entry.place() << ": " << pattern;
    }
  }
}

TEST(ShippedBaselines, EveryEntryHasALinkToItsSource) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    EXPECT_TRUE(entry.link.starts_with("https://")) << entry.place();
  }
}

// In quotation marks, or by the section of its document.
TEST(ShippedBaselines, EveryEntryCitesTheSentenceThatTheSystemViolates) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    EXPECT_TRUE(entry.why.find('"') != std::string::npos ||
                entry.why.find("section") != std::string::npos)
        << entry.place() << ": " << entry.why;
  }
}

}  // namespace
}  // namespace sockproof
