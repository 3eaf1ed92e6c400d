#include "src/cli/report_files.h"

#include <fmt/format.h>

#include <set>

#include "src/cli/options.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

void CheckNames(const KcidbNames& names) {
  if (names.build.empty()) {
    throw UsageError(
        "--kcidb needs --kcidb-build ORIGIN:ID, the build of the kernel that is tested");
  }
  if (!IsKcidbId(names.build)) {
    throw UsageError(fmt::format(
        "--kcidb-build: '{}' is not ORIGIN:ID with an origin of a-z, 0-9, _", names.build));
  }
  if (!names.origin.empty() && !IsKcidbOrigin(names.origin)) {
    throw UsageError(fmt::format("--kcidb-origin: '{}' is not of a-z, 0-9, _", names.origin));
  }
}

}  // namespace

void AddReportOptions(CLI::App& command, ReportOptions& options, const std::string& more) {
  ReportFiles& files = options.files;
  command.add_option("--junit", files.junit, "Write JUnit XML" + more)->type_name("FILE");
  command
      .add_option("--junit-dialect", options.junit_dialect,
                  "common (default), or strict: valid for Jenkins' xUnit plugin")
      ->check(OneOf({"common", "strict"}))
      ->type_name("DIALECT");
  command.add_option("--ktap", files.ktap, "Write KTAP, as kernel tests do" + more)
      ->type_name("FILE");
  command.add_option("--kcidb", files.kcidb, "Write JSON for KernelCI (KCIDB)" + more)
      ->type_name("FILE");
  command
      .add_option("--kcidb-build", files.kcidb_names.build,
                  "With --kcidb: the build of the kernel that is tested, as KernelCI knows it")
      ->type_name("ORIGIN:ID");
  command
      .add_option("--kcidb-origin", files.kcidb_names.origin,
                  "With --kcidb: who hands in the tests; default: who handed in the build")
      ->type_name("ORIGIN");
}

ReportFiles ReportFilesOf(const ReportOptions& options) {
  ReportFiles files = options.files;
  files.junit_dialect =
      options.junit_dialect == "strict" ? JunitDialect::kStrict : JunitDialect::kCommon;
  std::set<std::string> paths;
  for (const ReportForm& form : ReportForms()) {
    const std::string& path = files.*form.path;
    if (!path.empty() && path != "-" && !paths.insert(path).second) {
      throw UsageError("two reports cannot be one file: " + path);
    }
  }
  if (!files.kcidb.empty()) CheckNames(files.kcidb_names);
  return files;
}

}  // namespace sockproof
