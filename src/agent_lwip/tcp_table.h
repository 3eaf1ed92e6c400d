// The TCP connections of lwIP: its lists of protocol control blocks.
#pragma once

#include <nlohmann/json.hpp>

namespace sockproof::agent_lwip {

// The value of tcp_sockets, of IPv6 or else of IPv4.
nlohmann::json TcpSocketsOf(bool ipv6);

}  // namespace sockproof::agent_lwip
