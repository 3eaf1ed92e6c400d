#include "src/cli/report_files.h"

#include "src/run/usage_error.h"

namespace sockproof {

ReportFiles ReportFilesOf(const std::string& junit, const std::string& junit_dialect,
                          const std::string& ktap) {
  if (junit == "-" || ktap == "-") {
    throw UsageError("stdout is taken; name a file, or see 'sockproof report --help'");
  }
  if (!junit.empty() && junit == ktap) throw UsageError("two reports cannot be one file: " + junit);
  return {junit, junit_dialect == "strict" ? JunitDialect::kStrict : JunitDialect::kCommon, ktap};
}

}  // namespace sockproof
