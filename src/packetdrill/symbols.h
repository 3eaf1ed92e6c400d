// The names of numbers in scripts: SOL_SOCKET, MSG_PEEK, EAGAIN.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sockproof::packetdrill {

// Of an argument or a result; nothing for a name that this program does not know.
std::optional<std::int64_t> SymbolValue(std::string_view name);
// Those that it knows, but for errors.
std::vector<std::string> SymbolNames();

// The names that code in scripts knows besides the values of a socket: TCP_ESTABLISHED, ...
const std::map<std::string, std::int64_t>& NamesInCode();

}  // namespace sockproof::packetdrill
