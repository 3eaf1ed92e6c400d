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
ProgrammableWire::Rule& ProgrammableWire::Drop(const PartialSegment& pattern,
                                               SourceLocation where) {
  return Add(Rule(Rule::Action::kDrop, pattern, Duration(0), where));
}
ProgrammableWire::Rule& ProgrammableWire::Delay(const PartialSegment& pattern, Duration delay,
                                                SourceLocation where) {
  return Add(Rule(Rule::Action::kDelay, pattern, delay, where));
}
ProgrammableWire::Rule& ProgrammableWire::Duplicate(const PartialSegment& pattern,
                                                    SourceLocation where) {
  return Add(Rule(Rule::Action::kDuplicate, pattern, Duration(0), where));
}
ProgrammableWire::Rule& ProgrammableWire::SwapWithNext(const PartialSegment& pattern,
                                                       SourceLocation where) {
  return Add(Rule(Rule::Action::kSwapWithNext, pattern, Duration(0), where));
}

bool ProgrammableWire::Matches(const PartialSegment& pattern, const Passed& passed) {
  return (pattern.from().empty() || pattern.from() == passed.from) &&
         pattern.Matches(passed.segment);
}

ProgrammableWire::Rule* ProgrammableWire::RuleFor(const Segment& segment, const std::string& from) {
  for (Rule& rule : rules_) {
    if (rule.left_ != 0 && Matches(rule.pattern_, {from, segment})) return &rule;
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
  const std::optional<Segment> segment = ParseSegment(frame, time);
  Rule* rule = nullptr;
  if (segment) {
    passed_.push_back({direction.from.actor, *segment});
    rule = RuleFor(*segment, direction.from.actor);
  }
  if (rule == nullptr) {
    log(Fate::kForwarded);
    Forward(direction, frame);
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

Segment ProgrammableWire::Expect(const PartialSegment& pattern, Within within,
                                 SourceLocation where) {
  const std::string wanted = pattern.Describe();
  std::optional<Segment> found;
  const auto look = [&] {
    while (!found && expected_up_to_ < passed_.size()) {
      const Passed& passed = passed_[expected_up_to_++];
      if (Matches(pattern, passed)) found = passed.segment;
    }
    return found.has_value();
  };
  const bool met = loop_.RunUntil(look, Clock::now() + within.value);
  log_.Now(ExpectationEvent{pattern.from(), wanted, met});
  if (met) return *found;
  throw Departure(fmt::format("  Expected: {} on the wire within {}\n  Observed: not seen", wanted,
                              FormatDuration(within.value)),
                  where, ThatExplainsAbsence(within.value));
}

std::vector<Segment> ProgrammableWire::Seen(const PartialSegment& pattern) const {
  std::vector<Segment> seen;
  for (const Passed& passed : passed_) {
    if (Matches(pattern, passed)) seen.push_back(passed.segment);
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
