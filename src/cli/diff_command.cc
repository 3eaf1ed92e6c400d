// sockproof diff.
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/report/diff.h"
#include "src/report/files.h"
#include "src/report/read_result.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

// Both are folders with a result.json, or such files.
struct DiffArguments {
  std::string base;
  std::string current;
  std::string json;    // path; "-" is stdout, instead of the text
  double slower = 25;  // percent
};

int DiffResults(const DiffArguments& arguments) {
  const RunResult base = ReadResult(arguments.base);
  const RunResult current = ReadResult(arguments.current);
  SlowerThan slower;
  slower.percent = arguments.slower;
  const ResultDiff diff = Compare(base, current, slower);
  if (arguments.json != "-") {
    PrintText(RenderDiff(diff, base, arguments.base, current, arguments.current, slower));
  }
  WriteDocument(arguments.json, DumpJson(ToJson(diff, base, current, slower)));
  return diff.regressions() == 0 ? 0 : 1;
}

constexpr const char* kDiffHelp = R"(Examples:
  sockproof diff base sockproof-out
  sockproof diff base sockproof-out --slower 50 --json -

Exit code: 0 nothing got worse, 1 something did, 2 wrong usage.)";

Action AddDiff(CLI::App& app) {
  auto arguments = std::make_shared<DiffArguments>();
  app.add_option("BASE", arguments->base, "Folder of the older results, or a result.json")
      ->required()
      ->type_name("");
  app.add_option("NEW", arguments->current, "Folder of the newer results, or a result.json")
      ->required()
      ->type_name("");
  app.add_option("--json", arguments->json, "Write it as JSON; - for stdout, in place of text")
      ->type_name("FILE");
  app.add_option("--slower", arguments->slower,
                 "Name tests that took longer by more than that, and 0.1 s; default: 25")
      ->check(NumberFrom(0, 1e9))
      ->type_name("PERCENT");
  return [arguments](const std::string&) { return DiffResults(*arguments); };
}

const CommandRegistration kDiff({"diff", CommandGroup::kResults,
                                 "What is different between two results", kDiffHelp, AddDiff});

}  // namespace
}  // namespace sockproof
