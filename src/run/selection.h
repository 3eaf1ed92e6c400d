// Which tests a user means.
#pragma once

#include <string>
#include <vector>

#include "harness/test/registry.h"

namespace sockproof {

// The tests that match any of the patterns, in the order of `tests`; all tests without patterns.
// A pattern with wildcards (* ? [) is compared with the id "Suite.Name/ipv4" and with the same
// without IP version. Any other means one id, or all ids that go on from it with '.' or '/': a
// suite, or both IP versions of a test. Throws UsageError for a pattern that matches nothing, with
// the name that comes nearest. The result points into `tests`.
std::vector<const TestCase*> Select(const std::vector<TestCase>& tests,
                                    const std::vector<std::string>& patterns);

}  // namespace sockproof
