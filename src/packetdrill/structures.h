// The structures of scripts, such as {onoff=1, linger=5}, as octets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/net/ip.h"
#include "harness/packet/bytes.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// Throws Skip: line 12: ... is not supported.
[[noreturn]] void NotSupported(Position where, const std::string& what);

// The member of that name of a kStructure; nullptr: it has none.
const Expression* Member(const Expression& structure, std::string_view name);

// An address as sockaddr_in or sockaddr_in6; `mapped`: an IPv4 address in the latter.
Bytes SocketAddress(const Endpoint& endpoint, bool mapped);
// {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("192.0.2.1")}
Bytes AddressIn(const Expression& structure);

// The value of a socket option: [5], [1, 2], "reno", {onoff=1, linger=0}, inet6_addr("::1").
Bytes OptionOctets(const Expression& value);

// "the value is 4 in place of 5"; empty when they are alike.
std::string Differs(const std::string& what, std::int64_t expected, std::int64_t observed);

}  // namespace sockproof::packetdrill
