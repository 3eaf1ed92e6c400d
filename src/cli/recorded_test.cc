#include "src/cli/recorded_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "harness/base/errors.h"
#include "harness/base/text.h"
#include "harness/trace/event_log.h"
#include "src/report/read_result.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

std::vector<Event> EventsOfRecord(const fs::path& file) {
  try {
    return ReadEvents(file);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

std::string SystemNameOf(const RunResult& run) {
  const auto release = run.facts.find("release");
  return release == run.facts.end() ? run.sut : run.sut + " (" + release->second + ")";
}

std::string NoRecordIn(const RunResult& run, const std::string& id, const std::string& results) {
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

}  // namespace

RecordedTest FindRecord(const std::string& id, const std::string& results) {
  const RunResult run = ReadResult(results);
  const auto found = std::find_if(run.tests.begin(), run.tests.end(), [&](const TestResult& test) {
    return test.id == id || test.id.starts_with(id + "/");
  });
  if (found == run.tests.end()) throw UsageError(NoRecordIn(run, id, results));
  if (!found->verdict) {
    throw UsageError(fmt::format("{} was not run in {}: {}", found->id, results, found->reason));
  }
  const fs::path folder = fs::absolute(ResultFile(results)).parent_path() / found->directory;
  if (found->verdict == Verdict::kSkip && !fs::exists(folder / "events.jsonl")) {
    throw UsageError(fmt::format("{} was skipped in {}, so that there is no ladder: {}", found->id,
                                 results, found->reason));
  }
  return {found->id, SystemNameOf(run), EventsOfRecord(folder / "events.jsonl"), *found};
}

bool IsPathOfRecord(const std::string& test) { return fs::exists(test); }

RecordedTest ReadRecord(const std::string& path) {
  const fs::path file = fs::is_directory(path) ? fs::path(path) / "events.jsonl" : fs::path(path);
  return {path, path, EventsOfRecord(file), std::nullopt};
}

}  // namespace sockproof
