// The handshake, and the ping: the methods that make no call of the system.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "src/agent/call.h"
#include "src/agent/parameters.h"

namespace sockproof::agent {

// What an agent says of itself and its system.
struct About {
  std::string name;
  std::string os;
  std::string release;
  std::string machine;
  std::vector<std::string> capabilities;
  std::map<std::string, std::string> facts;  // what else the system says of itself, by name
};

// The method "hello"; `look` finds out. Throws RpcError for another version of the protocol.
json Hello(Parameters& parameters, Call& call, About (*look)());

json Ping(Parameters& parameters, Call& call);

}  // namespace sockproof::agent
