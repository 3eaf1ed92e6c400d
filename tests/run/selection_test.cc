// Patterns mean what a user would think.
#include "src/run/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

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
          test.variant = OverIp(ip);
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

TEST_F(SelectionTest, ShardsShareTheTestsOut) {
  for (std::size_t i = 0; i < 3; ++i) {
    tests_[i].traits.lasts = [](const Facts&) -> Duration { return 60s; };
  }
  const Tests all = Select(tests_, {});
  for (const int count : {1, 2, 3, 20}) {
    Tests together;
    for (int index = 0; index < count; ++index) {
      const Tests shard = OfShard(all, {index, count});
      together.insert(together.end(), shard.begin(), shard.end());
      if (count == 3) {
        EXPECT_EQ(std::count_if(shard.begin(), shard.end(),
                                [](const TestCase* test) { return test->traits.lasts.waits(); }),
                  1);
      }
    }
    std::sort(together.begin(), together.end());
    EXPECT_EQ(together, all) << count;
  }
}

TEST_F(SelectionTest, ShardsAreNumberedFromOneAndInGoogleTestFromZero) {
  EXPECT_EQ(ParseShard("2/3").index, 1);
  EXPECT_EQ(ParseShard("2/3").count, 3);
  EXPECT_EQ(ShardFromGoogleTest("1", "3").index, 1);
  for (const char* text : {"", "0/3", "4/3", "1", "1/", "/3", "a/b", "1/3x", "-1/3"}) {
    EXPECT_THROW(ParseShard(text), UsageError) << text;
  }
  EXPECT_THROW(ShardFromGoogleTest("3", "3"), UsageError);
  EXPECT_THROW(ShardFromGoogleTest("", "3"), UsageError);
  EXPECT_THROW(ShardFromGoogleTest("0", ""), UsageError);
}

TEST_F(SelectionTest, TagsSayWhatATestIsAbout) {
  TestCase test;
  test.variant = {.name = "unknown/ipv4", .family = kIpv4Family};
  test.file = "suites/tcp/time_wait.cc";
  test.traits.claims = {"rfc9293:3.5-x", "notes:C3"};
  test.traits.needs = {"diag"};
  EXPECT_THAT(TagsOf(test), ElementsAre("diag", "ipv4", "notes", "rfc9293", "tcp", "time_wait", "unknown"));
}

TEST_F(SelectionTest, OnlyKeepsTheOrder) {
  const Tests some = Only(Select(tests_, {}), {"HalfCloseMore.Data/ipv4", "HalfClose.Data/ipv6"});
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(some[0]->id(), "HalfClose.Data/ipv6");
}

}  // namespace
}  // namespace sockproof
