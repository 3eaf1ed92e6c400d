// What the oracle cites is in the catalogue.
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "harness/base/files.h"
#include "harness/claims/catalogue.h"

namespace sockproof {
namespace {

TEST(Rules, CiteClaimsOfTheCatalogue) {
  std::set<std::string> cited;
  const std::regex claim("\"([a-z0-9]+:[-A-Za-z0-9._]+)\"");
  for (const char* file : {"calls.cc", "segment_arrives.cc", "sends.cc"}) {
    const std::string text = ReadFile(std::string(SOCKPROOF_ORACLE) + "/" + file);
    for (std::sregex_iterator match(text.begin(), text.end(), claim), end; match != end; ++match) {
      cited.insert((*match)[1]);
    }
  }
  EXPECT_GT(cited.size(), 30U);
  for (const std::string& id : cited) EXPECT_NE(FindClaim(id), nullptr) << id;
}

}  // namespace
}  // namespace sockproof
