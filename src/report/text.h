// Results as text for people: in a terminal, and in the elements of a JUnit file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/report/result.h"

namespace sockproof {

// Valid UTF-8 that a terminal and XML 1.0 can show: control characters other than tab and newline
// become their pictures (U+2400 and on); bytes that are not UTF-8, and characters beyond ASCII that
// end a line or turn the direction of writing, become U+FFFD. Nothing is dropped.
std::string CleanText(std::string_view text);

// At most `most` lines; of a longer text the middle gives way to a line that says so.
std::string WithoutMiddle(const std::string& text, std::size_t most);

// What happened, in one line of at most 200 characters that ends with the citation.
std::string Headline(const TestResult& test);

// What one needs to judge and repeat a test that did not pass, without the verdict line: claims,
// failures with file:line, ladder, replay command. Clean, indented, ends with a newline.
std::string Explanation(const TestResult& test, const RunResult& run);

// The word quoted for a shell, unless it needs no quotes.
std::string ShellQuoted(const std::string& word);

// The option that names the system under test, and a space; nothing for the one that is the
// default.
std::string SutOption(const std::string& sut);

// The words of the text with one space between.
std::string OnOneLine(const std::string& text);

// CleanText() on one line: for whatever a system or a file said.
std::string CleanLine(std::string_view text);

// "a, b, c"
std::string Joined(const std::vector<std::string>& words);

// "1:32", "1:02:03".
std::string FormatMinutes(Duration duration);

}  // namespace sockproof
