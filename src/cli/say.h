// What the program prints. Everything that goes to standard output or error goes through here, so
// that no text of a system, a file or another program can control a terminal or a log.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>

#include "harness/base/text.h"

namespace sockproof {

// Lines on standard output: CleanLog().
void PrintText(std::string_view text);

// A document on standard output, octet by octet: JSON, XML, SVG.
void PrintDocument(std::string_view document);

// What was printed so far is there from now on. All three throw HarnessError when it cannot be.
void FlushOutput();

// "sockproof: ..." on standard error, in one line.
void Say(const std::string& text);

namespace say_internal {
template <typename Value>
decltype(auto) Shown(const Value& value) {
  if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    return CleanPart(value);
  } else {
    return (value);
  }
}
}  // namespace say_internal

// PrintText() of a format; a text that is an argument stays within its line.
template <typename... Arguments>
void Print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  PrintText(fmt::vformat(
      format, fmt::make_format_args(say_internal::Shown<std::decay_t<Arguments>>(arguments)...)));
}

}  // namespace sockproof
