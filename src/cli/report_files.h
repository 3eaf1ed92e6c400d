// The files that --junit, --junit-dialect and --ktap ask for.
#pragma once

#include <string>

#include "src/report/files.h"

namespace sockproof {

// Throws UsageError for what cannot be files.
ReportFiles ReportFilesOf(const std::string& junit, const std::string& junit_dialect,
                          const std::string& ktap);

}  // namespace sockproof
