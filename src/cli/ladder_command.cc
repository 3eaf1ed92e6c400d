// sockproof ladder.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "harness/base/errors.h"
#include "harness/trace/event_log.h"
#include "harness/trace/ladder.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/picture/ladder_picture.h"
#include "src/report/files.h"
#include "src/report/read_result.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct LadderArguments {
  std::vector<std::string> tests;    // ids, or folders of tests, or files of events
  std::vector<std::string> results;  // folders where tests with these ids were run
  std::string svg;                   // path; "-" is stdout; empty: the ladder as text
};

// The events of a test that was run.
struct Evidence {
  std::string test;    // its id, or where it was found
  std::string system;  // empty when it is not known
  std::vector<Event> events;
};

std::vector<Event> EventsIn(const fs::path& file) {
  try {
    return ReadEvents(file);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

std::string NameOf(const RunResult& run) {
  const auto release = run.facts.find("release");
  return release == run.facts.end() ? run.sut : run.sut + " (" + release->second + ")";
}

std::string NotIn(const RunResult& run, const std::string& id, const std::string& results) {
  std::vector<std::string> names;
  for (const TestResult& test : run.tests) {
    if (test.suite == id) {
      return fmt::format("{} is a suite; name one of its tests, such as {}", id, test.id);
    }
    names.push_back(test.suite + "." + test.name);
    names.push_back(test.id);
  }
  return fmt::format("no test '{}' in {}, and no such folder or file{}", id, results,
                     DidYouMean(id, names));
}

Evidence FromResults(const std::string& id, const std::string& results) {
  const RunResult run = ReadResult(results);
  const auto found = std::find_if(run.tests.begin(), run.tests.end(), [&](const TestResult& test) {
    return test.id == id || test.id.starts_with(id + "/");
  });
  if (found == run.tests.end()) throw UsageError(NotIn(run, id, results));
  if (!found->verdict) {
    throw UsageError(fmt::format("{} was not run in {}: {}", found->id, results, found->reason));
  }
  const fs::path folder = fs::absolute(ResultFile(results)).parent_path() / found->directory;
  if (found->verdict == Verdict::kSkip && !fs::exists(folder / "events.jsonl")) {
    throw UsageError(fmt::format("{} was skipped in {}, so that there is no ladder: {}", found->id,
                                 results, found->reason));
  }
  return {found->id, NameOf(run), EventsIn(folder / "events.jsonl")};
}

// The folder of a test, or its events.
Evidence FromPath(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "events.jsonl" : path;
  return {path.string(), path.string(), EventsIn(file)};
}

std::vector<Evidence> Collect(const LadderArguments& arguments) {
  std::vector<Evidence> evidence;
  for (const std::string& test : arguments.tests) {
    if (fs::exists(test)) {
      evidence.push_back(FromPath(test));
      continue;
    }
    for (const std::string& results : arguments.results) {
      evidence.push_back(FromResults(test, results));
    }
  }
  if (evidence.size() > 2) throw UsageError("at most two ladders stand side by side");
  return evidence;
}

std::string Picture(const std::vector<Evidence>& evidence) {
  if (evidence.size() == 1) return LadderSvg(evidence[0].events, evidence[0].test);
  const auto& [left, right] = std::tie(evidence[0], evidence[1]);
  const bool is_one_test = left.test == right.test;
  return LadderPairSvg({is_one_test ? left.system : left.test, left.events},
                       {is_one_test ? right.system : right.test, right.events},
                       is_one_test ? left.test : "two tests");
}

int ShowLadder(const LadderArguments& arguments) {
  const std::vector<Evidence> evidence = Collect(arguments);
  if (arguments.svg.empty()) {
    for (const Evidence& one : evidence) {
      if (evidence.size() > 1) Print("{}  {}\n", one.test, one.system);
      PrintText(RenderLadder(one.events));
    }
    return 0;
  }
  const std::string svg = Picture(evidence);
  if (arguments.svg == "-") {
    PrintDocument(svg);
    return 0;
  }
  try {
    PrepareReportFile(arguments.svg);
    ReplaceFile(arguments.svg, svg);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
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
