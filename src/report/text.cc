#include "src/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>

namespace sockproof {
namespace {

constexpr std::size_t kHeadlineCharacters = 200;
constexpr std::size_t kLadderLines = 120;

// Length in bytes of the UTF-8 character that `text` begins with; 0 when it is not one.
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

// The first `most` characters of clean text, marked when that is not all.
std::string Shortened(const std::string& clean, std::size_t most) {
  std::size_t characters = 0;
  std::size_t end = 0;  // of the first most - 3
  for (std::size_t i = 0; i < clean.size(); i += Utf8Length(std::string_view(clean).substr(i))) {
    if (characters == most - 3) end = i;
    if (++characters > most) return clean.substr(0, end) + "...";
  }
  return clean;
}

std::size_t Characters(const std::string& clean) {
  return static_cast<std::size_t>(std::count_if(clean.begin(), clean.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80;
  }));
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += line.empty() ? "\n" : indent + line + "\n";
  }
  return result;
}

}  // namespace

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

std::string WithoutMiddle(const std::string& text, std::size_t most) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  const std::size_t head = most / 3;
  const std::size_t tail = most - head;
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines.size() > most && i == head) {
      result += fmt::format("... {} lines left out ...\n", lines.size() - most);
      i = lines.size() - tail;
    }
    result += lines[i] + "\n";
  }
  return result;
}

std::string Headline(const TestResult& test) {
  std::string what = !test.departure.empty()  ? "known departure: " + test.departure
                     : !test.surprise.empty() ? test.surprise
                                              : test.reason;
  if (what.empty() && !test.failures.empty()) what = test.failures.front().text;
  std::string citation;
  if (!test.claims.empty()) {
    const CitedClaim& claim = test.claims.front();
    citation = Shortened(
        fmt::format(" [{}]", OnOneLine(CleanText(claim.source.empty() ? claim.id : claim.source))),
        100);
  }
  const std::size_t room = kHeadlineCharacters - Characters(citation);
  return Shortened(OnOneLine(CleanText(what)), room) + citation;
}

std::string Explanation(const TestResult& test, const RunResult& run) {
  std::string text;
  for (const CitedClaim& claim : test.claims) {
    text += fmt::format("  {}  {}  ({})\n", claim.level, claim.source, claim.id);
    text += Indented(claim.statement, "    ");
  }
  if (!test.reason.empty()) text += Indented(test.reason, "  ");
  if (!test.departure.empty()) text += Indented("known departure: " + test.departure, "  ");
  if (!test.surprise.empty()) text += Indented("surprise: " + test.surprise, "  ");
  for (const FailureEvent& failure : test.failures) {
    text += fmt::format("  {}:{}\n", failure.file, failure.line) + Indented(failure.text, "    ");
  }
  for (const ObservationEvent& observation : test.observations) {
    text += fmt::format("  {}: {}\n", observation.name, observation.value);
  }
  if (!test.ladder.empty()) {
    text += "  ladder\n" + Indented(WithoutMiddle(test.ladder, kLadderLines), "    ");
  }
  if (!test.output.empty()) text += "  output\n" + Indented(test.output, "    ");
  text += fmt::format("  replay: {} run {}{}\n", ShellQuoted(run.program), SutOption(run.sut),
                      ShellQuoted(test.id));
  return CleanText(text);
}

std::string ShellQuoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string SutOption(const std::string& sut) {
  return sut.empty() || sut == "host" ? "" : "-s " + ShellQuoted(sut) + " ";
}

std::string OnOneLine(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

std::string CleanLine(std::string_view text) { return OnOneLine(CleanText(text)); }

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string FormatMinutes(Duration duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace sockproof
