#include "harness/oracle/calls.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockproof::oracle {
namespace {

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
