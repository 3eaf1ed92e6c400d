// What calls return: whether a reading of a connection allows it, by sections 3.9.1 and 3.10.1 to
// 3.10.4 of RFC 9293 and the errors that POSIX names for them.
#pragma once

#include <cstdint>
#include <string>

#include "harness/oracle/tcb.h"

namespace sockproof::oracle {

// A call that has returned, of a socket that has a connection.
struct Returned {
  enum class Call {
    kConnect,
    kAccept,
    kSend,
    kReceive,
    kShutdown,
    kClose,
    kPollUrgent,  // poll() that asks for POLLPRI; a number: it is told
    kAtMark,      // SIOCATMARK; a number: it is at the mark
    kTakeError,   // SO_ERROR; a number: there is one
  };
  Call call = Call::kReceive;
  std::string error;         // "EAGAIN"; empty: it succeeded
  std::uint64_t octets = 0;  // that it has sent or received; or another number
  bool is_repeated = false;  // shutdown(): the sending side was shut down before
  Time begin, end;           // of kPollUrgent
};

// A rule that is broken when it returns so, and what it may return instead; no rule: none.
struct Objection {
  const Rule* rule = nullptr;
  std::string instead;
};
Objection ObjectionTo(const Returned& returned, const Tcb& tcb, const Application& user);

// The same of a state that the system says a connection is in; kClosed: it knows none.
Objection ObjectionTo(State shown, const Tcb& tcb, const Application& user);

}  // namespace sockproof::oracle
