#include "harness/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <numeric>
#include <sstream>
#include <utility>

namespace sockproof {
namespace {

std::string ControlPicture(std::uint8_t control) {
  const int picture = control == 0x7f ? 0x2421 : 0x2400 + control;
  return {'\xe2', static_cast<char>(0x80 | ((picture >> 6) & 0x3f)),
          static_cast<char>(0x80 | (picture & 0x3f))};
}

// Whether the character, of `length` bytes, ends a line or turns the direction of writing: U+0080
// to U+009F, U+2028 to U+202E, U+2066 to U+2069.
bool Controls(std::string_view character, std::size_t length) {
  const auto byte = [&character](std::size_t i) { return static_cast<std::uint8_t>(character[i]); };
  if (length == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  if (length != 3 || byte(0) != 0xe2) return false;
  return (byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
         (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

std::string Lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// How many characters must be inserted, deleted or replaced.
std::size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// A line that a log's reader would take for a command, made none.
std::string Uncommanded(std::string line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first != std::string::npos && line.compare(first, 2, "::") == 0) line.insert(first, 1, '\\');
  for (std::size_t at = 0; (at = line.find("##", at)) != std::string::npos; at += 2) {
    line.insert(at + 1, 1, '\\');
  }
  return line;
}

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool too_large = first == 0xf4 && second > 0x8f;
  const bool noncharacter = first == 0xef && second == 0xbf && byte(2) > 0xbd;  // U+FFFE, U+FFFF
  return overlong || surrogate || too_large || noncharacter ? 0 : length;
}

std::string CleanText(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = Utf8Length(text.substr(i));
    if (length == 0 || Controls(text.substr(i), length)) {
      clean += "\xef\xbf\xbd";
    } else if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f) {
      clean += ControlPicture(byte);
    } else {
      clean += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return clean;
}

std::string OnOneLine(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string CleanLine(std::string_view text) { return OnOneLine(CleanText(text)); }

std::string CleanPart(std::string_view text) {
  std::string clean = CleanText(text);
  std::replace(clean.begin(), clean.end(), '\n', ' ');
  return clean;
}

std::string CleanLog(std::string_view text) { return WithoutCommands(CleanText(text)); }

std::string WithoutCommands(std::string_view text) {
  std::string clean;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    clean += Uncommanded(std::string(text.substr(begin, end - begin)));
    if (end < text.size()) clean += '\n';
    begin = end + 1;
  }
  return clean;
}

std::string Shortened(const std::string& clean, std::size_t most) {
  std::size_t characters = 0;
  std::size_t end = 0;  // of the first most - 3
  for (std::size_t i = 0; i < clean.size(); i += Utf8Length(std::string_view(clean).substr(i))) {
    if (characters == most - 3) end = i;
    if (++characters > most) return clean.substr(0, end) + "...";
  }
  return clean;
}

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string ShellQuoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Nearest(const std::string& wanted, const std::vector<std::string>& names) {
  const std::string lower = Lowercase(wanted);
  std::string nearest;
  std::size_t smallest = std::numeric_limits<std::size_t>::max();
  for (const std::string& name : names) {
    const std::string candidate = Lowercase(name);
    const bool part = lower.size() >= 3 && candidate.find(lower) != std::string::npos;
    const std::size_t distance = part ? 1 : EditDistance(lower, candidate);
    if (distance < smallest && (part || distance <= std::max<std::size_t>(2, lower.size() / 3))) {
      smallest = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string DidYouMean(const std::string& wanted, const std::vector<std::string>& names) {
  const std::string nearest = Nearest(wanted, names);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

}  // namespace sockproof
