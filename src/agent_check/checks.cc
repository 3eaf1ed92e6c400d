#include "src/agent_check/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/capabilities.h"
#include "harness/agent_protocol/protocol.h"

namespace sockproof::agent_check {
namespace {

using agent_protocol::Base64Decode;
using agent_protocol::Base64Encode;

constexpr int kForeverMs = 300'000;  // so long that only a broken agent takes it
constexpr int kNoDescriptor = 1'000'000;

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

// ---- what checks are made of ----

// The error of a reply, with that code and id.
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

// Where the system behind the agent has its say: any errno by name. Returns a remark when it is
// another than POSIX has, since the agent may have named it wrongly.
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

json NewSocket(Session& agent, const char* type = "SOCK_STREAM") {
  return agent.Value("socket", {{"domain", "AF_INET"}, {"type", type}});
}

void Close(Session& agent, const std::vector<json>& fds) {
  for (const json& fd : fds) agent.Value("close", {{"fd", fd}});
}

// A socket on a free port of the loopback address.
json NewBoundSocket(Session& agent, const char* type = "SOCK_STREAM") {
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

struct Connection {
  json client;
  json server;
};

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

// All that comes until `length` bytes are there: a stream may give them in pieces.
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

// As agent_protocol's probes ask.
agent_protocol::Ask AskOf(Session& agent) {
  return [&agent](const std::string& method, const json& parameters) {
    const json reply = agent.Request(method, parameters);
    return reply.contains("result") ? reply["result"] : json{{"error", reply["error"]}};
  };
}

json Hello(Session& agent) {
  const json hello = agent.Value("hello", {{"protocol", agent_protocol::kVersion}});
  Expect(hello.is_object(), "an object", hello);
  return hello;
}

bool Declares(Session& agent, std::string_view capability) {
  const json declared = Hello(agent).value("capabilities", json::array());
  return std::find(declared.begin(), declared.end(), capability) != declared.end();
}

// ---- framing ----

std::string EchoesIds(Session& agent) {
  for (const std::string id : {"7", "0", "-1", "9007199254740993", "\"seven\"", "\"\""}) {
    const json reply = agent.Ask(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"ping"})");
    Expect(reply["id"] == json::parse(id), "id " + id, reply);
  }
  return "";
}

std::string TakesLinesInPieces(Session& agent) {
  agent.Send(R"({"jsonrpc":"2.0",)");
  agent.Send(R"("id":1,"method":"ping"})"
             "\n"
             R"({"jsonrpc":"2.0","id":2,"method":"ping"})"
             "\n{");
  std::vector<json> ids = {agent.ReceiveReply()["id"], agent.ReceiveReply()["id"]};
  std::sort(ids.begin(), ids.end());
  ExpectEqual(ids, {1, 2});
  ExpectEqual(agent.Ask(R"("jsonrpc":"2.0","id":3,"method":"ping"})")["id"], 3);
  return "";
}

std::string TakesLongLines(Session& agent) {
  const std::string request = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  const json reply =
      agent.Ask(request + std::string(agent_protocol::kLongestLine - request.size(), ' '));
  Expect(reply["id"] == 1 && reply.contains("result"), "a result with id 1", reply);
  return "";
}

std::string RefusesLongerLines(Session& agent) {
  const std::string line(agent_protocol::kLongestLine + 1, ' ');
  ExpectRefusal(agent.Ask(line), agent_protocol::kInvalidRequest, nullptr);
  ExpectRefusal(agent.Ask(line + line), agent_protocol::kInvalidRequest, nullptr);
  ExpectAlive(agent);
  return "";
}

std::string IgnoresNotifications(Session& agent) {
  agent.Send(R"({"jsonrpc":"2.0","method":"ping"})"
             "\n");
  const json reply = agent.Ask(R"({"jsonrpc":"2.0","id":"next","method":"ping"})");
  ExpectEqual(reply["id"], "next");
  return "";
}

// ---- handshake ----

std::string SaysHello(Session& agent) {
  const json hello = Hello(agent);
  ExpectEqual(hello.value("protocol", json()), agent_protocol::kVersion);
  for (const char* member : {"name", "version", "os", "release", "machine", "clock"}) {
    Expect(hello.value(member, json()).is_string(), std::string(member) + ", a string", hello);
  }
  Expect(hello.value("pid", json()).is_number_integer(), "pid, an integer", hello);
  const json capabilities = hello.value("capabilities", json());
  const bool names = capabilities.is_array() &&
                     std::all_of(capabilities.begin(), capabilities.end(),
                                 [](const json& element) { return element.is_string(); });
  Expect(names, "capabilities, a list of strings", hello);
  return fmt::format("{} on {} {}", hello["name"].get<std::string>(),
                     hello["os"].get<std::string>(), hello["release"].get<std::string>());
}

std::string RefusesOtherProtocols(Session& agent) {
  ExpectRefusal(agent.Ask(R"({"jsonrpc":"2.0","id":"p","method":"hello","params":{"protocol":0}})"),
                agent_protocol::kUnsupported, "p");
  return "";
}

std::string Declaration(Session& agent, const agent_protocol::Capability& capability) {
  const std::string name(capability.name);
  const std::string why_not = capability.why_not(AskOf(agent));
  if (Declares(agent, name)) {
    if (!why_not.empty()) throw Departed(name + " works, as declared", why_not);
    return "";
  }
  if (why_not.empty()) return "works, but is not declared: tests that need it are skipped";
  throw Unsupported("not declared; " + why_not);
}

std::string KnowsWhatItDeclares(Session& agent) {
  std::string unknown;
  for (const json& declared : Hello(agent)["capabilities"]) {
    const auto known = agent_protocol::Capabilities();
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& capability) { return declared == capability.name; })) {
      unknown += (unknown.empty() ? "" : ", ") + declared.get<std::string>();
    }
  }
  return unknown.empty() ? "" : "declared, and known to no test: " + unknown;
}

// ---- results ----

std::string GivesErrnos(Session& agent) {
  ExpectErrno(agent.Result("close", {{"fd", kNoDescriptor}}), "EBADF");
  ExpectErrno(agent.Result("close", {{"fd", -1}}), "EBADF");
  return "";
}

std::string RefusesConnections(Session& agent) {
  const json bound = NewBoundSocket(agent);
  const json address = AddressOf(agent, bound);
  const json client = NewSocket(agent);
  std::string remark = ExpectErrnoOfSystem(
      agent.Result("connect", {{"fd", client}, {"address", address}}), "ECONNREFUSED");
  Close(agent, {bound, client});
  return remark;
}

// Both clocks may be wrong by a second in a thousand; more is another unit.
std::string TellsTime(Session& agent) {
  constexpr int kWaitedMs = 200;
  const auto sent = std::chrono::steady_clock::now();
  const json first = agent.Result("poll", {{"fds", json::array()}, {"timeout_ms", kWaitedMs}});
  const Duration took = std::chrono::steady_clock::now() - sent;
  const Duration duration(first["end"].get<std::int64_t>() - first["begin"].get<std::int64_t>());
  Expect(duration >= kWaitedMs * 1ms - 20ms,
         "end - begin in nanoseconds, not less than a poll() of 200 ms waits", first);
  Expect(duration <= took + 20ms,
         fmt::format("end - begin in nanoseconds, not more than the {} from request to reply",
                     FormatDuration(took)),
         first);
  const json second = agent.Result("ping", json::object());
  Expect(second["begin"] >= first["end"] && second["end"] >= second["begin"],
         "times that do not go back", {first, second});
  return "";
}

std::string SurvivesBrokenPipes(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  agent.Value("shutdown", {{"fd", client}, {"how", "SHUT_WR"}});
  const json result = agent.Result("send", {{"fd", client}, {"data", Data("x")}});
  std::string remark = ExpectErrnoOfSystem(result, "EPIPE");
  const json signals = result.value("signals", json::array());
  Expect(signals.empty() || signals == json{"SIGPIPE"}, "no signals, or one SIGPIPE", result);
  ExpectAlive(agent);
  Close(agent, {client, server});
  if (remark.empty() && signals.empty()) remark = "without signals: tests of SIGPIPE find none";
  return remark;
}

// ---- errors ----

std::string RefusesWhatIsNoJson(Session& agent) {
  for (const std::string line : {"garbage", "", "{", "{\"id\":", "{}x", "nul", "\"\\x\"", "[1,]",
                                 "01", "\"a\tb\"", "{\"a\" 1}", "+1", "\xff\xfe", "\"\xc3(\""}) {
    ExpectRefusal(agent.Ask(line), agent_protocol::kParseError, nullptr);
  }
  ExpectRefusal(agent.Ask(std::string("\0\0", 2)), agent_protocol::kParseError, nullptr);
  ExpectAlive(agent);
  return "";
}

std::string SurvivesDeepNesting(Session& agent) {
  ExpectRefusal(agent.Ask(std::string(agent_protocol::kLongestLine, '[')),
                agent_protocol::kParseError, nullptr);
  ExpectAlive(agent);
  return "";
}

std::string RefusesWhatIsNoRequest(Session& agent) {
  for (const std::string line : {"1", "null", "\"ping\"", "[]", R"({"id":null,"method":"ping"})",
                                 R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])",
                                 R"({"jsonrpc":"2.0","id":{},"method":"ping"})",
                                 R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})"}) {
    ExpectRefusal(agent.Ask(line), agent_protocol::kInvalidRequest, nullptr);
  }
  for (const std::string line :
       {R"({"id":7})", R"({"id":7,"method":"ping"})", R"({"jsonrpc":"1.0","id":7,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":7,"method":1})", R"({"jsonrpc":2,"id":7,"method":"ping"})"}) {
    ExpectRefusal(agent.Ask(line), agent_protocol::kInvalidRequest, 7);
  }
  ExpectAlive(agent);
  return "";
}

std::string RefusesUnknownMethods(Session& agent) {
  ExpectRefusal(agent.Ask(R"({"jsonrpc":"2.0","id":8,"method":"frobnicate"})"),
                agent_protocol::kUnknownMethod, 8);
  return "";
}

void ExpectRefused(Session& agent, const std::string& method, const json& parameters, int code) {
  const json reply = agent.Request(method, parameters);
  const std::string expected =
      fmt::format("error {} to {} {}", code, method, parameters.dump().substr(0, 150));
  Expect(reply.contains("error") && reply["error"].value("code", json()) == code, expected, reply);
}

std::string RefusesBadParameters(Session& agent) {
  const std::pair<const char*, json> bad[] = {
      {"close", json::array({3})},
      {"close", json::object()},
      {"close", {{"fd", "3"}}},
      {"close", {{"fd", 1.5}}},
      {"close", {{"fd", 4294967296}}},
      {"close", {{"fd", 18446744073709551615u}}},
      {"close", {{"fd", kNoDescriptor}, {"announce", "yes"}}},
      {"send", {{"fd", kNoDescriptor}, {"data", "***"}}},
      {"send", {{"fd", kNoDescriptor}, {"data", "YQ"}}},
      {"send", {{"fd", kNoDescriptor}, {"data", 1}}},
      {"send", {{"fd", kNoDescriptor}, {"data", ""}, {"flags", "MSG_PEEK"}}},
      {"recv", {{"fd", kNoDescriptor}, {"length", -1}}},
      {"recv", {{"fd", kNoDescriptor}, {"length", 1 << 30}}},
      {"poll", {{"fds", {1}}, {"timeout_ms", 0}}},
      {"bind", {{"fd", kNoDescriptor}, {"address", {{"family", "AF_INET"}}}}},
      {"bind", {{"fd", kNoDescriptor}, {"address", Loopback(65536)}}},
  };
  for (const auto& [method, parameters] : bad) {
    ExpectRefused(agent, method, parameters, agent_protocol::kBadParameters);
  }
  return "";
}

std::string RefusesWhatItDoesNotKnow(Session& agent) {
  json address = Loopback(0);
  address["zone"] = 1;
  const json fd = NewSocket(agent);
  const std::pair<const char*, json> unknown[] = {
      {"shutdown", {{"fd", fd}, {"how", "SHUT_UP"}}},
      {"socket", {{"domain", "AF_FROB"}, {"type", "SOCK_STREAM"}}},
      {"recv", {{"fd", fd}, {"length", 1}, {"flags", {"MSG_FROB"}}}},
      {"close", {{"fd", fd}, {"softly", true}}},
      {"bind", {{"fd", fd}, {"address", address}}},
      {"getsockopt", {{"fd", fd}, {"level", "IPPROTO_TCP"}, {"name", "TCP_FROB"}}},
  };
  for (const auto& [method, parameters] : unknown) {
    ExpectRefused(agent, method, parameters, agent_protocol::kUnsupported);
  }
  Close(agent, {fd});  // none of them was made
  return "";
}

// ---- announcements and concurrency ----

std::string Announces(Session& agent) {
  agent.Send(R"({"jsonrpc":"2.0","id":"five","method":"ping","params":{"announce":true}})"
             "\n");
  const json begun = agent.Receive();
  Expect(begun.value("method", json()) == "begun" && begun.contains("params") &&
             begun["params"].value("id", json()) == "five" &&
             begun["params"].value("time", json()).is_number_integer(),
         "a notification \"begun\" with the id and the time, before the reply", begun);
  const json reply = agent.Receive();
  Expect(reply.contains("result") && reply["id"] == "five", "the reply", reply);
  Expect(reply["result"]["begin"] >= begun["params"]["time"],
         "a call that begins after its announcement", {begun, reply});
  return "";
}

std::string DoesNotAnnounceWhatItRefuses(Session& agent) {
  agent.Send(
      R"({"jsonrpc":"2.0","id":6,"method":"close","params":{"fd":-1,"frob":1,"announce":true}})"
      "\n");
  ExpectRefusal(agent.Receive(), agent_protocol::kUnsupported, 6);
  return "";
}

std::string CallsSideBySide(Session& agent) {
  const json listener = NewListener(agent);
  const int accept = agent.Start("accept", {{"fd", listener}, {"announce", true}});
  const json begun = agent.Receive();
  Expect(begun.value("method", json()) == "begun", "an announcement of accept", begun);

  const json client = NewSocket(agent);
  const json address = AddressOf(agent, listener);
  ExpectEqual(agent.Value("connect", {{"fd", client}, {"address", address}}), 0);
  const json result = agent.ResultOf(accept);
  Expect(result.contains("value"), "accept succeeds", result);
  ExpectEqual(result["value"]["address"], AddressOf(agent, client));
  Close(agent, {listener, client, result["value"]["fd"]});
  return "";
}

// All but one of them wait for what that one sends.
std::string ManyCallsSideBySide(Session& agent) {
  constexpr int kCalls = 256;
  const json sender = NewSocket(agent, "SOCK_DGRAM");
  const json receiver = NewBoundSocket(agent, "SOCK_DGRAM");
  const json wait = {{"fds", {{{"fd", receiver}, {"events", {"POLLIN"}}}}},
                     {"timeout_ms", kForeverMs}};
  std::vector<int> calls;
  for (int i = 1; i < kCalls; ++i) calls.push_back(agent.Start("poll", wait));
  ExpectAlive(agent);
  agent.Value("sendto",
              {{"fd", sender}, {"data", Data("go on")}, {"address", AddressOf(agent, receiver)}});
  for (const int call : calls) {
    const json result = agent.ResultOf(call);
    ExpectEqual(result.value("value", json()), json::array({{"POLLIN"}}));
  }
  Close(agent, {sender, receiver});
  return "";
}

// ---- methods ----

std::string Binds(Session& agent) {
  const json fd = NewBoundSocket(agent);
  const json address = AddressOf(agent, fd);
  Expect(address["port"] != 0, "a port", address);
  ExpectEqual(address, Loopback(address["port"].get<int>()));
  Close(agent, {fd});
  ExpectErrno(agent.Result("getsockname", {{"fd", fd}}), "EBADF");
  return "";
}

std::string Connects(Session& agent) {
  const json listener = NewListener(agent);
  const json client = NewSocket(agent);
  const json address = AddressOf(agent, listener);
  ExpectEqual(agent.Value("connect", {{"fd", client}, {"address", address}}), 0);
  const json accepted = agent.Value("accept", {{"fd", listener}});
  ExpectEqual(accepted["address"], AddressOf(agent, client));
  ExpectEqual(agent.Value("getpeername", {{"fd", client}}), address);
  Close(agent, {listener, client, accepted["fd"]});
  return "";
}

std::string CarriesAnyBytes(Session& agent) {
  std::string bytes;
  for (int i = 0; i < 1001; ++i) bytes += static_cast<char>(i);
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("send", {{"fd", client}, {"data", Data(bytes)}}), bytes.size());
  Expect(ReceiveAll(agent, server, bytes.size()) == bytes, "the bytes that were sent", "others");
  Close(agent, {client, server});
  return "";
}

// Neither end is a bottleneck that ends in a wait for the other.
std::string CarriesMegabytes(Session& agent) {
  const std::string bytes(2 << 20, 'x');
  const auto [client, server] = NewConnection(agent);
  const int send = agent.Start("send", {{"fd", client}, {"data", Data(bytes)}});
  Expect(ReceiveAll(agent, server, bytes.size()) == bytes, "the bytes that were sent", "others");
  const json result = agent.ResultOf(send);
  ExpectEqual(result.value("value", json()), bytes.size());
  Close(agent, {client, server});
  return "";
}

std::string ShutsDown(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("shutdown", {{"fd", client}, {"how", "SHUT_WR"}}), 0);
  ExpectEqual(agent.Value("recv", {{"fd", server}, {"length", 8}}), {{"length", 0}, {"data", ""}});
  agent.Value("send", {{"fd", server}, {"data", Data("still")}});
  Expect(ReceiveAll(agent, client, 5) == "still", "data after the half-close", "other data");
  Close(agent, {client, server});
  return "";
}

std::string Peeks(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  agent.Value("send", {{"fd", client}, {"data", Data("abc")}});
  const json peeked = agent.Value("recv", {{"fd", server}, {"length", 1}, {"flags", {"MSG_PEEK"}}});
  ExpectEqual(peeked, {{"length", 1}, {"data", Data("a")}});
  Expect(ReceiveAll(agent, server, 3) == "abc", "abc after MSG_PEEK", "other data");
  Close(agent, {client, server});
  return "";
}

std::string DoesNotWait(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json result =
      agent.Result("recv", {{"fd", server}, {"length", 1}, {"flags", {"MSG_DONTWAIT"}}});
  Close(agent, {client, server});
  Expect(
      result.value("errno", json()) == "EAGAIN" || result.value("errno", json()) == "EWOULDBLOCK",
      "errno EAGAIN", result);
  return "";
}

std::string Polls(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json fds = {{{"fd", client}, {"events", {"POLLOUT"}}},
                    {{"fd", server}, {"events", {"POLLIN"}}}};
  ExpectEqual(agent.Value("poll", {{"fds", fds}, {"timeout_ms", kForeverMs}}),
              {{"POLLOUT"}, json::array()});
  const json none = {{{"fd", server}, {"events", {"POLLIN"}}}};
  ExpectEqual(agent.Value("poll", {{"fds", none}, {"timeout_ms", 1}}),
              json::array({json::array()}));
  Close(agent, {client, server});
  return "";
}

std::string Duplicates(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  const json copy = agent.Value("dup", {{"fd", client}});
  Close(agent, {client});
  agent.Value("send", {{"fd", copy}, {"data", Data("x")}});
  Expect(ReceiveAll(agent, server, 1) == "x", "x by the duplicate", "other data");
  Close(agent, {copy, server});
  return "";
}

std::string ReadsAndWrites(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(agent.Value("write", {{"fd", client}, {"data", Data("hello")}}), 5);
  ExpectEqual(agent.Value("read", {{"fd", server}, {"length", 64}}),
              {{"length", 5}, {"data", Data("hello")}});
  Close(agent, {client, server});
  return "";
}

std::string SendsDatagrams(Session& agent) {
  const json receiver = NewBoundSocket(agent, "SOCK_DGRAM");
  const json sender = NewBoundSocket(agent, "SOCK_DGRAM");
  const json to = AddressOf(agent, receiver);
  ExpectEqual(agent.Value("sendto", {{"fd", sender}, {"data", Data("hello")}, {"address", to}}), 5);
  ExpectEqual(agent.Value("recvfrom", {{"fd", receiver}, {"length", 2}}),
              {{"length", 2}, {"data", Data("he")}, {"address", AddressOf(agent, sender)}});
  Close(agent, {receiver, sender});
  return "";
}

std::string MakesPairs(Session& agent) {
  const json pair = agent.Value("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}});
  Expect(pair.is_array() && pair.size() == 2, "two descriptors", pair);
  agent.Value("send", {{"fd", pair[0]}, {"data", Data("x")}});
  Expect(ReceiveAll(agent, pair[1], 1) == "x", "x at the other end", "other data");
  Close(agent, {pair[0], pair[1]});
  return "";
}

std::string UsesIpv6(Session& agent) {
  if (!Declares(agent, "ipv6")) throw Unsupported("ipv6 is not declared");
  const json fd = agent.Value(
      "socket", {{"domain", "AF_INET6"}, {"type", "SOCK_STREAM"}, {"protocol", "IPPROTO_TCP"}});
  json address = {{"family", "AF_INET6"}, {"address", "::"}, {"port", 0}};
  agent.Value("bind", {{"fd", fd}, {"address", address}});
  address["port"] = AddressOf(agent, fd)["port"];
  ExpectEqual(AddressOf(agent, fd), address);
  Close(agent, {fd});
  return "";
}

std::string ControlsDescriptors(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  ExpectEqual(
      agent.Value("fcntl", {{"fd", client}, {"command", "F_SETFL"}, {"flags", {"O_NONBLOCK"}}}), 0);
  const json flags = agent.Value("fcntl", {{"fd", client}, {"command", "F_GETFL"}});
  Expect(flags.is_array() && std::find(flags.begin(), flags.end(), "O_NONBLOCK") != flags.end(),
         "a list with O_NONBLOCK", flags);
  const json result = agent.Result("recv", {{"fd", client}, {"length", 1}});
  Expect(
      result.value("errno", json()) == "EAGAIN" || result.value("errno", json()) == "EWOULDBLOCK",
      "errno EAGAIN", result);
  Close(agent, {client, server});
  return "";
}

std::string CountsWhatCanBeRead(Session& agent) {
  const auto [client, server] = NewConnection(agent);
  agent.Value("send", {{"fd", client}, {"data", Data("hello")}});
  const json ready = {{{"fd", server}, {"events", {"POLLIN"}}}};
  agent.Value("poll", {{"fds", ready}, {"timeout_ms", kForeverMs}});
  ExpectEqual(agent.Value("ioctl", {{"fd", server}, {"request", "FIONREAD"}}), 5);
  Close(agent, {client, server});
  return "";
}

// ---- options ----

json Option(const json& fd, const char* level, const char* name) {
  return {{"fd", fd}, {"level", level}, {"name", name}};
}

// Sets an option and reads the same back.
void SetAndGet(Session& agent, const char* level, const char* name, const json& value,
               const json& read) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, level, name);
  parameters["value"] = value;
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  ExpectEqual(agent.Value("getsockopt", Option(fd, level, name)), read);
  Close(agent, {fd});
}

std::string IntegerOptions(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  ExpectEqual(agent.Value("getsockopt", parameters), 0);
  parameters["value"] = 1;
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  const json on = agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_KEEPALIVE"));
  Expect(on.is_number_integer() && on != 0, "an integer that is not 0", on);
  ExpectEqual(agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_ERROR")), 0);
  Close(agent, {fd});
  return "";
}

std::string TimeOptions(Session& agent) {
  const json time = {{"sec", 3}, {"usec", 500000}};
  SetAndGet(agent, "SOL_SOCKET", "SO_RCVTIMEO", 3.5, time);
  SetAndGet(agent, "SOL_SOCKET", "SO_RCVTIMEO", time, time);
  return "";
}

std::string LingerOption(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_LINGER");
  parameters["value"] = {{"onoff", 1}, {"linger", 7}};
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  const json value = agent.Value("getsockopt", Option(fd, "SOL_SOCKET", "SO_LINGER"));
  Expect(
      value.is_object() && value.value("linger", json()) == 7 && value.value("onoff", json(0)) != 0,
      "linger 7, and onoff", value);
  Close(agent, {fd});
  return "";
}

std::string OptionsAsBytes(Session& agent) {
  const json fd = NewSocket(agent);
  json parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  parameters["value"] = {{"bytes", Data(std::string(4, '\0'))}};
  ExpectEqual(agent.Value("setsockopt", parameters), 0);
  parameters = Option(fd, "SOL_SOCKET", "SO_KEEPALIVE");
  parameters["length"] = 4;
  ExpectEqual(agent.Value("getsockopt", parameters), {{"bytes", Data(std::string(4, '\0'))}});
  Close(agent, {fd});
  return "";
}

std::string TcpInfoAsAnObject(Session& agent) {
  if (!Declares(agent, "tcp_info")) throw Unsupported("tcp_info is not declared");
  const auto [client, server] = NewConnection(agent);
  agent.Value("shutdown", {{"fd", client}, {"how", "SHUT_WR"}});
  agent.Value("recv", {{"fd", server}, {"length", 1}});
  const json info = agent.Value("getsockopt", Option(server, "IPPROTO_TCP", "TCP_INFO"));
  Expect(info.is_object() && info.value("state", json()) == "CLOSE-WAIT", "state CLOSE-WAIT", info);
  Expect(info.value("options", json()).is_array(), "options, a list", info);
  Close(agent, {client, server});
  return "";
}

// ---- capabilities ----

std::string EpollWaits(Session& agent) {
  if (!Declares(agent, "epoll")) throw Unsupported("epoll is not declared");
  const auto [client, server] = NewConnection(agent);
  const json epfd = agent.Value("epoll_create1", {{"flags", {"EPOLL_CLOEXEC"}}});
  const json entry = {
      {"epfd", epfd}, {"op", "EPOLL_CTL_ADD"}, {"fd", server}, {"events", {"EPOLLIN"}}};
  ExpectEqual(agent.Value("epoll_ctl", entry), 0);
  agent.Value("send", {{"fd", client}, {"data", Data("x")}});
  const json wait = {{"epfd", epfd}, {"maxevents", 8}, {"timeout_ms", kForeverMs}};
  ExpectEqual(agent.Value("epoll_wait", wait),
              json::array({{{"fd", server}, {"events", {"EPOLLIN"}}}}));
  Close(agent, {epfd, client, server});
  return "";
}

std::string SysctlsThatDoNotExist(Session& agent) {
  if (!Declares(agent, "sysctl")) throw Unsupported("sysctl is not declared");
  ExpectErrno(agent.Result("sysctl_get", {{"name", "net.ipv4.no_such_thing"}}), "ENOENT");
  return "";
}

std::string CountersAreIntegers(Session& agent) {
  if (!Declares(agent, "counters")) throw Unsupported("counters is not declared");
  const json before = agent.Value("counters", json::object());
  for (const auto& [name, value] : before.items()) {
    Expect(value.is_number_integer() && name.find('.') != std::string::npos,
           "integers under names like Tcp.ActiveOpens", {{name, value}});
  }
  const auto [client, server] = NewConnection(agent);
  const json after = agent.Value("counters", json::object());
  Expect(after.value("Tcp.ActiveOpens", 0) > before.value("Tcp.ActiveOpens", 0),
         "a connection counted in Tcp.ActiveOpens", after.value("Tcp.ActiveOpens", json()));
  Close(agent, {client, server});
  return "";
}

// ---- the end ----

std::string EndsWithItsInput(Session& agent) {
  agent.Start("poll", {{"fds", json::array()}, {"timeout_ms", -1}, {"announce", true}});
  agent.Receive();
  if (!agent.EndsWithItsInput()) {
    throw Departed("the agent ends when its input ends",
                   "it still runs after " + FormatDuration(Session::kPatience));
  }
  return "";
}

std::vector<Check> MakeChecks() {
  std::vector<Check> checks = {
      {"Handshake", "hello", "hello is answered with what the agent and its system are", SaysHello},
      {"Handshake", "other-protocol", "Another protocol is refused as unsupported",
       RefusesOtherProtocols},
      {"Framing", "ids", "Integers and strings as id come back unchanged", EchoesIds},
      {"Framing", "pieces", "Lines come in pieces, and several at once", TakesLinesInPieces},
      {"Framing", "long-line", "A line may have 16 MiB", TakesLongLines},
      {"Framing", "longer-line", "A longer line is no request, and the next one is read",
       RefusesLongerLines},
      {"Framing", "notifications", "A request without id is ignored", IgnoresNotifications},
      {"Errors", "no-json", "What is not JSON is answered with a parse error", RefusesWhatIsNoJson},
      {"Errors", "nesting", "16 MiB of brackets do no harm", SurvivesDeepNesting},
      {"Errors", "no-request", "What is not a request is answered with invalid request",
       RefusesWhatIsNoRequest},
      {"Errors", "unknown-method", "An unknown method is refused", RefusesUnknownMethods},
      {"Errors", "bad-parameters", "Parameters are read strictly", RefusesBadParameters},
      {"Errors", "unsupported",
       "A constant, an option and a parameter that is not known is unsupported, not ignored",
       RefusesWhatItDoesNotKnow},
      {"Results", "errno", "A call that fails is a result, with the name of its errno",
       GivesErrnos},
      {"Results", "time", "begin and end are nanoseconds just before and after the call",
       TellsTime},
      {"Results", "sigpipe", "A broken pipe is a result, and SIGPIPE does not end the agent",
       SurvivesBrokenPipes},
      {"Announcements", "begun", "A call is announced before it begins, when asked for", Announces},
      {"Announcements", "refused", "A call that is refused is not announced",
       DoesNotAnnounceWhatItRefuses},
      {"Side by side", "connect-and-accept", "connect gets through while accept waits",
       CallsSideBySide},
      {"Side by side", "many", "256 calls go on at a time", ManyCallsSideBySide},
      {"Methods", "bind", "socket, bind, getsockname and close of a TCP socket", Binds},
      {"Methods", "connect", "listen, connect, accept and getpeername over loopback", Connects},
      {"Methods", "refused", "connect to a port where nobody listens fails",
       RefusesConnections},
      {"Methods", "data", "send and recv carry any bytes", CarriesAnyBytes},
      {"Methods", "megabytes", "send and recv carry two megabytes at once", CarriesMegabytes},
      {"Methods", "shutdown", "shutdown closes one direction", ShutsDown},
      {"Methods", "poll", "poll gives a list of events for each descriptor", Polls},
      {"Methods", "peek", "recv with MSG_PEEK", Peeks},
      {"Methods", "dontwait", "recv with MSG_DONTWAIT", DoesNotWait},
      {"Methods", "dup", "dup", Duplicates},
      {"Methods", "read-write", "read and write", ReadsAndWrites},
      {"Methods", "datagrams", "sendto and recvfrom, with addresses", SendsDatagrams},
      {"Methods", "socketpair", "socketpair of AF_UNIX", MakesPairs},
      {"Methods", "ipv6", "addresses of AF_INET6", UsesIpv6},
      {"Methods", "fcntl", "fcntl with O_NONBLOCK", ControlsDescriptors},
      {"Methods", "ioctl", "ioctl with FIONREAD", CountsWhatCanBeRead},
      {"Methods", "epoll", "epoll_create1, epoll_ctl and epoll_wait", EpollWaits},
      {"Methods", "no-such-sysctl", "A sysctl that does not exist fails with ENOENT",
       SysctlsThatDoNotExist},
      {"Methods", "counters", "counters are integers and count connections", CountersAreIntegers},
      {"Options", "integer", "getsockopt and setsockopt of an integer", IntegerOptions},
      {"Options", "timeval", "getsockopt and setsockopt of a time", TimeOptions},
      {"Options", "linger", "getsockopt and setsockopt of SO_LINGER", LingerOption},
      {"Options", "bytes", "getsockopt and setsockopt of bytes", OptionsAsBytes},
      {"Options", "tcp-info", "TCP_INFO is an object with the state's name", TcpInfoAsAnObject},
  };
  for (const agent_protocol::Capability& capability : agent_protocol::Capabilities()) {
    const std::string name(capability.name);
    checks.push_back({"Capabilities", "declares-" + name, "What is declared works: " + name,
                      [&capability](Session& agent) { return Declaration(agent, capability); }});
  }
  checks.push_back(
      {"Capabilities", "known", "What is declared is a capability", KnowsWhatItDeclares});
  checks.push_back({"The end", "input", "The agent ends when its input ends, whatever is pending",
                    EndsWithItsInput});
  return checks;
}

}  // namespace

const std::vector<Check>& Checks() {
  static const std::vector<Check> checks = MakeChecks();
  return checks;
}

Finding Conformance::Run(const Check& check) {
  if (!session_) session_.emplace(command_);
  Finding finding;
  try {
    finding.remark = check.run(*session_);
    if (check.section == "The end") session_.reset();
  } catch (const Unsupported& refusal) {
    finding.kind = Finding::Kind::kUnsupported;
    finding.remark = refusal.what();
  } catch (const Departed& departed) {
    finding.kind = Finding::Kind::kDeparts;
    finding.expected = departed.expected();
    finding.actual = departed.actual();
    session_.reset();  // nobody knows what it still has to say
  } catch (const json::exception& error) {
    finding.kind = Finding::Kind::kDeparts;
    finding.expected = "messages as src/agent/README.md describes them";
    finding.actual = error.what();
    session_.reset();
  }
  return finding;
}

}  // namespace sockproof::agent_check
