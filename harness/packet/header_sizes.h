// Octets of headers without options.
#pragma once

#include <cstddef>

namespace sockproof {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;

}  // namespace sockproof
