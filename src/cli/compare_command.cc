// sockproof compare.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/compare/comparison.h"
#include "src/compare/evidence.h"
#include "src/compare/page.h"
#include "src/compare/table.h"
#include "src/report/files.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct CompareArguments {
  std::vector<std::string> results;  // folders with a result.json or with such folders, or files
  std::string by = "test";           // or claim
  bool all = false;                  // rows that do not differ, too
  std::string html;                  // path
  std::string json;                  // path; "-" is stdout, instead of the table
  bool bisect = false;               // exit codes for git bisect run
};

TableStyle TableStyleOf(const CompareArguments& arguments) {
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

std::vector<ComparedSystem> SystemsOf(const std::vector<std::string>& results) {
  std::vector<ComparedSystem> systems;
  for (const std::string& result : results) {
    for (ComparedSystem& system : ReadSystems(result)) systems.push_back(std::move(system));
  }
  return systems;
}

void WritePage(const Comparison& comparison, const CompareArguments& arguments) {
  PageOptions options;
  options.path = arguments.html;
  options.by_claim = arguments.by == "claim";
  WriteDocument(arguments.html, RenderPage(comparison, options));
}

// What git bisect run understands: whether the second system is the first one's like in all that was decided on
// both; 125 where nothing was.
int AlikeCode(const Comparison& comparison) {
  constexpr int kNothingIsKnown = 125;
  bool is_known = false;
  for (const TestRow& row : comparison.tests) {
    if (!IsDecided(row.cells[0].answer) || !IsDecided(row.cells[1].answer)) continue;
    if (SystemsAlike(row).size() > 1) return 1;
    is_known = true;
  }
  return is_known ? 0 : kNothingIsKnown;
}

int CompareResults(const CompareArguments& arguments) {
  const Comparison comparison = CompareSystems(SystemsOf(arguments.results));
  if (arguments.bisect && comparison.systems.size() != 2) {
    throw UsageError("--bisect compares two results, those of a good commit and of another");
  }
  if (arguments.html == "-") throw UsageError("a page does not go to stdout; name a file");
  if (!arguments.html.empty() && arguments.html == arguments.json) {
    throw UsageError("two reports cannot be one file: " + arguments.html);
  }
  if (!arguments.json.empty()) WriteDocument(arguments.json, DumpJson(ToJson(comparison)));
  if (!arguments.html.empty()) WritePage(comparison, arguments);
  if (arguments.json != "-") {
    PrintDocument(WithoutCommands(RenderTable(comparison, TableStyleOf(arguments))));
  }
  return arguments.bisect ? AlikeCode(comparison) : 0;
}

constexpr const char* kCompareHelp = R"(Examples:
  sockproof compare sockproof-out                       all systems in there; rows that differ
  sockproof compare sockproof-out --by claim --all      where each documented statement holds
  sockproof compare base new --html differ.html         as a page

Exit code: 0 done, 2 wrong usage. With --bisect: 0 the second one is as the first, 1 it is not, 125 nothing is
known of one of them.)";

Action AddCompare(CLI::App& app) {
  auto arguments = std::make_shared<CompareArguments>();
  app.add_option("RESULT", arguments->results,
                 "Folders of results, or of several systems' results; one or more")
      ->required()
      ->type_name("");
  app.add_flag("--all", arguments->all, "Rows that do not differ, too");
  app.add_option("--by", arguments->by, "Rows: test (default) or claim")
      ->check(OneOf({"test", "claim"}))
      ->type_name("ROW");
  app.add_flag("--bisect", arguments->bisect, "Exit codes for 'git bisect run': are both alike?");
  app.add_option("--html", arguments->html, "Write it as a page: one file, to be linked")
      ->type_name("FILE");
  app.add_option("--json", arguments->json, "Write it as JSON; - for stdout, in place of the table")
      ->type_name("FILE");
  return [arguments](const std::string&) { return CompareResults(*arguments); };
}

const CommandRegistration kCompare({"compare", CommandGroup::kResults,
                                    "How systems differ, by test or by documented statement",
                                    kCompareHelp, AddCompare});

// run --html FILE, and run --compare FILE, which shows the table too.
class ComparePage final : public RunAddition {
 public:
  explicit ComparePage(CLI::App& run) {
    run.add_option("--html", page_, "In the end write a page of the results: one file")
        ->type_name("FILE");
    run.add_option("--compare", file_,
                   "In the end write a page that shows the systems side by side")
        ->type_name("FILE");
  }
  void Check() const override {
    if (file_ == "-" || page_ == "-") {
      throw UsageError("a page does not go to stdout; name a file");
    }
  }
  void AtEnd(const std::vector<std::string>& results) const override {
    if (!page_.empty()) {
      CompareArguments arguments;
      arguments.html = page_;
      WritePage(CompareSystems(SystemsOf(results)), arguments);
      Print("page in {}\n", page_);
    }
    if (file_.empty()) return;
    CompareArguments arguments;
    arguments.results = results;
    arguments.html = file_;
    CompareResults(arguments);
  }

 private:
  std::string file_;
  std::string page_;
};

const RunAdditionRegistration kComparePage([](CLI::App& run) -> std::unique_ptr<RunAddition> {
  return std::make_unique<ComparePage>(run);
});

}  // namespace
}  // namespace sockproof
