// Control data (cmsg(3)) of the agent protocol, and how each travels.
#pragma once

#include <span>
#include <string_view>

namespace sockproof::agent_protocol {

enum class ControlKind {
  kInteger,         // C int                          in JSON: "value": 64
  kUnsigned16,      // 16 bits, unsigned              "value": 1000
  kUnsigned64,      // 64 bits, unsigned              "value": 4711
  kOctetOrInteger,  // int when sent; either, by its length, when received: "value": 16
  kDescriptors,     // any number of C int            "fds": [3, 4]
  kCredentials,     // struct ucred                   "pid", "uid", "gid"
  kTime,            // struct timeval                 "sec", "usec"
  kNanotime,        // struct timespec                "sec", "nsec"
  kNanotimes,       // three struct timespec          "times": list of {"sec", "nsec"}
  kPacketInfo,      // struct in_pktinfo              "ifindex", "local", "destination": addresses
  kPacketInfo6,     // struct in6_pktinfo             "ifindex", "destination"
  kExtendedError,   // struct sock_extended_err and   "errno", "origin", "error_type",
                    // the address behind it          "error_code", "info", "data", "offender": address
  kAddress,         // an address                     "address"
};

// One type of control data of this system, in static storage.
struct ControlType {
  std::string_view level;
  std::string_view name;
  int level_number;
  int number;
  ControlKind kind;
};

std::span<const ControlType> ControlTypes();

// nullptr for a type that is not in the table: its data travels as octets.
const ControlType* FindControl(std::string_view level, std::string_view name);
const ControlType* FindControl(int level_number, int number);

}  // namespace sockproof::agent_protocol
