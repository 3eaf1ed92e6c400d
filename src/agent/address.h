// Socket addresses in JSON: {"family": "AF_INET", "address": "192.0.2.1", "port": 80}.
#pragma once

#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "harness/agent_protocol/names.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// An address in the form that system calls take.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);  // room for an answer

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// The parameter "address", of one of `families`, with the length that "address_length" may give it.
// Throws RpcError.
SocketAddress ReadAddress(Parameters& parameters, agent_protocol::Constants families);

// null when the system gave no address.
json AddressToJson(const SocketAddress& address);

}  // namespace sockproof::agent
