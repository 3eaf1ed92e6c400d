#include "harness/wire/programmable_wire.h"

#include <fmt/format.h>

#include <optional>

#include "harness/base/errors.h"

namespace sockproof {

ProgrammableWire::ProgrammableWire(EventLoop& loop, EventLog& log, WireEnd a, WireEnd b)
    : loop_(loop), log_(log), a_to_b_{a, b, {}}, b_to_a_{b, a, {}} {
  a.port->OnFrame([this](Time time, Bytes frame) { TakeFrame(a_to_b_, time, std::move(frame)); });
  b.port->OnFrame([this](Time time, Bytes frame) { TakeFrame(b_to_a_, time, std::move(frame)); });
}

ProgrammableWire::~ProgrammableWire() {
  for (const EventLoop::TimerId timer : timers_) loop_.Cancel(timer);
  a_to_b_.from.port->OnFrame(nullptr);
  b_to_a_.from.port->OnFrame(nullptr);
}

ProgrammableWire::Rule& ProgrammableWire::Add(Rule rule) {
  rules_.push_back(std::move(rule));
  return rules_.back();
}
ProgrammableWire::Rule& ProgrammableWire::Drop(const WirePattern& pattern, SourceLocation where) {
  return Add(Rule(Rule::Action::kDrop, pattern, Duration(0), where));
}
ProgrammableWire::Rule& ProgrammableWire::Delay(const WirePattern& pattern, Duration delay,
                                                SourceLocation where) {
  return Add(Rule(Rule::Action::kDelay, pattern, delay, where));
}
ProgrammableWire::Rule& ProgrammableWire::Duplicate(const WirePattern& pattern,
                                                    SourceLocation where) {
  return Add(Rule(Rule::Action::kDuplicate, pattern, Duration(0), where));
}
ProgrammableWire::Rule& ProgrammableWire::SwapWithNext(const WirePattern& pattern,
                                                       SourceLocation where) {
  return Add(Rule(Rule::Action::kSwapWithNext, pattern, Duration(0), where));
}

bool WirePattern::Matches(const std::string& sender, const std::optional<Segment>& segment,
                          const packet::Packet& packet) const {
  if (!from().empty() && from() != sender) return false;
  if (segment_) return segment && segment_->Matches(*segment);
  return packet_->Matches(packet);
}

bool ProgrammableWire::Matches(const WirePattern& pattern, const Passed& passed) {
  return pattern.Matches(passed.from, passed.segment, passed.packet.packet);
}

ProgrammableWire::Rule* ProgrammableWire::RuleFor(const Passed& passed) {
  for (Rule& rule : rules_) {
    if (rule.left_ != 0 && Matches(rule.pattern_, passed)) return &rule;
  }
  return nullptr;
}

void ProgrammableWire::Forward(Direction& direction, const Bytes& frame) {
  direction.to.port->Send(frame);
  if (direction.held.empty()) return;
  direction.to.port->Send(direction.held);
  direction.held.clear();
}

void ProgrammableWire::TakeFrame(Direction& direction, Time time, Bytes frame) {
  const auto log = [&](Fate fate, Duration delay = Duration(0)) {
    log_.Add({time, FrameEvent{direction.from.actor, direction.to.actor, fate, delay, frame}});
  };
  packet::Packet read = packet::ReadFrame(frame);
  // What stacks say of themselves at times of their own (ARP, neighbour discovery, reports of groups)
  // is the next of nothing.
  const bool is_of_the_link =
      read.Find<packet::Ipv4>() == nullptr &&
      (read.Find<packet::Ipv6>() == nullptr || read.Find<packet::Icmp>() != nullptr);
  Rule* rule = nullptr;
  if (read.Find<packet::Ipv4>() != nullptr || read.Find<packet::Ipv6>() != nullptr) {
    read.layers.erase(read.layers.begin());  // Ethernet
    passed_.push_back({direction.from.actor, ParseSegment(frame, time),
                       IpPacket{.time = time, .packet = std::move(read)}});
    rule = RuleFor(passed_.back());
  }
  if (rule == nullptr) {
    log(Fate::kForwarded);
    if (is_of_the_link) {
      direction.to.port->Send(frame);
    } else {
      Forward(direction, frame);
    }
    return;
  }
  if (rule->left_ > 0) --rule->left_;
  ++rule->applied_;
  switch (rule->action_) {
    case Rule::Action::kDrop:
      log(Fate::kDropped);
      break;
    case Rule::Action::kDelay:
      log(Fate::kDelayed, rule->delay_);
      timers_.push_back(
          loop_.At(time + rule->delay_, [this, &direction, frame] { Forward(direction, frame); }));
      break;
    case Rule::Action::kDuplicate:
      log(Fate::kForwarded);
      Forward(direction, frame);
      log(Fate::kDuplicated);
      Forward(direction, frame);
      break;
    case Rule::Action::kSwapWithNext:
      log(Fate::kDelayed);
      direction.held = std::move(frame);
      break;
  }
}

const ProgrammableWire::Passed& ProgrammableWire::ExpectPassed(const WirePattern& pattern,
                                                               Within within,
                                                               SourceLocation where) {
  const std::string wanted = pattern.Describe();
  const Passed* found = nullptr;
  const auto look = [&] {
    while (found == nullptr && expected_up_to_ < passed_.size()) {
      const Passed& passed = passed_[expected_up_to_++];
      if (Matches(pattern, passed)) found = &passed;
    }
    return found != nullptr;
  };
  const bool met = loop_.RunUntil(look, Clock::now() + within.value);
  log_.Now(ExpectationEvent{pattern.from(), wanted, met});
  if (met) return *found;
  throw Departure(fmt::format("  Expected: {} on the wire within {}\n  Observed: not seen", wanted,
                              FormatDuration(within.value)),
                  where, ThatExplainsAbsence(within.value));
}

Segment ProgrammableWire::Expect(const PartialSegment& pattern, Within within,
                                 SourceLocation where) {
  return *ExpectPassed(pattern, within, where).segment;
}

IpPacket ProgrammableWire::Expect(const PartialPacket& pattern, Within within,
                                  SourceLocation where) {
  return ExpectPassed(pattern, within, where).packet;
}

std::vector<Segment> ProgrammableWire::Seen(const PartialSegment& pattern) const {
  std::vector<Segment> seen;
  for (const Passed& passed : passed_) {
    if (Matches(pattern, passed)) seen.push_back(*passed.segment);
  }
  return seen;
}

std::vector<IpPacket> ProgrammableWire::Seen(const PartialPacket& pattern) const {
  std::vector<IpPacket> seen;
  for (const Passed& passed : passed_) {
    if (Matches(pattern, passed)) seen.push_back(passed.packet);
  }
  return seen;
}

void ProgrammableWire::CheckEveryRuleApplied() const {
  for (const Rule& rule : rules_) {
    if (rule.applied_ > 0) continue;
    throw Departure(fmt::format("  Expected: {} on the wire, to be tampered with\n"
                                "  Observed: it never came",
                                rule.pattern_.Describe()),
                    rule.where_);
  }
}

}  // namespace sockproof
