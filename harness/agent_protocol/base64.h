// Base64 as in RFC 4648 section 4, with padding: how data travels in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sockproof::agent_protocol {

std::string Base64Encode(std::string_view bytes);

// The bytes; nothing for a text that Base64Encode() cannot have made.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace sockproof::agent_protocol
