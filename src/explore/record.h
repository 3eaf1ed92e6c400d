// What was seen while a sequence ran, step by step, as a value and as a line of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/oracle/segment.h"

namespace sockproof::explore {

struct SeenSegment {
  bool is_of_peer = false;
  Time time;
  oracle::Segment segment;
};

struct StepRecord {
  Time begin;
  // Whatever the system does at once has been done by then.
  Time end;
  // Of a call "0", "5", "EAGAIN"; "absent" of a step that could not be made: a call without a
  // socket, a segment before the SYN of the system.
  std::string outcome;
  std::vector<SeenSegment> segments;  // in order of time
};

struct Record {
  // One for each step, and one more for what came when all was done. Fewer: it broke off.
  std::vector<StepRecord> steps;
};

std::string RecordText(const Record& record);
// Throws std::invalid_argument for anything that RecordText() does not make.
Record ParseRecord(std::string_view text);

}  // namespace sockproof::explore
