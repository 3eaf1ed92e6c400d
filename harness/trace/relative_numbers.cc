// Which SYN a number counts from.
#include "harness/trace/relative_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/packet/tcp_flags.h"

namespace sockproof {
namespace {

std::int32_t Distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

std::uint32_t SequenceLength(const TcpView& tcp) {
  return static_cast<std::uint32_t>(tcp.payload.size()) + ((tcp.flags & kSyn) != 0 ? 1U : 0U) +
         ((tcp.flags & kFin) != 0 ? 1U : 0U);
}

}  // namespace

std::string EndpointText(const std::string& address, std::uint16_t port) {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

std::string LadderNumber::Text() const {
  return fmt::format("{}{}", value, is_relative ? "" : "(abs)");
}

RelativeNumbers::Direction RelativeNumbers::DirectionOf(const TcpView& tcp) {
  return {EndpointText(tcp.source, tcp.source_port),
          EndpointText(tcp.destination, tcp.destination_port)};
}

bool RelativeNumbers::Take(const TcpView& tcp) {
  const Direction direction = DirectionOf(tcp);
  State& state = directions_[direction];
  if ((tcp.flags & kSyn) != 0 && IsNewConnection(state, tcp.seq)) {
    state = State{};
    state.initial.push_back(tcp.seq);
  }
  if ((tcp.flags & (kFin | kRst)) != 0) {
    state.has_ended = true;
    directions_[Reversed(direction)].has_ended = true;
  }
  const std::uint32_t length = SequenceLength(tcp);
  return length > 0 && !state.sent.emplace(tcp.seq, length).second;
}

LadderNumber RelativeNumbers::Relative(const Direction& direction, std::uint32_t number) const {
  const auto found = directions_.find(direction);
  if (found == directions_.end() || found->second.initial.empty()) return {number, false};
  // A stray SYN may have brought a second initial number: the nearer one counts.
  std::int32_t nearest = Distance(found->second.initial.front(), number);
  for (const std::uint32_t initial : found->second.initial) {
    const std::int32_t distance = Distance(initial, number);
    if (std::llabs(distance) < std::llabs(nearest)) nearest = distance;
  }
  return {nearest, true};
}

std::optional<std::uint16_t> RelativeNumbers::NewWindow(const TcpView& tcp) {
  std::optional<std::uint16_t>& last = directions_[DirectionOf(tcp)].window;
  if (std::exchange(last, tcp.window) == tcp.window) return std::nullopt;
  return tcp.window;
}

// A SYN starts the numbers of its direction anew when the connection before has ended. While
// that lives, a SYN near its numbers is a part of it, and one far away is another's.
bool RelativeNumbers::IsNewConnection(State& state, std::uint32_t seq) {
  constexpr std::int32_t kNear = 1 << 24;
  if (state.initial.empty()) return true;
  const bool is_known =
      std::any_of(state.initial.begin(), state.initial.end(), [&](std::uint32_t initial) {
        return state.has_ended ? initial == seq : std::llabs(Distance(initial, seq)) < kNear;
      });
  if (is_known) return false;
  if (state.has_ended) return true;
  state.initial.push_back(seq);
  return false;
}

}  // namespace sockproof
