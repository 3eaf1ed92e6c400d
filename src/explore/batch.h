// Sequences run on a system, side by side in one test: all take their first step, then whatever the
// system does at once is waited for once, then all take the second. Each has ports of its own. What
// is seen leaves the test as observations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/test/registry.h"
#include "harness/trace/event.h"
#include "src/explore/record.h"
#include "src/explore/sequence.h"

namespace sockproof::explore {

enum class Logged {
  kNothing,  // but the records
  kAll,      // calls and frames too, as of any test
};

// The id of the case tells all of it, so that a guest can make it again (BatchFromId()).
TestCase BatchOf(const std::vector<Sequence>& sequences, Logged logged);
// Nothing when the id is that of something else.
std::optional<TestCase> BatchFromId(const std::string& id);

// What the batch has recorded, a record for each sequence; fewer when it broke off. Throws
// std::invalid_argument for observations that no batch makes.
std::vector<Record> RecordsIn(const std::vector<Event>& events, std::size_t sequences);

}  // namespace sockproof::explore
