// Tests that were run, found by what a user calls them: for commands about what happened in one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/trace/event.h"
#include "src/report/result.h"

namespace sockproof {

struct RecordedTest {
  std::string test;                  // its id, or the path where it was found
  std::string system;                // "host (6.12.30)", or the same path
  std::vector<Event> events;
  std::optional<TestResult> result;  // of one that was found in results
};

// Whether `test` is the folder of a test or a file of events, and no id.
bool IsPathOfRecord(const std::string& test);

// What is there. Throws UsageError.
RecordedTest ReadRecord(const std::string& path);

// The test of that id in a folder of results; of several variants the first. Throws UsageError.
RecordedTest FindRecord(const std::string& id, const std::string& results);

}  // namespace sockproof
