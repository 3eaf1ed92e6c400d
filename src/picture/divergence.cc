#include "src/picture/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace sockproof {
namespace {

constexpr std::uint16_t kPsh = 8;

// What of an item has to be the same. Items of one kind are compared one by one.
struct Key {
  std::size_t item = 0;
  std::string text;
};
struct Keys {
  std::vector<Key> segments, calls, results, states, failures;
};

// Of results of calls that make descriptors or tell addresses only whether they succeeded.
std::string ResultKey(const LadderCall& call) {
  if (!call.has_returned()) return "did not return";
  const std::string result = call.span.ResultText();
  const std::string& text = call.span.call().text;
  const std::string_view function = std::string_view(text).substr(0, text.find('('));
  const bool tells_data = function.starts_with("recv") || function.starts_with("send") ||
                          function == "read" || function == "write" || function == "poll" ||
                          function.starts_with("epoll_wait") || function == "select";
  return (result.starts_with('E') || tells_data) ? result : "success";
}

std::string SegmentKey(const LadderFrame& frame) {
  const char* direction = frame.to_the_right ? ">" : "<";
  const auto fate = static_cast<int>(frame.fate());
  if (!frame.segment) return fmt::format("{}{} {}", direction, fate, frame.kind);
  const LadderSegment& segment = *frame.segment;
  return fmt::format("{}{} {:x} {} {} {}", direction, fate, segment.tcp.flags & ~kPsh,
                     segment.seq.is_relative ? segment.seq.Text() : "absolute",
                     !segment.ack               ? ""
                     : segment.ack->is_relative ? segment.ack->Text()
                                                : "absolute",
                     segment.tcp.payload.size());
}

Keys KeysOf(const Ladder& ladder) {
  Keys keys;
  for (std::size_t index = 0; index < ladder.items.size(); ++index) {
    const auto& what = ladder.items[index].what;
    if (const auto* frame = std::get_if<LadderFrame>(&what)) {
      if (!frame->is_resolution) keys.segments.push_back({index, SegmentKey(*frame)});
    } else if (const auto* begin = std::get_if<LadderBegin>(&what)) {
      const LadderCall& call = ladder.calls[begin->call];
      const std::string& text = call.span.call().text;
      keys.calls.push_back({index, text.substr(0, text.find('('))});
      if (call.is_whole || !call.has_returned()) keys.results.push_back({index, ResultKey(call)});
    } else if (const auto* end = std::get_if<LadderReturn>(&what)) {
      keys.results.push_back({index, ResultKey(ladder.calls[end->call])});
    } else if (const auto* state = std::get_if<LadderState>(&what)) {
      keys.states.push_back({index, state->event->actor + state->event->state});
    } else if (std::holds_alternative<ExpectationEvent>(what) ||
               std::holds_alternative<FailureEvent>(what)) {
      keys.failures.push_back({index, "failure"});
    }
  }
  return keys;
}

std::size_t OrInfinite(std::optional<std::size_t> item) {
  return item.value_or(std::numeric_limits<std::size_t>::max());
}

class Comparer {
 public:
  Comparer(const Ladder& left, const Ladder& right) : left_(left), right_(right) {}

  Divergence Compare() {
    const Keys left = KeysOf(left_), right = KeysOf(right_);
    for (const auto kind :
         {&Keys::segments, &Keys::calls, &Keys::results, &Keys::states, &Keys::failures}) {
      CompareKind(left.*kind, right.*kind);
    }
    KeepAlikeBefore();
    FindDifferenceInTime();
    return std::move(found_);
  }

 private:
  void CompareKind(const std::vector<Key>& left, const std::vector<Key>& right) {
    std::size_t index = 0;
    for (; index < left.size() && index < right.size(); ++index) {
      if (left[index].text != right[index].text) break;
      found_.alike.emplace_back(left[index].item, right[index].item);
    }
    Divergence other;
    if (index < left.size()) other.left = left[index].item;
    if (index < right.size()) other.right = right[index].item;
    if (!other.found()) return;
    const auto rank = [](const Divergence& one) {
      return std::min(OrInfinite(one.left), OrInfinite(one.right));
    };
    if (found_.found() && rank(found_) <= rank(other)) return;
    found_.left = other.left;
    found_.right = other.right;
  }

  // Pairs that cross one another are not both kept.
  void KeepAlikeBefore() {
    std::sort(found_.alike.begin(), found_.alike.end());
    std::vector<std::pair<std::size_t, std::size_t>> kept;
    for (const auto& pair : found_.alike) {
      if (found_.found() &&
          (pair.first >= OrInfinite(found_.left) || pair.second >= OrInfinite(found_.right))) {
        continue;
      }
      if (!kept.empty() && (pair.first <= kept.back().first || pair.second <= kept.back().second)) {
        continue;
      }
      kept.push_back(pair);
    }
    found_.alike = std::move(kept);
  }

  static bool IsTimed(const Ladder& ladder, std::size_t item) {
    const auto& what = ladder.items[item].what;
    return std::holds_alternative<LadderFrame>(what) || std::holds_alternative<LadderReturn>(what);
  }

  void FindDifferenceInTime() {
    std::optional<std::size_t> last;
    for (std::size_t index = 0; index < found_.alike.size(); ++index) {
      const auto& [left, right] = found_.alike[index];
      if (!IsTimed(left_, left) || !IsTimed(right_, right)) continue;
      const auto before = std::exchange(last, index);
      if (!before) continue;
      const auto& [left_before, right_before] = found_.alike[*before];
      const Duration one = left_.items[left].time - left_.items[left_before].time;
      const Duration other = right_.items[right].time - right_.items[right_before].time;
      const Duration longer = std::max(one, other), shorter = std::min(one, other);
      if (longer < 500ms || longer - shorter <= shorter / 4 + 100ms) continue;
      found_.first_in_time = index;
      return;
    }
  }

  const Ladder& left_;
  const Ladder& right_;
  Divergence found_;
};

}  // namespace

Divergence FirstDivergence(const Ladder& left, const Ladder& right) {
  return Comparer(left, right).Compare();
}

}  // namespace sockproof
