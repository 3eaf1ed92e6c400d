// The report files that a user asked for, beside result.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "src/report/junit.h"
#include "src/report/kcidb.h"
#include "src/report/result.h"

namespace sockproof {

// Paths of the files to write; empty: none. "{sut}" in a path becomes the name of the system, in
// which anything but letters, digits, '.', '_' and '-' becomes '-'.
struct ReportFiles {
  std::string junit;
  JunitDialect junit_dialect = JunitDialect::kCommon;
  std::string ktap;
  std::string kcidb;
  KcidbNames kcidb_names = {};
};

// What a report file can be.
struct ReportForm {
  const char* option;  // "--junit"
  const char* name;    // "JUnit"
  std::string ReportFiles::*path;
  // `results_path`: of the folder of result.json, from that of the file.
  std::string (*render)(const RunResult& run, const ReportFiles& files,
                        const std::string& results_path);
};
const std::vector<ReportForm>& ReportForms();

// The path for this system.
std::string PathForSystem(const std::string& path, const std::string& sut);

// Makes the folder of a file to be written. Throws HarnessError when it cannot, and when `path` is
// something else than a regular file: to replace a device would harm more than this program.
void PrepareReportFile(const std::string& path);

// Writes the files, each replaced at once; call PrepareReportFile() before the first time.
// `results` is the folder of result.json, to which reports refer. Throws HarnessError.
void WriteReportFiles(const ReportFiles& files, const RunResult& run,
                      const std::filesystem::path& results);

}  // namespace sockproof
