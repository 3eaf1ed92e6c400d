// sockproof documentation: what is installed beside the program, from the text of --help.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/version.h"

namespace sockproof {
namespace {

// A command, or one within a command.
struct Page {
  std::string name;  // "baseline update"
  std::string summary;
  std::string help;  // examples and exit codes
  std::vector<const CLI::Option*> options;
  std::vector<std::string> below;  // names of the commands within it
};

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

void AppendPages(const CLI::App& app, const std::string& above, std::vector<Page>& pages) {
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    Page page{
        above + command->get_name(), command->get_description(), command->get_footer(), {}, {}};
    for (const CLI::Option* option : command->get_options()) {
      if (!option->get_group().empty()) page.options.push_back(option);
    }
    std::vector<Page> within;
    AppendPages(*command, page.name + " ", within);
    for (Page& one : within) {
      page.below.push_back(one.name.substr(page.name.size() + 1));
      one.help.clear();  // that of the command above
    }
    pages.push_back(std::move(page));
    pages.insert(pages.end(), within.begin(), within.end());
  }
}

std::string Replaced(std::string_view text, const std::function<std::string(char)>& replacement) {
  std::string result;
  for (const char c : text) result += replacement(c);
  return result;
}

// ---- the manual page ----

// A text in roff: no character of it is a command.
std::string Roff(std::string_view text) {
  std::string result = Replaced(text, [](char c) -> std::string {
    if (c == '\\') return "\\e";
    return c == '-' ? "\\-" : std::string(1, c);
  });
  for (std::size_t at = 0; at < result.size(); at = result.find('\n', at)) {
    if (result[at] == '\n' && ++at == result.size()) break;
    if (result[at] == '.' || result[at] == '\'') result.insert(at, "\\&");
  }
  return result;
}

std::string RoffOption(const CLI::Option& option) {
  const std::string value = option.get_type_name();
  std::string names =
      option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  std::replace(names.begin(), names.end(), ',', ' ');
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", Roff(names),
                     value.empty() || !TakesValue(option) || option.get_positional()
                         ? ""
                         : fmt::format(" \\fI{}\\fR", Roff(value)),
                     Roff(option.get_description()));
}

std::string ManualPage(const CLI::App& app, const std::vector<Page>& pages) {
  std::string text = fmt::format(
      ".TH SOCKPROOF 1 \"\" \"{0}\"\n.SH NAME\nsockproof \\- {1}\n.SH SYNOPSIS\n\\fBsockproof\\fR "
      "\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n{2}\n.PP\n.nf\n{3}\n.fi\n.SH "
      "COMMANDS\n",
      Roff(VersionLine()), Roff("conformance tests for sockets and TCP"),
      Roff(app.get_description()), Roff(app.get_footer()));
  for (const Page& page : pages) {
    text += fmt::format(".SS \"{}\"\n{}.\n", Roff(page.name), Roff(page.summary));
    for (const CLI::Option* option : page.options) text += RoffOption(*option);
    if (!page.help.empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", Roff(page.help));
  }
  return text;
}

// ---- completions ----

// What completes a word after the command, without values of options.
std::string WordsOf(const Page& page) {
  std::string words;
  for (const std::string& below : page.below) words += below + " ";
  for (const CLI::Option* option : page.options) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

bool IsWithin(const Page& page) { return page.name.find(' ') != std::string::npos; }

bool TakesTests(const Page& page) {
  return std::any_of(page.options.begin(), page.options.end(), [](const CLI::Option* option) {
    return option->get_positional() && (option->get_name() == "PATTERN" ||
                                        option->get_name() == "ID" || option->get_name() == "TEST");
  });
}

std::string Quoted(std::string_view text) {
  return "'" + Replaced(text, [](char c) { return c == '\'' ? "'\\''" : std::string(1, c); }) + "'";
}

constexpr const char* kSuites = "sockproof list 2>/dev/null | sed -n 's/[.].*//p' | sort -u";

std::string BashCompletion(const std::vector<Page>& pages) {
  std::string commands;
  std::string cases;
  std::string cases_within;  // come first: the others match them too
  for (const Page& page : pages) {
    if (!IsWithin(page)) commands += page.name + " ";
    (IsWithin(page) ? cases_within : cases) += fmt::format(
        "    {}{}) words=\"{}\"{} ;;\n", Quoted(page.name), IsWithin(page) ? "" : "' '*",
        WordsOf(page), TakesTests(page) ? " tests=yes" : "");
  }
  return fmt::format(R"sh(# Completion of bash for sockproof.
_sockproof() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words= tests=
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "{}" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{}  esac
  case $word in
    -*) ;;
    *) if [ "$tests" = yes ]; then words="$words $({})"; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _sockproof sockproof
)sh",
                     commands, cases_within + cases, kSuites);
}

// A description within brackets and colons of zsh's _arguments.
std::string ZshText(std::string_view text) {
  return Replaced(text, [](char c) -> std::string {
    if (c == '[' || c == ']' || c == ':' || c == '\\') return {'\\', c};
    return c == '\'' ? "'\\''" : std::string(1, c);
  });
}

std::string ZshCompletion(const std::vector<Page>& pages) {
  std::string commands;
  std::string cases;
  for (const Page& page : pages) {
    if (IsWithin(page)) continue;
    commands += fmt::format("    '{}:{}'\n", page.name, ZshText(page.summary));
    std::string arguments;
    for (const CLI::Option* option : page.options) {
      for (const std::string& name : option->get_lnames()) {
        arguments +=
            fmt::format(" \\\n        '--{}[{}]{}'", name, ZshText(option->get_description()),
                        TakesValue(*option) ? ":value:_files" : "");
      }
    }
    const std::string words =
        !page.below.empty() ? fmt::format(" \\\n        '1: :({})'", fmt::join(page.below, " "))
        : TakesTests(page)  ? fmt::format(" \\\n        \"*: :($({}))\"", kSuites)
                            : std::string(" \\\n        '*: :_files'");
    cases += fmt::format("      {}) _arguments{}{} ;;\n", page.name, arguments, words);
  }
  return fmt::format(R"sh(#compdef sockproof
# Completion of zsh for sockproof.
_sockproof() {{
  local state line
  local -a commands=(
{}  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
{}      esac
      ;;
  esac
}}
_sockproof "$@"
)sh",
                     commands, cases);
}

std::string FishCompletion(const std::vector<Page>& pages) {
  std::string text = "# Completion of fish for sockproof.\n";
  for (const Page& page : pages) {
    const std::size_t space = page.name.find(' ');
    const std::string command = page.name.substr(0, space);
    const std::string seen = fmt::format("'__fish_seen_subcommand_from {}'", command);
    if (space == std::string::npos) {
      text += fmt::format("complete -c sockproof -n __fish_use_subcommand -f -a {} -d {}\n",
                          command, Quoted(page.summary));
    } else {
      text += fmt::format("complete -c sockproof -n {} -a {} -d {}\n", seen,
                          page.name.substr(space + 1), Quoted(page.summary));
    }
    for (const CLI::Option* option : page.options) {
      for (const std::string& name : option->get_lnames()) {
        text += fmt::format("complete -c sockproof -n {} -l {} {}-d {}\n", seen, name,
                            TakesValue(*option) ? "-r " : "", Quoted(option->get_description()));
      }
    }
    if (TakesTests(page)) {
      text += fmt::format("complete -c sockproof -n {} -a {}\n", seen,
                          Quoted(fmt::format("({})", kSuites)));
    }
  }
  return text;
}

Action AddDocumentation(CLI::App& app) {
  app.group("");  // not for users
  auto form = std::make_shared<std::string>();
  app.add_option("FORM", *form, "man, bash, zsh or fish")
      ->required()
      ->check(OneOf({"man", "bash", "zsh", "fish"}))
      ->type_name("");
  return [form, &app](const std::string&) {
    const CLI::App& program = *app.get_parent();
    std::vector<Page> pages;
    AppendPages(program, "", pages);
    PrintDocument(*form == "man"    ? ManualPage(program, pages)
                  : *form == "bash" ? BashCompletion(pages)
                  : *form == "zsh"  ? ZshCompletion(pages)
                                    : FishCompletion(pages));
    return 0;
  };
}

const CommandRegistration kDocumentation({"documentation", CommandGroup::kProgram,
                                          "The manual page, and completions of shells", "",
                                          AddDocumentation});

}  // namespace
}  // namespace sockproof
