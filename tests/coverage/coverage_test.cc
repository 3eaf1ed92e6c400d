// Which claims count as tested, and the forms in which that is shown.
#include "src/coverage/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Claim> kClaims{
    {.id = "rfc1:a", .level = "MUST", .source = "RFC 1 section 3.10", .statement = "It must."},
    {.id = "rfc1:b", .level = "MAY", .source = "RFC 1 section 3.2", .statement = "It <may>."},
    {.id = "rfc1:c",
     .level = "MUST",
     .source = "RFC 1 section 3.2, MUST-1",
     .statement = "It must not.",
     .untestable_because = "nobody can see it & tell"},
    {.id = "man:x", .level = "documented", .source = "x(2)", .statement = "It does."},
};

TestCase Test(const std::string& name, IpVersion ip, std::vector<std::string> claims) {
  TestCase test;
  test.suite = "Suite";
  test.name = name;
  test.variant = OverIp(ip);
  test.traits.claims = std::move(claims);
  return test;
}

const std::vector<TestCase> kTests{
    Test("Both", IpVersion::kIpv4, {"rfc1:a"}),
    Test("Both", IpVersion::kIpv6, {"rfc1:a"}),
    Test("OnlyFour", IpVersion::kIpv4, {"rfc1:a", "man:x"}),
};

TEST(Coverage, NamesTheTestsOfEachClaim) {
  const auto coverage = CoverageOf(kClaims, kTests);
  ASSERT_EQ(coverage.size(), 4U);
  EXPECT_EQ(coverage[3].claim.id, "rfc1:a");
  EXPECT_EQ(coverage[3].status, ClaimStatus::kTested);
  EXPECT_THAT(coverage[3].tests, ElementsAre("Suite.Both", "Suite.OnlyFour/ipv4"));
}

TEST(Coverage, IsInTheOrderOfSections) {
  std::vector<std::string_view> ids;
  for (const ClaimCoverage& entry : CoverageOf(kClaims, kTests)) ids.push_back(entry.claim.id);
  EXPECT_THAT(ids, ElementsAre("man:x", "rfc1:b", "rfc1:c", "rfc1:a"));
}

TEST(Coverage, WhatHasNoTestIsOpenUnlessItIsUntestable) {
  const auto coverage = CoverageOf(kClaims, kTests);
  EXPECT_EQ(coverage[1].status, ClaimStatus::kOpen);
  EXPECT_EQ(coverage[2].status, ClaimStatus::kUntestable);
}

TEST(Coverage, CountsLevelsAndAuthorities) {
  std::vector<std::string> lines;
  for (const CoverageCount& count : CountsOf(CoverageOf(kClaims, kTests))) {
    lines.push_back(std::string(count.authority) + " " + std::string(count.level) + " " +
                    std::to_string(count.tested) + std::to_string(count.untestable) +
                    std::to_string(count.open));
  }
  EXPECT_THAT(lines,
              ElementsAre("man documented 100", "rfc1 MUST 110", "rfc1 MAY 001", "rfc1  111"));
}

TEST(Coverage, CountsTheSectionsOfEachDocument) {
  const std::string text = CoverageBySection(CoverageOf(kClaims, kTests));
  EXPECT_THAT(text, testing::ContainsRegex("\nRFC 1 +3 +1 +1 +1\n  3.2 "));
  EXPECT_LT(text.find("  3.2 "), text.find("  3.10 "));
  EXPECT_THAT(text, testing::ContainsRegex("\nx\\(2\\) +1 +1 +0 +0\n"));
}

TEST(Coverage, ShowsOpenClaimsFirst) {
  const std::string text = CoverageRows(CoverageOf(kClaims, kTests));
  EXPECT_LT(text.find("open:"), text.find("untestable:"));
  EXPECT_LT(text.find("untestable:"), text.find("\ntested:"));
  EXPECT_THAT(text, HasSubstr("Untestable, because nobody can see it & tell."));
  EXPECT_THAT(text, HasSubstr("      tested by Suite.OnlyFour/ipv4\n"));
}

TEST(Coverage, IsJson) {
  const auto json = nlohmann::json::parse(CoverageJson(CoverageOf(kClaims, kTests)));
  EXPECT_EQ(json["total"]["claims"], 4);
  EXPECT_EQ(json["counts"][0]["authority"], "man");
  EXPECT_EQ(json["claims"][1]["status"], "open");
  EXPECT_EQ(json["claims"][2]["untestable_because"], "nobody can see it & tell");
  EXPECT_EQ(json["claims"][3]["tests"][0], "Suite.Both");
}

// The elements of HTML that end by themselves are made XML's, and the page is read as XML.
pugi::xml_document Parse(std::string page) {
  page.erase(0, page.find('\n'));
  for (const std::string tag : {"<meta"}) {
    for (std::size_t at = 0; (at = page.find(tag, at)) != std::string::npos; ++at) {
      page.insert(page.find('>', at), "/");
    }
  }
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_string(page.c_str());
  EXPECT_TRUE(result) << result.description();
  return document;
}

TEST(CoveragePage, HasEveryClaimAndEscapesItsText) {
  const pugi::xml_document page = Parse(CoveragePage(CoverageOf(kClaims, kTests)));
  EXPECT_EQ(page.select_nodes("//section").size(), 2U);
  EXPECT_EQ(page.select_nodes("//section//tbody/tr").size(), 4U);
  const pugi::xml_node row = page.select_node("//tr[@id='rfc1:b']").node();
  EXPECT_THAT(row.select_node("td[2]").node().text().get(), HasSubstr("It <may>."));
}

TEST(CoveragePage, RunsNothingAndFetchesNothing) {
  const std::string page = CoveragePage(CoverageOf(kClaims, kTests));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  const pugi::xml_document document = Parse(page);
  EXPECT_TRUE(document.select_nodes("//script | //link | //img | //iframe").empty());
  EXPECT_TRUE(document.select_nodes("//@src | //@onclick").empty());
  for (const pugi::xpath_node& link : document.select_nodes("//@href")) {
    EXPECT_EQ(link.attribute().value()[0], '#');
  }
}

TEST(CoveragePage, NamesTheHeadersOfItsTables) {
  const pugi::xml_document page = Parse(CoveragePage(CoverageOf(kClaims, kTests)));
  EXPECT_TRUE(page.select_nodes("//th[not(@scope)]").empty());
  EXPECT_EQ(std::string(page.child("html").attribute("lang").value()), "en");
}

}  // namespace
}  // namespace sockproof
