#include "src/run/baseline.h"

#define TOML_HEADER_ONLY 1
#include <fmt/format.h>
#include <fnmatch.h>
#include <toml++/toml.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "harness/base/errors.h"

namespace sockproof {

// Generated from baselines/*.toml.
std::vector<std::pair<std::string_view, std::string_view>> BaselineFiles();

namespace {

std::vector<int> VersionNumbers(const std::string& release) {
  std::vector<int> numbers;
  std::istringstream stream(release);
  int number = 0;
  while (stream >> number) {
    numbers.push_back(number);
    if (stream.get() != '.') break;
  }
  return numbers;
}

bool Holds(const KnownDeparture& departure, const Facts& facts) {
  return std::all_of(departure.when.begin(), departure.when.end(), [&](const auto& condition) {
    const auto& [name, wanted] = condition;
    const std::optional<std::string> fact = facts.Find(name);
    if (!fact) return false;
    return name == "release" ? ReleaseSatisfies(*fact, wanted) : *fact == wanted;
  });
}

}  // namespace

bool ReleaseSatisfies(const std::string& release, const std::string& condition) {
  if (condition.starts_with(">=")) {
    return VersionNumbers(release) >= VersionNumbers(condition.substr(2));
  }
  if (condition.starts_with("<")) {
    return VersionNumbers(release) < VersionNumbers(condition.substr(1));
  }
  return release == condition;
}

std::vector<KnownDeparture> Baseline::Parse(std::string_view text, const std::string& name) {
  std::vector<KnownDeparture> departures;
  const auto refuse = [&](const toml::node& node, const std::string& problem) {
    throw HarnessError(fmt::format("{}:{}: {}", name, node.source().begin.line, problem));
  };
  try {
    const toml::table file = toml::parse(text);
    for (const auto& [kind, entries] : file) {
      if (kind != "departure" || !entries.is_array_of_tables()) {
        refuse(entries, "only [[departure]] tables belong here");
      }
      for (const toml::node& node : *entries.as_array()) {
        KnownDeparture departure;
        for (const auto& [key, value] : *node.as_table()) {
          if (key == "when" && value.is_table()) {
            for (const auto& [fact, wanted] : *value.as_table()) {
              departure.when[std::string(fact.str())] = wanted.value_or(std::string());
            }
            continue;
          }
          std::string* const member = key == "test"      ? &departure.test
                                      : key == "departs" ? &departure.departs
                                      : key == "why"     ? &departure.why
                                      : key == "link"    ? &departure.link
                                                         : nullptr;
          if (member == nullptr || !value.is_string()) {
            refuse(value, "unknown key or not a string: " + std::string(key.str()));
          }
          *member = **value.as_string();
        }
        for (const std::string* needed : {&departure.test, &departure.departs, &departure.why}) {
          if (needed->empty()) refuse(node, "a departure needs test, departs and why");
        }
        try {
          const std::regex check(departure.departs);
        } catch (const std::regex_error& error) {
          refuse(node, std::string("departs is no regular expression: ") + error.what());
        }
        departures.push_back(std::move(departure));
      }
    }
  } catch (const toml::parse_error& error) {
    throw HarnessError(fmt::format("{}:{}: {}", name, error.source().begin.line,
                                   std::string(error.description())));
  }
  return departures;
}

Baseline Baseline::ShippedFor(const Facts& facts) {
  std::vector<KnownDeparture> holding;
  for (const auto& [name, text] : BaselineFiles()) {
    for (KnownDeparture& departure : Parse(text, std::string(name))) {
      if (Holds(departure, facts)) holding.push_back(std::move(departure));
    }
  }
  return Baseline(std::move(holding));
}

void Baseline::Judge(TestResult& result) const {
  const auto known = std::find_if(departures_.begin(), departures_.end(), [&](const auto& entry) {
    return fnmatch(entry.test.c_str(), result.id.c_str(), 0) == 0;
  });
  if (known == departures_.end()) return;
  if (result.verdict == Verdict::kPass) {
    result.surprise = "departs no longer, as it is recorded to: " + known->why;
    return;
  }
  if (result.verdict != Verdict::kFail) return;
  const std::regex how(known->departs);
  const bool as_recorded =
      std::any_of(result.failures.begin(), result.failures.end(),
                  [&](const FailureEvent& failure) { return regex_search(failure.text, how); });
  if (as_recorded) {
    result.departure = known->why + (known->link.empty() ? "" : " (" + known->link + ")");
  } else {
    result.surprise = "departs in another way than recorded: " + known->why;
  }
}

}  // namespace sockproof
