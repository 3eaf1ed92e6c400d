// Which tests a user means.
#pragma once

#include <string>
#include <vector>

#include "harness/test/registry.h"

namespace sockproof {

// Whether a pattern means the test with this id, "Suite.Name/ipv4": see Select().
bool MeansTest(const std::string& pattern, const std::string& id);

// The tests' ids, in the same order.
std::vector<std::string> IdsOf(const std::vector<TestCase>& tests);

// The tests that match any of the patterns, in the order of `tests`; all tests without patterns.
// A pattern with wildcards (* ? [) is compared with the id "Suite.Name/ipv4" and with the same
// without IP version. Any other means one id, or all ids that go on from it with '.' or '/': a
// suite, or both IP versions of a test. Throws UsageError for a pattern that matches nothing, with
// the name that comes nearest. The result points into `tests`.
std::vector<const TestCase*> Select(const std::vector<TestCase>& tests,
                                    const std::vector<std::string>& patterns);

// Words by which tests are chosen: IP version, folder and file of the suite ("tcp", "time_wait"),
// authorities of its claims ("rfc9293", "notes"), what it needs, "waits" when it does. Sorted.
std::vector<std::string> TagsOf(const TestCase& test);

using Tests = std::vector<const TestCase*>;

// Those that have all of `tags` and none of `without`. Throws UsageError for a tag that no test of
// the suite has.
Tests WithTags(Tests tests, const std::vector<std::string>& tags,
               const std::vector<std::string>& without);

// Those that check a claim of any of these levels; all when there are none.
Tests WithLevels(Tests tests, const std::vector<std::string>& levels);

// Those with these ids.
Tests Only(Tests tests, const std::vector<std::string>& ids);

// One of `count` parts of a run, from 0.
struct Shard {
  int index = 0;
  int count = 1;
};

// "2/3" is {1, 3}. Throws UsageError.
Shard ParseShard(const std::string& text);
// The values of GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS. Throws UsageError.
Shard ShardFromGoogleTest(const std::string& index, const std::string& total);

// Every test is in exactly one shard, the same one each time; long tests are spread evenly.
Tests OfShard(Tests tests, const Shard& shard);

}  // namespace sockproof
