// Pairs calls with returns, finds the zero of the time axis.
#include "harness/trace/timeline.h"

#include <algorithm>
#include <map>
#include <optional>

#include "harness/trace/frame_view.h"

namespace sockproof {

std::string CallSpan::ResultText() const {
  const auto& result = std::get<ReturnEvent>(return_event->what);
  std::string text = result.text;
  for (const std::string& signal : result.signals) text += ", " + signal;
  return text;
}

std::vector<CallSpan> CallSpans(const std::vector<Event>& events) {
  std::vector<CallSpan> spans;
  std::map<int, std::size_t> by_id;
  for (const Event& event : events) {
    if (const auto* call = std::get_if<CallEvent>(&event.what)) {
      by_id[call->id] = spans.size();
      spans.push_back({.call_event = &event, .begin = event.time, .end = event.time});
    } else if (const auto* result = std::get_if<ReturnEvent>(&event.what)) {
      const auto found = by_id.find(result->id);
      if (found == by_id.end()) continue;
      CallSpan& span = spans[found->second];
      span.return_event = &event;
      span.begin = result->begin.value_or(span.begin);
      span.end = event.time;
    } else if (const auto* blocked = std::get_if<BlockedEvent>(&event.what)) {
      const auto found = by_id.find(blocked->id);
      if (found != by_id.end()) spans[found->second].was_awaited = true;
    }
  }
  return spans;
}

Time ZeroOf(const std::vector<Event>& events) {
  std::optional<Time> zero;
  const auto consider = [&](Time time) { zero = std::min(zero.value_or(time), time); };
  for (const CallSpan& span : CallSpans(events)) consider(span.begin);
  for (const Event& event : events) {
    const auto* frame = std::get_if<FrameEvent>(&event.what);
    if (frame != nullptr && !DecodeFrame(frame->bytes).is_noise) consider(event.time);
  }
  if (!zero) {
    for (const Event& event : events) consider(event.time);
  }
  return *zero;
}

}  // namespace sockproof
