#include "harness/oracle/round_trips.h"

#include <algorithm>
#include <utility>

namespace sockproof::oracle {

// Of a piece of which a part is sent again the rest is not.
void RoundTrips::Repeat(std::uint32_t begin, std::uint32_t end) {
  std::deque<Piece> pieces;
  const auto keep = [&](Piece piece, std::uint32_t from, std::uint32_t to, bool again) {
    if (!Before(from, to)) return;
    piece.begin = from;
    piece.end = to;
    piece.is_repeated |= again;
    pieces.push_back(piece);
  };
  for (const Piece& piece : pieces_) {
    const std::uint32_t from = std::min(Later(piece.begin, begin), piece.end, Before);
    const std::uint32_t to = std::min(Later(from, end), piece.end, Before);
    keep(piece, piece.begin, from, false);
    keep(piece, from, to, true);
    keep(piece, to, piece.end, false);
  }
  pieces_ = std::move(pieces);
}

void RoundTrips::Sent(const Segment& segment, Time now) {
  constexpr std::size_t kMostPieces = 1024;
  if (segment.Length() == 0 || segment.Has(kRst)) return;
  const std::uint32_t end = segment.seq + segment.Length();
  if (segment.Has(kSyn) && (pieces_.empty() || pieces_.back().end != end)) *this = RoundTrips();
  std::uint32_t begin = segment.seq;
  if (!pieces_.empty() && Before(begin, pieces_.back().end)) {
    Repeat(begin, end);
    begin = pieces_.back().end;
  }
  if (Before(begin, end)) {
    pieces_.push_back({begin, end, now, segment.timestamps.has_value(), false});
  }
  if (pieces_.size() <= kMostPieces) return;
  pieces_.clear();
  is_known_ = false;
}

void RoundTrips::Acknowledged(const Segment& segment, Time now) {
  const std::uint32_t ack = segment.ack;
  if (pieces_.empty() || Before(pieces_.back().end, ack)) return;
  while (!pieces_.empty() && Before(pieces_.front().begin, ack)) {
    Piece& piece = pieces_.front();
    // "The only case when TCP can safely take RTT samples from retransmitted segments".
    if (!piece.is_repeated || (piece.has_timestamps && segment.timestamps)) {
      longest_ = std::max(longest_.value_or(now - piece.first), now - piece.first);
    }
    piece.begin = ack;
    if (Before(ack, piece.end)) return;
    pieces_.pop_front();
  }
}

}  // namespace sockproof::oracle
