// Which sequences are made: ways into each state, and what is done there.
#pragma once

#include <cstdint>
#include <vector>

#include "src/explore/sequence.h"

namespace sockproof::explore {

struct Plan {
  std::uint64_t seed = 1;
  // Every pair of steps from every state, instead of random steps.
  bool pairs = false;
  // Steps after the way into a state, of a random walk.
  int steps = 6;
  // Whether waiting costs nothing, so that it is a step too.
  bool waits = false;
  bool ipv6 = true;  // every second sequence is over IPv6
};

// The same each time for the same plan and number. `number` from 0 on.
Sequence MakeSequence(const Plan& plan, std::uint64_t number);

// How many sequences there are of this plan.
std::uint64_t CountOf(const Plan& plan);

}  // namespace sockproof::explore
