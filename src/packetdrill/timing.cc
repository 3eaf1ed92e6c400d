#include "src/packetdrill/timing.h"

#include <algorithm>

namespace sockproof::packetdrill {
namespace {

// How much later than it should be is still at once.
constexpr Duration kNothing = 1ms;
constexpr Duration kUsualForLine = 300us;
// An interval so short is never made shorter than it is written, whatever the lines before it took: the kernel
// asks whether something was within a millisecond.
constexpr Duration kShort = 2ms;

}  // namespace

void Timing::Place(const Event& event) {
  nominal_ = event.when.is_relative() ? nominal_ + event.when.from : event.when.from;
  from_ = event.when.from;
  to_ = event.when.to;
  ends_ = Duration(0);
  const auto* call = std::get_if<CallEvent>(&event.what);
  if (call != nullptr && call->returns) ends_ = *call->returns;
  if (event.when.kind == When::Kind::kAny) from_ = Duration(0);
  if (!event.when.is_relative() && event.when.kind != When::Kind::kAny) {
    delayed_ = Duration(0);
    return;
  }
  const auto* packet = std::get_if<PacketEvent>(&event.what);
  const bool inbound = packet != nullptr && packet->inbound;
  // What is injected in a row keeps its pace, whatever this process needs for each.
  const Duration base = inbound && last_was_injected_ ? last_from_ : last_done_;
  from_ += base;
  to_ += base;
  const bool is_act = inbound || call != nullptr;
  if (is_act && event.when.from > Duration(0) && event.when.from <= kShort) {
    from_ = std::max(from_, really_done_ + event.when.from);
  }
  if (event.when.kind == When::Kind::kRelative) ends_ += base;
}

void Timing::EndOf(const Event& event) {
  const auto* packet = std::get_if<PacketEvent>(&event.what);
  last_was_injected_ = packet != nullptr && packet->inbound;
  last_from_ = from_;
  if (event.when.kind == When::Kind::kAny || event.when.is_range()) nominal_ = last_done_;
}

Timing::Lateness Timing::Wait() {
  const Time due = start_ + from_;
  loop_.RunUntil([] { return false; }, due);
  const Time now = Clock::now();
  really_done_before_ = really_done_;
  const Duration own = now - std::max(due, start_ + really_done_);
  loop_.NoteLateness(own);
  return {now - due, own};
}

void Timing::Done(Time time, bool at_once) {
  really_done_ = last_done_ = Since(time);
  if (at_once && last_done_ > from_ && last_done_ - from_ <= kNothing) last_done_ = from_;
}

void Timing::NoteBegun(Time time) {
  const Duration delay = Since(time) - std::max(from_, really_done_before_) - kUsualForLine;
  if (delay > Duration(0)) delayed_ += delay;
  loop_.NoteLateness(delayed_);
}

Duration Timing::ToleranceOf(Duration interval) const {
  const Duration part(static_cast<std::int64_t>(static_cast<double>(interval.count()) *
                                                tolerance_percent_ / 100));
  return std::max(tolerance_, part);
}

}  // namespace sockproof::packetdrill
