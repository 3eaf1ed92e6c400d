#include "src/agent_check/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent_check {

using agent_protocol::Base64Decode;
using agent_protocol::Base64Encode;

void Expect(bool holds, const std::string& expected, const json& actual) {
  if (holds) return;
  std::string text = actual.dump(-1, ' ', true, json::error_handler_t::replace);
  constexpr std::size_t kShown = 300;
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  throw Departed(expected, text);
}

void ExpectEqual(const json& actual, const json& expected) {
  Expect(actual == expected, expected.dump(), actual);
}

void ExpectRefusal(const json& reply, int code, const json& id) {
  const std::string expected = fmt::format("error {} with id {}", code, id.dump());
  Expect(reply.contains("error") && reply["error"].is_object(), expected, reply);
  Expect(reply["error"].value("code", json()) == code && reply["id"] == id, expected, reply);
  Expect(reply["error"].value("message", json()).is_string(), "an error with a message", reply);
}

void ExpectAlive(Session& agent) {
  Expect(agent.Value("ping", json::object()) == "pong", "\"pong\"", "something else");
}

void ExpectErrno(const json& result, const std::string& name) {
  Expect(result.value("errno", json()) == name, "errno " + name, result);
}

std::string ExpectErrnoOfSystem(const json& result, const std::string& documented) {
  const json found = result.value("errno", json());
  Expect(found.is_string() && found.get<std::string>().rfind('E', 0) == 0,
         "an errno, " + documented + " by POSIX", result);
  if (found == documented) return "";
  return fmt::format("{}, where POSIX has {}: if not the system's own, a name is wrong",
                     found.get<std::string>(), documented);
}

json Loopback(int port) {
  return {{"family", "AF_INET"}, {"address", "127.0.0.1"}, {"port", port}};
}

json NewSocket(Session& agent, const char* type) {
  return agent.Value("socket", {{"domain", "AF_INET"}, {"type", type}});
}

void Close(Session& agent, const std::vector<json>& fds) {
  for (const json& fd : fds) agent.Value("close", {{"fd", fd}});
}

// A socket on a free port of the loopback address.
json NewBoundSocket(Session& agent, const char* type) {
  json fd = NewSocket(agent, type);
  ExpectEqual(agent.Value("bind", {{"fd", fd}, {"address", Loopback(0)}}), 0);
  return fd;
}

json AddressOf(Session& agent, const json& fd) {
  json address = agent.Value("getsockname", {{"fd", fd}});
  Expect(address.is_object() && address.value("port", json()).is_number_integer(),
         "an address with a port", address);
  return address;
}

json NewListener(Session& agent) {
  json fd = NewBoundSocket(agent);
  ExpectEqual(agent.Value("listen", {{"fd", fd}, {"backlog", 8}}), 0);
  return fd;
}

Connection NewConnection(Session& agent) {
  const json listener = NewListener(agent);
  const json client = NewSocket(agent);
  const json address = AddressOf(agent, listener);
  ExpectEqual(agent.Value("connect", {{"fd", client}, {"address", address}}), 0);
  const json accepted = agent.Value("accept", {{"fd", listener}});
  Expect(accepted.is_object() && accepted.contains("fd"), "an object with fd and address",
         accepted);
  Close(agent, {listener});
  return {client, accepted["fd"]};
}

json Data(const std::string& bytes) { return Base64Encode(bytes); }

std::string ReceiveAll(Session& agent, const json& fd, std::size_t length) {
  std::string bytes;
  while (bytes.size() < length) {
    const json value = agent.Value("recv", {{"fd", fd}, {"length", length - bytes.size()}});
    const auto part = value.is_object() && value.value("data", json()).is_string()
                          ? Base64Decode(value["data"].get<std::string>())
                          : std::nullopt;
    Expect(part && value.value("length", json()) == part->size(), "data in base64 and its length",
           value);
    Expect(!part->empty(), "data until all has come", value);
    bytes += *part;
  }
  return bytes;
}

agent_protocol::Ask AskOf(Session& agent) {
  return [&agent](const std::string& method, const json& parameters) {
    const json reply = agent.Request(method, parameters);
    return reply.contains("result") ? reply["result"] : json{{"error", reply["error"]}};
  };
}

json Hello(Session& agent) {
  json hello = agent.Value("hello", {{"protocol", agent_protocol::kVersion}});
  Expect(hello.is_object(), "an object", hello);
  return hello;
}

bool Declares(Session& agent, std::string_view capability) {
  const json declared = Hello(agent).value("capabilities", json::array());
  return std::find(declared.begin(), declared.end(), capability) != declared.end();
}

}  // namespace sockproof::agent_check
