// What a system under test says of itself.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "harness/base/time.h"

namespace sockproof {

// Facts by name: "os" (Linux), "release" (6.18.44), "sysctl.net.ipv4.tcp_syn_retries" (6), ...
// A value type; copies are independent. Not thread-safe.
class Facts {
 public:
  // Reads a fact; none: the system has no such fact.
  using Read = std::function<std::optional<std::string>()>;

  Facts() = default;
  Facts(const Facts& other) : values_(other.values()) {}
  Facts(Facts&&) = default;
  Facts& operator=(Facts other) {
    values_ = std::move(other.values_);
    unread_ = std::move(other.unread_);
    return *this;
  }

  void Set(const std::string& name, std::string value) {
    unread_.erase(name);
    values_[name] = std::move(value);
  }
  // Read when it is first looked for, not by a copy.
  void SetUnread(const std::string& name, Read read) { unread_[name] = std::move(read); }
  void Erase(const std::string& name) {
    unread_.erase(name);
    values_.erase(name);
  }
  std::optional<std::string> Find(const std::string& name) const;

  // The sysctl as an integer, e.g. Sysctl("net.ipv4.tcp_fin_timeout"). Throws Skip when the system
  // does not have it, HarnessError when it is not a number.
  int Sysctl(const std::string& name) const;

  // The same, with a value for systems that do not have the sysctl (older kernels).
  int SysctlOr(const std::string& name, int otherwise) const;

  // All of them.
  const std::map<std::string, std::string>& values() const;

 private:
  mutable std::map<std::string, std::string> values_;
  mutable std::map<std::string, Read> unread_;
};

void to_json(nlohmann::json& json, const Facts& facts);
void from_json(const nlohmann::json& json, Facts& facts);

}  // namespace sockproof
