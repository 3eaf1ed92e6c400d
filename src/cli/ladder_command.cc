// sockproof ladder.
#include <fmt/format.h>

#include "harness/base/errors.h"
#include "harness/trace/ladder.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/recorded_test.h"
#include "src/cli/say.h"
#include "src/picture/ladder_picture.h"
#include "src/report/files.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct LadderArguments {
  std::vector<std::string> tests;    // ids, or folders of tests, or files of events
  std::vector<std::string> results;  // folders where tests with these ids were run
  std::string svg;                   // path; "-" is stdout; empty: the ladder as text
};

std::vector<RecordedTest> Collect(const LadderArguments& arguments) {
  std::vector<RecordedTest> evidence;
  for (const std::string& test : arguments.tests) {
    if (IsPathOfRecord(test)) {
      evidence.push_back(ReadRecord(test));
      continue;
    }
    for (const std::string& results : arguments.results) {
      evidence.push_back(FindRecord(test, results));
    }
  }
  if (evidence.size() > 2) throw UsageError("at most two ladders stand side by side");
  return evidence;
}

std::string Picture(const std::vector<RecordedTest>& evidence) {
  if (evidence.size() == 1) return LadderSvg(evidence[0].events, evidence[0].test);
  const auto& [left, right] = std::tie(evidence[0], evidence[1]);
  const bool is_one_test = left.test == right.test;
  return LadderPairSvg({is_one_test ? left.system : left.test, left.events},
                       {is_one_test ? right.system : right.test, right.events},
                       is_one_test ? left.test : "two tests");
}

int ShowLadder(const LadderArguments& arguments) {
  const std::vector<RecordedTest> evidence = Collect(arguments);
  if (arguments.svg.empty()) {
    for (const RecordedTest& one : evidence) {
      if (evidence.size() > 1) Print("{}  {}\n", one.test, one.system);
      PrintText(RenderLadder(one.events));
    }
    return 0;
  }
  WriteDocument(arguments.svg, Picture(evidence));
  return 0;
}

constexpr const char* kLadderHelp = R"(Examples:
  sockproof ladder HalfClose.DataStillFlowsToTheSideThatSentItsFin
  sockproof ladder TimeWait.AResetEndsIt/ipv6 --svg ladder.svg
  sockproof ladder TimeWait.AResetEndsIt --of sockproof-out/host --of sockproof-out/lwip

Exit code: 0 done, 2 wrong usage.)";

Action AddLadder(CLI::App& app) {
  auto arguments = std::make_shared<LadderArguments>();
  app.add_option("TEST", arguments->tests,
                 "Suite.Name/ipv4, or the folder of a test; two side by side")
      ->required()
      ->expected(1, 2)
      ->type_name("");
  app.add_option("--of", arguments->results,
                 "Results where it was run; default: sockproof-out; twice: side by side")
      ->type_name("DIR");
  app.add_option("--svg", arguments->svg, "Draw a picture; - for stdout")->type_name("FILE");
  return [arguments](const std::string&) {
    if (arguments->results.empty()) arguments->results = {"sockproof-out"};
    return ShowLadder(*arguments);
  };
}

const CommandRegistration kLadder({"ladder", CommandGroup::kResults,
                                   "What happened in a test that was run, as text or a picture",
                                   kLadderHelp, AddLadder});

}  // namespace
}  // namespace sockproof
