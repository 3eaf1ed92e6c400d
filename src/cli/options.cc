#include "src/cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/base/text.h"
#include "src/cli/target.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

// As far as it is one, whole.
template <typename Number>
bool IsNumber(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Help shows the values in the description of an option, not beside its name.
CLI::Validator Unnamed(std::function<std::string(std::string&)> check) {
  return CLI::Validator(std::move(check), "");
}

}  // namespace

CLI::Validator WholeNumber(long long least, long long most, const std::string& or_word) {
  return Unnamed([=](const std::string& text) -> std::string {
    long long number = 0;
    if (!or_word.empty() && text == or_word) return "";
    if (IsNumber(text, number) && number >= least && number <= most) return "";
    return fmt::format("'{}' is {} a whole number from {} to {}", text,
                       or_word.empty() ? "not" : "neither " + or_word + " nor", least, most);
  });
}

CLI::Validator NumberFrom(double least, double most) {
  return Unnamed([=](const std::string& text) -> std::string {
    double number = 0;
    if (IsNumber(text, number) && number >= least && number <= most) return "";
    return fmt::format("'{}' is not a number from {} to {}", text, least, most);
  });
}

CLI::Validator OneOf(std::vector<std::string> words) {
  return Unnamed([words = std::move(words)](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return "";
    const std::string meant = DidYouMean(text, words);
    return fmt::format("'{}' is none of {}{}", text, Joined(words), meant);
  });
}

CLI::Validator Checked(std::function<void(const std::string& value)> check) {
  return Unnamed([check = std::move(check)](const std::string& text) -> std::string {
    try {
      check(text);
      return "";
    } catch (const UsageError& error) {
      return error.what();
    }
  });
}

void AddSut(CLI::App& command, std::string& sut) {
  command.add_option("-s,--sut", sut, "System under test: " + SutSpellings())->type_name("SUT");
}

}  // namespace sockproof
