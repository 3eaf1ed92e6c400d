// sockproof compare.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/commands.h"
#include "src/compare/comparison.h"
#include "src/compare/page.h"
#include "src/compare/table.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

TableStyle StyleOf(const CompareArguments& arguments) {
  TableStyle style;
  style.all = arguments.all;
  style.by_claim = arguments.by == "claim";
  winsize window{};
  if (isatty(STDOUT_FILENO) == 1) {
    const char* no_color = getenv("NO_COLOR");
    style.color = no_color == nullptr || *no_color == '\0';
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
      style.width = window.ws_col;
    }
  }
  return style;
}

}  // namespace

int CompareCommand(const CompareArguments& arguments) {
  std::vector<ComparedSystem> systems;
  for (const std::string& result : arguments.results) {
    for (ComparedSystem& system : ReadSystems(result)) systems.push_back(std::move(system));
  }
  const Comparison comparison = CompareSystems(std::move(systems));
  if (arguments.html == "-") throw UsageError("a page does not go to stdout; name a file");
  if (!arguments.html.empty() && arguments.html == arguments.json) {
    throw UsageError("two reports cannot be one file: " + arguments.html);
  }
  const std::string json = arguments.json.empty() ? "" : DumpJson(ToJson(comparison));
  try {
    if (!json.empty() && arguments.json != "-") {
      PrepareReportFile(arguments.json);
      ReplaceFile(arguments.json, json);
    }
    if (!arguments.html.empty()) {
      PrepareReportFile(arguments.html);
      PageOptions options;
      options.path = arguments.html;
      options.by_claim = arguments.by == "claim";
      ReplaceFile(arguments.html, RenderPage(comparison, options));
    }
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  fmt::print("{}", arguments.json == "-" ? json : RenderTable(comparison, StyleOf(arguments)));
  return 0;
}

}  // namespace sockproof
