// What every suite must keep: claims that exist, ids that stay readable, no claim of the notes
// without a test.
#include <gmock/gmock.h>

#include <cctype>
#include <set>

#include "harness/claims/catalogue.h"
#include "harness/test/registry.h"

namespace sockproof {
namespace {

TEST(Suites, EveryTestCitesClaimsOfTheCatalogueAndNeedsCapabilitiesThatExist) {
  for (const TestCase& test : AllTests()) EXPECT_EQ(MistakeIn(test), "");
}

TEST(Suites, IdsAreUniqueAndPlain) {
  std::set<std::string> ids;
  for (const TestCase& test : AllTests()) {
    EXPECT_TRUE(ids.insert(test.id()).second) << test.id();
    for (const char c : test.suite + test.name) {
      EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '_') << test.id();
    }
  }
}

TEST(Suites, NoTestChecksAClaimThatIsUntestable) {
  for (const TestCase& test : AllTests()) {
    for (const std::string& id : test.traits.claims) {
      const Claim* claim = FindClaim(id);
      if (claim == nullptr) continue;
      EXPECT_EQ(claim->untestable_because, "") << test.id() << " checks " << id;
    }
  }
}

TEST(Suites, NoTestCitesAClaimTwice) {
  for (const TestCase& test : AllTests()) {
    const std::set<std::string> once(test.traits.claims.begin(), test.traits.claims.end());
    EXPECT_EQ(once.size(), test.traits.claims.size()) << test.id();
  }
}

TEST(Suites, EveryClaimOfTheNotesHasATestOnBothIpVersions) {
  std::set<std::pair<std::string, IpVersion>> tested;
  for (const TestCase& test : AllTests()) {
    if (!test.variant.family.ip) continue;
    for (const std::string& claim : test.traits.claims) {
      tested.insert({claim, *test.variant.family.ip});
    }
  }
  for (const Claim& claim : AllClaims()) {
    if (claim.authority() != "notes") continue;
    for (const IpVersion ip : {IpVersion::kIpv4, IpVersion::kIpv6}) {
      EXPECT_TRUE(tested.contains({std::string(claim.id), ip}))
          << claim.id << " on " << IpVersionName(ip) << ": " << claim.statement;
    }
  }
}

}  // namespace
}  // namespace sockproof
