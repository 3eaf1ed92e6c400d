// sockproof ladder.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "harness/base/errors.h"
#include "harness/trace/event_log.h"
#include "harness/trace/ladder.h"
#include "src/cli/commands.h"
#include "src/picture/ladder_picture.h"
#include "src/report/files.h"
#include "src/report/read_result.h"
#include "src/report/text.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

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

Evidence FromResults(const std::string& id, const std::string& results) {
  const RunResult run = ReadResult(results);
  const auto found = std::find_if(run.tests.begin(), run.tests.end(), [&](const TestResult& test) {
    return test.id == id || test.id == id + "/" + test.ip;
  });
  if (found == run.tests.end()) {
    throw UsageError(fmt::format("no test '{}' in {}, and no such folder or file", id, results));
  }
  if (!found->verdict) throw UsageError(fmt::format("{} was not run in {}", found->id, results));
  const fs::path folder = fs::absolute(ResultFile(results)).parent_path() / found->directory;
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

}  // namespace

int LadderCommand(const LadderArguments& arguments) {
  const std::vector<Evidence> evidence = Collect(arguments);
  if (arguments.svg.empty()) {
    for (const Evidence& one : evidence) {
      if (evidence.size() > 1) fmt::print("{}  {}\n", one.test, one.system);
      fmt::print("{}", CleanText(RenderLadder(one.events)));
    }
    return 0;
  }
  const std::string svg = Picture(evidence);
  if (arguments.svg == "-") {
    fmt::print("{}", svg);
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

}  // namespace sockproof
