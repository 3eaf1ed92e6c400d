#include "src/run/user_toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "src/report/text.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

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

// toml++ calls itself once for each part of a name, however many they are.
constexpr std::ptrdiff_t kMostDots = 1000;

// Where toml++ 3.3 has undefined behaviour, outside of texts and comments: at other characters than
// ASCII and at tables without a name. A tilde belongs nowhere there, nor behind a backslash: with
// one for each such character and before each such table a document is wrong where it would be, and
// the same elsewhere. Throws UsageError for what is no UTF-8, of which toml++ names another line,
// and for names of too many parts.
std::string WithTildes(std::string_view text, const std::string& name) {
  std::string result;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view rest = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(rest.size());
    if (OpensNamelessTable(rest)) result += '~';
    if (std::count(rest.begin(), rest.end(), '.') > kMostDots) {
      throw UsageError(fmt::format("{}:{}: more than {} dots in a line", name, line, kMostDots));
    }
    while (!rest.empty()) {
      const auto ascii = std::find_if_not(rest.begin(), rest.end(), IsAscii);
      result.append(rest.begin(), ascii);
      rest.remove_prefix(static_cast<std::size_t>(ascii - rest.begin()));
      const auto end = std::find_if(rest.begin(), rest.end(), IsAscii);
      const auto beyond = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
      if (CleanText(beyond) != beyond) {
        throw UsageError(fmt::format("{}:{}: bytes that are no text in UTF-8", name, line));
      }
      const auto begins_character = [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      };
      const auto characters = std::count_if(beyond.begin(), beyond.end(), begins_character);
      result.append(static_cast<std::size_t>(characters), '~');
      rest.remove_prefix(beyond.size());
    }
  }
  return result;
}

std::string_view LineOf(std::string_view text, std::size_t number) {
  for (; number > 1; --number) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

std::string Complaint(std::string_view line, std::string_view description) {
  if (OpensNamelessTable(line)) return "a table without a name";
  const bool has_stand_in =
      description.find('~') != description.npos && !std::all_of(line.begin(), line.end(), IsAscii);
  return fmt::format("{}{}", description,
                     has_stand_in ? " ('~' stands for what is not ASCII)" : "");
}

}  // namespace

toml::table ParseUserToml(std::string_view text, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  try {
    static_cast<void>(toml::parse(WithTildes(text, name)));
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    const std::size_t line = error.source().begin.line;
    throw UsageError(
        fmt::format("{}:{}: {}", name, line, Complaint(LineOf(text, line), error.description())));
  }
}

}  // namespace sockproof
