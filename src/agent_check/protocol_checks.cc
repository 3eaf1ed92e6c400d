// Framing, handshake, errors, results, announcements, calls side by side, capabilities and the end.
#include <fmt/format.h>

#include <algorithm>

#include "harness/agent_protocol/capabilities.h"
#include "harness/agent_protocol/protocol.h"
#include "src/agent_check/check_lists.h"
#include "src/agent_check/steps.h"

namespace sockproof::agent_check {
namespace {

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

std::string TellsWhetherACallBlocks(Session& agent) {
  // Before anything is left pending: whether the method is there.
  ExpectEqual(agent.Value("blocked", {{"id", 1'000'000}}), false);
  const json listener = NewListener(agent);
  const int accept = agent.Start("accept", {{"fd", listener}, {"announce", true}});
  agent.Receive();  // its announcement
  ExpectEqual(agent.Value("blocked", {{"id", accept}}), true);
  const json client = NewSocket(agent);
  const json address = AddressOf(agent, listener);
  ExpectEqual(agent.Value("connect", {{"fd", client}, {"address", address}}), 0);
  const json result = agent.ResultOf(accept);
  ExpectEqual(agent.Value("blocked", {{"id", accept}}), false);
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

}  // namespace

std::vector<Check> ProtocolChecks() {
  return {
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
      {"Side by side", "blocked", "It is told whether a call still blocks",
       TellsWhetherACallBlocks},
      {"Side by side", "many", "256 calls go on at a time", ManyCallsSideBySide},
  };
}

std::vector<Check> ClosingChecks() {
  std::vector<Check> checks;
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

}  // namespace sockproof::agent_check
