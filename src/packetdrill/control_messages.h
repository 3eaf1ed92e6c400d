// Control messages of sendmsg() and recvmsg(): those that a script gives, and whether those that came are the
// ones that it says.
#pragma once

#include <string>
#include <vector>

#include "harness/base/time.h"
#include "harness/packet/bytes.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

struct ControlMessage {
  int level = 0;
  int type = 0;
  Bytes data;
};

// Those in the first `length` octets; what is malformed ends them.
std::vector<ControlMessage> ControlMessagesIn(const Bytes& octets, std::size_t length);

// [{cmsg_level=, cmsg_type=, cmsg_data=}, ...] as octets. Throws SyntaxError, Skip.
Bytes ControlFrom(const Expression& list);

// How times in messages are judged.
struct Times {
  Time start;
  Duration tolerance;
  Duration drift;
};

// What is otherwise than such a list says; empty: nothing.
std::string WrongControl(const Expression& expected, const std::vector<ControlMessage>& observed,
                         const Times& times);

}  // namespace sockproof::packetdrill
