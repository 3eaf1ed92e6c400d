// One reading of a connection: a transmission control block (RFC 9293 section 3.3.1) and what is
// still to come from it. The oracle keeps a set of them.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/oracle/segment.h"

namespace sockproof::oracle {

// What a document says, as the reason of a step.
struct Rule {
  const char* section;   // "3.10.7.4, first check"
  const char* claim;     // its id in the catalogue; empty when there is no row
  const char* sentence;  // in own words
};

// Why a TCB is as it is; no part of what it is.
struct Reason {
  const Rule* rule = nullptr;
  const Rule* owed = nullptr;        // why an ACK must come
  const Rule* unfollowed = nullptr;  // a SHOULD that the segment sent last did not follow
  std::strong_ordering operator<=>(const Reason&) const { return std::strong_ordering::equal; }
  bool operator==(const Reason&) const { return true; }
};

enum class State {
  kClosed,  // no TCB; a listener, if there is one, is the application's (Application)
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
};

// "FIN-WAIT-2", as RFC 9293 spells it.
const char* StateName(State state);
// None: there is no such state here.
std::optional<State> StateNamed(std::string_view name);

// A segment that must be sent.
struct Answer {
  std::uint16_t flags = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;     // with kAck
  bool has_any_seq = false;  // an initial sequence number that is free to choose
  bool is_larger = false;    // it is larger than any that the connection before has used (MAY-2)
  Time since;
  Reason reason;
  auto operator<=>(const Answer&) const = default;
};

// Text, and maybe a FIN after it, that begins past RCV.NXT and may be held (SHLD-31).
struct Held {
  std::uint32_t seq = 0;
  std::uint32_t text = 0;
  bool fin = false;
  auto operator<=>(const Held&) const = default;
};

// What RFC 9293 leaves to a stack, and asks for of one that has chosen (section 3.10.7.4: "for
// stacks implementing the protection described in RFC 5961", "for implementations that do not
// follow"). A reading that has seen the system choose holds it to that.
struct Stack {
  enum class InWindow { kEither, kChallenged, kResets };
  InWindow rst = InWindow::kEither;  // an RST in the window, not of RCV.NXT (RFC 5961 section 3)
  InWindow syn = InWindow::kEither;  // a SYN in the window (section 4)
  auto operator<=>(const Stack&) const = default;
};
// What is known of a system of which both are known; none: they contradict each other.
std::optional<Stack> Both(const Stack& one, const Stack& other);

struct Tcb {
  State state = State::kClosed;
  Stack stack;
  bool is_assumed = false;    // it began before the capture: with the numbers that were seen first
  bool is_passive = false;    // MUST-11: came from LISTEN
  int opens = 0;              // active opens so far (Application::opens)
  std::shared_ptr<const Tcb> before;  // reopened from TIME-WAIT: as it was, until it is ESTABLISHED
  std::uint32_t arrival = 0;  // how many segments of the peer have arrived; the rest is under way

  // Send sequence variables.
  std::uint32_t iss = 0;
  std::optional<Time> opened;  // of an active open: when it chose that number
  std::uint32_t una = 0;
  std::uint32_t nxt = 0;
  std::uint32_t edge = 0;          // the furthest right edge that the peer has offered
  std::uint32_t last_edge = 0;     // the one it offered last
  std::uint32_t max_window = 0;    // MAX.SND.WND
  std::uint32_t wl1 = 0, wl2 = 0;  // SND.WL1, SND.WL2: of the segment that offered it
  bool is_fin_sent = false;        // at nxt-1
  Time sent;                       // when sequence space was used last
  std::uint32_t sent_to = 0;       // the end of what was sent then
  bool is_repeated = false;        // whether some of what is not acknowledged was sent again
  int repeats = 0;          // since the last sample: what backs off stays so (RFC 6298 section 5)
  bool has_heard = false;   // whether anything has arrived since then
  bool is_probing = false;  // it has probed since it heard something
  Time heard;               // when something arrived last

  // Receive sequence variables.
  std::uint32_t irs = 0;
  std::uint32_t rcv_nxt = 0;
  std::uint32_t rcv_edge = 0;              // the furthest right edge that was offered to the peer
  std::optional<std::uint32_t> told_edge;  // the one of the last segment without SYN
  std::uint32_t told_ack = 0;              // what was acknowledged last
  bool is_window_known = true;             // false: the scale was agreed on before the capture
  std::optional<std::uint16_t> shown;      // the window field sent last
  std::vector<Held> held;                  // in order of seq
  bool was_open = false;                   // ESTABLISHED or later, at some time
  bool is_timed_out = false;               // the user timeout has ended it
  std::uint32_t fins_received = 0;         // by which rcv_nxt was advanced
  bool has_urgent = false;                 // a segment with URG has arrived
  std::optional<std::uint32_t> first_up;   // the least urgent pointer of those
  std::optional<std::uint32_t> rcv_up;     // RCV.UP, where it advanced past RCV.NXT
  Time urgent_since;                       // when it did
  bool may_be_closing = false;             // its close may have come before the peer's FIN

  // What the SYNs agreed on; none: not offered.
  std::optional<std::uint8_t> scale, peer_scale;
  bool has_timestamps = false, peer_has_timestamps = false;
  std::uint32_t ts_recent = 0;  // TS.Recent at most: where it follows RCV.NXT, not Last.ACK.sent
  std::uint32_t syn_value = 0;  // TSval of its SYN or SYN,ACK
  std::optional<std::uint16_t> peer_mss;

  // Still to come.
  std::vector<Answer> answers;     // RST and SYN,ACK
  std::optional<Time> ack_since;   // an ACK must come: since then
  bool may_ack = false;            // an ACK may come
  std::optional<Time> challenged;  // the same of one that may be rationed, or was
  std::optional<Time> time_wait;   // entered or restarted
  Reason reason;

  // False while the SYN,ACK that is owed may have any initial sequence number.
  bool IsIssChosen() const { return answers.empty() || !answers.back().has_any_seq; }
  bool OwesAck() const { return ack_since || challenged; }
  bool IsScaled() const { return scale && peer_scale; }
  int Shift() const { return IsScaled() ? std::min<int>(*scale, 14) : 0; }
  // With "a non-zero scale factor ... the receiver MUST honor" what it has offered (RFC 7323
  // section 2.4); otherwise a window that was taken back is open.
  bool MayTakeBack() const { return Shift() == 0; }
  // The right edge up to which it must take text.
  std::uint32_t SureEdge() const {
    return told_edge && MayTakeBack() && Before(*told_edge, rcv_edge) ? *told_edge : rcv_edge;
  }
  // The one up to which it may: RCV.WND is no multiple of what the window field counts in.
  std::uint32_t FurthestEdge() const { return rcv_edge + (1U << Shift()) - 1; }
  // A FIN of its own has to wait: for the window, or behind what is under way.
  bool IsHeldUp() const { return una != nxt || AtMost(last_edge, nxt); }
  // Without a TCB; answers of the past may still be on their way.
  Tcb Closed() const;
  auto operator<=>(const Tcb&) const = default;
};

// What is known of the application. The default: nothing, so that it may do anything.
struct Application {
  bool is_known = false;
  bool is_listening = false;               // somebody listens for such a connection
  bool may_be_full = false;                // the listener may have no room (POSIX listen())
  bool defers = false;                     // TCP_DEFER_ACCEPT: it may wait for data
  int opens = 0;                           // how often connect() was called
  bool has_given_up = false;               // and failed, or its socket was closed
  std::uint64_t written = 0;               // octets, at most, given to send() so far
  Time called;                             // when it last gave some
  std::optional<Time> finished;            // shutdown() of the sending side or close()
  bool is_gone = false;                    // close(): nobody is there to receive
  bool may_abort = false;                  // close(), or a time limit that the application set
  bool has_keepalive = false;              // SO_KEEPALIVE
  std::uint64_t read = 0;                  // octets that it has received so far
  bool was_told = false;                   // a call has told of an error of the connection
  bool waits_for_more = false;             // SO_RCVLOWAT
  bool holds_back = false;                 // MSG_MORE, TCP_CORK: send() without PUSH
  bool has_received = false;               // it has called recv() or read()
  bool has_taken_urgent = false;           // with MSG_OOB
  bool polls_errors = false;               // SO_SELECT_ERR_QUEUE: errors are POLLPRI, too
  std::vector<std::uint64_t> urgent_ends;  // octets written, each time with the last one urgent
  // shutdown() of the receiving side, or received in a way that is not counted.
  bool has_stopped_reading = false;

  bool MayListen() const { return !is_known || is_listening; }
  bool MayNotListen() const { return !is_known || !is_listening || may_be_full; }
  bool MayRefuse() const { return !is_known || may_be_full; }
  bool MayOpen(int opened) const { return !is_known || opened < opens; }
  bool MayBeGone() const { return !is_known || is_gone; }
  bool MayAbort() const { return !is_known || may_abort; }
  bool MayProbe() const { return !is_known || has_keepalive; }
  bool MayFinish() const { return !is_known || finished; }
  bool MayWrite(std::uint64_t octets) const { return !is_known || octets <= written; }
};

// When a host has sent what may have been challenge ACKs. It may ration them over all of its
// connections (RFC 5961 section 7 counts them in intervals of 5 s).
using Challenges = std::set<Time>;
constexpr Duration kRation = 5s;

// How far the place of the capture is from the system.
struct Distance {
  Duration transit = 50ms;   // how long a segment of the peer may be on its way to the system
  bool may_lose = false;     // whether it may be lost on it, and the capture miss segments
  bool has_offload = false;  // segments may be larger, and sums not yet computed
};

}  // namespace sockproof::oracle
