// Octets of headers without options.
#pragma once

#include <cstddef>

namespace sockproof {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kArpMessage = 28;  // of Ethernet and IPv4
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIcmpHeader = 8;  // of ICMP, ICMPv6 and IGMP: up to the four octets by type

constexpr std::size_t kLargestOptions = 40;  // of an IPv4 or a TCP header
constexpr std::size_t kShortestFrame = 60;   // of Ethernet, without the frame check sequence

}  // namespace sockproof
