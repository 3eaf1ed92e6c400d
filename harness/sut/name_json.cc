#include "harness/sut/name_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "harness/agent_protocol/base64.h"
#include "harness/base/errors.h"
#include "harness/sut/endpoint_json.h"

namespace sockproof {
namespace {

using nlohmann::json;

std::string OctetsOf(const json& text) {
  const auto octets = agent_protocol::Base64Decode(text.get<std::string>());
  if (!octets) throw HarnessError("the agent's name of a socket is not base64");
  return *octets;
}

// The zero that ends a path is no part of it.
UnixName UnixNameOf(const json& address) {
  if (!address.contains("name")) return UnixName::Path(address.value("path", ""));
  UnixName name{OctetsOf(address["name"])};
  if (!name.unnamed() && !name.abstract()) {
    name.octets.resize(std::min(name.octets.size(), name.octets.find('\0')));
  }
  return name;
}

json ToJson(const Name& name) {
  if (const Endpoint* endpoint = name.endpoint()) {
    json address = EndpointToJson(*endpoint);
    if (name.scope_id() != 0) address["scope_id"] = name.scope_id();
    return address;
  }
  if (const UnixName* local = name.unix_name()) {
    if (!local->exact) return {{"family", "AF_UNIX"}, {"path", local->octets}};
    return {{"family", "AF_UNIX"}, {"name", agent_protocol::Base64Encode(local->octets)}};
  }
  if (const RawName* raw = name.raw()) {
    return {{"family", raw->family}, {"octets", agent_protocol::Base64Encode(raw->octets)}};
  }
  throw HarnessError("a call is to be made with no name");
}

}  // namespace

void PutName(json& params, const Name& name) {
  params["address"] = ToJson(name);
  if (name.length()) params["address_length"] = *name.length();
}

Name NameFromJson(const json& address) {
  if (address.is_null()) return {};
  const auto family = address.at("family").get<std::string>();
  Name name;
  if (family == "AF_INET" || family == "AF_INET6") {
    name = EndpointFromJson(address);
    name = name.WithScope(address.value("scope_id", 0U));
  } else if (family == "AF_UNIX") {
    name = UnixNameOf(address);
  } else {
    name = RawName{family, address.contains("octets") ? OctetsOf(address["octets"]) : ""};
  }
  const auto length = address.find("length");
  return length == address.end() ? name : name.WithLength(length->get<int>());
}

}  // namespace sockproof
