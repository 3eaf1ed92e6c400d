#include "harness/oracle/tcb.h"

#include <array>

namespace sockproof::oracle {
namespace {

constexpr std::array kStateNames = {"CLOSED",     "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED",
                                    "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",   "CLOSING",
                                    "LAST-ACK",   "TIME-WAIT"};

// False when they contradict each other.
bool Unite(Stack::InWindow& one, Stack::InWindow other) {
  if (one == Stack::InWindow::kEither) one = other;
  return other == Stack::InWindow::kEither || one == other;
}

}  // namespace

const char* StateName(State state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<State> StateNamed(std::string_view name) {
  const auto* const found = std::find(kStateNames.begin(), kStateNames.end(), name);
  if (found == kStateNames.end()) return std::nullopt;
  return static_cast<State>(found - kStateNames.begin());
}

std::optional<Stack> Both(const Stack& one, const Stack& other) {
  Stack both = one;
  const bool agree = Unite(both.rst, other.rst) && Unite(both.syn, other.syn);
  return agree ? std::optional(both) : std::nullopt;
}

Tcb Tcb::Closed() const {
  Tcb closed;
  closed.stack = stack;
  closed.is_assumed = is_assumed;
  closed.opens = opens;
  closed.arrival = arrival;
  closed.answers = answers;
  std::erase_if(closed.answers, [](const Answer& answer) { return answer.has_any_seq; });
  closed.iss = iss;  // for the report, and for the next one
  closed.opened = opened;
  closed.irs = irs;
  closed.nxt = nxt;
  closed.heard = heard;
  closed.rcv_nxt = rcv_nxt;  // for what may still be received
  closed.was_open = was_open;
  closed.fins_received = fins_received;
  closed.has_urgent = has_urgent;
  closed.first_up = first_up;
  return closed;
}

}  // namespace sockproof::oracle
