// run --github: surprises as annotations of a GitHub workflow, and a summary of its job.
#include <fmt/format.h>
#include <stdlib.h>

#include <fstream>
#include <map>

#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/report/read_result.h"
#include "src/report/text.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

std::string Replaced(const std::string& text, const std::map<char, std::string>& by) {
  std::string result;
  for (const char c : text) {
    const auto found = by.find(c);
    result += found == by.end() ? std::string(1, c) : found->second;
  }
  return result;
}

// As the commands of a workflow want their properties and what follows them.
std::string Property(const std::string& text) {
  return Replaced(CleanLine(text), {{'%', "%25"}, {':', "%3A"}, {',', "%2C"}});
}
std::string Message(const std::string& text) { return Replaced(CleanLine(text), {{'%', "%25"}}); }

// A cell of a table in Markdown, in which nothing of it means anything.
std::string Cell(const std::string& text) {
  return Replaced(CleanLine(text), {{'&', "&amp;"},
                                    {'<', "&lt;"},
                                    {'>', "&gt;"},
                                    {'|', "&#124;"},
                                    {'`', "&#96;"},
                                    {'*', "&#42;"},
                                    {'_', "&#95;"},
                                    {'[', "&#91;"},
                                    {']', "&#93;"},
                                    {'@', "&#64;"},
                                    {'\\', "&#92;"}});
}

std::string Annotation(const TestResult& test, const RunResult& run) {
  const auto [file, line] = test.failures.empty()
                                ? std::pair(test.file, test.line)
                                : std::pair(test.failures.front().file, test.failures.front().line);
  return fmt::format(
      "::error file={},line={},title={}::{}\n", Property(file), line,
      Property(fmt::format("{} {} on {}", VerdictText(test.verdict), test.id, run.sut)),
      Message(Headline(test)));
}

std::string Summary(const RunResult& run, const std::vector<const TestResult*>& surprises) {
  const Counts counts = run.counts();
  std::string text = fmt::format(
      "### sockproof on {}\n\n{} tests: {} as expected, {} surprises, {} skipped, {} not run\n\n",
      Cell(run.sut), counts.tests, counts.pass - counts.unexpected_passes + counts.known_departures,
      surprises.size(), counts.skip, counts.not_run);
  if (!run.setup_error.empty()) text += "No test could run: " + Cell(run.setup_error) + "\n\n";
  if (surprises.empty()) return text;
  text += "| verdict | test | what happened |\n|---|---|---|\n";
  for (const TestResult* test : surprises) {
    text += fmt::format("| {} | {} | {} |\n", VerdictText(test->verdict), Cell(test->id),
                        Cell(Headline(*test)));
  }
  return text + "\n";
}

class Github final : public RunAddition {
 public:
  explicit Github(CLI::App& run) {
    run.add_flag("--github", wanted_,
                 "Surprises as annotations of a GitHub workflow, and a summary of its job");
  }

  void AtEnd(const std::vector<std::string>& results) const override {
    if (!wanted_) return;
    for (const std::string& result : results) {
      std::vector<std::filesystem::path> folders = ResultsBelow(result);
      if (folders.empty()) folders.emplace_back(result);
      for (const std::filesystem::path& folder : folders) Tell(ReadResult(folder));
    }
  }

 private:
  static void Tell(const RunResult& run) {
    std::vector<const TestResult*> surprises;
    for (const TestResult& test : run.tests) {
      if (test.verdict && test.surprising()) surprises.push_back(&test);
    }
    // Commands, which Print() would make harmless; all that is foreign in them is clean.
    for (const TestResult* test : surprises) PrintDocument(Annotation(*test, run));
    const char* file = getenv("GITHUB_STEP_SUMMARY");
    if (file == nullptr || *file == '\0') return;
    std::ofstream summary(file, std::ios::app);
    summary << Summary(run, surprises);
    if (!summary.flush()) throw UsageError(std::string("cannot write ") + file);
  }

  bool wanted_ = false;
};

const RunAdditionRegistration kGithub([](CLI::App& run) -> std::unique_ptr<RunAddition> {
  return std::make_unique<Github>(run);
});

}  // namespace
}  // namespace sockproof
