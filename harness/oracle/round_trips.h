// The round trips that a system may have measured (RFC 6298 section 3).
#pragma once

#include <deque>
#include <optional>

#include "harness/base/time.h"
#include "harness/oracle/segment.h"

namespace sockproof::oracle {

// By its segments, and the acknowledgments that came.
class RoundTrips {
 public:
  void Sent(const Segment& segment, Time now);
  // By a segment with ACK.
  void Acknowledged(const Segment& segment, Time now);
  // None: there is no sample, or some are not known.
  std::optional<Duration> longest() const { return is_known_ ? longest_ : std::nullopt; }

 private:
  struct Piece {
    std::uint32_t begin = 0, end = 0;
    Time first;
    bool has_timestamps = false;
    bool is_repeated = false;  // Karn's algorithm: no sample but by timestamps
  };
  void Repeat(std::uint32_t begin, std::uint32_t end);

  std::deque<Piece> pieces_;  // in order
  std::optional<Duration> longest_;
  bool is_known_ = true;
};

}  // namespace sockproof::oracle
