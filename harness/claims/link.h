// What the link of a system to the other end of a test takes, or its route over that.
#pragma once

#include <cstddef>
#include <string>

#include "harness/claims/facts.h"

namespace sockproof {

// The fact "link.mtu" of a system, in octets; that of Ethernet, 1500, where it says nothing of it.
inline std::size_t LinkMtu(const Facts& facts) {
  constexpr std::size_t kEthernet = 1500;
  const auto mtu = facts.Find("link.mtu");
  return mtu ? std::stoul(*mtu) : kEthernet;
}

}  // namespace sockproof
