// Merging keeps every test, and refuses what does not go together.
#include "src/report/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "src/report/read_result.h"
#include "tests/report/hostile.h"

namespace sockproof {
namespace {

using ::testing::HasSubstr;

RunResult RunOfNames(const std::vector<std::string>& names) {
  RunResult run = SampleRun();
  run.tests.clear();
  for (const std::string& name : names) {
    run.tests.push_back(SampleTest("Suite", name, Verdict::kPass));
  }
  return run;
}

std::string Refusal(const std::vector<NamedResult>& parts) {
  try {
    Merge(parts);
  } catch (const WrongInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MergeTest, ShardsOfARunAreThatRun) {
  const RunResult whole = SampleRun();
  RunResult odd = whole;
  RunResult even = whole;
  odd.tests = {whole.tests[1], whole.tests[3], whole.tests[5]};
  even.tests = {whole.tests[0], whole.tests[2], whole.tests[4]};
  odd.shard = RunShard{1, 2};
  even.shard = RunShard{2, 2};
  odd.started += 1s;
  even.finished = *even.finished - 1s;
  const nlohmann::ordered_json merged = ToJson(Merge({{"odd", odd}, {"even", even}}));
  EXPECT_EQ(merged["counts"], ToJson(whole)["counts"]);
  EXPECT_EQ(merged["axes"], ToJson(whole)["axes"]);
  EXPECT_EQ(merged["started"], ToJson(whole)["started"]);
  EXPECT_EQ(merged["finished"], ToJson(whole)["finished"]);
  EXPECT_TRUE(merged["shard"].is_null());
  EXPECT_EQ(ToJson(FromJson(merged, "merged")), merged);
}

TEST(MergeTest, OrderIsThatOfTheTestsAndNotOfTheParts) {
  RunResult a = RunOfNames({"A", "C"});
  RunResult b = RunOfNames({"B"});
  a.tests[1].line = 30;
  b.tests[0].line = 20;
  a.tests[0].line = 10;
  for (const RunResult& merged : {Merge({{"a", a}, {"b", b}}), Merge({{"b", b}, {"a", a}})}) {
    ASSERT_EQ(merged.tests.size(), 3U);
    EXPECT_EQ(merged.tests[0].name + merged.tests[1].name + merged.tests[2].name, "ABC");
  }
}

TEST(MergeTest, OneUnfinishedPartLeavesTheWholeUnfinished) {
  RunResult a = RunOfNames({"A"});
  RunResult b = RunOfNames({"B"});
  b.finished.reset();
  b.interrupted = 2;
  b.host = "builder8";
  b.setup_error = "no namespaces";
  b.facts.clear();
  b.seed = 7;
  a.baselines = {"ours.toml"};
  b.baselines = {"ours.toml", "theirs.toml"};
  a.stale_departures = {"x"};
  b.stale_departures = {"x", "y"};
  for (const auto& parts : {std::vector<NamedResult>{{"a", a}, {"b", b}}, {{"b", b}, {"a", a}}}) {
    const RunResult merged = Merge(parts);
    EXPECT_FALSE(merged.finished);
    EXPECT_EQ(merged.interrupted, 2);
    EXPECT_EQ(merged.host, "builder7, builder8");
    EXPECT_EQ(merged.setup_error, "b: no namespaces");
    EXPECT_EQ(merged.facts, a.facts);
    EXPECT_FALSE(merged.seed);
    EXPECT_EQ(merged.baselines, (std::vector<std::string>{"ours.toml", "theirs.toml"}));
    EXPECT_EQ(merged.stale_departures, (std::vector<std::string>{"x", "y"}));
  }
}

TEST(MergeTest, SysctlsMayDiffer) {
  RunResult a = RunOfNames({"A"});
  RunResult b = RunOfNames({"B"});
  a.facts["sysctl.net.ipv4.tcp_max_syn_backlog"] = "2048";
  b.facts["sysctl.net.ipv4.tcp_max_syn_backlog"] = "512";
  EXPECT_EQ(Merge({{"a", a}, {"b", b}}).facts["sysctl.net.ipv4.tcp_max_syn_backlog"],
            "2048 or 512");
}

TEST(MergeTest, RefusesWhatDoesNotGoTogether) {
  const NamedResult a{"a", RunOfNames({"A"})};
  NamedResult b{"b", RunOfNames({"B"})};
  const auto refusal = [&](const auto& change) {
    NamedResult changed = b;
    change(changed.second);
    return Refusal({a, changed});
  };
  EXPECT_EQ(Refusal({a, b}), "accepted");
  EXPECT_EQ(refusal([](RunResult& run) { run.suite_version = "2"; }),
            "a and b do not go together: the version of the suite is '1.2.3' in one, '2' in the "
            "other");
  EXPECT_THAT(refusal([](RunResult& run) { run.sut = "vm:x"; }), HasSubstr("the system is 'host'"));
  EXPECT_THAT(refusal([](RunResult& run) { run.facts["release"] = "7"; }),
              HasSubstr("release is '6.1.0' in one, '7' in the other"));
  EXPECT_THAT(refusal([](RunResult& run) { run.facts.erase("release"); }),
              HasSubstr("release is '6.1.0' in one, 'unknown' in the other"));
  EXPECT_EQ(Refusal({a, b, a}), "Suite.A/ipv4 is in both a and a");
  EXPECT_THAT(
      refusal([&](RunResult& run) { run.tests[0].directory = a.second.tests[0].directory; }),
      HasSubstr("have the same folder"));
  EXPECT_EQ(Refusal({}), "there is nothing to merge");
}

TEST(MergeTest, RefusesWhenAShardIsMissing) {
  NamedResult a{"a", RunOfNames({"A"})};
  NamedResult b{"b", RunOfNames({"B"})};
  a.second.shard = RunShard{1, 3};
  b.second.shard = RunShard{3, 3};
  EXPECT_EQ(Refusal({a, b}), "shard 2 of 3 is missing");
  b.second.shard = RunShard{2, 2};
  EXPECT_EQ(Refusal({a, b}), "a is one of 3 shards, b one of 2");
}

TEST(MergeTest, HostileTextIsKept) {
  const RunResult merged = Merge({{"a", RunOfNames({"A"})}});
  EXPECT_EQ(merged.tests.size(), 1U);
  RunResult hostile = HostileRun();
  for (std::size_t i = 0; i < hostile.tests.size(); ++i) {
    hostile.tests[i].attempts[0].directory = "tests/x.attempt-" + std::to_string(i);
  }
  const RunResult same = Merge({{HostileText(), hostile}});
  EXPECT_EQ(ToJson(same)["counts"], ToJson(hostile)["counts"]);
}

}  // namespace
}  // namespace sockproof
