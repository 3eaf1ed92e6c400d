// What a system has chosen where RFC 9293 leaves it to stacks.
#pragma once

#include <string>

#include "src/explore/pool.h"

namespace sockproof::explore {

// What it makes in ESTABLISHED of an RST and of a SYN in the window. kEither where that does not
// tell, or nothing could be run.
oracle::Stack ChoicesOf(Pool& pool);

// "RST in the window is challenged, SYN in the window resets"; empty when nothing is known.
std::string ChoicesText(const oracle::Stack& stack);

}  // namespace sockproof::explore
