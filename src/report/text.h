// Results as text for people: in a terminal, and in the elements of a JUnit file.
#pragma once

#include <string>

#include "harness/base/text.h"
#include "src/report/result.h"

namespace sockproof {

// At most `most` lines; of a longer text the middle gives way to a line that says so.
std::string WithoutMiddle(const std::string& text, std::size_t most);

// What happened, in one line of at most 200 characters that ends with the citation.
std::string Headline(const TestResult& test);

// Whether a test says different things of its claims.
bool ClaimsDiffer(const TestResult& test);

// What one needs to judge and repeat a test that did not pass, without the verdict line: claims,
// failures with file:line, ladder, replay command. Clean, indented, ends with a newline.
std::string Explanation(const TestResult& test, const RunResult& run);

// The option that names the system under test, and a space; nothing for the one that is the
// default.
std::string SutOption(const std::string& sut);

// Whether the run knew the departures that come with sockproof.
bool HadShippedBaseline(const RunResult& run);

// The options, each with a space, that make a run know the same departures again.
std::string BaselineOptions(const RunResult& run);

// "1:32", "1:02:03".
std::string FormatMinutes(Duration duration);

}  // namespace sockproof
