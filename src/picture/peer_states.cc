#include "src/picture/peer_states.h"

#include <cstdint>
#include <optional>

namespace sockproof {
namespace {

constexpr std::uint16_t kFin = 1, kSyn = 2, kRst = 4;

// Follows the connection as the scripted peer sees it.
class PeerTracker {
 public:
  // False when the segment does not follow from those before.
  bool Take(const LadderSegment& segment, bool by_peer) {
    if (!segment.tcp.defect.empty() || !segment.seq.is_relative) return false;
    if (segment.ack && !segment.ack->is_relative) return false;
    if ((segment.tcp.flags & kRst) != 0) return TakeReset(segment, by_peer);
    return by_peer ? Send(segment) : Receive(segment);
  }

  const std::string& state() const { return state_; }

 private:
  static std::int64_t End(const LadderSegment& segment) {
    return segment.seq.value + static_cast<std::int64_t>(segment.tcp.payload.size()) +
           ((segment.tcp.flags & kSyn) != 0 ? 1 : 0) + ((segment.tcp.flags & kFin) != 0 ? 1 : 0);
  }

  bool TakeReset(const LadderSegment& segment, bool by_peer) {
    if (segment.seq.value != (by_peer ? sent_ : received_)) return false;
    state_ = "CLOSED";
    return true;
  }

  bool Send(const LadderSegment& segment) {
    if (segment.seq.value > sent_ || state_ == "CLOSED") return false;
    if (End(segment) <= sent_) return true;  // again, or nothing new
    if (segment.seq.value != sent_) return false;
    sent_ = End(segment);
    if ((segment.tcp.flags & kSyn) != 0) {
      if (state_.empty() && !segment.ack) state_ = received_ == 0 ? "SYN-SENT" : "";
      if (state_.empty() && segment.ack && received_ == 1) state_ = "SYN-RECEIVED";
      return !state_.empty();
    }
    if ((segment.tcp.flags & kFin) == 0) return true;
    fin_ = sent_;
    if (state_ == "ESTABLISHED" || state_ == "SYN-RECEIVED") {
      state_ = "FIN-WAIT-1";
    } else if (state_ == "CLOSE-WAIT") {
      state_ = "LAST-ACK";
    } else {
      return false;
    }
    return true;
  }

  bool Receive(const LadderSegment& segment) {
    if (state_ == "CLOSED") return false;
    if (segment.seq.value > received_) return false;
    if (segment.ack && segment.ack->value > sent_) return false;
    const bool is_new = End(segment) > received_;
    if (is_new && segment.seq.value != received_) return false;
    received_ = std::max(received_, End(segment));
    if ((segment.tcp.flags & kSyn) != 0) {
      if (!is_new) return true;
      if (state_ == "SYN-SENT") {
        state_ = segment.ack ? "ESTABLISHED" : "SYN-RECEIVED";
      }
      return true;
    }
    if (segment.ack) TakeAcknowledgment(segment.ack->value);
    return (segment.tcp.flags & kFin) == 0 || !is_new || TakeFin();
  }

  void TakeAcknowledgment(std::int64_t acknowledged) {
    if (state_ == "SYN-RECEIVED" && acknowledged >= 1) state_ = "ESTABLISHED";
    if (!fin_ || acknowledged < *fin_) return;
    if (state_ == "FIN-WAIT-1") state_ = "FIN-WAIT-2";
    if (state_ == "CLOSING") state_ = "TIME-WAIT";
    if (state_ == "LAST-ACK") state_ = "CLOSED";
  }

  bool TakeFin() {
    if (state_ == "ESTABLISHED") {
      state_ = "CLOSE-WAIT";
    } else if (state_ == "FIN-WAIT-1") {
      state_ = "CLOSING";
    } else if (state_ == "FIN-WAIT-2") {
      state_ = "TIME-WAIT";
    } else {
      return false;
    }
    return true;
  }

  std::string state_;
  std::int64_t sent_ = 0;            // the next number of the peer
  std::int64_t received_ = 0;        // the next one it waits for
  std::optional<std::int64_t> fin_;  // the number after its FIN
};

}  // namespace

std::map<std::size_t, std::string> PeerStates(const Ladder& ladder) {
  std::map<std::size_t, std::string> states;
  if (ladder.has_several_connections) return states;
  PeerTracker tracker;
  for (std::size_t index = 0; index < ladder.items.size(); ++index) {
    const auto* frame = std::get_if<LadderFrame>(&ladder.items[index].what);
    if (frame == nullptr || !frame->segment) continue;
    const bool by_peer = frame->fate() == Fate::kSent;
    if ((!by_peer && frame->fate() != Fate::kReceived) || !frame->is_between_sides) break;
    const std::string before = tracker.state();
    if (!tracker.Take(*frame->segment, by_peer)) break;
    if (tracker.state() != before) states[index] = tracker.state();
  }
  return states;
}

}  // namespace sockproof
