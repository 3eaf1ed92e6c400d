#include "src/cli/command.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sockproof {
namespace {

// Made when first asked for: registrations run before main(), in no order.
template <typename Entry>
std::vector<Entry>& Registered() {
  static std::vector<Entry> entries;
  return entries;
}

}  // namespace

CommandRegistration::CommandRegistration(Command command) {
  Registered<Command>().push_back(std::move(command));
}

std::vector<Command> AllCommands() {
  std::vector<Command> commands = Registered<Command>();
  std::sort(commands.begin(), commands.end(), [](const Command& a, const Command& b) {
    return std::tie(a.group, a.name) < std::tie(b.group, b.name);
  });
  return commands;
}

RunAdditionRegistration::RunAdditionRegistration(MakeRunAddition make) {
  Registered<MakeRunAddition>().push_back(make);
}

const std::vector<MakeRunAddition>& RunAdditions() { return Registered<MakeRunAddition>(); }

ArgumentRegistration::ArgumentRegistration(TakeArgument take) {
  Registered<TakeArgument>().push_back(take);
}

std::vector<std::string> PatternsOf(const std::vector<std::string>& arguments) {
  std::vector<std::string> patterns;
  std::vector<std::string> of_paths;
  const std::vector<TakeArgument>& takers = Registered<TakeArgument>();
  for (const std::string& argument : arguments) {
    const bool taken = std::any_of(takers.begin(), takers.end(), [&](TakeArgument take) {
      return take(argument, of_paths);
    });
    if (!taken) patterns.push_back(argument);
  }
  const bool chosen = std::any_of(of_paths.begin(), of_paths.end(), [&](const std::string& id) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return MeansTest(pattern, id); });
  });
  if (!chosen) patterns.insert(patterns.end(), of_paths.begin(), of_paths.end());
  return patterns;
}

SurroundingsRegistration::SurroundingsRegistration(Surroundings surroundings) {
  Registered<Surroundings>().push_back(surroundings);
}

const std::vector<Surroundings>& AllSurroundings() { return Registered<Surroundings>(); }

std::string AdviceOfSurroundings() {
  for (const Surroundings& surroundings : AllSurroundings()) {
    std::string advice = surroundings.advice != nullptr ? surroundings.advice() : "";
    if (!advice.empty()) return advice;
  }
  return "";
}

}  // namespace sockproof
