// The socket options of the agent protocol, and how the value of each travels.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sockproof::agent_protocol {

enum class OptionKind {
  kInteger,      // C int                    in JSON: 1
  kUnsigned64,   // 64 bits, unsigned        in JSON: 4711
  kTime,         // struct timeval           in JSON: {"sec": 1, "usec": 500000}
  kLinger,       // struct linger            in JSON: {"onoff": 1, "linger": 0}
  kText,         // characters               in JSON: "cubic"
  kBytes,        // anything else            in JSON: base64
  kTcpInfo,      // struct tcp_info          in JSON: an object of its fields
  kCredentials,  // struct ucred             in JSON: {"pid": 1, "uid": 0, "gid": 0}
  kGroup,   // struct ip_mreqn          in JSON: {"group": "...", "address": "...", "ifindex": 1},
            // what is left out being 0; read where it is an address: "192.0.2.1"
  kGroup6,  // struct ipv6_mreq         in JSON: {"group": "ff02::1", "ifindex": 1}
  kFilter,  // struct sock_fprog        in JSON: list of [code, jt, jf, k]; read as bytes
};

// One option of this system, in static storage.
struct SocketOption {
  std::string_view name;   // "TCP_NODELAY"
  std::string_view level;  // "IPPROTO_TCP": where it belongs
  int level_number;
  int number;
  OptionKind kind;
};

std::span<const SocketOption> SocketOptions();

// A member of struct tcp_info that is a plain number; older kernels give a shorter struct.
struct TcpInfoField {
  std::string_view name;  // without "tcpi_"
  std::size_t offset;
  std::size_t size;
};

std::span<const TcpInfoField> TcpInfoFields();

// Whether TCP_INFO has, as JSON, a number of this name: one of these, or a shift of the window.
bool IsTcpInfoField(std::string_view name);

// nullptr for an option that is not in the table.
const SocketOption* FindOption(std::string_view name);
const SocketOption* FindOption(int level_number, int number);

}  // namespace sockproof::agent_protocol
