#include "harness/oracle/round_trips.h"

#include <algorithm>

namespace sockproof::oracle {

void RoundTrips::Sent(const Segment& segment, Time now) {
  constexpr std::size_t kMostPieces = 1024;
  if (segment.Length() == 0 || segment.Has(kRst)) return;
  const std::uint32_t end = segment.seq + segment.Length();
  if (segment.Has(kSyn) && (pieces_.empty() || pieces_.back().end != end)) *this = RoundTrips();
  bool is_new = true;
  for (Piece& piece : pieces_) {
    if (!Before(segment.seq, piece.end)) continue;
    piece.is_repeated = true;
    is_new = Before(piece.end, end);
  }
  if (is_new) pieces_.push_back({end, now, false});
  if (pieces_.size() <= kMostPieces) return;
  pieces_.clear();
  is_known_ = false;
}

void RoundTrips::Acknowledged(std::uint32_t ack, Time now) {
  if (pieces_.empty() || Before(pieces_.back().end, ack)) return;
  for (; !pieces_.empty() && AtMost(pieces_.front().end, ack); pieces_.pop_front()) {
    const Piece& piece = pieces_.front();
    if (!piece.is_repeated)
      longest_ = std::max(longest_.value_or(now - piece.first), now - piece.first);
  }
}

}  // namespace sockproof::oracle
