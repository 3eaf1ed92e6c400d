// The catalogue that is compiled in, and the reader of its files.
#include "harness/claims/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

constexpr std::string_view kHeader = "id\tlevel\tsource\tstatement\n";
constexpr std::string_view kHeaderWithReasons =
    "id\tlevel\tsource\tstatement\tuntestable because\n";

// A word with which a sentence may begin in lower case: connect(), tcp_syn_retries.
bool IsName(std::string_view word) {
  return word.ends_with("()") || word.find('_') != std::string_view::npos;
}

TEST(Catalogue, IsSortedAndUnique) {
  const auto& claims = AllClaims();
  ASSERT_FALSE(claims.empty());
  for (std::size_t index = 1; index < claims.size(); ++index) {
    EXPECT_LT(claims[index - 1].id, claims[index].id);
  }
}

TEST(Catalogue, EveryClaimIsComplete) {
  for (const Claim& claim : AllClaims()) {
    SCOPED_TRACE(std::string(claim.id));
    EXPECT_FALSE(claim.source.empty());
    EXPECT_EQ(claim.id.find(' '), std::string_view::npos);
  }
}

// What a person reads in a list: one sentence in plain characters, no longer than two lines.
TEST(Catalogue, StatementsAreSentences) {
  for (const Claim& claim : AllClaims()) {
    SCOPED_TRACE(std::string(claim.id));
    EXPECT_TRUE(claim.statement.ends_with('.'));
    EXPECT_FALSE(std::islower(static_cast<unsigned char>(claim.statement.front())) != 0 &&
                 !IsName(claim.statement.substr(0, claim.statement.find(' '))));
    EXPECT_EQ(claim.statement.find(". "), std::string_view::npos) << "two sentences";
    EXPECT_EQ(claim.statement.find("  "), std::string_view::npos);
    EXPECT_LE(claim.statement.size(), 300U);
    EXPECT_TRUE(std::all_of(claim.statement.begin(), claim.statement.end(),
                            [](char c) { return c >= ' ' && c <= '~'; }));
  }
}

TEST(Catalogue, ReasonsGoOnFromTheWordBecause) {
  for (const Claim& claim : AllClaims()) {
    if (claim.untestable_because.empty()) continue;
    SCOPED_TRACE(std::string(claim.id));
    EXPECT_TRUE(std::islower(static_cast<unsigned char>(claim.untestable_because.front())));
    EXPECT_FALSE(claim.untestable_because.ends_with('.'));
  }
}

TEST(Catalogue, HasEveryNumberedRequirementOfRfc9293) {
  const std::pair<std::string, int> counts[] = {
      {"MUST", 69}, {"SHLD", 31}, {"MAY", 18}, {"REC", 1}};
  for (const auto& [word, count] : counts) {
    for (int number = 1; number <= count; ++number) {
      const std::string name = word + "-" + std::to_string(number);
      const Claim* claim = FindClaim("rfc9293:" + name);
      ASSERT_NE(claim, nullptr) << name;
      EXPECT_TRUE(claim->source.ends_with(name)) << claim->source;
    }
  }
}

TEST(Catalogue, AuthoritiesAreRfcsOrTheKnownOthers) {
  for (const Claim& claim : AllClaims()) {
    EXPECT_THAT(std::string(claim.authority()), testing::AnyOf(testing::StartsWith("rfc"), "linux",
                                                               "man", "notes", "posix", "system"))
        << claim.id;
  }
}

TEST(Catalogue, NumberedRequirementsHaveTheirLevel) {
  const std::pair<std::string_view, std::string_view> levels[] = {{"rfc9293:MUST-", "MUST"},
                                                                  {"rfc9293:SHLD-", "SHOULD"},
                                                                  {"rfc9293:MAY-", "MAY"},
                                                                  {"notes:", "documented"}};
  for (const Claim& claim : AllClaims()) {
    for (const auto& [prefix, level] : levels) {
      if (claim.id.starts_with(prefix)) {
        EXPECT_EQ(claim.level, level) << claim.id;
      }
    }
  }
}

TEST(Catalogue, HasEveryClaimOfTheNotes) {
  const std::pair<char, int> sections[] = {{'H', 5}, {'O', 3}, {'C', 9}, {'L', 11},
                                           {'W', 3}, {'K', 3}, {'F', 4}, {'B', 2}};
  for (const auto& [letter, count] : sections) {
    for (int number = 1; number <= count; ++number) {
      const std::string id = std::string("notes:") + letter + std::to_string(number);
      EXPECT_NE(FindClaim(id), nullptr) << id;
    }
  }
}

TEST(Catalogue, FindsAClaim) {
  const Claim* claim = FindClaim("rfc9293:MUST-13");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->authority(), "rfc9293");
  EXPECT_EQ(claim->level, "MUST");
  EXPECT_EQ(claim->source, "RFC 9293 section 3.6.1, MUST-13");
  EXPECT_EQ(FindClaim("rfc9293:MUST-1300"), nullptr);
  EXPECT_EQ(FindClaim(""), nullptr);
}

TEST(ParseClaims, ReadsRowsAndSkipsComments) {
  const std::string text = std::string(kHeader) +
                           "# a comment\nrfc1:x\tMAY\tRFC 1\tIt may.\nman:y\tdocumented\ty\tIt is.";
  const auto claims = ParseClaims("test.tsv", text);
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].id, "rfc1:x");
  EXPECT_EQ(claims[0].level, "MAY");
  EXPECT_EQ(claims[0].source, "RFC 1");
  EXPECT_EQ(claims[0].statement, "It may.");
  EXPECT_EQ(claims[1].statement, "It is.");
}

TEST(ParseClaims, ReadsWhyAClaimIsUntestable) {
  const std::string text = std::string(kHeaderWithReasons) +
                           "rfc1:x\tMAY\tRFC 1\tIt may.\tnobody can see it\n" +
                           "rfc1:y\tMAY\tRFC 1\tIt may.\n";
  const auto claims = ParseClaims("test.tsv", text);
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].statement, "It may.");
  EXPECT_EQ(claims[0].untestable_because, "nobody can see it");
  EXPECT_EQ(claims[1].untestable_because, "");
}

TEST(ParseClaims, RefusesAReasonThatIsEmpty) {
  EXPECT_THROW(
      ParseClaims("test.tsv", std::string(kHeaderWithReasons) + "rfc1:x\tMAY\tRFC 1\tIt.\t\n"),
      HarnessError);
}

TEST(ParseClaims, NamesTheMalformedLine) {
  const std::string good = "rfc1:x\tMAY\tRFC 1\tIt may.\n";
  const std::string bad_rows[] = {
      "rfc1:x\tMAY\tRFC 1\n",              // a column too few
      "rfc1:x\tMAY\tRFC 1\tIt may.\tx\n",  // a column too many
      "rfc1\tMAY\tRFC 1\tIt may.\n",       // no authority
      ":x\tMAY\tRFC 1\tIt may.\n",         // an empty one
      "rfc1:\tMAY\tRFC 1\tIt may.\n",      // no name
      "rfc1:x\tMIGHT\tRFC 1\tIt may.\n",   // no such level
      "rfc1:x\tMAY\t\tIt may.\n",          // no source
      "rfc1:x\tMAY\tRFC 1\t\n",            // no statement
      "\n",
  };
  for (const std::string& bad : bad_rows) {
    std::string text(kHeader);
    text += good;
    text += bad;
    try {
      ParseClaims("test.tsv", text);
      ADD_FAILURE() << "no exception for " << bad;
    } catch (const HarnessError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("test.tsv, line 3: ")) << error.what();
    }
  }
  EXPECT_THROW(ParseClaims("test.tsv", good), HarnessError);
  EXPECT_THROW(ParseClaims("test.tsv", ""), HarnessError);
}

}  // namespace
}  // namespace sockproof
