// KTAP, the kernel's Test Anything Protocol, version 1 (kernel documentation dev-tools/ktap).
#pragma once

#include <string>

#include "src/report/result.h"

namespace sockproof {

// Three levels: the system, its suites, their tests, each with its plan. What needs attention is
// "not ok", with diagnostics before it; a known departure is "ok" with the directive XFAIL, as in
// kselftest, a test that did not end in time TIMEOUT, one of which nothing is known ERROR, one that
// lacks something SKIP. Text after a name never holds '#', which begins directives: it becomes
// U+FF03, which looks alike.
std::string RenderKtap(const RunResult& run);

}  // namespace sockproof
