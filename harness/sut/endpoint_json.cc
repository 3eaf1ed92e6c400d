#include "harness/sut/endpoint_json.h"

#include <string>

namespace sockproof {

using nlohmann::json;

json EndpointToJson(const Endpoint& endpoint) {
  return {{"family", endpoint.address.version() == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6"},
          {"address", endpoint.address.ToString()},
          {"port", endpoint.port}};
}

Endpoint EndpointFromJson(const json& address) {
  return {IpAddress(address.at("address").get<std::string>()),
          address.at("port").get<std::uint16_t>()};
}

}  // namespace sockproof
