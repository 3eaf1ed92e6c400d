#include "harness/claims/system_documents.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "harness/base/errors.h"
#include "harness/claims/missing.h"

namespace sockproof {

// Name and text of systems.tsv; written by cmake/EmbedText.cmake.
std::vector<std::pair<std::string_view, std::string_view>> SystemFiles();

namespace {

constexpr std::string_view kSystemsHeader = "system\tvalue\tis\tsource";

// Takes the part of `rest` before `separator`, or all of it.
std::string_view TakeUntil(std::string_view separator, std::string_view& rest) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + separator.size());
  return part;
}

std::vector<DocumentedValue> ParseSystems() {
  std::vector<DocumentedValue> values;
  for (auto [name, text] : SystemFiles()) {
    if (TakeUntil("\n", text) != kSystemsHeader)
      throw HarnessError(std::string(name) + ": no header");
    while (!text.empty()) {
      std::string_view line = TakeUntil("\n", text);
      if (line.starts_with('#')) continue;
      if (std::count(line.begin(), line.end(), '\t') != 3) {
        throw HarnessError(std::string(name) + ": not four columns: " + std::string(line));
      }
      DocumentedValue value;
      value.system = TakeUntil("\t", line);
      value.name = TakeUntil("\t", line);
      value.formula = TakeUntil("\t", line);
      value.source = line;
      values.push_back(value);
    }
  }
  return values;
}

std::optional<double> AsNumber(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

double NumberOrFact(std::string_view word, const Facts& facts) {
  if (const auto number = AsNumber(word)) return *number;
  const std::string name(word);
  const std::optional<std::string> text = facts.Find(name);
  constexpr std::string_view kSysctl = "sysctl.";
  if (!text) {
    throw Skip(name.starts_with(kSysctl) ? WhyNoSysctl(name.substr(kSysctl.size()), facts)
                                         : "the system under test does not tell " + name);
  }
  const auto number = AsNumber(*text);
  if (!number) throw HarnessError(name + " is not a number: \"" + *text + "\"");
  return *number;
}

// number, fact, or "fact or number".
double Factor(std::string_view text, const Facts& facts) {
  const std::string_view word = TakeUntil(" or ", text);
  if (!text.empty() && !AsNumber(word) && !facts.Find(std::string(word))) {
    return NumberOrFact(text, facts);
  }
  return NumberOrFact(word, facts);
}

double Product(std::string_view text, const Facts& facts) {
  double product = 1;
  while (!text.empty()) product *= Factor(TakeUntil(" * ", text), facts);
  return product;
}

// The nanoseconds of the unit at the end of `formula`, which is taken off.
double TakeUnit(std::string_view& formula) {
  static const std::map<std::string_view, Duration> kUnits{{"ms", 1ms}, {"s", 1s}, {"h", 1h}};
  const std::size_t space = formula.rfind(' ');
  const auto unit = kUnits.find(formula.substr(space + 1));
  if (space == std::string_view::npos || unit == kUnits.end()) {
    throw HarnessError("a documented time has no unit: " + std::string(formula));
  }
  formula = formula.substr(0, space);
  return static_cast<double>(unit->second.count());
}

Duration Nanoseconds(double value) { return Duration(std::llround(value)); }

}  // namespace

const std::vector<DocumentedValue>& AllDocumentedValues() {
  static const std::vector<DocumentedValue> values = ParseSystems();
  return values;
}

const DocumentedValue* SystemDocuments::Find(std::string_view name) const {
  const auto& values = AllDocumentedValues();
  const auto found = std::find_if(values.begin(), values.end(), [&](const DocumentedValue& value) {
    return value.system == system_ && value.name == name;
  });
  return found == values.end() ? nullptr : &*found;
}

const DocumentedValue& SystemDocuments::Get(std::string_view name) const {
  if (const DocumentedValue* value = Find(name)) return *value;
  throw Skip("no documentation of " + (system_.empty() ? "this system" : system_) +
             " is known here that says: " + std::string(name));
}

Duration SystemDocuments::Time(std::string_view name, const Facts& facts) const {
  std::string_view formula = Get(name).formula;
  const double unit = TakeUnit(formula);
  return Nanoseconds(Product(formula, facts) * unit);
}

std::vector<Duration> SystemDocuments::Times(std::string_view name, const Facts& facts) const {
  std::string_view formula = Get(name).formula;
  const double unit = TakeUnit(formula);
  std::vector<Duration> times;
  while (!formula.empty()) {
    times.push_back(Nanoseconds(Product(TakeUntil(", ", formula), facts) * unit));
  }
  return times;
}

double SystemDocuments::Number(std::string_view name, const Facts& facts) const {
  return Product(Get(name).formula, facts);
}

int SystemDocuments::Count(std::string_view name, const Facts& facts) const {
  return static_cast<int>(std::lround(Number(name, facts)));
}

Duration SystemDocuments::TimeOr(std::string_view name, const Facts& facts,
                                 Duration otherwise) const {
  return Has(name) ? Time(name, facts) : otherwise;
}

int SystemDocuments::CountOr(std::string_view name, const Facts& facts, int otherwise) const {
  return Has(name) ? Count(name, facts) : otherwise;
}

}  // namespace sockproof
