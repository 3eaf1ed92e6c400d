#include "harness/sut/endpoint_json.h"

#include <string>

#include "harness/base/errors.h"

namespace sockproof {

using nlohmann::json;

json EndpointToJson(const Endpoint& endpoint) {
  return {{"family", endpoint.address.version() == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6"},
          {"address", endpoint.address.ToString()},
          {"port", endpoint.port}};
}

Endpoint EndpointFromJson(const json& address) {
  const auto family = address.is_object() ? address.find("family") : address.end();
  if (family == address.end() || (*family != "AF_INET" && *family != "AF_INET6")) {
    throw HarnessError("the agent gave no IP address where one is due");
  }
  return {IpAddress(address.at("address").get<std::string>()),
          address.at("port").get<std::uint16_t>()};
}

}  // namespace sockproof
