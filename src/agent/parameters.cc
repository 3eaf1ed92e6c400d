// Strict reading of parameters (README.md, "Parameters").
#include "src/agent/parameters.h"

#include <algorithm>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent {

Parameters::Parameters(std::string context, const json& object)
    : context_(std::move(context)), object_(object) {
  if (!object_.is_object()) {
    throw RpcError(agent_protocol::kBadParameters, context_ + ": parameters must be an object");
  }
}

void Parameters::Refuse(const std::string& name, const std::string& wanted) const {
  throw RpcError(agent_protocol::kBadParameters, context_ + ": " + name + " must be " + wanted);
}

void Parameters::Unsupported(const std::string& what) const {
  throw RpcError(agent_protocol::kUnsupported, context_ + ": " + what + " is unsupported");
}

const json& Parameters::Any(const std::string& name) {
  const auto member = object_.find(name);
  if (member == object_.end()) Refuse(name, "given");
  read_.push_back(name);
  return *member;
}

int Parameters::Integer(const std::string& name, std::int64_t lowest, std::int64_t highest) {
  const json& value = Any(name);
  const std::string wanted =
      "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest);
  if (!value.is_number_integer()) Refuse(name, wanted);
  // An unsigned number too large for the signed type would come out negative.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    Refuse(name, wanted);
  }
  const auto number = value.get<std::int64_t>();
  if (number < lowest || number > highest) Refuse(name, wanted);
  return static_cast<int>(number);
}

std::string Parameters::Text(const std::string& name) {
  const json& value = Any(name);
  if (!value.is_string()) Refuse(name, "a string");
  return value.get<std::string>();
}

bool Parameters::Truth(const std::string& name) {
  if (!Has(name)) return false;
  const json& value = Any(name);
  if (!value.is_boolean()) Refuse(name, "true or false");
  return value.get<bool>();
}

std::string Parameters::Bytes(const std::string& name) {
  std::optional<std::string> bytes = agent_protocol::Base64Decode(Text(name));
  if (!bytes) Refuse(name, "base64");
  return *std::move(bytes);
}

int Parameters::Constant(const std::string& name, agent_protocol::Constants constants) {
  const std::string text = Text(name);
  const std::optional<std::int64_t> value = agent_protocol::ValueOf(constants, text);
  if (!value) Unsupported(name + " " + text);
  return static_cast<int>(*value);
}

int Parameters::Flags(const std::string& name, agent_protocol::Constants constants) {
  if (!Has(name)) return 0;
  const json& list = Any(name);
  if (!list.is_array()) Refuse(name, "a list of names");
  std::int64_t flags = 0;
  for (const json& element : list) {
    if (!element.is_string()) Refuse(name, "a list of names");
    const auto& text = element.get_ref<const std::string&>();
    const std::optional<std::int64_t> value = agent_protocol::ValueOf(constants, text);
    if (!value) Unsupported(std::string(name).append(" ").append(text));
    flags |= *value;
  }
  return static_cast<int>(flags);
}

void Parameters::CheckAllRead() const {
  for (const auto& [name, value] : object_.items()) {
    if (std::find(read_.begin(), read_.end(), name) == read_.end()) {
      Unsupported("parameter " + name);
    }
  }
}

}  // namespace sockproof::agent
