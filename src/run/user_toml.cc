#include "src/run/user_toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "src/report/text.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

struct Problem {
  std::size_t line;
  std::string what;
};

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Whether a line opens a table that has no name: "[!]".
bool OpensNamelessTable(std::string_view line) {
  const auto skip = [&line](std::string_view characters) {
    line.remove_prefix(std::min(line.find_first_not_of(characters), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('[')) return false;
  line.remove_prefix(line.starts_with("[[") ? 2 : 1);
  skip(" \t");
  const char first = line.empty() ? '\n' : line.front();
  return std::isalnum(static_cast<unsigned char>(first)) == 0 &&
         std::string_view("_-\"'").find(first) == std::string_view::npos;
}

// What toml++ 3.3 gets wrong: it names another line for bytes that are no UTF-8, and its behaviour
// is undefined for nameless tables and for other characters than ASCII outside of texts and
// comments.
std::optional<Problem> ProblemBeforeParsing(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  std::string_view quotes;  // those that end the text we are in; empty outside of any
  bool comment = false, is_escaped = false;
  std::size_t line = 1;
  const std::size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    const bool line_begins = i == 0 || text[i - 1] == '\n';
    if (line_begins && quotes.empty() && OpensNamelessTable(rest.substr(0, rest.find('\n')))) {
      return Problem{line, "a table without a name"};
    }
    if (!IsAscii(c)) {
      const std::size_t end =
          static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), IsAscii) - rest.begin());
      if (CleanText(rest.substr(0, end)) != rest.substr(0, end)) {
        return Problem{line, "bytes that are no text in UTF-8"};
      }
      if (quotes.empty() && !comment) {
        return Problem{line, fmt::format("'{}' outside of quotes", rest.substr(0, end))};
      }
      if (is_escaped) {
        return Problem{line, fmt::format("a backslash before '{}'", rest.substr(0, end))};
      }
      i += end - 1;
    } else if (c == '\n') {
      ++line;
      comment = false;
      if (quotes.size() == 1) return std::nullopt;  // an error that toml++ tells, and ends with
    } else if (comment) {
      continue;
    } else if (quotes.empty()) {
      comment = c == '#';
      // Elsewhere no text begins; nor behind the dot of a key, which may be that of a number.
      const bool may_begin =
          i == begin || std::string_view(" \t\r\n=[,{").find(text[i - 1]) != text.npos;
      if ((c == '"' || c == '\'') && may_begin) {
        const bool many_lines = rest.size() > 2 && rest[1] == c && rest[2] == c;
        quotes = rest.substr(0, many_lines ? 3 : 1);
        i += quotes.size() - 1;
      }
    } else if (c == '\\' && quotes[0] == '"' && rest.size() > 1 && rest[1] != '\n') {
      is_escaped = !IsAscii(rest[1]);
      if (!is_escaped) ++i;
    } else if (rest.starts_with(quotes)) {
      // Of five quotes, the first two are text.
      const std::size_t in_a_row = rest.find_first_not_of(c);
      if (quotes.size() == 3) i += std::min<std::size_t>(in_a_row, 5) - 1;
      quotes = {};
    }
  }
  return std::nullopt;
}

}  // namespace

toml::table ParseUserToml(std::string_view text, const std::string& name) {
  if (const auto problem = ProblemBeforeParsing(text)) {
    throw UsageError(fmt::format("{}:{}: {}", name, problem->line, problem->what));
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(
        fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
  }
}

}  // namespace sockproof
