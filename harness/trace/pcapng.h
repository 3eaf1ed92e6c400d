// A test as a pcapng file (draft-ietf-opsawg-pcapng): every frame with its kernel timestamp in
// nanoseconds; calls, failures and what was never seen as comments.
#pragma once

#include <string>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// One section with one Ethernet interface per sending actor ("sut", "peer"), if_tsresol 10^-9.
// `test_id` becomes the section's comment. A comment stands at the next frame, or at the last one
// when none follows; without any frame, at the section.
Bytes RenderPcapng(const std::vector<Event>& events, const std::string& test_id);

}  // namespace sockproof
