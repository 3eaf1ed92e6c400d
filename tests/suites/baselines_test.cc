// What the shipped baselines must keep: entries that name tests, and links to their sources.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/test/registry.h"
#include "src/run/baseline.h"
#include "src/run/selection.h"

namespace sockproof {
namespace {

TEST(ShippedBaselines, EveryEntryNamesATest) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    EXPECT_TRUE(
        std::any_of(AllTests().begin(), AllTests().end(),
                    [&entry](const TestCase& test) { return MeansTest(entry.test, test.id()); }))
        << entry.place() << ": " << entry.test;
  }
}

TEST(ShippedBaselines, EveryEntryHasALinkToItsSource) {
  for (const KnownDeparture& entry : ShippedBaseline()) {
    EXPECT_TRUE(entry.link.starts_with("https://")) << entry.place();
  }
}

}  // namespace
}  // namespace sockproof
