// What checks are made of: expectations, and the few sockets that most of them need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/agent_protocol/capabilities.h"
#include "src/agent_check/session.h"

namespace sockproof::agent_check {

inline constexpr int kForeverMs = 300'000;  // so long that only a broken agent takes it
inline constexpr int kNoDescriptor = 1'000'000;

// ---- expectations: throw Departed ----

void Expect(bool holds, const std::string& expected, const json& actual);
void ExpectEqual(const json& actual, const json& expected);
// The error of a reply, with that code and id.
void ExpectRefusal(const json& reply, int code, const json& id);
void ExpectAlive(Session& agent);
void ExpectErrno(const json& result, const std::string& name);
// Where the system behind the agent has its say: any errno by name. Returns a remark when it is
// another than POSIX has, since the agent may have named it wrongly.
std::string ExpectErrnoOfSystem(const json& result, const std::string& documented);

// ---- sockets of AF_INET over loopback ----

json Loopback(int port);
json NewSocket(Session& agent, const char* type = "SOCK_STREAM");
void Close(Session& agent, const std::vector<json>& fds);
// A socket on a free port of the loopback address.
json NewBoundSocket(Session& agent, const char* type = "SOCK_STREAM");
json AddressOf(Session& agent, const json& fd);
json NewListener(Session& agent);
struct Connection {
  json client;
  json server;
};
Connection NewConnection(Session& agent);

// ---- data, and what an agent says of itself ----

json Data(const std::string& bytes);
// All that comes until `length` bytes are there: a stream may give them in pieces.
std::string ReceiveAll(Session& agent, const json& fd, std::size_t length);
// As agent_protocol's probes ask.
agent_protocol::Ask AskOf(Session& agent);
json Hello(Session& agent);
bool Declares(Session& agent, std::string_view capability);

}  // namespace sockproof::agent_check
