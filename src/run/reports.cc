#include "src/run/reports.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/base/errors.h"
#include "src/report/junit.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

}  // namespace

Reports::Reports(OutputDirectory& directory, std::string junit, Duration interval)
    : directory_(directory), junit_(std::move(junit)), interval_(interval) {}

void Reports::Begin(const RunResult& run) {
  try {
    if (!junit_.empty()) {
      const fs::path parent = fs::absolute(junit_).parent_path();
      fs::create_directories(parent);
      // To replace a device by a file would harm more than this program.
      if (fs::exists(junit_) && !fs::is_regular_file(junit_)) {
        throw UsageError("cannot write " + junit_ + ": it is not a regular file");
      }
      WriteJunit(run);
    }
    directory_.Clear();
    Write(run);
  } catch (const fs::filesystem_error& error) {
    throw UsageError("cannot write " + junit_ + ": " + error.code().message());
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

void Reports::Write(const RunResult& run) {
  ReplaceFile(directory_.path() / "result.json", DumpJson(ToJson(run)));
  if (!junit_.empty()) WriteJunit(run);
  changed_ = false;
  written_ = std::chrono::steady_clock::now();
}

std::chrono::steady_clock::time_point Reports::due() const { return written_ + interval_; }

void Reports::WriteJunit(const RunResult& run) {
  const fs::path folder = fs::weakly_canonical(junit_).parent_path();
  const fs::path results = fs::canonical(directory_.path());
  ReplaceFile(junit_, RenderJunit(run, results.lexically_relative(folder)));
}

}  // namespace sockproof
