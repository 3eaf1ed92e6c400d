// What ladder and pcapng have in common: calls with their returns, and the zero of the time axis.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/trace/event.h"

namespace sockproof {

// A call from its CallEvent to its ReturnEvent. Refers to the events it was made from.
struct CallSpan {
  const Event* call_event = nullptr;
  const Event* return_event = nullptr;  // nullptr: none was seen
  bool was_awaited = false;             // by the test, and had not returned by then
  Time begin;                           // by the agent's clock, as far as it is known
  Time end;                             // the same as begin when it did not return

  const CallEvent& call() const { return std::get<CallEvent>(call_event->what); }
  // "ECONNREFUSED", "EPIPE, SIGPIPE"; only for a call that returned.
  std::string ResultText() const;
  // Of one that did not: "did not return", or "was not awaited", which says nothing of the system.
  std::string_view NoReturnText() const {
    return was_awaited ? "did not return" : "was not awaited";
  }
};

// In order of the CallEvents.
std::vector<CallSpan> CallSpans(const std::vector<Event>& events);

// The time of the first call or frame, noise not counted; of the earliest event when there is
// neither. `events` must not be empty.
Time ZeroOf(const std::vector<Event>& events);

}  // namespace sockproof
