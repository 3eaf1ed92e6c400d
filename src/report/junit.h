// JUnit XML, in the dialect that the readers of CI systems have in common. There is no standard;
// the choices here (one result child a case, counts that add up, attachments by their path in
// system-out) are those that Jenkins, GitLab, Azure and the GitHub actions all read.
#pragma once

#include <string>

#include "src/report/result.h"

namespace sockproof {

enum class JunitDialect {
  kCommon,  // all that any reader shows
  kStrict,  // only what junit-10.xsd of Jenkins' xUnit plugin has, in each of its versions
};

// One testsuite per suite of tests, one testcase per test. Earlier attempts at a test are named as
// Maven Surefire names reruns: flakyError and flakyFailure in a case that came out well in the end,
// rerunError and rerunFailure in any other; the strict dialect leaves them out. Attachments are
// named by their path from the folder of the JUnit file: `results_path` is the path of the result
// directory from there.
std::string RenderJunit(const RunResult& run, const std::string& results_path,
                        JunitDialect dialect = JunitDialect::kCommon);

}  // namespace sockproof
