// Text for people: whatever a system, a file or a program said, made harmless.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof {

// Length in bytes of the UTF-8 character that `text` begins with; 0 when it is not one, or one that
// XML 1.0 does not know (U+FFFE, U+FFFF). `text` is not empty.
std::size_t Utf8Length(std::string_view text);

// Valid UTF-8 that a terminal and XML 1.0 can show: control characters other than tab and newline
// become their pictures (U+2400 and on); bytes that are not UTF-8, and characters beyond ASCII that
// end a line or turn the direction of writing, become U+FFFD. Nothing is dropped.
std::string CleanText(std::string_view text);

// The words of the text with one space between.
std::string OnOneLine(const std::string& text);

// CleanText() on one line: for whatever a system or a file said.
std::string CleanLine(std::string_view text);

// CleanText() of what is only a part of a line: a line end becomes a space, other spaces stay.
std::string CleanPart(std::string_view text);

// Lines for a log: services that run jobs take lines such as "::error::..." or "##[error]..." in it
// for commands, which a backslash prevents.
std::string WithoutCommands(std::string_view text);

// The same of CleanText().
std::string CleanLog(std::string_view text);

// The first `most` characters of clean text, "..." in place of the last three when that is not all.
std::string Shortened(const std::string& clean, std::size_t most);

// "a, b, c"
std::string Joined(const std::vector<std::string>& words);

// The word quoted for a shell, unless it needs no quotes.
std::string ShellQuoted(const std::string& word);

// The name most like `wanted`, or of which that is a part; empty when none is alike.
std::string Nearest(const std::string& wanted, const std::vector<std::string>& names);

// "; did you mean 'run'?", or nothing.
std::string DidYouMean(const std::string& wanted, const std::vector<std::string>& names);

}  // namespace sockproof
