// Endpoints as the agent protocol writes them.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/net/ip.h"

namespace sockproof {

nlohmann::json EndpointToJson(const Endpoint& endpoint);

// Throws nlohmann::json::exception.
Endpoint EndpointFromJson(const nlohmann::json& address);

}  // namespace sockproof
