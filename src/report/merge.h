// One result of several: of the shards of a run, or of runs of different tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/report/result.h"
#include "src/report/wrong_input.h"

namespace sockproof {

// A result, and what the user called it.
using NamedResult = std::pair<std::string, RunResult>;

// All tests of the parts, in the order of a run of all. It began with the first part and has ended
// when all have; sysctls that differ between the parts are named with each value. Which departures
// are stale is what the parts say, each of its own tests.
// Throws WrongInput unless the parts are of the same system (each fact that is no sysctl) and suite
// version, no test is in two of them, and no shard is missing. A part in which no test could run
// has no facts, and goes with any.
RunResult Merge(const std::vector<NamedResult>& parts);

}  // namespace sockproof
