// RFC 9293 section 3.10.7, SEGMENT ARRIVES: one function a check, in the order of the text.
#pragma once

#include <vector>

#include "harness/oracle/tcb.h"

namespace sockproof::oracle {

// Appends what may become of `tcb` when `segment` arrives: one TCB for each reading.
void SegmentArrives(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
                    std::vector<Tcb>& readings);

}  // namespace sockproof::oracle
