// A capture with one segment of the system changed, as an oracle should notice.
#pragma once

#include <string>
#include <vector>

#include "src/judge/capture.h"

namespace sockproof {

enum class Change { kAckMore, kAckLess, kSeqMore, kSeqLess, kReset, kFin, kDropped, kTwice };
constexpr Change kChanges[] = {Change::kAckMore, Change::kAckLess, Change::kSeqMore,
                               Change::kSeqLess, Change::kReset,   Change::kFin,
                               Change::kDropped, Change::kTwice};
std::string ChangeName(Change change);

// The places of TCP segments that a system sent.
std::vector<std::size_t> SegmentsOfSystem(const Capture& capture);

// False: this change does nothing to this segment. The checksum is made right again.
bool ChangeSegment(Capture& capture, std::size_t place, Change change);

}  // namespace sockproof
