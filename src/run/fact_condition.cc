#include "src/run/fact_condition.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>

namespace sockproof {
namespace {

// Longer signs before those that they begin with.
constexpr std::array<std::string_view, 6> kSigns{">=", "<=", "!=", ">", "<", "="};

struct NumberAndRest {
  std::vector<int> number;
  std::string_view rest;
};

// "6.18.44-generic" is {6, 18, 44} and "-generic".
NumberAndRest LeadingNumber(std::string_view text) {
  NumberAndRest result{{}, text};
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    int part = 0;
    const bool digit = *at >= '0' && *at <= '9';  // from_chars() takes a sign too
    const auto [after, error] = std::from_chars(at, end, part);
    if (!digit || error != std::errc()) break;
    result.number.push_back(part);
    result.rest = text.substr(static_cast<std::size_t>(after - text.data()));
    if (after == end || *after != '.') break;
    at = after + 1;
  }
  return result;
}

bool IsNumber(std::string_view text) {
  const NumberAndRest parsed = LeadingNumber(text);
  return !parsed.number.empty() && parsed.rest.empty();
}

bool Compare(std::vector<int> fact, std::string_view sign, const std::vector<int>& number) {
  fact.resize(number.size());
  const int order = fact < number ? -1 : fact > number ? 1 : 0;
  if (sign == ">=") return order >= 0;
  if (sign == "<=") return order <= 0;
  if (sign == "!=") return order != 0;
  if (sign == ">") return order > 0;
  if (sign == "<") return order < 0;
  return order == 0;
}

}  // namespace

FactCondition FactCondition::Parse(std::string_view text) {
  const auto sign_of = [](std::string_view word) {
    const auto sign =
        std::find_if(kSigns.begin(), kSigns.end(),
                     [&word](std::string_view candidate) { return word.starts_with(candidate); });
    return sign == kSigns.end() ? std::string_view() : *sign;
  };
  FactCondition condition;
  if (text.empty()) throw std::invalid_argument("an empty condition");
  if (IsNumber(text)) {
    condition.what_ = Comparisons{{"=", LeadingNumber(text).number}};
    return condition;
  }
  if (sign_of(text).empty()) {
    condition.what_ = std::string(text);
    return condition;
  }
  Comparisons comparisons;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::string_view sign = sign_of(word);
    const std::string_view number = std::string_view(word).substr(sign.size());
    if (sign.empty() || !IsNumber(number)) {
      throw std::invalid_argument(fmt::format("'{}' is no comparison; one looks like >=6.5", word));
    }
    comparisons.push_back({sign, LeadingNumber(number).number});
  }
  condition.what_ = std::move(comparisons);
  return condition;
}

FactCondition FactCondition::Present(bool present) {
  FactCondition condition;
  condition.what_ = present;
  return condition;
}

bool FactCondition::Holds(const std::optional<std::string>& fact) const {
  if (const bool* present = std::get_if<bool>(&what_)) return fact.has_value() == *present;
  if (!fact) return false;
  if (const std::string* glob = std::get_if<std::string>(&what_)) {
    return fnmatch(glob->c_str(), fact->c_str(), 0) == 0;
  }
  const std::vector<int> number = LeadingNumber(*fact).number;
  const Comparisons& comparisons = std::get<Comparisons>(what_);
  return !number.empty() &&
         std::all_of(comparisons.begin(), comparisons.end(),
                     [&number](const Comparison& comparison) {
                       return Compare(number, comparison.sign, comparison.number);
                     });
}

}  // namespace sockproof
