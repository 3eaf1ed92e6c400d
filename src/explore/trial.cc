#include "src/explore/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>


namespace sockproof::explore {
namespace {

using oracle::Application;
using oracle::Oracle;
using oracle::State;

// The initial sequence numbers of the connection, as far as they are known; to show numbers.
struct Initial {
  std::uint32_t system = 0, peer = 0;
  bool waits_for_peer = true;  // for the SYN with which its end of the connection begins

  // A later SYN of the peer begins another connection only if the system says so.
  void Take(const SeenSegment& seen) {
    const oracle::Segment& segment = seen.segment;
    if (!segment.Has(oracle::kSyn) || segment.Has(oracle::kRst)) return;
    if (!seen.is_of_peer) {
      waits_for_peer = segment.seq != system && !segment.Has(oracle::kAck);
      system = segment.seq;
      if (segment.Has(oracle::kAck)) peer = segment.ack - 1;
    } else if (waits_for_peer) {
      peer = segment.seq;
      waits_for_peer = false;
    }
  }
};

std::string TextOf(const oracle::Segment& segment, const Initial& initial) {
  std::string text = oracle::FlagNames(segment.flags);
  const bool is_zero = segment.Has(oracle::kRst) && segment.seq == 0;
  text +=
      fmt::format(" seq={}", is_zero ? 0 : static_cast<std::int32_t>(segment.seq - initial.system));
  if (segment.Has(oracle::kAck)) {
    text += fmt::format(" ack={}", static_cast<std::int32_t>(segment.ack - initial.peer));
  }
  if (segment.text > 0) text += fmt::format(" len={}", segment.text);
  return text;
}

std::string KindOf(const oracle::Segment& segment) {
  return oracle::FlagNames(segment.flags) + (segment.text > 0 ? " with data" : "");
}

// The segment of a step, seen in another way: as if it had been lost, or as if it had the ACK flag
// and numbers that are taken. What it was answered then is left out, if it is but an
// acknowledgment.
struct Otherwise {
  std::size_t step = 0;
  bool is_taken = false;
};

// For how long a SYN is sent again at least (MUST-23).
constexpr Duration kLeastOfASyn = 3min;

// What the segment of a step was answered with: an ACK of it, one of less, or more than an ACK.
enum class Answer { kNothing, kOtherAck, kAcknowledgment, kMore };

Answer AnswerIn(const StepRecord& step) {
  Answer answer = Answer::kNothing;
  std::uint32_t end = 0;
  for (const auto& [is_of_peer, time, segment] : step.segments) {
    if (is_of_peer) {
      end = segment.seq + segment.Length();
      continue;
    }
    if (segment.Length() > 0 || segment.Has(oracle::kRst)) return Answer::kMore;
    const bool is_acknowledged = oracle::AtMost(end, segment.ack);
    answer = std::max(answer, is_acknowledged ? Answer::kAcknowledgment : Answer::kOtherAck);
  }
  return answer;
}

class Trial {
 public:
  Trial(const Sequence& sequence, const Record& record, Patience patience,
        const oracle::Stack& stack, std::optional<Otherwise> otherwise = std::nullopt)
      : sequence_(sequence),
        record_(record),
        patience_(patience),
        otherwise_(otherwise),
        oracle_(Oracle::Start::kClosed, oracle::Distance{}, stack) {
    user().is_known = true;
  }

  // The states and the symbol of each step so far.
  const std::vector<std::string>& history() const { return history_; }

  // The latest step before `step` by whose segment RFC 9293 ends a connection that is open; none:
  // there is no such step.
  std::optional<std::size_t> EndBefore(std::size_t step) const {
    if (step >= is_over_.size() || !is_over_[step]) return std::nullopt;
    while (step > 0 && is_over_[step]) --step;
    const bool is_end =
        !is_over_[step] && std::holds_alternative<PeerSegment>(sequence_.steps[step]);
    return is_end ? std::optional(step) : std::nullopt;
  }

  Judged Run() {
    for (std::size_t i = 0; i < record_.steps.size(); ++i) {
      // What comes when all is done is an answer to the last step.
      const bool is_end = i >= sequence_.steps.size();
      if (!is_end) {
        at_ = i;
        states_ = States();
        symbol_ = SymbolOf(i);
        history_.push_back(states_ + ": " + symbol_);
        is_over_.push_back(oracle_.States() == std::set{State::kClosed});
        reaction_.clear();
        kinds_.clear();
        observed_.clear();
      }
      if (auto departure = Take(i, is_end)) return {Found(*std::move(departure)), false};
      if (!oracle_.undecided().empty()) return {std::nullopt, true};
    }
    return {};
  }

 private:
  Application& user() { return oracle_.application(); }

  // It would explain any reset.
  bool MayAbort() const { return !otherwise_; }

  std::optional<oracle::Departure> Take(std::size_t number, bool is_end) {
    const StepRecord& step = record_.steps[number];
    const Call* const call = is_end ? nullptr : std::get_if<Call>(&sequence_.steps[number]);
    if (call != nullptr && step.outcome != "absent") {
      if (auto departure = Returned(*call, step)) return departure;
      Apply(*call, step);
    }
    if (opened_ && step.end - *opened_ >= kLeastOfASyn) user().has_given_up = true;
    std::optional<oracle::Departure> departure;
    for (const SeenSegment& seen : step.segments) {
      initial_.Take(seen);
      const bool is_otherwise = otherwise_ && otherwise_->step == number;
      if (seen.is_of_peer) {
        if (!is_otherwise) Arrives(seen);
        if (is_otherwise && otherwise_->is_taken) Arrives(Taken(seen));
        continue;
      }
      if (is_otherwise && seen.segment.Length() == 0) continue;
      if (!seen.segment.Has(oracle::kRst)) {
        sent_to_ = seen.segment.seq + seen.segment.Length();
        if (seen.segment.Has(oracle::kAck)) told_ = seen.segment.ack;
      }
      if (!departure) departure = oracle_.Sends(seen.segment, seen.time);
      Note(seen.segment, is_end);
    }
    if (departure) return departure;
    const bool is_strict = patience_ == Patience::kNone && !is_end;
    return is_strict ? oracle_.Settled(step.end) : oracle_.Until(step.end);
  }

  // The segments after the last step, delayed acknowledgments and retransmissions, are no part of
  // the reaction, unless one of them is the departure.
  void Note(const oracle::Segment& segment, bool is_late) {
    if (is_late && !reaction_.empty()) return;
    // How often something was sent again depends on how long the step took.
    if (const std::string kind = KindOf(segment); kinds_.insert(kind).second) {
      reaction_ += (reaction_.empty() ? is_late ? "later " : "" : " + ") + kind;
    }
    observed_ += (observed_.empty() ? "" : ", ") + TextOf(segment, initial_);
  }

  // As a segment of the next numbers.
  SeenSegment Taken(SeenSegment seen) const {
    seen.segment.flags |= oracle::kAck;
    seen.segment.ack = sent_to_;
    if (seen.segment.Length() == 0) seen.segment.seq = told_;
    return seen;
  }

  void Arrives(const SeenSegment& seen) {
    const oracle::Segment& segment = seen.segment;
    const bool opens = segment.Has(oracle::kSyn) && !segment.Has(oracle::kAck | oracle::kRst);
    // With a new connection its application begins anew.
    if (opens && is_listening_ && oracle_.MayBeClosed()) {
      Application anew;
      anew.is_known = is_known_;
      anew.is_listening = true;
      user() = anew;
      is_gone_ = false;
      is_of_another_ = has_socket_;
    }
    oracle_.Arrives(segment, seen.time);
  }

  void StopListening() {
    is_listening_ = false;
    is_known_ = false;
    // What nobody has accepted may end with its listener, in any way.
    user() = Application();
    oracle_.MayHaveEnded();
  }

  // What the call returned, of the connection's socket.
  std::optional<oracle::Departure> Returned(const Call& call, const StepRecord& step) {
    using Did = oracle::Returned::Call;
    const bool is_accept = call.name == CallName::kAccept && !has_socket_;
    if (!is_known_ || is_of_another_ || (!has_socket_ && !is_accept)) return std::nullopt;
    const bool is_number = step.outcome[0] >= '0' && step.outcome[0] <= '9';
    oracle::Returned returned;
    if (is_number) returned.octets = std::strtoull(step.outcome.c_str(), nullptr, 10);
    if (!is_number && step.outcome != "accepted") returned.error = step.outcome;
    switch (call.name) {
      case CallName::kAccept:
        returned.call = Did::kAccept;
        break;
      case CallName::kSend:
        returned.call = Did::kSend;
        break;
      case CallName::kRecv:
        returned.call = Did::kReceive;
        break;
      case CallName::kShutdownWr:
      case CallName::kShutdownRd:
        returned.call = Did::kShutdown;
        returned.is_repeated = user().finished.has_value();
        break;
      default:
        return std::nullopt;
    }
    auto departure = oracle_.Returns(returned, step.begin);
    if (returned.call == Did::kReceive) user().read += returned.octets;
    user().was_told |= !returned.error.empty() && returned.error != "EAGAIN";
    if (departure) reaction_ = observed_ = step.outcome;
    return departure;
  }

  // What the application is known to have done by it.
  void Apply(const Call& call, const StepRecord& step) {
    const bool is_done = step.outcome == "0";
    if (call.name == CallName::kError) user().was_told = true;
    switch (call.name) {
      case CallName::kConnect:
        has_socket_ = true;
        ++user().opens;
        opened_ = step.begin;
        if (!is_done && step.outcome != "EINPROGRESS") user().has_given_up = true;
        return;
      case CallName::kListen:
        is_listening_ = user().is_listening = true;
        return;
      case CallName::kAccept:
        if (step.outcome != "accepted") return;
        has_socket_ = true;
        is_of_another_ = false;
        return;
      case CallName::kSend:
        if (!step.outcome.empty() && step.outcome[0] >= '0' && step.outcome[0] <= '9') {
          user().written += static_cast<std::uint64_t>(call.octets);
          user().called = step.begin;
        }
        return;
      case CallName::kShutdownWr:
      case CallName::kShutdownRd:
        if (!is_done) return;
        if (!has_socket_) {
          if (is_listening_) StopListening();
          return;
        }
        if (oracle_.MayBeIn(State::kSynSent)) user().has_given_up = true;
        if (call.name == CallName::kShutdownWr) {
          if (!user().finished) user().finished = step.begin;
        } else {
          // What then becomes of data is open: POSIX does not say.
          user().is_gone = user().has_stopped_reading = true;
          user().may_abort = MayAbort();
        }
        return;
      case CallName::kClose:
      case CallName::kAbort:
        if (!is_done) return;
        if (!has_socket_) {
          if (is_listening_) StopListening();
          return;
        }
        has_socket_ = false;
        is_gone_ = true;
        if (!user().finished) user().finished = step.begin;
        user().is_gone = user().has_given_up = true;
        user().may_abort = MayAbort();
        if (call.name == CallName::kAbort) oracle_.MayHaveAborted();
        return;
      default:
        return;
    }
  }

  std::string SymbolOf(std::size_t number) const {
    const std::vector<SeenSegment>& segments = record_.steps[number].segments;
    const auto sent = std::find_if(segments.begin(), segments.end(),
                                   [](const SeenSegment& seen) { return seen.is_of_peer; });
    if (sent == segments.end()) return StepText(sequence_.steps[number]);
    return oracle_.Describe(sent->segment);
  }

  std::string States() const {
    std::string text;
    for (const State state : oracle_.States()) {
      const bool is_listen = state == State::kClosed && is_listening_;
      text += (text.empty() ? "" : " or ") +
              std::string(is_listen ? "LISTEN" : oracle::StateName(state));
    }
    return text + (is_gone_ ? ", process gone" : "");
  }

  Finding Found(oracle::Departure departure) const {
    Finding finding;
    finding.step = at_;
    finding.states = states_;
    finding.symbol = symbol_;
    finding.reaction = reaction_.empty() ? "nothing" : reaction_;
    finding.observed = observed_.empty() ? "nothing" : observed_;
    finding.departure = std::move(departure);
    if (history_.size() > 1) finding.before = history_[history_.size() - 2];
    return finding;
  }

  const Sequence& sequence_;
  const Record& record_;
  Patience patience_;
  std::optional<Otherwise> otherwise_;
  Oracle oracle_;
  Initial initial_;
  std::size_t at_ = 0;
  std::string states_, symbol_, reaction_, observed_;
  std::set<std::string> kinds_;
  std::optional<Time> opened_;
  std::uint32_t sent_to_ = 0, told_ = 0;  // the next numbers, by what the system has sent
  std::vector<std::string> history_;
  std::vector<bool> is_over_;  // before each step
  bool is_known_ = true;       // what the application does
  bool is_listening_ = false, has_socket_ = false, is_gone_ = false;
  bool is_of_another_ = false;  // the socket is that of a connection before
};

}  // namespace

namespace {

// Whether nothing of the peer's can be taken any more in the state that begins the text.
bool IsAfterFin(const std::string& history) {
  return history.starts_with("CLOSE-WAIT") || history.starts_with("CLOSING") ||
         history.starts_with("LAST-ACK") || history.starts_with("TIME-WAIT");
}

}  // namespace

std::string Finding::Seen() const { return fmt::format("{}: {} -> {}", states, symbol, reaction); }

std::string Finding::Cause() const { return origin.empty() ? Seen() : origin; }

Judged Judge(const Sequence& sequence, const Record& record, Patience patience,
             const oracle::Stack& stack) {
  if (record.steps.size() != sequence.steps.size() + 1) return {std::nullopt, true};
  Trial trial(sequence, record, patience, stack);
  Judged judged = trial.Run();
  judged.history = trial.history();
  if (!judged.finding) return judged;
  const bool is_reset = judged.finding->reaction.find("RST") != std::string::npos;
  const std::size_t departs_at = judged.finding->step;
  const auto is_allowed = [&](Otherwise otherwise) {
    Trial again(sequence, record, patience, stack, otherwise);
    const Judged then = again.Run();
    if (then.finding && then.finding->step <= departs_at) return false;
    // What may have given up meanwhile explains any silence.
    const auto may_be_gone = [&](const Trial& one) {
      return one.history().size() <= departs_at || one.history()[departs_at].starts_with("CLOSED");
    };
    return may_be_gone(trial) || !may_be_gone(again);
  };
  // What lives on answers with no reset, unless it is half open.
  const auto end = trial.EndBefore(judged.finding->step);
  const bool may_live = end && (!is_reset || trial.history()[*end].starts_with("SYN-RECEIVED"));
  if (may_live && is_allowed({.step = *end})) {
    judged.finding->origin = trial.history()[*end] + " -> does not end the connection";
    return judged;
  }
  // The latest segment of the peer that had no answer but an ACK, and without which all that was
  // seen is allowed; or with it, if it had been one that is taken.
  for (std::size_t step = judged.finding->step; step-- > 0;) {
    const auto* const segment = std::get_if<PeerSegment>(&sequence.steps[step]);
    if (segment == nullptr || (segment->flags & kRst) != 0 || segment->is_damaged) continue;
    if (segment->is_lost) continue;
    const Answer answer = AnswerIn(record.steps[step]);
    if (answer == Answer::kAcknowledgment || answer == Answer::kMore) continue;
    const char* how = nullptr;
    if (is_allowed({.step = step})) {
      how = answer == Answer::kNothing ? "dropped silently" : "dropped with an ACK";
    } else if ((segment->flags & kSyn) == 0 && !IsAfterFin(trial.history()[step]) &&
               is_allowed({.step = step, .is_taken = true})) {
      how = "taken";
    }
    if (how == nullptr) continue;
    judged.finding->origin = fmt::format("{} -> is {}", trial.history()[step], how);
    break;
  }
  return judged;
}

std::string ReactionText(const StepRecord& step, const Record& record) {
  Initial initial;
  std::uint32_t sent_to = 0;  // the end of what the system has sent
  bool has_sent = false;
  const auto is_again = [&](const oracle::Segment& segment) {
    const std::uint32_t end = segment.seq + segment.Length();
    const bool is_old = has_sent && segment.Length() > 0 && oracle::AtMost(end, sent_to);
    const bool is_new_syn = segment.Has(oracle::kSyn) && end != sent_to;
    if (segment.Has(oracle::kRst)) return false;
    if (!has_sent || is_new_syn || oracle::Before(sent_to, end)) sent_to = end;
    has_sent = true;
    return is_old && !is_new_syn;
  };
  std::string text;
  for (const StepRecord& one : record.steps) {
    for (const SeenSegment& seen : one.segments) initial.Take(seen);
    if (&one == &step) text = step.outcome;
    for (const SeenSegment& seen : one.segments) {
      if (seen.is_of_peer || is_again(seen.segment) || &one != &step) continue;
      text += (text.empty() ? "" : " ") + TextOf(seen.segment, initial);
    }
    if (&one == &step) break;
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace sockproof::explore
