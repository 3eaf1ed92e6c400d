// sockproof report.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/commands.h"
#include "src/report/ktap.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

std::string RenderText(const RunResult& run, const fs::path& results) {
  return RenderSummary(run, /*color=*/false) + "results in " + results.string() + "\n";
}

}  // namespace

ReportFiles ReportFilesOf(const std::string& junit, const std::string& junit_dialect,
                          const std::string& ktap) {
  if (junit == "-" || ktap == "-") {
    throw UsageError("stdout is taken; name a file, or see 'sockproof report --help'");
  }
  if (!junit.empty() && junit == ktap) throw UsageError("two reports cannot be one file: " + junit);
  return {junit, junit_dialect == "strict" ? JunitDialect::kStrict : JunitDialect::kCommon, ktap};
}

int ReportCommand(const ReportArguments& arguments) {
  const RunResult run = ReadResult(arguments.results);
  const fs::path results = fs::absolute(ResultFile(arguments.results)).parent_path();
  const bool junit_to_stdout = arguments.junit == "-";
  const bool ktap_to_stdout = arguments.ktap == "-";
  const bool json_to_stdout = arguments.json == "-";
  if (junit_to_stdout + ktap_to_stdout + json_to_stdout > 1) {
    throw UsageError("only one report can go to stdout");
  }
  const ReportFiles files =
      ReportFilesOf(junit_to_stdout ? "" : arguments.junit, arguments.junit_dialect,
                    ktap_to_stdout ? "" : arguments.ktap);
  const std::string json_file =
      json_to_stdout || arguments.json.empty() ? "" : PathForSystem(arguments.json, run.sut);
  if (!json_file.empty() && (arguments.json == files.junit || arguments.json == files.ktap)) {
    throw UsageError("two reports cannot be one file: " + arguments.json);
  }
  try {
    for (const std::string& path :
         {PathForSystem(files.junit, run.sut), PathForSystem(files.ktap, run.sut), json_file}) {
      if (!path.empty()) PrepareReportFile(path);
    }
    WriteReportFiles(files, run, results);
    if (!json_file.empty()) ReplaceFile(json_file, DumpJson(ToJson(run)));
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  if (junit_to_stdout) {
    const std::string results_path =
        fs::canonical(results).lexically_relative(fs::canonical(fs::current_path()));
    fmt::print("{}", RenderJunit(run, results_path, files.junit_dialect));
  }
  if (ktap_to_stdout) fmt::print("{}", RenderKtap(run));
  if (json_to_stdout) fmt::print("{}", DumpJson(ToJson(run)));
  if (arguments.junit.empty() && arguments.ktap.empty() && arguments.json.empty()) {
    fmt::print("{}", RenderText(run, results));
  }
  return 0;
}

}  // namespace sockproof
