// The files that tell the state of a run at any moment, also after the runner was killed.
#pragma once

#include <chrono>

#include "harness/base/time.h"
#include "src/report/files.h"
#include "src/report/result.h"
#include "src/run/output_directory.h"

namespace sockproof {

// Writes result.json and the files that the user asked for. The directory is borrowed.
class Reports {
 public:
  // Changes are written `interval` after the last write, or later where that took long: at most a
  // fiftieth of a run's time goes there, however many tests it has.
  Reports(OutputDirectory& directory, ReportFiles files, Duration interval = 1s);

  // The first write; removes what an earlier run left. Throws UsageError when a file or folder
  // cannot be written.
  void Begin(const RunResult& run);

  // Writes now. Throws HarnessError.
  void Write(const RunResult& run);

  // Something changed that is to be written soon. When it is time, Due() holds.
  void Changed() { changed_ = true; }
  bool changed() const { return changed_; }
  std::chrono::steady_clock::time_point due() const;

  const OutputDirectory& directory() const { return directory_; }

 private:
  OutputDirectory& directory_;
  ReportFiles files_;
  Duration interval_;
  bool changed_ = false;
  std::chrono::steady_clock::time_point written_;
  std::chrono::steady_clock::duration took_{0};
};

}  // namespace sockproof
