// Numbers that both ends of the agent protocol share. The protocol is in src/agent/README.md.
#pragma once

#include <cstddef>

namespace sockproof::agent_protocol {

// What "hello" carries. A change that an older end would misread gets a new number.
inline constexpr int kVersion = 1;

// A message without its newline is at most this long.
inline constexpr std::size_t kLongestLine = 16 << 20;

// Codes of JSON-RPC errors. A failed system call is not one of them: it is a result.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kUnknownMethod = -32601;  // counts as unsupported
inline constexpr int kBadParameters = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kTooManyCalls = -32000;  // every thread of the agent is in a blocking call
inline constexpr int kUnsupported = -32001;   // a name that the agent or its system does not know

}  // namespace sockproof::agent_protocol
