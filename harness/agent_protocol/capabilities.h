// The capabilities that an agent declares in "hello", and how each is found to be true.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace sockproof::agent_protocol {

// Makes one call on an agent and returns the "result" of the reply; {"error": {...}} when the agent
// refused it.
using Ask =
    std::function<nlohmann::json(const std::string& method, const nlohmann::json& parameters)>;

struct Capability {
  std::string_view name;
  // Why it does not work, found out by calls; empty if it does. Leaves nothing behind.
  std::string (*why_not)(const Ask& ask);
};

// In static storage, in the order of src/agent/README.md.
std::span<const Capability> Capabilities();

}  // namespace sockproof::agent_protocol
