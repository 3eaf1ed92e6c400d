// Sequence numbers of TCP as people read them: relative to the initial one of their direction
// (RFC 9293 section 3.4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/trace/frame_view.h"

namespace sockproof {

// "192.0.2.1:40000", "[2001:db8::1]:40000".
std::string EndpointText(const std::string& address, std::uint16_t port);

// A sequence or acknowledgment number.
struct LadderNumber {
  std::int64_t value = 0;
  bool is_relative = false;  // else the number in the segment: no SYN of that direction was seen

  std::string Text() const;  // "1", "3735928559(abs)"
  bool operator==(const LadderNumber&) const = default;
};

// Turns numbers of segments into relative ones. Fed with all segments in order of time.
class RelativeNumbers {
 public:
  using Direction = std::pair<std::string, std::string>;  // endpoints: from, to

  static Direction DirectionOf(const TcpView& tcp);
  static Direction Reversed(const Direction& direction) {
    return {direction.second, direction.first};
  }

  // Takes note of a segment before it is shown. True when its sequence numbers were sent before.
  bool Take(const TcpView& tcp);

  // `number` in the sequence space of `direction`.
  LadderNumber Relative(const Direction& direction, std::uint32_t number) const;

  // The window when it is another than that of the segment before.
  std::optional<std::uint16_t> NewWindow(const TcpView& tcp);

 private:
  struct State {
    std::vector<std::uint32_t> initial;
    bool has_ended = false;
    std::set<std::pair<std::uint32_t, std::uint32_t>> sent;
    std::optional<std::uint16_t> window;
  };

  static bool IsNewConnection(State& state, std::uint32_t seq);

  std::map<Direction, State> directions_;
};

}  // namespace sockproof
