// Socket addresses in JSON: {"family": "AF_INET", "address": "192.0.2.1", "port": 80}, and the
// other forms of README.md.
#pragma once

#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "harness/agent_protocol/names.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// An address in the form that system calls take. What lies behind the structure of its family is
// zero, so that a length beyond that can be given.
struct SocketAddress {
  static constexpr socklen_t kRoom = 256;

  alignas(sockaddr_storage) char storage[kRoom] = {};
  socklen_t length = sizeof(sockaddr_storage);  // room for an answer

  sockaddr* get() { return reinterpret_cast<sockaddr*>(storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(storage); }
};

// The parameter "address", of one of `families`, with the length that "address_length" may give it.
// Throws RpcError.
SocketAddress ReadAddress(Parameters& parameters, agent_protocol::Constants families);

// Room for an address that the system tells, as long as "address_length" may say.
SocketAddress ReadRoom(Parameters& parameters);

// null when the system gave no address. With `with_length` its length is among the members.
json AddressToJson(const SocketAddress& address, bool with_length = false);

}  // namespace sockproof::agent
