// sockproof diff.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/commands.h"
#include "src/report/diff.h"
#include "src/report/read_result.h"
#include "src/run/usage_error.h"

namespace sockproof {

int DiffCommand(const DiffArguments& arguments) {
  const RunResult base = ReadResult(arguments.base);
  const RunResult current = ReadResult(arguments.current);
  SlowerThan slower;
  slower.percent = arguments.slower;
  const ResultDiff diff = Compare(base, current, slower);
  const std::string json = DumpJson(ToJson(diff, base, current, slower));
  if (arguments.json == "-") {
    fmt::print("{}", json);
  } else {
    fmt::print("{}", RenderDiff(diff, base, arguments.base, current, arguments.current, slower));
    if (!arguments.json.empty()) {
      try {
        PrepareReportFile(arguments.json);
        ReplaceFile(arguments.json, json);
      } catch (const HarnessError& error) {
        throw UsageError(error.what());
      }
    }
  }
  return diff.regressions() == 0 ? 0 : 1;
}

}  // namespace sockproof
