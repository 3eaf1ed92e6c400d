#include "src/explore/known.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "src/run/usage_error.h"
#include "src/run/user_toml.h"

namespace sockproof {

// Generated from known/*.toml.
std::vector<std::pair<std::string_view, std::string_view>> KnownCauseFiles();

namespace explore {
namespace {

class KnownParser {
 public:
  explicit KnownParser(const std::string& name) : name_(name) {}

  std::vector<KnownCause> Parse(std::string_view toml) const {
    std::vector<KnownCause> known;
    const toml::table all = ParseUserToml(toml, name_);
    for (const auto& [key, value] : all) {
      const toml::array* const entries = value.as_array();
      if (key != "known" || entries == nullptr) {
        Refuse(key.source().begin.line, "there are [[known]] alone, not " + std::string(key.str()));
      }
      for (const toml::node& entry : *entries) {
        if (!entry.is_table()) Refuse(key.source().begin.line, "known is no list of tables");
        known.push_back(Entry(*entry.as_table()));
      }
    }
    return known;
  }

 private:
  [[noreturn]] void Refuse(std::size_t line, const std::string& problem) const {
    throw UsageError(fmt::format("{}:{}: {}", name_, line, problem));
  }

  KnownCause Entry(const toml::table& table) const {
    KnownCause entry;
    for (const auto& [key, value] : table) {
      const std::size_t line = key.source().begin.line;
      if (key == "when" && value.is_table()) {
        for (const auto& [fact, condition] : *value.as_table()) {
          entry.when[std::string(fact.str())] = ConditionOf(condition, line);
        }
        continue;
      }
      std::string* const field = key == "cause"  ? &entry.cause
                                 : key == "why"  ? &entry.why
                                 : key == "link" ? &entry.link
                                                 : nullptr;
      if (field == nullptr) {
        Refuse(line, fmt::format("unknown key '{}'; there are cause, why, link, when", key.str()));
      }
      *field = value.value_exact<std::string>().value_or("");
      if (field->empty()) Refuse(line, std::string(key.str()) + " is no text");
    }
    if (entry.cause.empty() || entry.why.empty()) {
      Refuse(table.source().begin.line, "an entry needs 'cause' and 'why'");
    }
    return entry;
  }

  FactCondition ConditionOf(const toml::node& node, std::size_t line) const {
    try {
      if (const auto present = node.value_exact<bool>()) return FactCondition::Present(*present);
      return FactCondition::Parse(node.value_exact<std::string>().value_or(""));
    } catch (const std::invalid_argument& error) {
      Refuse(line, error.what());
    }
  }

  const std::string& name_;
};

}  // namespace

std::vector<KnownCause> ParseKnownCauses(std::string_view toml, const std::string& name) {
  return KnownParser(name).Parse(toml);
}

const KnownCause* FindKnown(const std::vector<KnownCause>& known, const std::string& cause,
                            const Facts& facts) {
  const auto found = std::find_if(known.rbegin(), known.rend(), [&](const KnownCause& one) {
    return fnmatch(one.cause.c_str(), cause.c_str(), FNM_NOESCAPE | FNM_EXTMATCH) == 0 &&
           std::all_of(one.when.begin(), one.when.end(), [&](const auto& condition) {
             return condition.second.Holds(facts.Find(condition.first));
           });
  });
  return found == known.rend() ? nullptr : &*found;
}

std::vector<KnownCause> ShippedKnownCauses() {
  std::vector<KnownCause> all;
  for (const auto& [name, text] : KnownCauseFiles()) {
    for (KnownCause& one : ParseKnownCauses(text, std::string(name))) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace explore
}  // namespace sockproof
