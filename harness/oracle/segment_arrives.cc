// To be read with section 3.10.7 of RFC 9293 beside it. Where the text leaves something open, a
// check allows more than one TCB; where a check does not apply, the next one follows.
#include "harness/oracle/segment_arrives.h"

#include <algorithm>
#include <span>

namespace sockproof::oracle {
namespace {

constexpr std::size_t kMostHeld = 64;
constexpr Duration kCrossing =
    50ms;  // in which a call may come before a segment that was seen before

enum class Then { kNextCheck, kReturn };

struct Step {
  Segment segment;
  Tcb tcb;
  Time now;
  const Application& user;
  std::vector<Tcb>& readings;
  State arrived_in = tcb.state;          // before any check has changed it
  const Rule* acknowledgment = nullptr;  // what the ACK field decided, where nothing follows it
  bool is_reopening = false;             // it may reopen a connection from TIME-WAIT by MAY-2

  // This may be the end of it.
  Then Allow(const Rule& rule, Tcb then) {
    then.reason.rule = &rule;
    if (then.OwesAck() && then.reason.owed == nullptr) then.reason.owed = &rule;
    readings.push_back(std::move(then));
    return Then::kReturn;
  }
};

// --- what a check does to a TCB ---

// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, alone or on another segment.
Tcb OweAck(Tcb tcb, Time now) {
  if (!tcb.ack_since) tcb.ack_since = now;
  tcb.may_ack = true;
  return tcb;
}

// The same, at once; but it may be rationed. One that is as old as that was.
Tcb Challenge(Tcb tcb, Time now) {
  if (!tcb.challenged || now - *tcb.challenged >= kRation) tcb.challenged = now;
  tcb.may_ack = true;
  return tcb;
}

Tcb MayAck(Tcb tcb) {
  tcb.may_ack = true;
  return tcb;
}

Tcb Owe(Tcb tcb, Answer answer, Time now, const Rule& rule) {
  answer.since = now;
  answer.reason.rule = &rule;
  tcb.answers.push_back(answer);
  return tcb;
}

// The reset that fits a segment (sections 3.5.2 and 3.10.7.1).
Answer ResetFor(const Segment& segment) {
  if (segment.Has(kAck)) return {.flags = kRst, .seq = segment.ack};
  return {.flags = kRst | kAck, .seq = 0, .ack = segment.seq + segment.Length()};
}

void TakeOptionsOfSyn(Tcb& tcb, const Segment& segment) {
  tcb.peer_scale = segment.scale;
  tcb.peer_has_timestamps = segment.timestamps.has_value();
  if (segment.timestamps) tcb.ts_recent = segment.timestamps->value;
  tcb.peer_mss = segment.mss;
}

// SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK
void TakeWindow(Tcb& tcb, const Segment& segment) {
  const int shift = tcb.IsScaled() && !segment.Has(kSyn) ? std::min<int>(*tcb.peer_scale, 14) : 0;
  const std::uint32_t window = static_cast<std::uint32_t>(segment.window) << shift;
  const std::uint32_t from = segment.Has(kAck) ? segment.ack : tcb.iss + 1;
  tcb.last_edge = from + window;
  tcb.edge = segment.Has(kSyn) ? tcb.last_edge : Later(tcb.edge, tcb.last_edge);
  tcb.max_window = std::max(tcb.max_window, window);
  tcb.wl1 = segment.seq;
  tcb.wl2 = from;
}

// SND.UNA <- SEG.ACK. Of what was sent once that is a sample of the round trip (Karn's algorithm),
// which ends what was backed off.
void AdvanceUna(Tcb& tcb, std::uint32_t ack) {
  if (!Before(tcb.una, ack)) return;
  if (!tcb.is_repeated) tcb.repeats = 0;
  tcb.una = ack;
  if (tcb.una == tcb.nxt) tcb.is_repeated = false;
}

// --- 3.10.7.1, CLOSED ---

constexpr Rule kClosedRst{"3.10.7.1", "rfc9293:3.10.7.1-rst",
                          "an RST that finds no connection is dropped"};
constexpr Rule kClosedAck{"3.10.7.1", "rfc9293:3.10.7.1-reset-with-ack",
                          "an ACK that finds no connection is answered with RST of its number"};
constexpr Rule kClosedOther{"3.10.7.1", "rfc9293:3.10.7.1-reset-without-ack",
                            "a segment that finds no connection is answered with RST,ACK"};

Then NoConnection(Step& step) {
  if (step.segment.Has(kRst)) return step.Allow(kClosedRst, step.tcb);
  const Rule& rule = step.segment.Has(kAck) ? kClosedAck : kClosedOther;
  return step.Allow(rule, Owe(step.tcb, ResetFor(step.segment), step.now, rule));
}

// --- 3.10.7.2, LISTEN ---

constexpr Rule kListenRst{"3.10.7.2, first check", "rfc9293:3.10.7.2-rst", "LISTEN ignores RST"};
constexpr Rule kListenAck{"3.10.7.2, second check", "rfc9293:3.10.7.2-ack",
                          "LISTEN answers any ACK with RST of its number"};
constexpr Rule kListenSyn{"3.10.7.2, third check", "rfc9293:3.5-second-segment",
                          "LISTEN answers a SYN with SYN,ACK and is in SYN-RECEIVED"};
constexpr Rule kFastOpen{"RFC 7413 section 3", "", "a SYN,ACK may acknowledge text of the SYN"};
constexpr Rule kListenFull{"POSIX listen()", "",
                           "a listener whose queue is full may take no more connections"};
constexpr Rule kListenOther{"3.10.7.2, fourth check", "rfc9293:3.10.7.2-other",
                            "LISTEN drops what has none of RST, ACK and SYN"};

// First, check for a RST.
Then ListenRst(Step& step) {
  return step.segment.Has(kRst) ? step.Allow(kListenRst, step.tcb) : Then::kNextCheck;
}

// Second, check for an ACK.
Then ListenAck(Step& step) {
  if (!step.segment.Has(kAck)) return Then::kNextCheck;
  return step.Allow(kListenAck, Owe(step.tcb, ResetFor(step.segment), step.now, kListenAck));
}

// Third, check for a SYN. "Any other control or text should be queued for processing later."
Then ListenSyn(Step& step) {
  const Segment& segment = step.segment;
  if (!segment.Has(kSyn)) return Then::kNextCheck;
  if (step.user.MayRefuse()) step.Allow(kListenFull, step.tcb);
  Tcb tcb = step.tcb.Closed();
  tcb.before = step.tcb.before;
  tcb.was_open = tcb.has_urgent = false;
  tcb.first_up.reset();
  tcb.fins_received = 0;
  tcb.state = State::kSynReceived;
  tcb.is_passive = true;
  tcb.irs = segment.seq;
  tcb.rcv_nxt = segment.seq + 1;
  tcb.rcv_edge = tcb.rcv_nxt + UINT16_MAX;  // until the SYN,ACK offers one
  TakeOptionsOfSyn(tcb, segment);
  TakeWindow(tcb, segment);  // relative to an ISS that is not known yet: SendSynAck() moves it
  if (segment.text > 0 || segment.Has(kFin)) {
    tcb.held = {{tcb.rcv_nxt, segment.text, segment.Has(kFin)}};
  }
  const Answer answer{.flags = kSyn | kAck,
                      .ack = tcb.rcv_nxt,
                      .has_any_seq = true,
                      .is_larger = step.is_reopening};
  step.Allow(kListenSyn, Owe(tcb, answer, step.now, kListenSyn));
  if (segment.text > 0) {
    Answer of_text = answer;
    of_text.ack += segment.text;
    tcb.rcv_nxt += segment.text;
    tcb.held.clear();
    if (segment.Has(kFin)) tcb.held = {{tcb.rcv_nxt, 0, true}};
    tcb.was_open = true;  // for its application
    step.Allow(kFastOpen, Owe(tcb, of_text, step.now, kFastOpen));
  }
  return Then::kReturn;
}

// Fourth, other data or control.
Then ListenOther(Step& step) { return step.Allow(kListenOther, step.tcb); }

// --- what SYN-SENT and the other states share: text and FIN ---

bool IsReceiving(State state) {
  return state == State::kSynReceived || state == State::kEstablished ||
         state == State::kFinWait1 || state == State::kFinWait2;
}

constexpr Rule kText{"3.10.7.4, seventh check", "rfc9293:3.10.7.4-segment-text",
                     "text is taken and acknowledged, at once or within 0.5 s"};
constexpr Rule kFuture{"3.10.7.4, first check", "rfc9293:SHLD-31",
                       "text past RCV.NXT should be held; an ACK may be sent (MAY-13)"};
constexpr Rule kPast{"3.10.7.4, first check", "",
                     "what begins past RCV.NXT may wait, with its acknowledgment"};
constexpr Rule kBeyond{"3.10.7.4, first check", "rfc9293:3.10.7.4-straddling",
                       "what lies beyond the window is not taken"};
constexpr Rule kIgnored{"3.10.7.4, seventh check", "rfc9293:3.10.7.4-segment-text-after-fin",
                        "text after the peer's FIN is ignored"};
constexpr Rule kGone{"3.6.1", "rfc9293:SHLD-3",
                     "text for a process that is gone should be answered with RST"};
constexpr Rule kTakenFin{"3.10.7.4, eighth check", "rfc9293:3.6-fin-is-acknowledged",
                         "a FIN is acknowledged and takes ESTABLISHED to CLOSE-WAIT"};
constexpr Rule kAnotherFin{"3.10.7.4, eighth check", "rfc9293:3.10.7.4-repeated-fin",
                           "any FIN is acknowledged, also where the state remains"};
constexpr Rule kSynReceivedFin{"3.10.7.4, eighth check", "rfc9293:3.10.7.4-syn-received-fin",
                               "a FIN with the ACK of the SYN takes SYN-RECEIVED to CLOSE-WAIT"};
constexpr Rule kFinWait1Fin{"3.10.7.4, eighth check", "rfc9293:3.10.7.4-fin-wait-1-fin",
                            "a FIN takes FIN-WAIT-1 to CLOSING, or to TIME-WAIT with the ACK"};
constexpr Rule kFinWait2Fin{"3.10.7.4, eighth check", "rfc9293:3.10.7.4-fin-wait-2-fin",
                            "a FIN takes FIN-WAIT-2 to TIME-WAIT"};
constexpr Rule kAckOnly{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-duplicate-ack",
                        "an acknowledgment alone asks for no answer"};

// By the state in which the segment has arrived.
const Rule& FinRule(State state) {
  switch (state) {
    case State::kSynReceived:
      return kSynReceivedFin;
    case State::kFinWait1:
      return kFinWait1Fin;
    case State::kFinWait2:
      return kFinWait2Fin;
    default:
      return kTakenFin;
  }
}

// Eighth, check the FIN bit.
Tcb AfterFin(Tcb tcb, Time now, const Application& user) {
  ++tcb.rcv_nxt;
  ++tcb.fins_received;
  tcb.held.clear();
  switch (tcb.state) {
    case State::kSynReceived:
    case State::kEstablished:
      // A close before would have sent a FIN, unless that has to wait.
      tcb.may_be_closing = tcb.IsHeldUp() &&
                           (!user.is_known || (user.finished && *user.finished <= now + kCrossing));
      tcb.state = State::kCloseWait;
      break;
    case State::kFinWait1:
      tcb.state = State::kClosing;
      break;
    case State::kFinWait2:
      tcb.state = State::kTimeWait;
      tcb.time_wait = now;
      break;
    default:  // remain
      break;
  }
  return tcb;
}

// Text up to `end`, then whatever of what may be held follows it: each piece may have been held or
// not.
void Deliver(Step& step, Tcb tcb, std::uint32_t end, bool fin) {
  const std::vector<Held> held = std::move(tcb.held);
  tcb.rcv_nxt = Later(tcb.rcv_nxt, end);
  tcb = OweAck(std::move(tcb), step.now);
  const auto stop_here = [&](bool with_fin, std::size_t from) {
    Tcb then = tcb;
    for (std::size_t i = from; i < held.size(); ++i) {
      if (Before(then.rcv_nxt, held[i].seq + held[i].text + (held[i].fin ? 1 : 0))) {
        then.held.push_back(held[i]);
      }
    }
    if (with_fin) {
      step.Allow(FinRule(step.arrived_in), AfterFin(std::move(then), step.now, step.user));
    } else {
      step.Allow(kText, std::move(then));
    }
  };
  if (fin) return stop_here(true, held.size());
  for (std::size_t i = 0; i < held.size() && AtMost(held[i].seq, tcb.rcv_nxt); ++i) {
    const std::uint32_t piece_end = held[i].seq + held[i].text;
    if (Before(piece_end, tcb.rcv_nxt)) continue;
    stop_here(false, i + 1);
    tcb.rcv_nxt = piece_end;
    if (held[i].fin) stop_here(true, held.size());
  }
  stop_here(false, 0);
}

Tcb Holding(Tcb tcb, const Held& piece) {
  const auto place =
      std::lower_bound(tcb.held.begin(), tcb.held.end(), piece, [](const Held& a, const Held& b) {
        return Before(a.seq, b.seq) || (a.seq == b.seq && a.text < b.text);
      });
  if (tcb.held.size() < kMostHeld && (place == tcb.held.end() || *place != piece)) {
    tcb.held.insert(place, piece);
  }
  return tcb;
}

// SHLD-3. Where among the checks this is done the text does not say.
void MayBeForNobody(Step& step) {
  const Segment& segment = step.segment;
  const Tcb& tcb = step.tcb;
  const bool is_half_closed =
      tcb.state == State::kFinWait1 || tcb.state == State::kFinWait2 ||
      (tcb.state == State::kEstablished && step.user.finished && tcb.IsHeldUp());
  if (!is_half_closed || segment.text == 0 || !step.user.MayBeGone()) return;
  if (!Before(tcb.rcv_nxt, segment.seq + segment.text)) return;
  const std::uint32_t taken = segment.seq + segment.Length();
  for (const Answer& reset : {ResetFor(segment), Answer{.flags = kRst, .seq = tcb.nxt},
                              Answer{.flags = kRst | kAck, .seq = tcb.nxt, .ack = tcb.rcv_nxt},
                              Answer{.flags = kRst | kAck, .seq = tcb.nxt, .ack = taken}}) {
    step.Allow(kGone, Owe(tcb.Closed(), reset, step.now, kGone));
  }
}

// A FIN after the FIN is acknowledged. Whether it counts, when it cannot be one, is open.
Then AnotherFin(Step& step, const Rule& rule) {
  Tcb& tcb = step.tcb;
  step.Allow(rule, OweAck(tcb, step.now));
  tcb.rcv_nxt = step.segment.seq + step.segment.text;
  return step.Allow(rule, OweAck(AfterFin(tcb, step.now, step.user), step.now));
}

// Seventh, process the segment text; eighth, check the FIN bit.
Then TakeTextAndFin(Step& step) {
  const Segment& segment = step.segment;
  Tcb& tcb = step.tcb;
  const std::uint32_t end = segment.seq + segment.text;
  const bool fin = segment.Has(kFin);
  if (segment.text == 0 && !fin) {
    // Text that came with the SYN and was queued.
    if (!tcb.held.empty() && tcb.held[0].seq == tcb.rcv_nxt) {
      Deliver(step, tcb, tcb.rcv_nxt, false);
      tcb.held.erase(tcb.held.begin());  // or it was not
    }
    // "If the ACK is a duplicate ... it can be ignored", in CLOSING too.
    const Rule& rule = step.acknowledgment != nullptr ? *step.acknowledgment : kAckOnly;
    return step.Allow(rule, Before(segment.ack, tcb.una) ? MayAck(tcb) : tcb);
  }
  if (!IsReceiving(tcb.state)) {
    // Behind text that is ignored a FIN is never at RCV.NXT.
    if (Before(tcb.rcv_nxt, end)) {
      step.Allow(kIgnored, MayAck(tcb));
      if (fin) step.Allow(kIgnored, MayAck(AfterFin(tcb, step.now, step.user)));
    }
    if (fin && AtMost(segment.seq, tcb.rcv_nxt)) return AnotherFin(step, kAnotherFin);
    return step.Allow(kIgnored, MayAck(tcb));
  }
  MayBeForNobody(step);
  if (Before(tcb.rcv_nxt, segment.seq)) {
    return step.Allow(kFuture, MayAck(Holding(tcb, {segment.seq, segment.text, fin})));
  }
  const std::uint32_t last = end + (fin ? 1 : 0);
  const std::uint32_t edge = tcb.SureEdge();
  if (Before(edge, last)) {
    step.Allow(kBeyond, Challenge(tcb, step.now));  // nothing of it, as the buffer is full
    if (tcb.is_window_known && fin && !Before(edge, end)) {
      Deliver(step, tcb, end, true);  // a FIN needs no buffer
    } else if (tcb.is_window_known && Before(tcb.rcv_nxt, edge)) {
      Deliver(step, tcb, edge, false);
    }
    if (tcb.is_window_known && Before(tcb.FurthestEdge(), last)) return Then::kReturn;
  }
  Deliver(step, tcb, end, fin);
  return Then::kReturn;
}

// --- 3.10.7.3, SYN-SENT ---

constexpr Rule kSynSentAck{"3.10.7.3, first check", "rfc9293:3.10.7.3-unacceptable-ack",
                           "SYN-SENT answers an ACK of what it did not send with RST"};
constexpr Rule kSynSentAckRst{"3.10.7.3, first check",
                              "rfc9293:3.10.7.3-reset-with-unacceptable-ack",
                              "SYN-SENT drops an RST that acknowledges what it did not send"};
constexpr Rule kSynSentRst{"3.10.7.3, second check", "rfc9293:3.10.7.3-rst",
                           "in SYN-SENT an RST that acknowledges the SYN ends the attempt"};
constexpr Rule kSynSentRstNumber{"3.10.7.3, second check", "",
                                 "with RFC 5961 an RST in SYN-SENT is to be of RCV.NXT"};
constexpr Rule kSynSentSynAck{"3.10.7.3, fourth check", "rfc9293:3.5-third-segment",
                              "SYN-SENT answers the SYN,ACK with an ACK and is ESTABLISHED"};
constexpr Rule kSynSentSyn{"3.10.7.3, fourth check", "rfc9293:MUST-10",
                           "SYN-SENT answers a SYN with SYN,ACK and is in SYN-RECEIVED"};
constexpr Rule kSynSentOther{"3.10.7.3, fifth check", "rfc9293:3.10.7.3-other",
                             "SYN-SENT drops what has neither SYN nor RST"};

// First, check the ACK bit.
Then SynSentAck(Step& step) {
  const Segment& segment = step.segment;
  const Tcb& tcb = step.tcb;
  if (!segment.Has(kAck)) return Then::kNextCheck;
  if (Before(tcb.iss, segment.ack) && AtMost(segment.ack, tcb.nxt)) return Then::kNextCheck;
  if (segment.Has(kRst)) return step.Allow(kSynSentAckRst, tcb);
  return step.Allow(kSynSentAck, Owe(tcb, ResetFor(segment), step.now, kSynSentAck));
}

// Second, check the RST bit.
Then SynSentRst(Step& step) {
  if (!step.segment.Has(kRst)) return Then::kNextCheck;
  if (!step.segment.Has(kAck)) return step.Allow(kSynSentRst, step.tcb);
  // RCV.NXT has no value yet; a port where nobody listens resets with <SEQ=0>.
  if (step.segment.seq != 0) step.Allow(kSynSentRstNumber, step.tcb);
  return step.Allow(kSynSentRst, step.tcb.Closed());
}

// Fourth, check the SYN bit. (Third, security, is nobody's today.)
Then SynSentSyn(Step& step) {
  Segment& segment = step.segment;
  Tcb& tcb = step.tcb;
  if (!segment.Has(kSyn)) return Then::kNextCheck;
  tcb.irs = segment.seq;
  tcb.rcv_nxt = segment.seq + 1;
  tcb.told_ack = tcb.rcv_nxt;
  tcb.rcv_edge = tcb.rcv_nxt + tcb.shown.value_or(UINT16_MAX);
  TakeOptionsOfSyn(tcb, segment);
  TakeWindow(tcb, segment);
  if (segment.text > 0 || segment.Has(kFin)) {
    tcb.held = {{tcb.rcv_nxt, segment.text, segment.Has(kFin)}};
  }
  if (!segment.Has(kAck)) {
    tcb.state = State::kSynReceived;
    const Answer answer{.flags = kSyn | kAck, .seq = tcb.iss, .ack = tcb.rcv_nxt};
    return step.Allow(kSynSentSyn, Owe(tcb, answer, step.now, kSynSentSyn));
  }
  AdvanceUna(tcb, segment.ack);
  tcb.state = State::kEstablished;
  tcb.was_open = true;
  tcb = OweAck(std::move(tcb), step.now);
  if (tcb.held.empty()) return step.Allow(kSynSentSynAck, tcb);
  Deliver(step, tcb, tcb.rcv_nxt, false);
  return Then::kReturn;
}

// Fifth, if neither of the SYN or RST bits is set.
Then SynSentOther(Step& step) { return step.Allow(kSynSentOther, step.tcb); }

// --- 3.10.7.4, other states ---

constexpr Rule kPaws{"RFC 7323 section 5.3", "",
                     "an old timestamp makes a segment unacceptable: ACK, and drop it"};
constexpr Rule kNoTimestamp{"RFC 7323 section 3.2", "",
                            "where timestamps were agreed on a segment without may be dropped"};
constexpr Rule kOutside{"3.10.7.4, first check", "rfc9293:3.10.7.4-unacceptable-segment",
                        "a segment outside the receive window is answered with an ACK and dropped"};
constexpr Rule kOutsideRst{"3.10.7.4, second check", "rfc9293:3.10.7.4-reset-outside-window",
                           "an RST outside the receive window is dropped silently"};
constexpr Rule kReset{"3.10.7.4, second check", "rfc9293:3.10.7.4-reset",
                      "an RST of RCV.NXT resets the connection"};
constexpr Rule kResetSynReceived{"3.10.7.4, second check", "rfc9293:3.10.7.4-syn-received-rst",
                                 "an RST returns SYN-RECEIVED to LISTEN, or refuses the open"};
constexpr Rule kOldDuplicate{"3.6.1", "rfc9293:MAY-2",
                             "a SYN that turns out to be an old duplicate returns it to TIME-WAIT"};
constexpr Rule kResetClosing{"3.10.7.4, second check", "rfc9293:3.10.7.4-reset-closing",
                             "an RST of RCV.NXT deletes the TCB in the states of a close, too"};
constexpr Rule kResetTimeWait{"3.10.7.4, second check", "rfc9293:3.10.7.4-time-wait-rst",
                              "an acceptable RST in TIME-WAIT deletes the TCB"};
constexpr Rule kResetInWindow{"3.10.7.4, second check", "rfc9293:3.10.7.4-reset-in-window",
                              "an RST in the window, not of RCV.NXT, gets a challenge ACK"};
constexpr Rule kResetAsIn793{"3.10.7.4, second check", "",
                             "without RFC 5961 any RST in the window resets the connection"};
constexpr Rule kRfc1337{"RFC 1337 section 3", "", "TIME-WAIT may ignore RST"};
constexpr Rule kSynPassive{"3.10.7.4, fourth check", "rfc9293:3.10.7.4-syn-received-syn",
                           "a SYN in SYN-RECEIVED of a passive open returns it to LISTEN"};
constexpr Rule kSynDropped{"RFC 6191 section 2", "rfc6191:2-otherwise",
                           "a SYN that reopens no connection from TIME-WAIT is dropped silently"};
constexpr Rule kSynChallenge{"3.10.7.4, fourth check", "rfc9293:3.10.7.4-challenge-ack",
                             "a SYN in a synchronized state is answered with a challenge ACK"};
constexpr Rule kSynAsIn793{"3.10.7.4, fourth check", "",
                           "without RFC 5961 a SYN in the window resets the connection"};
constexpr Rule kWithoutAck{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-without-ack",
                           "a segment without ACK is dropped"};
constexpr Rule kOldAck{"3.10.7.4, fifth check", "rfc9293:MAY-12",
                       "an ACK older than the largest window before SND.UNA may be challenged"};
constexpr Rule kBadAckSynReceived{"3.10.7.4, fifth check",
                                  "rfc9293:3.10.7.4-syn-received-unacceptable-ack",
                                  "SYN-RECEIVED answers an unacceptable ACK with RST"};
constexpr Rule kAckRefused{
    "POSIX listen()", "",
    "a listener whose queue is full may leave a connection half open, or reset it"};
constexpr Rule kFutureAck{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-future-ack",
                          "an ACK of what was not sent is answered with an ACK and dropped"};
constexpr Rule kSynReceivedAck{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-syn-received-ack",
                               "an ACK of its SYN takes SYN-RECEIVED to ESTABLISHED"};
constexpr Rule kFinWait1Ack{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-fin-wait-1-ack",
                            "an ACK of its FIN takes FIN-WAIT-1 to FIN-WAIT-2"};
constexpr Rule kClosingAck{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-closing-ack",
                           "an ACK of its FIN takes CLOSING to TIME-WAIT"};
constexpr Rule kClosingOther{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-closing-other-ack",
                             "CLOSING ignores an ACK that does not cover its FIN"};
constexpr Rule kLastAckAck{"3.10.7.4, fifth check", "rfc9293:3.10.7.4-last-ack-ack",
                           "an ACK of its FIN takes LAST-ACK to CLOSED"};
constexpr Rule kTimeWaitFin{"3.10.7.4, first check", "rfc9293:3.10.7.4-time-wait-fin",
                            "TIME-WAIT acknowledges a repeated FIN and begins anew"};
constexpr Rule kTimeWaitNewFin{"3.10.7.4, eighth check", "rfc9293:3.10.7.4-time-wait-fin",
                               "TIME-WAIT acknowledges a FIN and begins anew"};
constexpr Rule kTimeWaitOther{
    "3.10.7.4, fifth check", "",
    "what but a FIN arrives in TIME-WAIT may be acknowledged like one, or ignored"};

using InWindow = Stack::InWindow;
enum class Fit { kYes, kNo, kMaybe };

// Table 6.
Fit Acceptable(const Tcb& tcb, const Segment& segment) {
  const auto in_window = [&](std::uint32_t number) {
    if (Before(number, tcb.rcv_nxt)) return Fit::kNo;
    if (Before(number, tcb.SureEdge())) return Fit::kYes;
    if (Before(number, tcb.FurthestEdge())) return Fit::kMaybe;
    return tcb.is_window_known ? Fit::kNo : Fit::kMaybe;
  };
  const std::uint32_t length = segment.Length();
  if (length == 0 && tcb.SureEdge() == tcb.rcv_nxt && segment.seq == tcb.rcv_nxt) return Fit::kYes;
  const Fit first = in_window(segment.seq);
  if (length == 0 || first == Fit::kYes) return first;
  const std::uint32_t end = segment.seq + length - 1;
  const Fit last = in_window(end);
  // By the table not acceptable, although the whole window is in it.
  const bool spans = Before(segment.seq, tcb.rcv_nxt) && AtMost(tcb.rcv_nxt, end);
  if (first == Fit::kNo && last == Fit::kNo) return spans ? Fit::kMaybe : Fit::kNo;
  return last == Fit::kNo ? first : last;
}

// Before the first check, where both ends use timestamps (RFC 7323 section 5.3, R1).
Then CheckTimestamps(Step& step) {
  Tcb& tcb = step.tcb;
  if (!tcb.has_timestamps || !tcb.peer_has_timestamps || step.segment.Has(kRst)) {
    return Then::kNextCheck;
  }
  if (!step.segment.timestamps) {
    step.Allow(kNoTimestamp, tcb);
    return Then::kNextCheck;
  }
  // "If the PAWS algorithm is used"; of a SYN in TIME-WAIT the fourth check decides (RFC 6191).
  if (Before(step.segment.timestamps->value, tcb.ts_recent)) {
    step.Allow(kPaws, Challenge(tcb, step.now));
  }
  return Then::kNextCheck;
}

// First, check sequence number.
bool IsBadAckSynReceived(const Tcb& tcb, const Segment& segment) {
  return !Before(tcb.una, segment.ack) || Before(tcb.nxt, segment.ack);
}

Then CheckSequence(Step& step) {
  const Segment& segment = step.segment;
  Tcb& tcb = step.tcb;
  const Fit fit = Acceptable(tcb, segment);
  if (fit == Fit::kYes) return Then::kNextCheck;
  const Then then = fit == Fit::kMaybe ? Then::kNextCheck : Then::kReturn;
  if (segment.Has(kRst)) {
    step.Allow(kOutsideRst, tcb);
    return then;
  }
  // RFC 6191, and MAY-2: the fourth check decides about a SYN in TIME-WAIT.
  if (tcb.state == State::kTimeWait && segment.Has(kSyn)) return Then::kNextCheck;
  // MUST-10: of the SYN,ACK of a simultaneous open all but its SYN is new.
  if (tcb.state == State::kSynReceived && !tcb.is_passive && segment.Has(kSyn) &&
      segment.Has(kAck) && segment.seq == tcb.irs) {
    step.Allow(kOutside, Challenge(tcb, step.now));
    step.segment.flags &= static_cast<std::uint16_t>(~kSyn);
    ++step.segment.seq;
    tcb.may_ack = true;
    return Then::kNextCheck;
  }
  Tcb answered = Challenge(tcb, step.now);
  const bool is_fin_again = tcb.state == State::kTimeWait && segment.Has(kFin);
  if (is_fin_again) answered.time_wait = step.now;
  step.Allow(is_fin_again ? kTimeWaitFin : kOutside, answered);
  // Section 3.5.2, group 2, knows no window: what acknowledges something not yet sent is reset.
  if (tcb.state == State::kSynReceived && segment.Has(kAck) && IsBadAckSynReceived(tcb, segment)) {
    step.Allow(kBadAckSynReceived, Owe(tcb, ResetFor(segment), step.now, kBadAckSynReceived));
  }
  // "Special allowance should be made to accept valid ACKs" when the window is zero; the same is
  // needed to let a repeated FIN or a probe acknowledge something.
  if (segment.Has(kAck) && !segment.Has(kSyn) && AtMost(segment.seq, tcb.rcv_edge) &&
      Before(tcb.una, segment.ack) && AtMost(segment.ack, tcb.nxt)) {
    tcb = answered;
    step.segment.text = 0;
    step.segment.flags &= static_cast<std::uint16_t>(~kFin);
    return Then::kNextCheck;
  }
  return then;
}

const Rule& ResetRule(State state) {
  switch (state) {
    case State::kSynReceived:
      return kResetSynReceived;
    case State::kEstablished:
      return kReset;
    case State::kTimeWait:
      return kResetTimeWait;
    default:
      return kResetClosing;
  }
}

// Second, check the RST bit.
Then CheckRst(Step& step) {
  const Tcb& tcb = step.tcb;
  if (!step.segment.Has(kRst)) return Then::kNextCheck;
  const bool is_exact = step.segment.seq == tcb.rcv_nxt;
  if (tcb.state == State::kTimeWait && (is_exact || tcb.stack.rst != InWindow::kChallenged)) {
    step.Allow(kRfc1337, tcb);
  }
  if (is_exact && tcb.state == State::kSynReceived && tcb.before != nullptr) {
    Tcb back = *tcb.before;
    back.stack = tcb.stack;
    back.arrival = tcb.arrival;
    step.Allow(kOldDuplicate, std::move(back));
    // Of what timestamps allow (RFC 6191) this is no condition.
    const bool is_by_time =
        tcb.peer_has_timestamps || (tcb.before->has_timestamps && tcb.before->peer_has_timestamps);
    if (!is_by_time) return Then::kReturn;
  }
  if (is_exact) return step.Allow(ResetRule(tcb.state), tcb.Closed());
  // RFC 5961 section 3.2 replaces what RFC 793 says of synchronized states.
  const bool is_open = tcb.state == State::kSynReceived;
  if (is_open || tcb.stack.rst != InWindow::kChallenged) {
    Tcb reset = tcb.Closed();
    if (!is_open) reset.stack.rst = InWindow::kResets;
    step.Allow(kResetAsIn793, std::move(reset));
  }
  if (is_open || tcb.stack.rst != InWindow::kResets) {
    Tcb challenged = Challenge(tcb, step.now);
    if (!is_open) challenged.stack.rst = InWindow::kChallenged;
    step.Allow(kResetInWindow, std::move(challenged));
  }
  return Then::kReturn;
}

// Fourth, check the SYN bit. (Third, security, is nobody's today.)
Then CheckSyn(Step& step) {
  const Segment& segment = step.segment;
  const Tcb& tcb = step.tcb;
  if (!segment.Has(kSyn)) return Then::kNextCheck;
  if (tcb.state == State::kSynReceived && tcb.is_passive) step.Allow(kSynPassive, tcb.Closed());
  if (tcb.state == State::kTimeWait && !segment.Has(kAck)) {
    // RFC 6191 section 2 (SHLD-4), by timestamps or by number; MAY-2.
    const bool has_used_timestamps = tcb.has_timestamps && tcb.peer_has_timestamps;
    const bool is_later_by_time =
        segment.timestamps &&
        (!has_used_timestamps || Before(tcb.ts_recent, segment.timestamps->value));
    if (is_later_by_time || AtMost(tcb.rcv_nxt, segment.seq)) {
      Step anew{segment, tcb.Closed(), step.now, step.user, step.readings};
      anew.is_reopening = !segment.timestamps;
      anew.tcb.before = std::make_shared<const Tcb>(tcb);
      if (step.user.MayListen()) ListenSyn(anew);
    } else if (segment.timestamps && tcb.stack.syn != InWindow::kChallenged) {
      step.Allow(kSynDropped, tcb);
    }
  }
  const bool is_in_window = Acceptable(tcb, segment) != Fit::kNo;
  // RFC 5961 section 4 is about synchronized states, of which this is none.
  const bool is_passive_open = tcb.state == State::kSynReceived && tcb.is_passive;
  if (is_in_window && (is_passive_open || tcb.stack.syn != InWindow::kChallenged)) {
    Tcb closed = tcb.Closed();
    if (!is_passive_open) closed.stack.syn = InWindow::kResets;
    Answer reset = ResetFor(segment);
    step.Allow(kSynAsIn793, Owe(closed, reset, step.now, kSynAsIn793));
    // Of this reset no document says that it has no ACK.
    reset.flags = kRst | kAck;
    reset.ack = segment.seq + segment.Length();
    if (segment.Has(kAck)) step.Allow(kSynAsIn793, Owe(closed, reset, step.now, kSynAsIn793));
  }
  if (!is_in_window || is_passive_open || tcb.stack.syn != InWindow::kResets) {
    Tcb challenged = Challenge(tcb, step.now);
    if (is_in_window && !is_passive_open) challenged.stack.syn = InWindow::kChallenged;
    step.Allow(kSynChallenge, std::move(challenged));
  }
  return Then::kReturn;
}

void Acknowledge(Tcb& tcb, const Segment& segment, Time now) {
  // "... to prevent using old segments to update the window."
  const bool is_newer =
      Before(tcb.wl1, segment.seq) || (tcb.wl1 == segment.seq && AtMost(tcb.wl2, segment.ack));
  if (AtMost(tcb.una, segment.ack) && is_newer) TakeWindow(tcb, segment);
  AdvanceUna(tcb, segment.ack);
  const bool is_fin_acknowledged = tcb.is_fin_sent && tcb.una == tcb.nxt;
  if (tcb.state == State::kFinWait1 && is_fin_acknowledged) tcb.state = State::kFinWait2;
  if (tcb.state == State::kClosing && is_fin_acknowledged) {
    tcb.state = State::kTimeWait;
    tcb.time_wait = now;
  }
}

// Fifth, check the ACK field.
Then CheckAck(Step& step) {
  const Segment& segment = step.segment;
  Tcb& tcb = step.tcb;
  if (!segment.Has(kAck)) return step.Allow(kWithoutAck, tcb);
  // "In the following it is assumed that the segment is the idealized segment that begins at
  // RCV.NXT": one that begins past it may be held, or dropped, with its acknowledgment and window.
  if (Before(tcb.rcv_nxt, segment.seq) && tcb.state != State::kTimeWait) {
    const bool is_held = IsReceiving(tcb.state) && segment.Length() > 0;
    const Held piece{segment.seq, segment.text, segment.Has(kFin)};
    step.Allow(is_held ? kFuture : kPast, MayAck(is_held ? Holding(tcb, piece) : tcb));
  }
  if (segment.timestamps && AtMost(segment.seq, tcb.rcv_nxt)) {
    tcb.ts_recent = Later(tcb.ts_recent, segment.timestamps->value);  // RFC 7323 section 4.3
  }
  if (!tcb.IsIssChosen()) {
    return step.Allow(kBadAckSynReceived,
                      Owe(tcb, ResetFor(segment), step.now, kBadAckSynReceived));
  }
  if (Before(segment.ack, tcb.una - tcb.max_window)) {
    step.Allow(kOldAck, Challenge(tcb, step.now));
  }
  if (tcb.state == State::kSynReceived) {
    if (IsBadAckSynReceived(tcb, segment)) {
      if (Before(tcb.nxt, segment.ack)) step.Allow(kOldAck, Challenge(tcb, step.now));
      return step.Allow(kBadAckSynReceived,
                        Owe(tcb, ResetFor(segment), step.now, kBadAckSynReceived));
    }
    if (tcb.is_passive && step.user.defers && segment.Length() == 0) {
      step.Allow(kAckRefused, MayAck(tcb));
    }
    if (tcb.is_passive && step.user.MayRefuse()) {
      step.Allow(kAckRefused, MayAck(tcb));
      step.Allow(kAckRefused, Owe(tcb.Closed(), ResetFor(segment), step.now, kAckRefused));
    }
    tcb.state = tcb.is_fin_sent ? State::kFinWait1 : State::kEstablished;
    tcb.was_open = true;
    tcb.before.reset();
    tcb.answers.clear();
    step.acknowledgment = &kSynReceivedAck;
  }
  // "The only thing that can arrive in this state is a retransmission of the remote FIN.
  // Acknowledge it": one that lies before RCV.NXT the first check has acknowledged. By the eighth
  // check a FIN at RCV.NXT is acknowledged as well.
  if (tcb.state == State::kTimeWait && segment.Has(kFin) && AtMost(segment.seq, tcb.rcv_nxt)) {
    tcb.time_wait = step.now;
    return AnotherFin(step, kTimeWaitNewFin);
  }
  if (Before(tcb.nxt, segment.ack)) {
    MayBeForNobody(step);
    // Of these two states the text does not say so: "the only thing that can arrive" is another
    // one.
    if (tcb.state == State::kLastAck || tcb.state == State::kTimeWait) {
      return step.Allow(kFutureAck, MayAck(tcb));
    }
    return step.Allow(kFutureAck, Challenge(tcb, step.now));
  }
  if (tcb.state == State::kTimeWait) return step.Allow(kTimeWaitOther, MayAck(tcb));
  Acknowledge(tcb, segment, step.now);
  if (step.arrived_in == State::kFinWait1 && tcb.state == State::kFinWait2) {
    step.acknowledgment = &kFinWait1Ack;
  }
  if (step.arrived_in == State::kClosing) {
    step.acknowledgment = tcb.state == State::kTimeWait ? &kClosingAck : &kClosingOther;
    if (tcb.state == State::kClosing) step.Allow(kClosingOther, tcb);  // "ignore the segment"
  }
  if (tcb.state == State::kLastAck && tcb.is_fin_sent && tcb.una == tcb.nxt) {
    return step.Allow(kLastAckAck, tcb.Closed());
  }
  return Then::kNextCheck;
}

// Sixth, check the URG bit: "RCV.UP <- max(RCV.UP,SEG.UP), and signal the user".
Then CheckUrgent(Step& step) {
  const Segment& segment = step.segment;
  Tcb& tcb = step.tcb;
  if (!segment.Has(kUrg) || !IsReceiving(tcb.state)) return Then::kNextCheck;
  const std::uint32_t up = segment.seq + segment.urgent;
  // What has arrived before is urgent no more; what begins past RCV.NXT may be dropped.
  const bool is_new = AtMost(segment.seq, tcb.rcv_nxt) && Before(tcb.rcv_nxt, up);
  if (!is_new || (tcb.rcv_up && AtMost(up, *tcb.rcv_up))) return Then::kNextCheck;
  tcb.rcv_up = up;
  tcb.urgent_since = step.now;
  return Then::kNextCheck;
}

using Check = Then (*)(Step&);
constexpr Check kClosedChecks[] = {NoConnection};
constexpr Check kListenChecks[] = {ListenRst, ListenAck, ListenSyn, ListenOther};
constexpr Check kSynSentChecks[] = {SynSentAck, SynSentRst, SynSentSyn, SynSentOther};
constexpr Check kOtherChecks[] = {CheckTimestamps, CheckSequence, CheckRst,      CheckSyn,
                                  CheckAck,        CheckUrgent,   TakeTextAndFin};

constexpr Rule kDamaged{"3.1, Checksum", "rfc9293:MUST-3", "a damaged segment is not taken"};

void Run(std::span<const Check> checks, Step step) {
  for (const Check check : checks) {
    if (check(step) == Then::kReturn) return;
  }
}

}  // namespace

void SegmentArrives(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
                    std::vector<Tcb>& readings) {
  Step step{segment, tcb, now, user, readings};
  ++step.tcb.arrival;
  if (!segment.defect.empty()) {
    step.Allow(kDamaged, step.tcb);
    return;
  }
  step.tcb.has_heard = true;
  step.tcb.is_probing = false;
  step.tcb.heard = now;
  if (segment.Has(kUrg)) {
    const std::uint32_t up = segment.seq + segment.urgent;
    if (!step.tcb.first_up || Before(up, *step.tcb.first_up)) step.tcb.first_up = up;
    step.tcb.has_urgent = true;
  }
  switch (tcb.state) {
    case State::kClosed:
      if (user.MayListen()) Run(kListenChecks, step);
      if (user.MayNotListen()) Run(kClosedChecks, step);
      return;
    case State::kSynSent:
      return Run(kSynSentChecks, step);
    default:
      return Run(kOtherChecks, step);
  }
}

}  // namespace sockproof::oracle
