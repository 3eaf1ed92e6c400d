// The ladder of a test: API calls and segments on one time axis, as text for a terminal, a report
// or a mail.
#pragma once

#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// One line an event, in order of time, the first frame or call at 0. Sequence and acknowledgment
// numbers are relative to the initial ones of each direction of each connection, as far as a SYN
// was seen. Never throws on malformed frames: they are shown as what can be said of them.
std::string RenderLadder(const std::vector<Event>& events);

}  // namespace sockproof
