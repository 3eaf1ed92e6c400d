// Facts of a system: look-up, and JSON as one object.
#include "harness/claims/facts.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/claims/missing.h"

namespace sockproof {
namespace {

int ToInt(const std::string& name, const std::string& text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) {
    throw HarnessError("sysctl " + name + " is not a number: \"" + text + "\"");
  }
  return value;
}

}  // namespace

std::optional<std::string> Facts::Find(const std::string& name) const {
  if (const auto unread = unread_.extract(name)) {
    if (const auto value = unread.mapped()()) values_[name] = *value;
  }
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

const std::map<std::string, std::string>& Facts::values() const {
  while (!unread_.empty()) Find(std::string(unread_.begin()->first));
  return values_;
}

int Facts::Sysctl(const std::string& name) const {
  const auto text = Find("sysctl." + name);
  if (!text) throw Skip(WhyNoSysctl(name, *this));
  return ToInt(name, *text);
}

int Facts::SysctlOr(const std::string& name, int otherwise) const {
  const auto text = Find("sysctl." + name);
  return text ? ToInt(name, *text) : otherwise;
}

void to_json(nlohmann::json& json, const Facts& facts) { json = facts.values(); }

void from_json(const nlohmann::json& json, Facts& facts) {
  facts = Facts();
  for (const auto& [name, value] : json.get<std::map<std::string, std::string>>()) {
    facts.Set(name, value);
  }
}

}  // namespace sockproof
