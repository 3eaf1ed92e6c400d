// sockproof report.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/report_files.h"
#include "src/cli/say.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::string results;  // a folder with a result.json, or such a file
  ReportOptions reports;
  std::string json;  // path; "-" is stdout, as in the others
};

std::string RenderText(const RunResult& run, const fs::path& results) {
  return RenderSummary(run, /*color=*/false) + "results in " + results.string() + "\n";
}

std::string PathFromHere(const fs::path& folder) {
  return fs::canonical(folder).lexically_relative(fs::canonical(fs::current_path()));
}

int MakeReports(const ReportArguments& arguments) {
  const RunResult run = ReadResult(arguments.results);
  const fs::path results = fs::absolute(ResultFile(arguments.results)).parent_path();
  ReportFiles files = ReportFilesOf(arguments.reports);
  bool in_text = arguments.json.empty();  // nothing else is asked for
  std::vector<std::string> on_stdout;
  if (arguments.json == "-") on_stdout.push_back(DumpJson(ToJson(run)));
  const std::string json_file = arguments.json == "-" ? "" : PathForSystem(arguments.json, run.sut);
  try {
    for (const ReportForm& form : ReportForms()) {
      std::string& path = files.*form.path;
      if (path.empty()) continue;
      in_text = false;
      if (path == "-") {
        path.clear();
        on_stdout.push_back(form.render(run, files, PathFromHere(results)));
        continue;
      }
      if (path == arguments.json) throw UsageError("two reports cannot be one file: " + path);
      PrepareReportFile(PathForSystem(path, run.sut));
    }
    if (on_stdout.size() > 1) throw UsageError("only one report can go to stdout");
    if (!json_file.empty()) PrepareReportFile(json_file);
    WriteReportFiles(files, run, results);
    if (!json_file.empty()) ReplaceFile(json_file, DumpJson(ToJson(run)));
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  for (const std::string& document : on_stdout) PrintDocument(document);
  if (in_text) PrintText(RenderText(run, results));
  return 0;
}

constexpr const char* kReportHelp = R"(Examples:
  sockproof report sockproof-out                      as text
  sockproof report sockproof-out --junit junit.xml    for a CI system
  sockproof report sockproof-out --ktap -
  sockproof report sockproof-out --kcidb kcidb.json --kcidb-build maestro:6746e2d4

Exit code: 0 done, 2 wrong usage.)";

Action AddReport(CLI::App& app) {
  auto arguments = std::make_shared<ReportArguments>();
  app.add_option("DIR", arguments->results, "Folder of the results, or its result.json")
      ->required()
      ->type_name("");
  AddReportOptions(app, arguments->reports, "; - for stdout");
  app.add_option("--json", arguments->json, "Write the result as JSON; - for stdout")
      ->type_name("FILE");
  return [arguments](const std::string&) { return MakeReports(*arguments); };
}

const CommandRegistration kReport({"report", CommandGroup::kResults,
                                   "Make reports from the results of an earlier run", kReportHelp,
                                   AddReport});

}  // namespace
}  // namespace sockproof
