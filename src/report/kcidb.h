// KCIDB, the form in which CI systems of kernels hand in results to KernelCI: the I/O schema,
// version 5.3, of https://github.com/kernelci/kcidb-io.
#pragma once

#include <string>

#include "src/report/result.h"

namespace sockproof {

// Who hands in, and of what. In each an origin is of a-z, 0-9 and '_'.
struct KcidbNames {
  std::string build;  // "ORIGIN:ID" of the build of the kernel that was tested, as it was handed in
  std::string origin;  // of the tests; empty: that of the build
};

// JSON: a test each, "sockproof.Suite.Name.variant". Of a known departure the test is a FAIL, with
// an incident that names an issue, which is the same for all tests that depart for the same reason.
// What was not run is a MISS, what is inconclusive an ERROR. Ids are unique and the same whenever
// the report is made; a shard's tests have other ids than those of the shards put together.
std::string RenderKcidb(const RunResult& run, const KcidbNames& names);

// Whether these can be such names.
bool IsKcidbId(const std::string& text);      // "ORIGIN:ID"
bool IsKcidbOrigin(const std::string& text);  // "ORIGIN"

}  // namespace sockproof
