#include "harness/oracle/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>

#include "harness/oracle/segment_arrives.h"
#include "harness/oracle/sends.h"

namespace sockproof::oracle {
namespace {

constexpr std::size_t kMostReadings = 4096;
constexpr std::size_t kMostSteps = 20'000'000;  // some seconds
constexpr std::uint32_t kMostUnderWay = 1024;
constexpr std::size_t kMostExplained = 3;

constexpr Rule kNothing{"3.10.7.1", "", "without a connection there is nothing to send"};

// A number as one reads it: relative to the initial one.
std::string Relative(std::uint32_t number, std::uint32_t initial) {
  return std::to_string(static_cast<std::int32_t>(number - initial));
}

// What a system in this state may send next.
std::string Options(const Tcb& tcb) {
  std::string text;
  const auto add = [&](const std::string& option) { text += (text.empty() ? "" : ", ") + option; };
  for (const Answer& answer : tcb.answers) {
    std::string option = FlagNames(answer.flags);
    const bool is_zero = answer.seq == 0 && (answer.flags & kRst) != 0;
    if (!answer.has_any_seq) {
      option += " seq=" + (is_zero ? "0" : Relative(answer.seq, tcb.iss));
    }
    if ((answer.flags & kAck) != 0) option += " ack=" + Relative(answer.ack, tcb.irs);
    add(option);
  }
  switch (tcb.state) {
    case State::kClosed:
      return text.empty() ? "nothing" : text;
    case State::kSynSent:
      add("SYN seq=0 again");
      return text;
    default:
      if (!tcb.IsIssChosen()) return text;
      break;
  }
  const std::string ack = " ack=" + Relative(tcb.rcv_nxt, tcb.irs);
  const std::string next = " seq=" + Relative(tcb.nxt, tcb.iss);
  if (tcb.OwesAck() || tcb.may_ack) add("ACK" + next + ack);
  if (tcb.una != tcb.nxt) add("again from seq=" + Relative(tcb.una, tcb.iss) + ack);
  if (!tcb.is_fin_sent) add("data or FIN" + next + ack);
  return text.empty() ? "nothing" : text;
}

// 2: the system owes a segment of this kind; 1: it owes another one; 0: nothing.
int Nearness(const Tcb& tcb, const Segment& segment) {
  constexpr std::uint16_t kKind = kSyn | kRst;
  if (tcb.answers.empty() && !tcb.OwesAck()) return 0;
  const bool is_ack = tcb.OwesAck() && !segment.Has(kKind);
  return is_ack || std::any_of(tcb.answers.begin(), tcb.answers.end(),
                               [&](const Answer& answer) {
                                 return (answer.flags & kKind) == (segment.flags & kKind);
                               })
             ? 2
             : 1;
}

// False when they contradict each other.
bool Unite(Stack::InWindow& one, Stack::InWindow other) {
  if (one == Stack::InWindow::kEither) one = other;
  return other == Stack::InWindow::kEither || one == other;
}

}  // namespace

std::optional<Stack> Both(const Stack& one, const Stack& other) {
  Stack both = one;
  const bool agree = Unite(both.rst, other.rst) && Unite(both.syn, other.syn);
  return agree ? std::optional(both) : std::nullopt;
}

void RoundTrips::Sent(const Segment& segment, Time now) {
  constexpr std::size_t kMostPieces = 1024;
  if (segment.Length() == 0 || segment.Has(kRst)) return;
  const std::uint32_t end = segment.seq + segment.Length();
  if (segment.Has(kSyn) && (pieces_.empty() || pieces_.back().end != end)) *this = RoundTrips();
  bool is_new = true;
  for (Piece& piece : pieces_) {
    if (!Before(segment.seq, piece.end)) continue;
    piece.is_repeated = true;
    is_new = Before(piece.end, end);
  }
  if (is_new) pieces_.push_back({end, now, false});
  if (pieces_.size() <= kMostPieces) return;
  pieces_.clear();
  is_known_ = false;
}

void RoundTrips::Acknowledged(std::uint32_t ack, Time now) {
  if (pieces_.empty() || Before(pieces_.back().end, ack)) return;
  for (; !pieces_.empty() && AtMost(pieces_.front().end, ack); pieces_.pop_front()) {
    const Piece& piece = pieces_.front();
    if (!piece.is_repeated)
      longest_ = std::max(longest_.value_or(now - piece.first), now - piece.first);
  }
}

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
  if (segment.Has(kAck)) round_trips_.Acknowledged(segment.ack, now + distance_.transit);
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
  std::string overdue;
  const Rule* rule = nullptr;
  while (!left.empty()) {
    const Tcb tcb = std::move(left.front());
    left.pop_front();
    ++steps_;
    const Time when = must_arrive(tcb) ? arrivals_[tcb.arrival].time : now;
    const Debt debt = distance_.may_lose
                          ? Debt()
                          : Overdue(tcb, when, user_, round_trips_.longest(), *challenges_);
    if (debt.rule != nullptr) {
      rule = debt.rule;
      overdue = InState(tcb, Options(tcb));
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
  if (next.empty() && rule != nullptr) {
    possible_.clear();
    return Departure{overdue, rule->section, rule->claim, rule->sentence};
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
  if (std::optional<Departure> departure = Advance(now)) return departure;
  if (!undecided_.empty()) return std::nullopt;
  if (const Rule* rule = Malformed(segment, distance_)) {
    possible_.clear();
    return Departure{rule->sentence, rule->section, rule->claim, rule->sentence};
  }
  round_trips_.Sent(segment, now);
  Segment sent = segment;
  sent.is_copy = IsCopy(segment);
  Set after = Accepting(sent, now, false);
  if (after.empty() && distance_.may_lose) after = Accepting(sent, now, true);
  if (!undecided_.empty()) return std::nullopt;
  const Set before = std::exchange(possible_, std::move(after));
  if (possible_.empty()) return Explain(before, segment);
  const bool is_unfollowed = std::all_of(possible_.begin(), possible_.end(), [](const Tcb& tcb) {
    return tcb.reason.unfollowed != nullptr;
  });
  if (is_unfollowed) unfollowed_.insert(possible_.begin()->reason.unfollowed);
  return std::nullopt;
}

std::optional<Departure> Oracle::Until(Time now) {
  if (!undecided_.empty() || possible_.empty() || !is_begun_) return std::nullopt;
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
  // A rule of the catalogue says more than what is allowed beside it.
  const auto rule_of = [](const Tcb& tcb) {
    const Rule* rule = tcb.answers.empty() ? tcb.reason.owed : tcb.answers.front().reason.rule;
    return rule == nullptr ? &kNothing : rule;
  };
  std::vector<const Tcb*> order;
  for (const Tcb& tcb : owing) order.push_back(&tcb);
  std::stable_partition(order.begin(), order.end(),
                        [](const Tcb* tcb) { return tcb->state != State::kClosed; });
  std::stable_partition(order.begin(), order.end(),
                        [&](const Tcb* tcb) { return *rule_of(*tcb)->claim != '\0'; });
  const Rule* const rule = rule_of(*order.front());
  Departure departure{"", rule->section, rule->claim, rule->sentence};
  std::set<std::string> said;
  for (const Tcb* tcb : order) {
    const std::string text = InState(*tcb, Options(*tcb));
    if (said.size() == kMostExplained || !said.insert(text).second) continue;
    departure.expected += (departure.expected.empty() ? "" : "; ") + text;
  }
  possible_.clear();
  return departure;
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
      const Rule& rule = *objection.rule;
      if (!departure || tcb.state != State::kClosed) {
        departure =
            Departure{InState(tcb, objection.instead), rule.section, rule.claim, rule.sentence};
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

// What is shown may be older than what is sent.
std::optional<Departure> Oracle::Shows(State shown, Time now) {
  Set kept;
  return Hold(shown, now, kept);
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

std::string Oracle::Describe(const Segment& segment) const {
  std::string text = FlagNames(segment.flags);
  if (segment.text > 0) text += " with text";
  const Set latest = AllArrived(possible_);
  // That in which most is acknowledged: text that may be held has brought its acknowledgment.
  const auto open =
      std::max_element(latest.begin(), latest.end(), [](const Tcb& one, const Tcb& other) {
        if (other.state == State::kClosed) return false;
        return one.state == State::kClosed || Before(one.una, other.una);
      });
  if (!segment.defect.empty()) return text + ", damaged";
  if (open == latest.end() || open->state == State::kClosed) return text;
  const Tcb& tcb = *open;
  if (segment.Has(kAck)) {
    if (Before(tcb.nxt, segment.ack)) {
      text += ", ACK of what was not sent";
    } else if (Before(segment.ack, tcb.una)) {
      text += tcb.is_passive ? ", old ACK after a passive open" : ", old ACK";
    } else if (segment.ack == tcb.una && tcb.una != tcb.nxt) {
      text += ", ACK of nothing new";
      if (tcb.state == State::kSynReceived && !tcb.is_passive) text += " after both have opened";
    }
  }
  const auto echoes_later = [&](const Tcb& one) {
    return one.state == State::kSynReceived && segment.timestamps && one.has_timestamps &&
           Before(one.syn_value, segment.timestamps->echo);
  };
  if (std::any_of(latest.begin(), latest.end(), echoes_later)) text += ", TSecr of a later ACK";
  if (tcb.state == State::kSynSent) return text;
  const std::uint32_t length = segment.Length();
  const std::uint32_t last = segment.seq + (length == 0 ? 0 : length - 1);
  if (Before(last, tcb.rcv_nxt)) {
    text += segment.seq == tcb.irs ? ", SEQ of its SYN" : ", all old";
  } else if (Before(segment.seq, tcb.rcv_nxt)) {
    text += ", partly old";
  } else if (tcb.is_window_known && !Before(segment.seq, Later(tcb.rcv_edge, tcb.rcv_nxt + 1))) {
    text += ", beyond the window";
  } else if (segment.seq != tcb.rcv_nxt) {
    text += ", past RCV.NXT";
    const bool ends_held = std::any_of(tcb.held.begin(), tcb.held.end(), [&](const Held& held) {
      return segment.seq == held.seq + held.text + (held.fin ? 1 : 0);
    });
    if (segment.Has(kRst) && ends_held) text += " at the end of held text";
  }
  if (segment.timestamps && tcb.has_timestamps && tcb.peer_has_timestamps &&
      Before(segment.timestamps->value, tcb.ts_recent)) {
    text += ", old timestamp";
  }
  return text;
}

// "in FIN-WAIT-2: ACK seq=1 ack=2".
std::string Oracle::InState(const Tcb& tcb, const std::string& options) const {
  const bool is_listen = tcb.state == State::kClosed && user_.is_known && user_.is_listening;
  return fmt::format("in {}{}{}", is_listen ? "LISTEN" : StateName(tcb.state),
                     options.empty() ? "" : ": ", options);
}

Departure Oracle::Explain(const Set& before, const Segment& segment) const {
  Departure departure;
  const Rule* rule = &kNothing;
  std::set<std::string> said;
  // The answers to what has arrived are what a reader looks for, of a connection sooner than of
  // none.
  const Set latest = AllArrived(before);
  std::vector<const Tcb*> order;
  for (const Tcb& tcb : latest) order.push_back(&tcb);
  std::stable_sort(order.begin(), order.end(), [&](const Tcb* one, const Tcb* other) {
    const auto rank = [&](const Tcb& tcb) {
      return std::tuple(-Nearness(tcb, segment), tcb.state == State::kClosed,
                        segment.Has(kAck) && segment.ack != tcb.rcv_nxt);
    };
    return rank(*one) < rank(*other);
  });
  for (const Tcb* tcb : order) {
    if (said.size() == kMostExplained) break;
    const std::string text = InState(*tcb, Options(*tcb));
    if (!said.insert(text).second) continue;
    departure.expected += (departure.expected.empty() ? "" : "; ") + text;
    if (said.size() > 1) continue;
    const Rule* owed = tcb->OwesAck() ? tcb->reason.owed : tcb->reason.rule;
    for (const Rule* reason : {Against(*tcb, segment, user_, distance_), owed}) {
      if (reason == nullptr) continue;
      rule = reason;
      break;
    }
  }
  // Where it is misnumbered in each connection that there may be, it does not matter what was owed.
  const Rule* gap = nullptr;
  for (const Tcb& tcb : latest) {
    if (tcb.state == State::kClosed) continue;
    gap = BehindAGap(tcb, segment);
    if (gap == nullptr) break;
  }
  if (gap != nullptr) rule = gap;
  departure.section = rule->section;
  departure.claim = rule->claim;
  departure.sentence = rule->sentence;
  return departure;
}

}  // namespace sockproof::oracle
