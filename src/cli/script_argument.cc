// Arguments of `run` and `list` that are packetdrill's scripts: files that end in .pkt, and folders.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/packetdrill/companions.h"
#include "src/packetdrill/configuration.h"
#include "src/packetdrill/script_tests.h"
#include "src/run/usage_error.h"
#include "src/vm/luggage.h"

namespace sockproof {
namespace {

struct ScriptArguments {
  std::string trailing = "note";
  std::vector<std::string> options;      // "tolerance_usecs=10000"
  std::vector<std::string> definitions;  // "CC=reno"
  std::vector<std::string> paths;        // as they were given
};

ScriptArguments& Given() {
  static ScriptArguments arguments;
  return arguments;
}

// "name=value" as both; what has no '=' is a name alone.
std::pair<std::string, std::string> Halves(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos) return {text, ""};
  return {text.substr(0, sign), text.substr(sign + 1)};
}

packetdrill::ScriptOptions OptionsGiven() {
  packetdrill::ScriptOptions options;
  if (Given().trailing == "fail") options.trailing = packetdrill::Trailing::kFail;
  for (const std::string& text : Given().options) {
    auto [name, value] = Halves(text);
    name.erase(0, name.find_first_not_of('-'));
    options.options.push_back({name, value, {}});
  }
  for (const std::string& text : Given().definitions) {
    const auto [name, value] = Halves(text);
    options.definitions[name] = value;
  }
  return options;
}

// In a guest: which of the files there are scripts, and the options for them.
constexpr const char* kListOfScripts = "/scripts.json";

void BringAlong(const std::string& argument) {
  static std::vector<std::string> given;
  static std::vector<std::string> scripts;
  const std::filesystem::path path = std::filesystem::absolute(argument).lexically_normal();
  given.push_back(path.string());
  for (const std::string& script : packetdrill::ScriptsAt(path.string())) scripts.push_back(script);
  packetdrill::Companions companions = packetdrill::CompanionsOf(scripts);
  Luggage& luggage = LuggageOfRun();
  luggage.files = std::move(companions.files);
  luggage.programs = std::move(companions.programs);
  luggage.files[kListOfScripts] = nlohmann::json{{"paths", given},
                                                 {"trailing", Given().trailing},
                                                 {"options", Given().options},
                                                 {"definitions", Given().definitions}}
                                      .dump();
  luggage.takes_no_time = true;  // scripts expect calls and packets at their moments
  luggage.modules = {"tun", "sch_fq", "tcp_bbr", "tcp_dctcp"};
}

void UnpackScripts() {
  std::ifstream file(kListOfScripts);
  if (!file) return;
  const nlohmann::json list = nlohmann::json::parse(file);
  list.at("trailing").get_to(Given().trailing);
  list.at("options").get_to(Given().options);
  list.at("definitions").get_to(Given().definitions);
  packetdrill::ScriptOptions options = OptionsGiven();
  options.machine_is_own = true;
  for (const nlohmann::json& path : list.at("paths")) {
    packetdrill::AddScripts(path.get<std::string>(), options);
  }
}

const LuggageRegistration kUnpackScripts(UnpackScripts);

void CheckOptions(const std::vector<packetdrill::Option>& options) {
  for (const packetdrill::Option& option : options) {
    const std::string wrong = packetdrill::WrongInOption(option);
    if (!wrong.empty()) throw UsageError("--script-option: " + wrong);
  }
}

// As it can be given again from any folder, and when nothing is there any more.
std::string WholePath(const std::string& argument, bool is_folder) {
  std::string path = std::filesystem::absolute(argument).lexically_normal().string();
  if (is_folder && !path.ends_with('/')) path += '/';
  return path;
}

bool TakeScripts(const std::string& argument, std::vector<std::string>& patterns) {
  std::error_code error;
  const bool is_folder = argument.find('/') != std::string::npos &&
                         std::filesystem::is_directory(argument, error);
  if (!argument.ends_with(".pkt") && !argument.ends_with("/") && !is_folder) return false;
  try {
    CheckOptions(OptionsGiven().options);
    const std::vector<std::string> added = packetdrill::AddScripts(argument, OptionsGiven());
    if (added.empty()) {
      throw UsageError(is_folder ? fmt::format("no file below {} ends in .pkt", argument)
                                 : fmt::format("the name of {} and its --ip_version leave no variant", argument));
    }
    patterns.insert(patterns.end(), added.begin(), added.end());
    Given().paths.push_back(WholePath(argument, is_folder));
    BringAlong(argument);
  } catch (const HarnessError& problem) {
    throw UsageError(problem.what());
  }
  return true;
}

const ArgumentRegistration kScripts(TakeScripts);

constexpr std::string_view kTrailing = "--trailing=", kOption = "--script-option=", kDefinition = "--script-define=";

class ScriptsOfRun final : public RunAddition {
 public:
  std::vector<std::string> ArgumentsOfOwn() const override {
    const ScriptArguments& given = Given();
    if (given.paths.empty()) return {};
    std::vector<std::string> arguments = given.paths;
    if (given.trailing != "note") arguments.push_back(std::string(kTrailing) + given.trailing);
    for (const std::string& option : given.options) arguments.push_back(std::string(kOption) + option);
    for (const std::string& definition : given.definitions) arguments.push_back(std::string(kDefinition) + definition);
    return arguments;
  }

  void TakeAgain(const std::vector<std::string>& arguments) const override {
    std::vector<std::string> paths;
    for (const std::string& argument : arguments) {
      const auto value = [&argument](std::string_view name) { return argument.substr(name.size()); };
      if (argument.starts_with(kTrailing)) {
        Given().trailing = value(kTrailing);
      } else if (argument.starts_with(kOption)) {
        Given().options.push_back(value(kOption));
      } else if (argument.starts_with(kDefinition)) {
        Given().definitions.push_back(value(kDefinition));
      } else {
        paths.push_back(argument);
      }
    }
    PatternsOf(paths);
  }
};

std::unique_ptr<RunAddition> AddScriptOptions(CLI::App& run) {
  run.add_option("--trailing", Given().trailing,
                 "Of packetdrill's scripts: what becomes of packets that none of their lines "
                 "expects, note (default) or fail")
      ->check(CLI::IsMember({"note", "fail"}))
      ->type_name("WHAT");
  run.add_option("--script-option", Given().options,
                 "Instead of such an option in the scripts: tolerance_usecs=10000")
      ->type_name("NAME=VALUE");
  run.add_option("--script-define", Given().definitions,
                 "Instead of such a --define in the scripts")
      ->type_name("NAME=VALUE");
  return std::make_unique<ScriptsOfRun>();
}

const RunAdditionRegistration kScriptOptions(AddScriptOptions);

}  // namespace
}  // namespace sockproof
