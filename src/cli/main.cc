// sockproof: finds the command that is meant and runs it.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/cli/version.h"
#include "src/report/wrong_input.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

constexpr const char* kProgramHelp = R"(Examples:
  sockproof doctor                      what this machine can do, and how to mend what it cannot
  sockproof run                         all tests; results in ./sockproof-out
  sockproof run HalfClose               one suite
  sockproof explain HalfClose           what these tests check, and by whose word
  sockproof help run                    the options of a command, and examples

Exit code: 0 all as expected, 1 a surprise, 2 wrong usage, 3 could not test.)";

std::string Title(CommandGroup group) {
  switch (group) {
    case CommandGroup::kTests:
      return "Tests";
    case CommandGroup::kResults:
      return "Results";
    case CommandGroup::kSystems:
      return "Systems under test";
    case CommandGroup::kProgram:
      break;
  }
  return "This machine and this program";
}

// The program's commands, declared, and what each does.
class Program {
 public:
  Program() : app_("Conformance tests for sockets and TCP, on the wire.", "sockproof") {
    app_.set_version_flag("-V,--version", VersionLine());
    app_.footer(kProgramHelp);
    app_.require_subcommand(1);
    for (const Command& command : AllCommands()) {
      CLI::App* declared = app_.add_subcommand(command.name, command.summary);
      declared->group(Title(command.group));
      declared->footer(command.help);
      actions_[declared] = command.add(*declared);
      OneValueEach(*declared);
    }
  }

  int Run(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    RewriteHelp(words);
    if (words.empty()) throw UsageError("a command is missing; see 'sockproof help'");
    if (!words.front().starts_with("-")) FindCommand(words.front());
    try {
      std::reverse(words.begin(), words.end());
      app_.parse(words);
    } catch (const CLI::Success& help_or_version) {
      std::ostringstream text;
      app_.exit(help_or_version, text, text);
      PrintText(text.str());
      return 0;
    } catch (const CLI::ParseError& error) {
      throw UsageError(Explained(error));
    }
    return actions_.at(app_.get_subcommands().front())(argv[0]);
  }

 private:
  // One value for each mention of an option, so that a PATTERN may follow it. Help of a command
  // within a command ends as that command's.
  static void OneValueEach(CLI::App& command) {
    for (CLI::Option* option : command.get_options()) {
      if (!option->get_positional()) option->allow_extra_args(false);
    }
    for (CLI::App* below : command.get_subcommands({})) {
      below->footer(command.get_footer());
      OneValueEach(*below);
    }
  }

  // "help", "help run", "version" in the words of options.
  static void RewriteHelp(std::vector<std::string>& words) {
    if (words.empty()) return;
    if (words.front() == "version") words.front() = "--version";
    if (words.front() != "help") return;
    words.erase(words.begin());
    words.push_back("--help");
  }

  CLI::App* FindCommand(const std::string& name) {
    std::vector<std::string> names;
    for (CLI::App* command : app_.get_subcommands({})) {
      if (command->get_name() == name) return command;
      names.push_back(command->get_name());
    }
    const std::string meant = DidYouMean(name, names);
    throw UsageError(fmt::format("unknown command '{}'{}", name,
                                 meant.empty() ? "; see 'sockproof help'" : meant));
  }

  // The innermost command that was named.
  const CLI::App* Named() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }

  std::string Explained(const CLI::ParseError& error) const {
    const CLI::App* command = Named();
    std::string name = command->get_name();
    for (const CLI::App* above = command->get_parent(); above != nullptr && above != &app_;
         above = above->get_parent()) {
      name = above->get_name() + " " + name;
    }
    std::string text = error.what();
    if (command == &app_ && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
      text = "a command is missing";
    }
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
      text = Unexpected(*command, name);
    }
    return fmt::format("{}; see 'sockproof help{}'", text, command == &app_ ? "" : " " + name);
  }

  static std::string Unexpected(const CLI::App& command, const std::string& name) {
    const std::vector<std::string> extras = command.remaining(true);
    if (extras.empty()) return "there is an argument too many";
    const std::string option = extras.front().substr(0, extras.front().find('='));
    if (!option.starts_with("-")) {
      return fmt::format("{} takes no argument '{}'", name, extras.front());
    }
    std::vector<std::string> known;
    for (const CLI::Option* one : command.get_options()) {
      for (const std::string& long_name : one->get_lnames()) known.push_back("--" + long_name);
    }
    return fmt::format("{} has no option '{}'{}", name, option, DidYouMean(option, known));
  }

  CLI::App app_;
  std::map<const CLI::App*, Action> actions_;
};

// A reader that went away (EPIPE) is none of ours to complain about.
void CheckOutput() {
  FlushOutput();
  if (ferror(stdout) != 0) throw std::runtime_error("cannot write all to standard output");
}

// Where 2 and 3 would mean that a commit is bad; 128 ends the search.
bool IsBisection(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* word) { return strcmp(word, "--bisect") == 0; });
}

int Main(int argc, char** argv) {
  const auto or_stop = [&](int code) { return IsBisection(argc, argv) ? 128 : code; };
  try {
    const int exit_code = Program().Run(argc, argv);
    CheckOutput();
    return exit_code;
  } catch (const UsageError& error) {
    Say(error.what());
    return or_stop(2);
  } catch (const WrongInput& error) {
    Say(error.what());
    return or_stop(2);
  } catch (const std::filesystem::filesystem_error& error) {
    Say(error.path1().string() + ": " + error.code().message());
    return or_stop(3);
  } catch (const std::exception& error) {
    Say(error.what());
    return or_stop(3);
  }
}

// A caller may have closed these; what is opened next must not take their place.
void OpenStandardDescriptors() {
  while (true) {
    const int fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO) close(fd);
    if (fd < 0 || fd > STDERR_FILENO) return;
  }
}

// A caller may ignore the end of its children, which this program wants to know of its own.
void HearOfChildren() { signal(SIGCHLD, SIG_DFL); }

// Agents keep descriptors of their own out of the way of those that tests are given.
int CheckFileLimit() {
  constexpr rlim_t kNeeded = 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_max < kNeeded) {
    Say(fmt::format("no more than {} open files are allowed here (ulimit -n), and {} are needed",
                    limit.rlim_max, kNeeded));
    return 3;
  }
  limit.rlim_cur = std::max(limit.rlim_cur, kNeeded);
  setrlimit(RLIMIT_NOFILE, &limit);
  return 0;
}

}  // namespace
}  // namespace sockproof

int main(int argc, char** argv) {
  for (const auto& surroundings : sockproof::AllSurroundings()) {
    if (surroundings.take_over != nullptr) surroundings.take_over(argc, argv);
  }
  sockproof::OpenStandardDescriptors();
  sockproof::HearOfChildren();
  if (const int exit_code = sockproof::CheckFileLimit(); exit_code != 0) return exit_code;
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error to be told
  for (const auto& surroundings : sockproof::AllSurroundings()) {
    if (surroundings.begin != nullptr) surroundings.begin();
  }
  return sockproof::Main(argc, argv);
}
