// Names as the agent protocol writes them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "harness/sut/name.h"

namespace sockproof {

// Puts "address", and "address_length" if the name has a length, among the parameters of a call.
void PutName(nlohmann::json& params, const Name& name);

// null is no name. Throws HarnessError and nlohmann::json::exception.
Name NameFromJson(const nlohmann::json& address);

}  // namespace sockproof
