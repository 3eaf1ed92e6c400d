// The states that a scripted peer goes through (RFC 9293 section 3.3.2), as far as its segments
// leave no doubt.
#pragma once

#include <map>
#include <string>

#include "harness/trace/ladder_model.h"

namespace sockproof {

// The state that the right side has after an item of the ladder, by number of the item; only where
// it changes. Empty unless the right side is a scripted peer with one connection. Ends at the first
// segment that does not follow from those before: what comes then says nothing about a state.
std::map<std::size_t, std::string> PeerStates(const Ladder& ladder);

}  // namespace sockproof
