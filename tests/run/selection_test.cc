// Patterns mean what a user would think.
#include "src/run/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/run/usage_error.h"

namespace sockproof {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    for (const char* suite : {"HalfClose", "HalfCloseMore"}) {
      for (const char* name : {"Data", "DataLater"}) {
        for (const IpVersion ip : {IpVersion::kIpv4, IpVersion::kIpv6}) {
          TestCase test;
          test.suite = suite;
          test.name = name;
          test.ip = ip;
          tests_.push_back(test);
        }
      }
    }
  }

  std::vector<std::string> Ids(const std::vector<std::string>& patterns) {
    std::vector<std::string> ids;
    for (const TestCase* test : Select(tests_, patterns)) ids.push_back(test->id());
    return ids;
  }

  std::string Error(const std::string& pattern) {
    try {
      Select(tests_, {pattern});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  }

  std::vector<TestCase> tests_;
};

TEST_F(SelectionTest, NoPatternMeansAll) { EXPECT_EQ(Ids({}).size(), 8U); }

TEST_F(SelectionTest, SuiteIsNotAPrefixOfAnother) { EXPECT_EQ(Ids({"HalfClose"}).size(), 4U); }

TEST_F(SelectionTest, TestMeansBothIpVersions) {
  EXPECT_THAT(Ids({"HalfClose.Data"}), ElementsAre("HalfClose.Data/ipv4", "HalfClose.Data/ipv6"));
}

TEST_F(SelectionTest, IdMeansOne) {
  EXPECT_THAT(Ids({"HalfClose.Data/ipv6"}), ElementsAre("HalfClose.Data/ipv6"));
}

TEST_F(SelectionTest, GlobsMatchWithAndWithoutIpVersion) {
  EXPECT_EQ(Ids({"*/ipv6"}).size(), 4U);
  EXPECT_THAT(Ids({"HalfClose.*Later"}),
              ElementsAre("HalfClose.DataLater/ipv4", "HalfClose.DataLater/ipv6"));
}

TEST_F(SelectionTest, SeveralPatternsAddUpWithoutDuplicates) {
  EXPECT_THAT(Ids({"HalfClose.Data/ipv6", "HalfClose.Data"}),
              ElementsAre("HalfClose.Data/ipv4", "HalfClose.Data/ipv6"));
}

TEST_F(SelectionTest, UnknownPatternSuggestsTheNearest) {
  EXPECT_THAT(Error("HalfCloze"), HasSubstr("did you mean 'HalfClose'"));
  EXPECT_THAT(Error("halfclose"), HasSubstr("did you mean 'HalfClose'"));
  EXPECT_THAT(Error("HalfClose.Date"), HasSubstr("did you mean 'HalfClose.Data'"));
  EXPECT_THAT(Error("later"), HasSubstr("did you mean 'HalfClose.DataLater'"));
  EXPECT_THAT(Error("Zebra*"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Error(""), HasSubstr("no test matches ''"));
}

}  // namespace
}  // namespace sockproof
