// sockproof report.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/report_files.h"
#include "src/cli/say.h"
#include "src/report/ktap.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::string results;  // a folder with a result.json, or such a file
  std::string junit;    // paths; "-" is stdout
  std::string junit_dialect = "common";
  std::string ktap;
  std::string json;
};

std::string RenderText(const RunResult& run, const fs::path& results) {
  return RenderSummary(run, /*color=*/false) + "results in " + results.string() + "\n";
}

int MakeReports(const ReportArguments& arguments) {
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
    PrintDocument(RenderJunit(run, results_path, files.junit_dialect));
  }
  if (ktap_to_stdout) PrintDocument(RenderKtap(run));
  if (json_to_stdout) PrintDocument(DumpJson(ToJson(run)));
  if (arguments.junit.empty() && arguments.ktap.empty() && arguments.json.empty()) {
    PrintText(RenderText(run, results));
  }
  return 0;
}

constexpr const char* kReportHelp = R"(Examples:
  sockproof report sockproof-out                      as text
  sockproof report sockproof-out --junit junit.xml    for a CI system
  sockproof report sockproof-out --ktap -

Exit code: 0 done, 2 wrong usage.)";

Action AddReport(CLI::App& app) {
  auto arguments = std::make_shared<ReportArguments>();
  app.add_option("DIR", arguments->results, "Folder of the results, or its result.json")
      ->required()
      ->type_name("");
  app.add_option("--junit", arguments->junit, "Write JUnit XML; - for stdout")->type_name("FILE");
  AddJunitDialect(app, arguments->junit_dialect);
  app.add_option("--ktap", arguments->ktap, "Write KTAP; - for stdout")->type_name("FILE");
  app.add_option("--json", arguments->json, "Write the result as JSON; - for stdout")
      ->type_name("FILE");
  return [arguments](const std::string&) { return MakeReports(*arguments); };
}

const CommandRegistration kReport({"report", CommandGroup::kResults,
                                   "Make reports from the results of an earlier run", kReportHelp,
                                   AddReport});

}  // namespace
}  // namespace sockproof
