// From what was seen of a frame to a segment as the oracle takes it: the one place that knows both.
#pragma once

#include "harness/oracle/segment.h"
#include "harness/trace/frame_view.h"

namespace sockproof {

oracle::Segment SegmentOf(const TcpView& tcp, const Bytes& frame);

}  // namespace sockproof
