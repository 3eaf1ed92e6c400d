// System calls of a script: what they are given, and whether what came back is what the script says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"
#include "harness/packet/bytes.h"
#include "src/packetdrill/script.h"

namespace sockproof::packetdrill {

// What calls depend on.
struct CallSurroundings {
  int domain = 2;      // of socket(..., SOCK_STREAM, ...): AF_INET or AF_INET6
  Endpoint bind;       // for bind(3, ..., ...)
  Endpoint connect;    // for connect(3, ..., ...)
  bool mapped = false;  // IPv4 addresses in sockets of IPv6
  std::map<std::int64_t, std::int64_t> descriptors;  // those of the script that are open, to live ones
  std::string files;   // put before the absolute paths of files
  std::string folder;  // and, with a slash, before the relative ones
  Time start;          // of the script's time
  Duration tolerance{0};
  Duration drift{0};  // by how much all is later than the script says, by the time that lines take
};

// A call as the agent makes it: its method "system_call".
struct SystemCall {
  nlohmann::json parameters;
  std::string text;  // for the ladder, with live descriptors
  // Of a call that returned what the script says: what else is otherwise; empty: nothing.
  using Pieces = std::vector<Bytes>;
  std::function<std::string(std::int64_t result, const Pieces& memory)> check;
  // Descriptors that the call makes, as the script numbers them: its result, or pieces of memory.
  std::vector<std::int64_t> creates;
  std::optional<std::size_t> created_in;  // the piece that holds them
  std::optional<std::int64_t> closes;
  bool sends_text = false;  // other data than zeros
};

// Throws Skip for a call, a name or an argument that this program does not know, SyntaxError for
// one that makes no sense.
SystemCall MakeSystemCall(const CallEvent& event, Position where, const CallSurroundings& around);

// Whether this program has a call of that name.
bool IsCall(std::string_view name);
std::vector<std::string> CallNames();

// The number that an expression stands for: an integer, a name, several with '|'. Throws Skip,
// SyntaxError.
std::int64_t NumberOf(const Expression& expression);

// getsockopt() of `size` octets of a live descriptor.
nlohmann::json ReadOption(std::int64_t live, int level, int name, std::size_t size);

// The pieces of memory in the value of a reply, those that were asked for.
SystemCall::Pieces PiecesOf(const nlohmann::json& value);

}  // namespace sockproof::packetdrill
