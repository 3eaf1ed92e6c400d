#include "src/cli/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "src/run/usage_error.h"
#include "src/run/user_file.h"
#include "src/run/user_toml.h"

namespace sockproof {
namespace {

std::string KeyOf(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return option.get_lnames().front();
  std::string key = option.get_name(true);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return key;
}

bool IsFlag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// As the command line would have it. Throws std::invalid_argument.
std::string Word(const toml::node& value) {
  if (const auto text = value.value_exact<std::string>()) return *text;
  if (const auto whole = value.value_exact<std::int64_t>()) return std::to_string(*whole);
  if (const auto number = value.value_exact<double>()) return fmt::format("{}", *number);
  throw std::invalid_argument("has a value that is neither text nor a number");
}

// Throws std::invalid_argument.
std::vector<std::string> Words(const CLI::Option& option, const toml::node& value) {
  if (IsFlag(option)) {
    const auto set = value.value_exact<bool>();
    if (!set) throw std::invalid_argument("is neither true nor false");
    return *set ? std::vector<std::string>{"true"} : std::vector<std::string>{};
  }
  const toml::array* values = value.as_array();
  if (values != nullptr && option.get_items_expected_max() == 1) {
    throw std::invalid_argument("has one value only");
  }
  std::vector<std::string> words;
  if (values == nullptr) {
    words.push_back(Word(value));
  } else {
    for (const toml::node& one : *values) words.push_back(Word(one));
  }
  return words;
}

}  // namespace

void ApplyConfiguration(CLI::App& command, const std::string& path) {
  const toml::table file = ParseUserToml(ReadUserFile(path), path);
  const auto refuse = [&path](std::size_t line, const std::string& problem) {
    throw UsageError(fmt::format("{}:{}: {}", path, line, problem));
  };
  std::map<std::string, CLI::Option*> options;
  for (CLI::Option* option : command.get_options()) {
    if (option->get_configurable()) options[KeyOf(*option)] = option;
  }
  for (const auto& [key, value] : file) {
    const std::string name(key.str());
    const std::size_t line = key.source().begin.line;
    const auto found = options.find(name);
    if (found == options.end()) {
      std::string known;
      for (const auto& [other, option] : options) known += (known.empty() ? "" : ", ") + other;
      refuse(line, fmt::format("unknown key '{}'; there are {}", name, known));
    }
    CLI::Option& option = *found->second;
    try {
      const std::vector<std::string> words = Words(option, value);
      if (!option.empty() || words.empty()) continue;
      option.add_result(words);
      option.run_callback();
    } catch (const std::invalid_argument& error) {
      refuse(line, fmt::format("{} {}", name, error.what()));
    } catch (const CLI::ParseError& error) {
      std::string problem = error.what();
      const std::string prefix = option.get_name() + ": ";
      if (problem.starts_with(prefix)) problem = problem.substr(prefix.size());
      refuse(line, fmt::format("{}: {}", name, problem));
    }
  }
}

}  // namespace sockproof
