// HTML of text that may be anything.
#pragma once

#include <string>
#include <string_view>

namespace sockproof {

// Clean text (src/report/text.h) in which no character means anything to HTML, in an element or in
// an attribute with double quotes.
std::string Escaped(std::string_view text);

// The same on one line.
std::string EscapedLine(std::string_view text);

// The same, with what looks like an https address as a link.
std::string WithLinks(const std::string& text);

// A relative path as the value of href: no path is an address with a scheme, or leaves its query.
std::string PathAsLink(const std::string& path);

// base64 of the SHA-256 of a text, as a content security policy names it.
std::string PolicyHash(std::string_view text);

// A name in CamelCase as words: "A SYN is sent again after 5.8 seconds".
std::string AsSentence(const std::string& name);

// "131.072 s" as "131 s": three digits, for where there is little room; other values as they are.
std::string Rounded(const std::string& value);

}  // namespace sockproof
