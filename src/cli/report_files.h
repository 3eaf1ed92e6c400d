// The options that ask for report files: --junit, --ktap, --kcidb and what belongs to them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "src/report/files.h"

namespace sockproof {

struct ReportOptions {
  ReportFiles files;
  std::string junit_dialect = "common";
};

// `more` ends what each file's option says of itself.
void AddReportOptions(CLI::App& command, ReportOptions& options, const std::string& more);

// What was asked for; a path may be "-". Throws UsageError when it cannot be.
ReportFiles ReportFilesOf(const ReportOptions& options);

}  // namespace sockproof
