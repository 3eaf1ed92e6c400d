#include "harness/oracle/sends.h"

#include <algorithm>

namespace sockproof::oracle {
namespace {

constexpr std::uint16_t kControl = kFin | kSyn | kRst | kAck;
constexpr std::uint16_t kReserved = 0xe00;  // the ninth bit is AE of RFC 9768

// --- patience: README.md has a table of it ---

// MUST-40; and how late a system that is served late may seem, on top of all of these.
constexpr Duration kAckWithin = 500ms, kServedLate = 100ms;
// Of RST, SYN,ACK and challenge ACKs no document says by when: a choice.
constexpr Duration kAnswerWithin = kAckWithin;
// By when data and FIN must have been sent no document says: the user timeout, by which all is to
// be delivered, has a default of five minutes (section 3.9.1.1).
constexpr Duration kDataWithin = 5min;
// Twice the shortest MSL in use, 15 s; section 3.4.2 leaves its 2 minutes open to experience.
constexpr Duration kShortestTimeWait = 30s;
// Below this nothing is retransmitted that has not been asked for.
constexpr Duration kShortestTimeout = 1ms;
// The shortest user timeout and limit of retransmission. The interval of keepalive is the
// application's (MUST-27), and has no least value.
constexpr Duration kShortestQuiet = 900ms;
// Of the granularity G of its clock RFC 6298 section 4 asks nothing. RFC 1122 section 4.2.3.1 wants
// timeouts as short as fractions of a second, for which it has to be less than that.
constexpr Duration kCoarsestClock = 1s;
// Longer than any capture: what a timeout is no longer doubled beyond.
constexpr Duration kLongestTimeout = 2400h;

// MUST-18 with RFC 6298, rules 2.2 and 2.3: RTO is SRTT + max(G, 4 RTTVAR), neither of which is
// more than the longest sample; this is longer by G than the round trip, and the timer by another.
// Its 1 s (2.1, 2.4) is a least value. Until there is a sample any timeout is allowed (2.1). Each
// time it is doubled (5.5).
Duration LongestTimeout(Duration round_trip, int repeats) {
  Duration timeout =
      5 * (std::min(round_trip, kLongestTimeout) + kCoarsestClock) + kCoarsestClock;
  for (int i = 0; i < repeats && timeout < kLongestTimeout; ++i) timeout *= 2;
  return timeout;
}

// A clock that initial sequence numbers come from is "neither assumed to be realtime nor precise"
// (section 3.4.1).
constexpr Duration kCoarsestIssClock = 10ms;

constexpr Rule kReservedBits{"3.1, Reserved", "rfc9293:3.1-reserved",
                             "the reserved bits must be zero"};
constexpr Rule kSum{"3.1, Checksum", "rfc9293:MUST-2", "a segment must carry a checksum"};
constexpr Rule kMssOption{"3.2", "rfc9293:MUST-65", "MSS must not be sent without SYN"};
constexpr Rule kOpen{"3.10.1", "rfc9293:3.5-first-segment", "an active open sends a SYN"};
constexpr Rule kAgain{"3.10.8", "rfc9293:3.10.8-retransmission",
                      "what is not acknowledged is sent again after a while"};
constexpr Rule kSend{"3.10.2", "rfc9293:3.8.6-offered", "data is sent in the window of the peer"};
constexpr Rule kOptions{"3.1, Options", "rfc9293:MUST-68",
                        "each option has its length, and after their end there are zeros"};
constexpr Rule kMssMissing{"3.7.1", "rfc9293:SHLD-5", "a SYN should have an MSS"};
constexpr Rule kShrunk{"3.8.6", "rfc9293:SHLD-14",
                       "the right edge of the window should not move to the left"};
constexpr Rule kPush{"3.9.1.2", "rfc9293:MUST-61",
                     "the last segment of what was given to send() has PSH"};
constexpr Rule kUrgent{"3.8.5", "rfc9293:MUST-30",
                       "what was sent as urgent has URG, and nothing else"};
constexpr Rule kUrgentPointer{"3.8.5", "rfc9293:MUST-62",
                              "the urgent pointer is of the octet that follows urgent data"};
constexpr Rule kSegmentSize{"3.7.1", "rfc9293:MUST-16",
                            "data and options of a segment fit the peer's MSS"};
constexpr Rule kDefaultSegmentSize{"3.7.1", "rfc9293:MUST-15",
                                   "without an MSS 536 octets are sent at most, on IPv6 1220"};
constexpr Rule kPushed{"3.9.1.2", "rfc9293:MUST-60", "data is not held back for ever"};
constexpr Rule kClose{"3.10.4", "rfc9293:3.6-close-fin", "close sends FIN after all data"};
constexpr Rule kAfterFin{"3.10.4", "rfc9293:3.6-close-fin", "nothing follows the FIN"};
constexpr Rule kWritten{"3.10.2", "rfc9293:3.10.2-send-established",
                        "what is sent as data was given to send()"};
constexpr Rule kExpected{"3.1, Acknowledgment Number", "rfc9293:3.1-ack-field",
                         "SEG.ACK is the next number expected, of what has come in order"};
constexpr Rule kLargerIss{
    "3.6.1", "rfc9293:MAY-2",
    "a connection reopened from TIME-WAIT has a larger ISS than any number before"};
constexpr Rule kSameIss{"3.4.1", "rfc9293:MUST-8",
                        "initial sequence numbers come from a clock that counts up"};
constexpr Rule kAbort{"3.10.5", "rfc9293:3.10.5-abort", "abort sends RST of SND.NXT"};
constexpr Rule kSilentAbort{"3.10.5", "rfc9293:3.10.5-abort-unsynchronized",
                            "an abort in SYN-SENT deletes the TCB, without RST"};
constexpr Rule kAckOwed{"3.8.6.3", "rfc9293:MUST-40", "an ACK is delayed by less than 0.5 s"};
constexpr Rule kUpdate{"3.8.6.2.2", "rfc9293:3.8.6.2.2-update", "a window update is an ACK"};
constexpr Rule kProbe{"3.8.4", "rfc9293:3.8.4-probe", "a keepalive has SEG.SEQ = SND.NXT-1"};
constexpr Rule kNumbered{"3.1, Sequence Number", "rfc9293:3.1-seq-field",
                         "SEG.SEQ numbers the first octet, so that nothing begins past SND.NXT"};
constexpr Rule kTimeWaitEnd{"3.10.8", "rfc9293:3.10.8-time-wait", "TIME-WAIT ends after 2 MSL"};
constexpr Rule kUserTimeout{"3.10.8", "rfc9293:3.10.8-user-timeout",
                            "the user timeout deletes the TCB"};
constexpr Rule kDeleted{"3.10.4", "rfc9293:3.10.4-close-syn-sent",
                        "a close in SYN-SENT deletes the TCB"};

// The rule on the size of segments, on PSH, on urgent data that a segment breaks; none: nullptr.
const Rule* TooLarge(const Tcb& tcb, const Segment& segment, const Distance& distance) {
  // Before there is a connection no MSS is known; and none can be kept that options alone fill.
  if (tcb.state == State::kClosed || tcb.state == State::kSynSent) return nullptr;
  if (tcb.peer_mss && *tcb.peer_mss <= segment.options) return nullptr;
  const std::uint16_t most = tcb.peer_mss.value_or(segment.is_ipv6 ? 1220 : 536);
  if (distance.has_offload || segment.text + segment.options <= most) return nullptr;
  return tcb.peer_mss ? &kSegmentSize : &kDefaultSegmentSize;
}

const Rule* WithoutPush(const Tcb& tcb, const Segment& segment, const Application& user) {
  const std::uint32_t end = segment.seq + segment.text;
  const bool is_new = segment.text > 0 && Before(tcb.nxt, end) && !segment.Has(kFin | kSyn);
  const bool is_last = user.is_known && !user.holds_back && end - tcb.iss - 1 == user.written;
  return is_new && is_last && !segment.Has(kPsh) ? &kPush : nullptr;
}

const Rule* AgainstUrgent(const Tcb& tcb, const Segment& segment, const Application& user) {
  if (!user.is_known || segment.text == 0 || segment.Has(kSyn)) return nullptr;
  const std::vector<std::uint64_t>& ends = user.urgent_ends;
  const std::uint32_t first = tcb.iss + 1;
  if (segment.Has(kUrg)) {
    if (ends.empty()) return &kUrgent;
    const std::uint64_t pointed = segment.seq + segment.urgent - first;
    const bool is_one = std::find(ends.begin(), ends.end(), pointed) != ends.end();
    return is_one || segment.urgent == UINT16_MAX ? nullptr : &kUrgentPointer;
  }
  const bool has_urgent = std::any_of(ends.begin(), ends.end(), [&](std::uint64_t end) {
    const std::uint32_t last = first + static_cast<std::uint32_t>(end) - 1;
    return AtMost(segment.seq, last) && Before(last, segment.seq + segment.text);
  });
  return has_urgent ? &kUrgent : nullptr;
}

// Nothing was heard for as long as a timer may take to give up.
bool IsQuiet(const Tcb& tcb, Time now) {
  return now - tcb.heard >= (tcb.is_probing ? kShortestTimeout : kShortestQuiet);
}

struct Sending {
  const Tcb& tcb;
  const Segment& segment;
  Time now;
  const Application& user;
  const Distance& distance;
  std::vector<Tcb>& readings;

  std::uint32_t End() const { return segment.seq + segment.text; }
  // The right edge of the window that the segment offers.
  std::uint32_t Offered(const Tcb& after) const {
    const int shift = segment.Has(kSyn) ? 0 : after.Shift();
    return after.rcv_nxt + (static_cast<std::uint32_t>(segment.window) << shift);
  }
  // By a timer, for something that was heard, or one after the other.
  bool MayRepeat() const {
    return tcb.has_heard || distance.has_offload || now - tcb.sent >= kShortestTimeout ||
           AtMost(tcb.sent_to, segment.seq);
  }

  // All of it was sent before, and may be again by now.
  bool IsAgain() const {
    const bool fin = segment.Has(kFin);
    const std::uint32_t end = End() + (fin ? 1 : 0);
    if (segment.Length() == 0 || Before(segment.seq, tcb.una) || Before(tcb.nxt, end)) return false;
    return fin == (tcb.is_fin_sent && end == tcb.nxt) && MayRepeat();
  }

  // The segment was sent, and left `then` behind.
  void Allow(const Rule& rule, Tcb then) const {
    then.reason.rule = &rule;
    then.reason.unfollowed = Unfollowed(tcb, segment, distance);
    then.may_ack = false;
    if (segment.Has(kSyn)) {
      then.scale = segment.scale;
      then.has_timestamps = segment.timestamps.has_value();
      then.syn_value = segment.timestamps ? segment.timestamps->value : 0;
    }
    if (segment.Has(kAck)) {
      then.ack_since.reset();
      then.challenged.reset();
      then.reason.owed = nullptr;
      then.told_ack = segment.ack;
      const std::uint32_t edge = Offered(then);
      then.rcv_edge = segment.Has(kSyn) ? edge : Later(then.rcv_edge, edge);
      if (!segment.Has(kSyn)) then.told_edge = edge;
    }
    then.shown = segment.window;
    if (segment.Length() > 0) {
      then.sent = now;
      then.sent_to = segment.seq + segment.Length();
      then.has_heard = false;
    }
    readings.push_back(std::move(then));
  }
  Tcb Again() const {
    Tcb then = tcb;
    ++then.repeats;
    then.is_repeated = true;
    return then;
  }
  void AllowAgain() const { Allow(kAgain, Again()); }
};

// What it owes: RST and SYN,ACK.
void SendAnswer(const Sending& sending) {
  const Segment& segment = sending.segment;
  for (std::size_t i = 0; i < sending.tcb.answers.size(); ++i) {
    const Answer& answer = sending.tcb.answers[i];
    if (answer.flags != (segment.flags & kControl)) continue;
    if (!answer.has_any_seq && answer.seq != segment.seq) continue;
    if (segment.Has(kAck) && answer.ack != segment.ack) continue;
    Tcb then = sending.tcb;
    then.answers.erase(then.answers.begin() + static_cast<std::ptrdiff_t>(i));
    const Rule* rule = answer.reason.rule;
    if (segment.Has(kRst)) {
      then.reason.rule = rule;
      sending.readings.push_back(std::move(then));
      continue;
    }
    if (answer.is_larger && !AtMost(then.nxt, segment.seq)) continue;
    if (answer.has_any_seq) {
      then.iss = then.una = segment.seq;
      then.opened.reset();
      then.is_assumed = false;
      then.nxt = sending.End() + 1;
      then.edge = then.last_edge = then.iss + 1 + then.max_window;
    }
    sending.Allow(*rule, std::move(then));
  }
}

// MUST-8: between the same endpoints no later connection begins at the same number.
bool HasSameIss(const Tcb& tcb, const Segment& segment, Time now) {
  const bool opens = (tcb.state == State::kClosed || tcb.state == State::kTimeWait) &&
                     (segment.flags & kControl) == kSyn;
  return opens && tcb.opened && segment.seq == tcb.iss && now - *tcb.opened >= kCoarsestIssClock;
}

// 3.10.1, OPEN; 3.10.8 for its SYN.
void SendSyn(const Sending& sending) {
  const Segment& segment = sending.segment;
  const Tcb& tcb = sending.tcb;
  if ((segment.flags & kControl) != kSyn) return;
  if (tcb.state == State::kSynSent && segment.seq == tcb.iss && sending.MayRepeat()) {
    sending.AllowAgain();
  }
  if (tcb.state != State::kClosed && tcb.state != State::kTimeWait) return;
  if (!sending.user.MayOpen(tcb.opens) || HasSameIss(tcb, segment, sending.now)) return;
  Tcb then;
  then.stack = tcb.stack;
  then.arrival = tcb.arrival;
  then.answers = tcb.answers;
  then.opens = sending.user.opens;
  then.state = State::kSynSent;
  then.iss = then.una = segment.seq;
  then.opened = sending.now;
  then.nxt = sending.End() + 1;
  then.heard = sending.now;
  sending.Allow(kOpen, std::move(then));
}

// 3.10.8 for a SYN,ACK. It acknowledges what an ACK would.
void SendSynAckAgain(const Sending& sending) {
  const Tcb& tcb = sending.tcb;
  if ((sending.segment.flags & kControl) != (kSyn | kAck)) return;
  // After a close in SYN-RECEIVED it is still at the front of the retransmission queue.
  const bool is_open =
      tcb.state == State::kSynReceived || (tcb.state == State::kFinWait1 && tcb.una == tcb.iss);
  if (!is_open || sending.segment.seq != tcb.iss) return;
  const std::uint32_t ack = sending.segment.ack;
  if (!tcb.IsIssChosen() || (ack != tcb.irs + 1 && ack != tcb.rcv_nxt) || !sending.MayRepeat()) {
    return;
  }
  sending.AllowAgain();
}

// 3.10.5, ABORT; also what a user timeout or unanswered probes end with.
void SendAbort(const Sending& sending) {
  const Segment& segment = sending.segment;
  const Tcb& tcb = sending.tcb;
  if (!segment.Has(kRst) || segment.Has(kSyn | kFin)) return;
  if (tcb.state == State::kClosed || tcb.state == State::kSynSent) return;
  // In TIME-WAIT only "to show that data was lost" (SHLD-3).
  const std::uint64_t received = tcb.rcv_nxt - tcb.irs - 1 - tcb.fins_received;
  if (tcb.state == State::kTimeWait &&
      received <= (sending.user.is_known ? sending.user.read : 0)) {
    return;
  }
  if (!sending.user.MayAbort() && !IsQuiet(tcb, sending.now)) return;
  if (segment.Has(kAck) && segment.ack != tcb.rcv_nxt) return;
  if (segment.seq != tcb.nxt) return;
  Tcb then = tcb.Closed();
  then.reason.rule = &kAbort;
  sending.readings.push_back(std::move(then));
}

// An acknowledgment alone (3.10.7.4), a window update, a probe (3.8.4, 3.8.6.1).
void SendAck(const Sending& sending) {
  const Segment& segment = sending.segment;
  const Tcb& tcb = sending.tcb;
  const bool is_probe = segment.seq == tcb.nxt - 1 && segment.text <= 1 && tcb.una == tcb.nxt;
  const bool is_window_closed = AtMost(tcb.last_edge, tcb.nxt);
  const bool is_idle = sending.user.MayProbe() && sending.now - tcb.heard >= kShortestTimeout;
  if (is_probe && !segment.Has(kFin) && (is_window_closed || is_idle)) {
    Tcb then = tcb;
    then.is_probing = true;
    sending.Allow(kProbe, std::move(then));
  }
  if (segment.text > 0 || segment.Has(kFin) || segment.seq != tcb.nxt) return;
  const std::uint32_t edge = sending.Offered(tcb);
  const bool is_update = tcb.told_edge ? edge != *tcb.told_edge : Before(tcb.rcv_edge, edge);
  if (tcb.OwesAck() || tcb.may_ack) {
    sending.Allow(kAckOwed, tcb);
  } else if (sending.distance.may_lose || is_update) {
    sending.Allow(kUpdate, tcb);
  }
}

// 3.10.2, SEND; 3.10.4, CLOSE; and 3.10.8, both again.
void SendTextAndFin(const Sending& sending) {
  const Segment& segment = sending.segment;
  const Tcb& tcb = sending.tcb;
  const bool fin = segment.Has(kFin);
  if (segment.text == 0 && !fin) return;
  if (Before(segment.seq, tcb.una) || Before(tcb.nxt, segment.seq)) return;
  if (TooLarge(tcb, segment, sending.distance) != nullptr) return;
  const std::uint32_t end = sending.End() + (fin ? 1 : 0);
  if (AtMost(end, tcb.nxt)) {
    if (sending.IsAgain()) sending.AllowAgain();
    return;
  }
  if (tcb.is_fin_sent) return;
  // With Fast Open a server need not wait for the end of the handshake (RFC 7413 section 4.2).
  const bool is_fast = tcb.state == State::kSynReceived && tcb.is_passive && tcb.was_open;
  const bool is_open =
      tcb.state == State::kEstablished || tcb.state == State::kCloseWait || is_fast;
  if (!is_open && !(tcb.state == State::kSynReceived && fin && segment.text == 0)) return;
  if (!sending.user.MayWrite(sending.End() - tcb.iss - 1)) return;
  // A closed window is probed with "at least one octet" (3.8.6.1).
  const bool is_probe = segment.seq == tcb.una && AtMost(tcb.edge, segment.seq);
  if (tcb.is_window_known && !is_probe && Before(tcb.edge + 1, sending.End())) return;
  Tcb then = tcb;
  then.nxt = end;
  if (!fin) return sending.Allow(kSend, std::move(then));
  if (!sending.user.MayFinish()) return;
  then.is_fin_sent = true;
  then.state = tcb.state == State::kCloseWait ? State::kLastAck : State::kFinWait1;
  sending.Allow(kClose, then);
  // "In any case, enter FIN-WAIT-1 state", so that the peer's FIN led to CLOSING.
  if (tcb.state != State::kCloseWait || !tcb.may_be_closing) return;
  then.state = State::kClosing;
  sending.Allow(kClose, std::move(then));
}

// What is sent again may be "identical to the original packet" (MAY-4): with the acknowledgment of
// then.
void SendIdentical(const Sending& sending) {
  if (!sending.segment.is_copy || !sending.IsAgain()) return;
  Tcb then = sending.Again();
  then.reason.rule = &kAgain;
  then.reason.unfollowed = nullptr;
  then.sent = sending.now;
  then.sent_to = sending.segment.seq + sending.segment.Length();
  then.has_heard = false;
  sending.readings.push_back(std::move(then));
}

// A window that shrinks while text arrives (SHLD-14): of what then lies beyond it none is taken.
void SendTakenBack(const Sending& sending) {
  const Segment& segment = sending.segment;
  Tcb tcb = sending.tcb;
  const bool is_less = AtMost(tcb.told_ack, segment.ack) && Before(segment.ack, tcb.rcv_nxt);
  const bool is_beyond = Before(segment.ack + segment.window, tcb.rcv_nxt);
  if (!is_less || !is_beyond || !tcb.MayTakeBack()) return;
  tcb.rcv_nxt = segment.ack;
  if (tcb.fins_received > 0) {  // the FIN behind it is not taken, either
    tcb.fins_received = 0;
    tcb.time_wait.reset();
    if (tcb.state == State::kCloseWait) tcb.state = State::kEstablished;
    if (tcb.state == State::kClosing) tcb.state = State::kFinWait1;
    if (tcb.state == State::kTimeWait) tcb.state = State::kFinWait2;
  }
  const Sending of_less{tcb,          segment,          sending.now,
                        sending.user, sending.distance, sending.readings};
  SendAck(of_less);
  SendTextAndFin(of_less);
}

}  // namespace

const Rule* Malformed(const Segment& segment, const Distance& distance) {
  if (segment.Has(kReserved)) return &kReservedBits;
  if (!segment.defect.empty() && !distance.has_offload) return &kSum;
  if (segment.mss && !segment.Has(kSyn)) return &kMssOption;
  if (segment.has_bad_options) return &kOptions;
  return nullptr;
}

const Rule* Unfollowed(const Tcb& tcb, const Segment& segment, const Distance& distance) {
  if (segment.Has(kRst)) return nullptr;
  if (segment.Has(kSyn)) return segment.mss ? nullptr : &kMssMissing;
  if (distance.has_offload || !segment.Has(kAck) || !tcb.is_window_known || !tcb.told_edge)
    return nullptr;
  if (tcb.state == State::kClosed || tcb.fins_received > 0) return nullptr;
  const std::uint32_t edge =
      segment.ack + (static_cast<std::uint32_t>(segment.window) << tcb.Shift());
  // By less than the window field can tell it moves without being meant to (RFC 7323 section 2.4).
  return Before(edge + (1U << tcb.Shift()) - 1, *tcb.told_edge) ? &kShrunk : nullptr;
}

const Rule* Against(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
                    const Distance& distance) {
  if (HasSameIss(tcb, segment, now)) return &kSameIss;
  for (const Rule* rule : {TooLarge(tcb, segment, distance), WithoutPush(tcb, segment, user),
                           AgainstUrgent(tcb, segment, user)}) {
    if (rule != nullptr) return rule;
  }
  const bool is_small =
      std::any_of(tcb.answers.begin(), tcb.answers.end(), [&](const Answer& answer) {
        return answer.is_larger && answer.flags == (segment.flags & kControl) &&
               answer.ack == segment.ack && Before(segment.seq, tcb.nxt);
      });
  if (is_small) return &kLargerIss;
  if (tcb.state == State::kSynSent && segment.Has(kRst) && tcb.answers.empty()) {
    return &kSilentAbort;
  }
  if (tcb.state == State::kClosed || tcb.state == State::kSynSent || segment.Has(kSyn)) {
    return nullptr;
  }
  const bool owes = tcb.OwesAck() || !tcb.answers.empty();
  if (segment.Has(kRst)) return owes ? nullptr : &kAbort;
  if (segment.Has(kAck) && segment.ack != tcb.rcv_nxt) return owes ? nullptr : &kExpected;
  const std::uint32_t end = segment.seq + segment.text;
  if (!Before(tcb.nxt, end + (segment.Has(kFin) ? 1 : 0))) return nullptr;
  if (tcb.is_fin_sent) return &kAfterFin;
  if (segment.Has(kFin) && !user.MayFinish()) return &kClose;
  if (!user.MayWrite(end - tcb.iss - 1)) return &kWritten;
  return tcb.is_window_known && Before(tcb.edge + 1, end) ? &kSend : nullptr;
}

const Rule* BehindAGap(const Tcb& tcb, const Segment& segment) {
  if (tcb.state == State::kClosed || tcb.state == State::kSynSent) return nullptr;
  const bool is_numbered = !segment.Has(kSyn | kRst) && tcb.IsIssChosen();
  return is_numbered && Before(tcb.nxt, segment.seq) ? &kNumbered : nullptr;
}

void Sends(const Tcb& tcb, const Segment& segment, Time now, const Application& user,
           const Distance& distance, std::vector<Tcb>& readings) {
  const Sending sending{tcb, segment, now, user, distance, readings};
  SendAnswer(sending);
  SendSyn(sending);
  SendSynAckAgain(sending);
  SendAbort(sending);
  // From here on everything has ACK, of RCV.NXT (3.1, Acknowledgment Number).
  if (tcb.state == State::kClosed || tcb.state == State::kSynSent) return;
  if ((segment.flags & (kSyn | kRst | kAck)) != kAck) return;
  if (segment.ack != tcb.rcv_nxt) {
    SendIdentical(sending);
    return SendTakenBack(sending);
  }
  if (WithoutPush(tcb, segment, user) != nullptr) return;
  if (AgainstUrgent(tcb, segment, user) != nullptr) return;
  SendAck(sending);
  SendTextAndFin(sending);
}

void Lapses(const Tcb& tcb, Time now, const Application& user, std::vector<Tcb>& readings) {
  const auto end = [&](const Rule& rule) {
    Tcb closed = tcb.Closed();
    closed.reason.rule = &rule;
    closed.is_timed_out = &rule == &kUserTimeout;
    readings.push_back(std::move(closed));
  };
  if (tcb.state == State::kClosed) return;
  if (tcb.time_wait && now - *tcb.time_wait >= kShortestTimeWait) end(kTimeWaitEnd);
  if (tcb.state == State::kSynSent && (!user.is_known || user.has_given_up)) end(kDeleted);
  const bool is_orphan = tcb.state == State::kFinWait2 && user.MayAbort();
  const bool is_waiting = tcb.una != tcb.nxt || is_orphan || tcb.is_probing ||
                          tcb.state == State::kSynReceived || user.MayProbe();
  const bool is_opening = tcb.state == State::kSynSent && user.is_known;  // connect() will tell
  if (!is_opening && tcb.state != State::kTimeWait && is_waiting && IsQuiet(tcb, now)) {
    end(kUserTimeout);
  }
}

bool OwesChallenge(const Tcb& tcb, const Challenges& challenges) {
  if (!tcb.challenged) return false;
  const auto other = challenges.lower_bound(*tcb.challenged - kRation);
  return other == challenges.end() || *other > *tcb.challenged + kAckWithin;
}

Debt Overdue(const Tcb& tcb, Time now, const Application& user,
             const std::optional<Duration>& round_trip, const Challenges& challenges) {
  const auto is_late = [&](Time since, Duration within) {
    return now - since >= within + kServedLate;
  };
  for (const Answer& answer : tcb.answers) {
    if (is_late(answer.since, kAnswerWithin)) return {answer.reason.rule, kAnswerWithin};
  }
  if (tcb.ack_since && is_late(*tcb.ack_since, kAckWithin)) return {tcb.reason.owed, kAckWithin};
  if (tcb.challenged && is_late(*tcb.challenged, kAnswerWithin) && OwesChallenge(tcb, challenges)) {
    return {tcb.reason.owed, kAnswerWithin};
  }
  const bool is_waiting =
      tcb.state != State::kClosed && tcb.una != tcb.nxt && tcb.una != tcb.iss && round_trip;
  if (is_waiting && Before(tcb.una, tcb.last_edge)) {
    const Duration within = LongestTimeout(*round_trip, tcb.repeats);
    if (is_late(std::max(tcb.sent, tcb.heard), within)) return {&kAgain, within};
  }
  const bool is_open = tcb.state == State::kEstablished || tcb.state == State::kCloseWait;
  if (!user.is_known || !is_open || tcb.una != tcb.nxt) return {};
  const std::uint64_t sent = tcb.nxt - tcb.iss - 1;
  const Time last = std::max({user.called, tcb.heard, tcb.sent});
  if (user.written > sent && !user.holds_back && is_late(last, kDataWithin)) {
    // A full segment, or all there is, fits the window (3.8.6.2.1).
    const std::uint64_t unsent = user.written - sent;
    const auto fits = static_cast<std::uint32_t>(std::min<std::uint64_t>(unsent, UINT16_MAX));
    if (AtMost(tcb.nxt + fits, tcb.last_edge)) return {&kPushed, kDataWithin};
  }
  // A FIN needs room in the window, as text does.
  if (user.finished && user.written <= sent && Before(tcb.nxt, tcb.last_edge) &&
      is_late(std::max(last, *user.finished), kDataWithin)) {
    return {&kClose, kDataWithin};
  }
  return {};
}

}  // namespace sockproof::oracle
