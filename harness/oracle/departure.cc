#include "harness/oracle/departure.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/oracle/sends.h"

namespace sockproof::oracle {
namespace {

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

// What each of them would have allowed, the first ones alone.
std::string Expected(const std::vector<const Tcb*>& order, const Application& user) {
  std::string expected;
  std::set<std::string> said;
  for (const Tcb* tcb : order) {
    const std::string text = InState(*tcb, user);
    if (said.size() == kMostExplained || !said.insert(text).second) continue;
    expected += (expected.empty() ? "" : "; ") + text;
  }
  return expected;
}

}  // namespace

Departure DepartureFrom(const Rule& rule, std::string expected) {
  return {std::move(expected), rule.section, rule.claim, rule.sentence};
}

std::string SectionText(const std::string& section) {
  const bool is_elsewhere = section.starts_with("RFC") || section.starts_with("POSIX");
  return (is_elsewhere ? "" : "RFC 9293 section ") + section;
}

std::string InState(const Tcb& tcb, const Application& user) {
  return InState(tcb, user, Options(tcb));
}

std::string InState(const Tcb& tcb, const Application& user, const std::string& instead) {
  const bool is_listen = tcb.state == State::kClosed && user.is_known && user.is_listening;
  return fmt::format("in {}{}{}", is_listen ? "LISTEN" : StateName(tcb.state),
                     instead.empty() ? "" : ": ", instead);
}

Departure Explain(const std::set<Tcb>& latest, const Segment& segment, Time now,
                  const Application& user, const Distance& distance) {
  const Rule* rule = &kNothing;
  // The answers to what has arrived are what a reader looks for, of a connection sooner than of
  // none.
  std::vector<const Tcb*> order;
  for (const Tcb& tcb : latest) order.push_back(&tcb);
  std::stable_sort(order.begin(), order.end(), [&](const Tcb* one, const Tcb* other) {
    const auto rank = [&](const Tcb& tcb) {
      return std::tuple(-Nearness(tcb, segment), tcb.state == State::kClosed,
                        segment.Has(kAck) && segment.ack != tcb.rcv_nxt);
    };
    return rank(*one) < rank(*other);
  });
  if (!order.empty()) {
    const Tcb& first = *order.front();
    const Rule* owed = first.OwesAck() ? first.reason.owed : first.reason.rule;
    for (const Rule* reason : {Against(first, segment, now, user, distance), owed}) {
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
  return DepartureFrom(*rule, Expected(order, user));
}

Departure ExplainMissing(const std::set<Tcb>& owing, const Application& user) {
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
  return DepartureFrom(*rule_of(*order.front()), Expected(order, user));
}

std::string Describe(const std::set<Tcb>& latest, const Segment& segment) {
  std::string text = FlagNames(segment.flags);
  if (segment.text > 0) text += " with text";
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

}  // namespace sockproof::oracle
