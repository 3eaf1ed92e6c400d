// What a system under test says of itself.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "harness/base/time.h"

namespace sockproof {

// Facts by name: "os" (Linux), "release" (6.18.44), "sysctl.net.ipv4.tcp_syn_retries" (6), ...
// A value type; copies are independent.
class Facts {
 public:
  void Set(const std::string& name, std::string value) { values_[name] = std::move(value); }
  void Erase(const std::string& name) { values_.erase(name); }
  std::optional<std::string> Find(const std::string& name) const;

  // The sysctl as an integer, e.g. Sysctl("net.ipv4.tcp_fin_timeout"). Throws Skip when the system
  // does not have it, HarnessError when it is not a number.
  int Sysctl(const std::string& name) const;

  // The same, with a value for systems that do not have the sysctl (older kernels).
  int SysctlOr(const std::string& name, int otherwise) const;

  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

void to_json(nlohmann::json& json, const Facts& facts);
void from_json(const nlohmann::json& json, Facts& facts);

}  // namespace sockproof
