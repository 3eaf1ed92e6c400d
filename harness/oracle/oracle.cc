#include "harness/oracle/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "harness/oracle/segment_arrives.h"
#include "harness/oracle/sends.h"

namespace sockproof::oracle {
namespace {

constexpr std::size_t kMostReadings = 4096;
constexpr std::size_t kMostSteps = 20'000'000;  // some seconds
constexpr std::uint32_t kMostUnderWay = 1024;

}  // namespace

Oracle::Oracle(Start start, Distance distance, Stack stack, std::shared_ptr<Challenges> challenges)
    : distance_(distance), is_begun_(start == Start::kClosed), challenges_(std::move(challenges)) {
  Tcb closed;
  closed.stack = stack;
  possible_.insert(closed);
}

bool Oracle::CountsTooMuch(std::size_t readings) {
  if (readings > kMostReadings) undecided_ = fmt::format("more than {} readings", kMostReadings);
  if (steps_ > kMostSteps) undecided_ = "it takes too long";
  return !undecided_.empty();
}

// Nothing is known but the first segment of the system: any state that may send it.
void Oracle::Begin(const Segment& segment, Time now) {
  if (segment.Has(kSyn)) {
    is_begun_ = true;
    return;
  }
  if (!segment.Has(kAck) || segment.Has(kRst)) return;
  is_begun_ = true;
  Tcb tcb;
  tcb.is_assumed = true;
  tcb.stack = possible_.begin()->stack;
  tcb.arrival = static_cast<std::uint32_t>(arrivals_.size());
  tcb.iss = segment.seq - 1;
  tcb.una = segment.seq;
  tcb.nxt = segment.seq;
  tcb.irs = segment.ack - 1;
  tcb.rcv_nxt = tcb.told_ack = segment.ack;
  tcb.edge = tcb.nxt + (1U << 30);
  tcb.rcv_edge = tcb.rcv_nxt;
  tcb.is_window_known = false;
  tcb.may_ack = true;
  tcb.heard = tcb.sent = now;
  tcb.has_heard = true;
  tcb.peer_mss = UINT16_MAX;
  for (const State state : {State::kEstablished, State::kCloseWait}) {
    tcb.state = state;
    possible_.insert(tcb);
  }
  // The own FIN is acknowledged, on its way, or this one again.
  tcb.is_fin_sent = true;
  tcb.state = State::kFinWait2;
  possible_.insert(tcb);
  tcb.time_wait = now;
  tcb.state = State::kTimeWait;
  possible_.insert(tcb);
  tcb.time_wait.reset();
  if (segment.Has(kFin)) tcb.nxt += segment.Length();
  if (!segment.Has(kFin)) tcb.una -= 1;
  for (const State state : {State::kFinWait1, State::kClosing, State::kLastAck}) {
    tcb.state = state;
    possible_.insert(tcb);
  }
}

void Oracle::Arrives(const Segment& segment, Time now) {
  if (!undecided_.empty() || possible_.empty()) return;
  if (!is_begun_ && segment.Has(kSyn)) is_begun_ = true;
  if (!is_begun_) return;
  arrivals_.push_back({segment, now});
  if (segment.Has(kAck)) round_trips_.Acknowledged(segment, now + distance_.transit);
}

Oracle::Set Oracle::Processed(const Tcb& tcb) const {
  std::vector<Tcb> readings;
  const Arrival& arrival = arrivals_[tcb.arrival];
  SegmentArrives(tcb, arrival.segment, arrival.time, user_, readings);
  return {readings.begin(), readings.end()};
}

// Takes what must have arrived by now, and ends readings in which something is overdue.
std::optional<Departure> Oracle::Advance(Time now) {
  const auto must_arrive = [&](const Tcb& tcb) {
    const std::size_t under_way = arrivals_.size() - tcb.arrival;
    return under_way > kMostUnderWay ||
           (under_way > 0 && arrivals_[tcb.arrival].time + distance_.transit < now);
  };
  std::deque<Tcb> left(possible_.begin(), possible_.end());
  Set next;
  std::optional<Departure> overdue;
  while (!left.empty()) {
    const Tcb tcb = std::move(left.front());
    left.pop_front();
    ++steps_;
    const Time when = must_arrive(tcb) ? arrivals_[tcb.arrival].time : now;
    const Debt debt = distance_.may_lose
                          ? Debt()
                          : Overdue(tcb, when, user_, round_trips_.longest(), *challenges_);
    if (debt.rule != nullptr) {
      overdue = DepartureFrom(*debt.rule, fmt::format("{}, within {:.1f} s", InState(tcb, user_),
                                                      ToSeconds(debt.within)));
      continue;
    }
    std::vector<Tcb> lapsed;
    Lapses(tcb, when, user_, lapsed);
    left.insert(left.end(), lapsed.begin(), lapsed.end());
    if (must_arrive(tcb)) {
      for (const Tcb& then : Processed(tcb)) left.push_back(then);
      if (distance_.may_lose) {
        Tcb lost = tcb;
        ++lost.arrival;
        left.push_back(std::move(lost));
      }
    } else {
      next.insert(tcb);
    }
    if (CountsTooMuch(next.size() + left.size())) return std::nullopt;
  }
  if (next.empty() && overdue) {
    possible_.clear();
    return overdue;
  }
  possible_ = std::move(next);
  return std::nullopt;
}

// The readings after `segment`, with as many of the segments under way arrived as it takes.
Oracle::Set Oracle::Accepting(const Segment& segment, Time now, bool with_losses) {
  Set seen = possible_;
  std::deque<Tcb> left(possible_.begin(), possible_.end());
  Set after;
  while (!left.empty()) {
    const Tcb tcb = std::move(left.front());
    left.pop_front();
    ++steps_;
    std::vector<Tcb> readings;
    oracle::Sends(tcb, segment, now, user_, distance_, readings);
    after.insert(readings.begin(), readings.end());
    const bool is_challenge =
        tcb.challenged && std::any_of(readings.begin(), readings.end(),
                                      [](const Tcb& then) { return !then.challenged; });
    if (is_challenge) challenges_->insert(now);
    if (tcb.arrival < arrivals_.size()) {
      Set more = Processed(tcb);
      if (with_losses) {
        Tcb lost = tcb;
        ++lost.arrival;
        more.insert(std::move(lost));
      }
      for (const Tcb& then : more) {
        if (seen.insert(then).second) left.push_back(then);
      }
    }
    if (CountsTooMuch(seen.size() + after.size())) return {};
  }
  return after;
}

bool Oracle::IsAnyAssumed() const {
  return std::any_of(possible_.begin(), possible_.end(),
                     [](const Tcb& tcb) { return tcb.is_assumed; });
}

// Whether it was sent before; when there are too many to remember, it may have been.
bool Oracle::IsCopy(const Segment& segment) {
  constexpr std::size_t kMostRemembered = 4096;
  if (segment.Length() == 0 || sent_.size() == kMostRemembered) return true;
  return !sent_.insert({segment.seq, segment.Length(), segment.ack}).second;
}

std::optional<Departure> Oracle::Sends(const Segment& segment, Time now) {
  if (!undecided_.empty() || possible_.empty()) return std::nullopt;
  if (!is_begun_) Begin(segment, now);
  if (!is_begun_) return std::nullopt;
  is_assumed_ = IsAnyAssumed();
  if (std::optional<Departure> departure = Advance(now)) return departure;
  if (!undecided_.empty()) return std::nullopt;
  if (const Rule* rule = Malformed(segment, distance_)) {
    possible_.clear();
    is_assumed_ = false;
    return DepartureFrom(*rule, rule->sentence);
  }
  round_trips_.Sent(segment, now);
  Segment sent = segment;
  sent.is_copy = IsCopy(segment);
  Set after = Accepting(sent, now, false);
  if (after.empty() && distance_.may_lose) after = Accepting(sent, now, true);
  if (!undecided_.empty()) return std::nullopt;
  const Set before = std::exchange(possible_, std::move(after));
  if (possible_.empty()) return Explain(AllArrived(before), segment, now, user_, distance_);
  const bool is_unfollowed = std::all_of(possible_.begin(), possible_.end(), [](const Tcb& tcb) {
    return tcb.reason.unfollowed != nullptr;
  });
  if (is_unfollowed) unfollowed_.insert(possible_.begin()->reason.unfollowed);
  return std::nullopt;
}

std::optional<Departure> Oracle::Until(Time now) {
  if (!undecided_.empty() || possible_.empty() || !is_begun_) return std::nullopt;
  is_assumed_ = IsAnyAssumed();
  return Advance(now);
}

std::optional<Departure> Oracle::Settled(Time now) {
  if (auto departure = Until(now)) return departure;
  if (!undecided_.empty() || possible_.empty() || !is_begun_) return std::nullopt;
  const Set latest = AllArrived(possible_);
  if (CountsTooMuch(latest.size())) return std::nullopt;
  Set settled, owing;
  for (const Tcb& tcb : latest) {
    // An ACK of text or of a FIN may be delayed.
    const bool owes_at_once = !tcb.answers.empty() || OwesChallenge(tcb, *challenges_);
    (owes_at_once ? owing : settled).insert(tcb);
  }
  if (!settled.empty() || owing.empty()) {
    possible_ = std::move(settled);
    return std::nullopt;
  }
  possible_.clear();
  return ExplainMissing(owing, user_);
}

// The readings in which there is nothing against it, with as many segments under way arrived as
// that takes.
template <typename What>
std::optional<Departure> Oracle::Hold(const What& what, Time now, Set& kept) {
  if (!undecided_.empty() || possible_.empty() || !is_begun_) return std::nullopt;
  if (auto departure = Advance(now)) return departure;
  std::deque<Tcb> left(possible_.begin(), possible_.end());
  std::optional<Departure> departure;
  while (!left.empty()) {
    const Tcb tcb = std::move(left.front());
    left.pop_front();
    ++steps_;
    const Objection objection = ObjectionTo(what, tcb, user_);
    if (objection.rule == nullptr) {
      kept.insert(tcb);
    } else {
      if (!departure || tcb.state != State::kClosed) {
        departure =
            DepartureFrom(*objection.rule, InState(tcb, user_, objection.instead));
      }
      if (tcb.arrival < arrivals_.size()) {
        for (const Tcb& then : Processed(tcb)) left.push_back(then);
      }
    }
    if (CountsTooMuch(kept.size() + left.size())) return std::nullopt;
  }
  if (!kept.empty()) return std::nullopt;
  possible_.clear();
  return departure;
}

std::optional<Departure> Oracle::Returns(const Returned& returned, Time now) {
  Set kept;
  auto departure = Hold(returned, now, kept);
  if (!kept.empty()) possible_ = std::move(kept);
  return departure;
}

// What is shown may be older than what is sent; but what is gone does not come back.
std::optional<Departure> Oracle::Shows(State shown, Time now) {
  Set kept;
  auto departure = Hold(shown, now, kept);
  if (shown == State::kClosed && !kept.empty()) possible_ = std::move(kept);
  return departure;
}

void Oracle::MayRepeat() {
  Set asked;
  for (Tcb tcb : possible_) {
    tcb.has_heard = true;
    asked.insert(std::move(tcb));
  }
  possible_ = std::move(asked);
}

void Oracle::MayHaveEnded() {
  Set ended;
  for (Tcb tcb : possible_) {
    ended.insert(tcb);
    for (; tcb.arrival <= arrivals_.size(); ++tcb.arrival) {
      ended.insert(tcb.Closed());
    }
  }
  possible_ = std::move(ended);
}

void Oracle::MayHaveAborted() {
  for (const Tcb& tcb : AllArrived(possible_)) {
    const bool is_silent = tcb.state == State::kSynSent || tcb.state == State::kClosing ||
                           tcb.state == State::kLastAck || tcb.state == State::kTimeWait;
    if (is_silent) possible_.insert(tcb.Closed());
  }
}

void Oracle::IsKnownToBeOpen() {
  Set open;
  for (const Tcb& tcb : possible_) {
    if (tcb.state != State::kSynSent || tcb.arrival < arrivals_.size()) open.insert(tcb);
  }
  if (!open.empty()) possible_ = std::move(open);
}

// The readings once all that is under way has arrived.
Oracle::Set Oracle::AllArrived(const Set& readings) const {
  Set latest;
  std::deque<Tcb> left(readings.begin(), readings.end());
  for (std::size_t steps = 0; !left.empty() && steps < kMostReadings; ++steps) {
    const Tcb tcb = std::move(left.front());
    left.pop_front();
    if (tcb.arrival >= arrivals_.size()) {
      latest.insert(tcb);
      continue;
    }
    for (const Tcb& then : Processed(tcb)) left.push_back(then);
  }
  return latest;
}

bool Oracle::MayBeClosed() const {
  const Set latest = AllArrived(possible_);
  return std::any_of(latest.begin(), latest.end(),
                     [](const Tcb& tcb) { return tcb.state == State::kClosed; });
}

std::set<State> Oracle::States() const {
  std::set<State> states;
  for (const Tcb& tcb : AllArrived(possible_)) states.insert(tcb.state);
  return states;
}

std::set<Stack> Oracle::Stacks() const {
  std::set<Stack> stacks;
  for (const Tcb& tcb : possible_) stacks.insert(tcb.stack);
  return stacks;
}

}  // namespace sockproof::oracle
