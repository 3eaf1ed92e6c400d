// lwIP's way to the wire: a packet socket on a link whose kernel has no address there.
#pragma once

#include <string>

namespace sockproof::agent_lwip {

struct InterfacePlan {
  std::string link;     // "eth0", whose MAC becomes that of the stack
  std::string ipv4;     // "192.0.2.1"; the network is a /24
  std::string gateway;  // of IPv4; empty: none
  std::string ipv6;     // "2001:db8::1"; lwIP's networks are all /64
};

// Starts lwIP, with 127.0.0.1 and ::1, and with the interface unless the link's name is empty. Once
// in a process. Throws std::runtime_error.
void StartStack(const InterfacePlan& plan);

}  // namespace sockproof::agent_lwip
