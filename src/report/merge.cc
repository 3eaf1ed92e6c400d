#include "src/report/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "src/report/text.h"

namespace sockproof {
namespace {

[[noreturn]] void Refuse(const std::string& problem) { throw WrongInput(CleanText(problem)); }

// Of the same system and version as the first?
void CheckSame(const NamedResult& first, const NamedResult& other) {
  const auto check = [&](const std::string& what, const std::string& a, const std::string& b) {
    if (a == b) return;
    Refuse(fmt::format("{} and {} do not go together: {} is '{}' in one, '{}' in the other",
                       first.first, other.first, what, a, b));
  };
  check("the version of the suite", first.second.suite_version, other.second.suite_version);
  check("the system", first.second.sut, other.second.sut);
}

// The facts of all parts that have any.
std::map<std::string, std::string> MergedFacts(const std::vector<NamedResult>& parts) {
  const NamedResult* first = nullptr;
  std::map<std::string, std::set<std::string>> values;
  std::set<std::string> names;
  for (const auto& part : parts) {
    for (const auto& [name, value] : part.second.facts) names.insert(name);
  }
  for (const NamedResult& part : parts) {
    if (part.second.facts.empty()) continue;
    if (first == nullptr) first = &part;
    for (const std::string& name : names) {
      const auto value_in = [&name](const RunResult& run) {
        const auto fact = run.facts.find(name);
        return fact != run.facts.end() ? fact->second : "unknown";
      };
      const std::string value = value_in(part.second);
      const std::string wanted = value_in(first->second);
      if (value != wanted && !name.starts_with("sysctl.")) {
        Refuse(fmt::format("{} and {} do not go together: {} is '{}' in one, '{}' in the other",
                           first->first, part.first, name, wanted, value));
      }
      values[name].insert(value);
    }
  }
  std::map<std::string, std::string> facts;
  for (const auto& [name, all] : values) facts[name] = fmt::format("{}", fmt::join(all, " or "));
  return facts;
}

void CheckShards(const std::vector<NamedResult>& parts) {
  const NamedResult* first = nullptr;
  std::set<int> there;
  for (const NamedResult& part : parts) {
    if (!part.second.shard) continue;
    if (first == nullptr) first = &part;
    if (part.second.shard->count != first->second.shard->count) {
      Refuse(fmt::format("{} is one of {} shards, {} one of {}", first->first,
                         first->second.shard->count, part.first, part.second.shard->count));
    }
    there.insert(part.second.shard->index);
  }
  if (first == nullptr) return;
  const int count = first->second.shard->count;
  for (int index = 1; index <= count; ++index) {
    if (there.count(index) == 0) Refuse(fmt::format("shard {} of {} is missing", index, count));
  }
}

void AddMissing(const std::vector<std::string>& some, std::vector<std::string>& all) {
  for (const std::string& one : some) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
}

void AddTests(const NamedResult& part, std::map<std::string, std::string>& part_of_id,
              std::map<std::string, std::string>& id_of_directory, RunResult& merged) {
  for (const TestResult& test : part.second.tests) {
    const auto [other, is_new] = part_of_id.try_emplace(test.id, part.first);
    if (!is_new) {
      Refuse(fmt::format("{} is in both {} and {}", test.id, other->second, part.first));
    }
    std::vector<std::string> directories{test.directory};
    for (const Attempt& attempt : test.attempts) directories.push_back(attempt.directory);
    for (const std::string& directory : directories) {
      const auto [holder, is_free] = id_of_directory.try_emplace(directory, test.id);
      if (!is_free) {
        Refuse(
            fmt::format("{} and {} have the same folder, {}", holder->second, test.id, directory));
      }
    }
    merged.tests.push_back(test);
  }
}

}  // namespace

RunResult Merge(const std::vector<NamedResult>& parts) {
  if (parts.empty()) Refuse("there is nothing to merge");
  RunResult merged;
  const RunResult& first = parts.front().second;
  merged.suite_version = first.suite_version;
  merged.sut = first.sut;
  merged.program = first.program;
  merged.own_arguments = first.own_arguments;
  merged.started = first.started;
  merged.finished = first.finished;
  merged.seed = first.seed;

  std::set<std::string> hosts;
  std::map<std::string, std::string> part_of_id;
  std::map<std::string, std::string> id_of_directory;
  for (const NamedResult& part : parts) {
    const auto& [name, run] = part;
    CheckSame(parts.front(), part);
    AddTests(part, part_of_id, id_of_directory, merged);
    hosts.insert(run.host);
    merged.started = std::min(merged.started, run.started);
    if (!merged.finished || !run.finished) {
      merged.finished.reset();
    } else {
      merged.finished = std::max(*merged.finished, *run.finished);
    }
    if (!run.setup_error.empty()) {
      merged.setup_error +=
          fmt::format("{}{}: {}", merged.setup_error.empty() ? "" : "; ", name, run.setup_error);
    }
    if (run.seed != merged.seed) merged.seed.reset();
    if (merged.interrupted == 0) merged.interrupted = run.interrupted;
    AddMissing(run.baselines, merged.baselines);
    AddMissing(run.stale_departures, merged.stale_departures);
  }
  CheckShards(parts);
  merged.facts = MergedFacts(parts);
  merged.host = fmt::format("{}", fmt::join(hosts, ", "));
  std::stable_sort(merged.tests.begin(), merged.tests.end(),
                   [](const TestResult& a, const TestResult& b) {
                     return std::tie(a.suite, a.file, a.line, a.name, a.variant) <
                            std::tie(b.suite, b.file, b.line, b.name, b.variant);
                   });
  return merged;
}

}  // namespace sockproof
