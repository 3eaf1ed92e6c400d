#include "src/run/reports.h"

#include <malloc.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/errors.h"
#include "src/run/usage_error.h"

namespace sockproof {
Reports::Reports(OutputDirectory& directory, ReportFiles files, Duration interval)
    : directory_(directory), files_(std::move(files)), interval_(interval) {}

void Reports::Begin(const RunResult& run) {
  try {
    for (const ReportForm& form : ReportForms()) {
      const std::string& path = files_.*form.path;
      if (!path.empty()) PrepareReportFile(PathForSystem(path, run.sut));
    }
    WriteReportFiles(files_, run, directory_.path());
    directory_.Clear();
    Write(run);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

void Reports::Write(const RunResult& run) {
  const auto begun = std::chrono::steady_clock::now();
  ReplaceFile(directory_.path() / "result.json", DumpJson(ToJson(run)));
  WriteReportFiles(files_, run, directory_.path());
  // What the texts took would be copied at each fork() of a test, page by page, though it is free.
  malloc_trim(0);
  changed_ = false;
  written_ = std::chrono::steady_clock::now();
  took_ = written_ - begun;
}

std::chrono::steady_clock::time_point Reports::due() const {
  constexpr int kPart = 50;
  return written_ + std::max<std::chrono::steady_clock::duration>(interval_, took_ * kPart);
}

}  // namespace sockproof
