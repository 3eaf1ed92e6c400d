#include "src/run/reports.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/errors.h"
#include "src/run/usage_error.h"

namespace sockproof {
Reports::Reports(OutputDirectory& directory, ReportFiles files, Duration interval)
    : directory_(directory), files_(std::move(files)), interval_(interval) {}

void Reports::Begin(const RunResult& run) {
  try {
    for (const std::string* path : {&files_.junit, &files_.ktap}) {
      if (!path->empty()) PrepareReportFile(PathForSystem(*path, run.sut));
    }
    WriteReportFiles(files_, run, directory_.path());
    directory_.Clear();
    Write(run);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

void Reports::Write(const RunResult& run) {
  ReplaceFile(directory_.path() / "result.json", DumpJson(ToJson(run)));
  WriteReportFiles(files_, run, directory_.path());
  changed_ = false;
  written_ = std::chrono::steady_clock::now();
}

std::chrono::steady_clock::time_point Reports::due() const { return written_ + interval_; }

}  // namespace sockproof
