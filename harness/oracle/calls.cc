#include "harness/oracle/calls.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockproof::oracle {
namespace {

constexpr Duration kLookedBefore = 50ms;  // of a call that has seen less than has arrived

constexpr Rule kNotArrived{"3.10.3", "rfc9293:3.10.3-receive-waits",
                           "a receive for which nothing has arrived waits for it"};
constexpr Rule kTextUnread{"3.10.3", "rfc9293:3.10.3-receive-close-wait",
                           "what has arrived in order is received, also before the end"};
constexpr Rule kEndUntold{"3.10.3", "rfc9293:3.10.3-receive-close-wait",
                          "after the peer's FIN and all text before it a receive gets the end"};
constexpr Rule kNotReset{"3.9.1.8", "", "an error of the connection is told when there was one"};
constexpr Rule kResetUntold{"3.10.7.4, second check", "rfc9293:3.10.7.4-reset",
                            "a reset is told to receives and sends"};
constexpr Rule kNoSuchError{"POSIX", "", "EIO is of files, and no error of TCP"};
constexpr Rule kSendClosed{"3.10.2", "rfc9293:3.10.2-send-closed",
                           "a send without a connection fails"};
constexpr Rule kSendFinished{"3.10.2", "rfc9293:3.10.2-send-after-close",
                             "a send after the own close fails"};
constexpr Rule kSendOpen{"3.10.2", "rfc9293:3.10.2-send-established",
                         "data may be sent until the own close"};
constexpr Rule kNotOpen{"3.10.1", "rfc9293:3.5-third-segment",
                        "an open has succeeded when the handshake has ended"};
constexpr Rule kNotRefused{"3.10.7.3, second check", "rfc9293:3.10.7.3-rst",
                           "an open is refused by an RST"};
constexpr Rule kShutdownOpen{"3.10.4", "rfc9293:3.10.4-close-established",
                             "a connection that is open can be closed"};
constexpr Rule kNothingUrgent{"3.10.7.4, sixth check", "rfc9293:3.1-urgent-pointer",
                              "only what has come with URG is told of as urgent"};
constexpr Rule kUrgentUntold{"3.8.5", "rfc9293:MUST-32", "urgent data that is pending is told of"};
constexpr Rule kNotAtMark{"3.8.5", "rfc9293:MUST-33",
                          "it is told where the urgent data is: past all that was sent before"};
constexpr Rule kTimeoutUntold{"3.10.8", "rfc9293:3.10.8-user-timeout",
                              "that the user timeout has ended a connection is told"};
constexpr Rule kStates{"3.3.2", "rfc9293:3.3.2-states",
                       "a connection is in the state to which the events so far have led"};

constexpr Rule kFinWait1{"3.10.4", "rfc9293:3.10.4-close-established",
                         "the close of ESTABLISHED enters FIN-WAIT-1 in any case"};

bool IsOneOf(const std::string& error, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return error == name; });
}

// Octets that have arrived in order.
std::uint64_t Arrived(const Tcb& tcb) {
  const bool has_begun =
      tcb.state != State::kSynSent && (tcb.was_open || tcb.state != State::kClosed);
  if (!has_begun) return 0;
  return tcb.rcv_nxt - tcb.irs - 1 - tcb.fins_received;
}

Objection ToReceive(const Returned& returned, const Tcb& tcb, const Application& user) {
  const std::uint64_t arrived = Arrived(tcb);
  const std::uint64_t unread = arrived > user.read ? arrived - user.read : 0;
  const bool is_closed = tcb.state == State::kClosed;
  if (returned.error.empty() && returned.octets > 0) {
    if (returned.octets <= unread) return {};
    return {&kNotArrived, fmt::format("{} octets at most", unread)};
  }
  const bool waits = IsOneOf(returned.error, {"EAGAIN", "EWOULDBLOCK"});
  if (is_closed && (returned.error.empty() || waits) && tcb.fins_received == 0 && !user.was_told &&
      !user.has_stopped_reading && tcb.was_open) {
    return {&kResetUntold, "ECONNRESET"};
  }
  // After a reset what was not read may be gone. Urgent data is read apart, or not at all.
  if (user.has_stopped_reading || is_closed || tcb.has_urgent) return {};
  if (returned.error.empty()) {
    if (unread > 0) return {&kTextUnread, fmt::format("{} octets at most", unread)};
    if (tcb.fins_received == 0) return {&kNotArrived, "it waits, or EAGAIN"};
    return {};
  }
  if (waits && !user.waits_for_more) {
    if (unread > 0) return {&kTextUnread, fmt::format("{} octets at most", unread)};
    if (tcb.fins_received > 0) return {&kEndUntold, "0"};
  }
  return {};
}

Objection ToSend(const Returned& returned, const Tcb& tcb, const Application& user) {
  const bool is_closed = tcb.state == State::kClosed;
  if (returned.error.empty()) {
    if (user.finished) return {&kSendFinished, "EPIPE"};
    if (is_closed) return {&kSendClosed, "ECONNRESET or EPIPE"};
    return {};
  }
  if (returned.error == "EPIPE" && !user.finished && !is_closed) return {&kSendOpen, "a number"};
  return {};
}

Objection ToConnect(const Returned& returned, const Tcb& tcb) {
  if (returned.error.empty()) {
    return tcb.was_open ? Objection{} : Objection{&kNotOpen, "EINPROGRESS, or it waits"};
  }
  if (returned.error == "ECONNREFUSED" && tcb.state != State::kClosed) {
    return {&kNotRefused, "0, EINPROGRESS, or it waits"};
  }
  return {};
}

Objection ToAccept(const Returned& returned, const Tcb& tcb) {
  if (returned.error.empty() && !tcb.was_open) return {&kNotOpen, "it waits, or EAGAIN"};
  if (returned.error == "ECONNABORTED" && tcb.state != State::kClosed)
    return {&kNotReset, "a socket"};
  return {};
}

// After the own close "connection closing" is right, and "ok" acceptable, too (3.10.4), also when
// its FIN waits for the window.
Objection ToShutdown(const Returned& returned, const Tcb& tcb) {
  const bool is_open = tcb.state == State::kEstablished || tcb.state == State::kCloseWait;
  const bool is_wrong = returned.error == "ENOTCONN" && is_open && !returned.is_repeated;
  return is_wrong ? Objection{&kShutdownOpen, "0"} : Objection{};
}

// Octets of data before the one at which the urgent pointer `up` is reached, which by some is the
// last urgent one and by others the one after it.
std::uint64_t OctetsBefore(std::uint32_t up, const Tcb& tcb) {
  const std::uint32_t first = tcb.irs + 1;
  return Before(first, up) ? up - first - 1 : 0;
}

// POSIX poll(): POLLPRI is of high-priority data, as POSIX calls what is urgent.
Objection ToPoll(const Returned& returned, const Tcb& tcb, const Application& user) {
  if (!returned.error.empty() || tcb.state == State::kClosed) return {};
  if (returned.octets > 0) {
    const bool is_wrong = !tcb.has_urgent && !user.polls_errors && tcb.was_open;
    return is_wrong ? Objection{&kNothingUrgent, "no POLLPRI"} : Objection{};
  }
  // It may have looked before the segment came.
  const bool has_come = tcb.rcv_up && AtMost(*tcb.rcv_up, tcb.rcv_nxt) &&
                        (tcb.urgent_since <= returned.begin ||
                         returned.end - tcb.urgent_since >= kLookedBefore);
  if (!has_come || user.has_taken_urgent || user.has_stopped_reading) return {};
  const bool is_left = !user.has_received || user.read < OctetsBefore(*tcb.rcv_up, tcb);
  return is_left ? Objection{&kUrgentUntold, "POLLPRI"} : Objection{};
}

// POSIX sockatmark(): "all data preceding the mark has been read".
Objection ToAtMark(const Returned& returned, const Tcb& tcb, const Application& user) {
  if (!returned.error.empty() || returned.octets == 0 || user.has_stopped_reading) return {};
  const bool is_wrong =
      tcb.was_open && (!tcb.has_urgent || user.read < OctetsBefore(*tcb.first_up, tcb));
  return is_wrong ? Objection{&kNotAtMark, "0"} : Objection{};
}

Objection ToTakeError(const Returned& returned, const Tcb& tcb, const Application& user) {
  const bool is_none = returned.error.empty() && returned.octets == 0;
  const bool is_wrong =
      is_none && tcb.state == State::kClosed && tcb.is_timed_out && !user.was_told;
  return is_wrong ? Objection{&kTimeoutUntold, "ETIMEDOUT"} : Objection{};
}

}  // namespace

Objection ObjectionTo(const Returned& returned, const Tcb& tcb, const Application& user) {
  using Call = Returned::Call;
  if (returned.error == "EIO") return {&kNoSuchError, "another one"};
  const bool tells_of_end =
      IsOneOf(returned.error, {"ECONNRESET", "ETIMEDOUT"}) ||
      (returned.error == "ENOTCONN" && returned.call == Call::kReceive && tcb.was_open);
  const bool is_open = tcb.was_open && tcb.state != State::kClosed;
  if (tells_of_end && is_open && !user.has_stopped_reading) return {&kNotReset, "no such error"};
  switch (returned.call) {
    case Call::kReceive:
      return ToReceive(returned, tcb, user);
    case Call::kSend:
      return ToSend(returned, tcb, user);
    case Call::kConnect:
      return ToConnect(returned, tcb);
    case Call::kAccept:
      return ToAccept(returned, tcb);
    case Call::kShutdown:
      return ToShutdown(returned, tcb);
    case Call::kPollUrgent:
      return ToPoll(returned, tcb, user);
    case Call::kAtMark:
      return ToAtMark(returned, tcb, user);
    case Call::kTakeError:
      return ToTakeError(returned, tcb, user);
    case Call::kClose:
      break;
  }
  return {};
}

Objection ObjectionTo(State shown, const Tcb& tcb, const Application& user) {
  // "In any case, enter FIN-WAIT-1 state": its FIN may have to wait for the window (3.10.4).
  const bool has_finished = user.is_known && user.finished && !user.may_abort;
  if (has_finished && tcb.state == State::kEstablished && shown == tcb.state) {
    return {&kFinWait1, "FIN-WAIT-1"};
  }
  if (shown == tcb.state) return {};
  const bool is_finishing =
      user.finished && ((shown == State::kFinWait1 && tcb.state == State::kEstablished) ||
                        (shown == State::kFinWait1 && tcb.state == State::kSynReceived) ||
                        (shown == State::kClosing && tcb.state == State::kCloseWait) ||
                        (shown == State::kLastAck && tcb.state == State::kCloseWait));
  if (is_finishing) return {};
  return {&kStates, ""};
}

}  // namespace sockproof::oracle
