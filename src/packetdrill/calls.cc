#include "src/packetdrill/calls.h"

#include <arpa/inet.h>

#include <map>
#include <string_view>

#include "harness/agent_protocol/base64.h"
#include "harness/base/text.h"
#include "src/packetdrill/call_builder.h"
#include "src/packetdrill/octets.h"
#include "src/packetdrill/structures.h"
#include "src/packetdrill/symbols.h"

namespace sockproof::packetdrill {
namespace {

using nlohmann::json;
using Kind = Expression::Kind;

const std::map<std::string_view, MakeCall>& AllCalls() {
  static const std::map<std::string_view, MakeCall> calls = [] {
    std::map<std::string_view, MakeCall> all;
    for (const auto& group : {SocketCalls(), DataCalls(), MessageCalls(), OptionCalls(),
                              ReadinessCalls(), FileCalls()}) {
      for (const NamedCall& call : group) all.emplace(call.name, call.make);
    }
    return all;
  }();
  return calls;
}

}  // namespace

bool IsCall(std::string_view name) { return AllCalls().contains(name); }

std::vector<std::string> CallNames() {
  std::vector<std::string> names;
  for (const auto& [name, make] : AllCalls()) names.emplace_back(name);
  return names;
}

std::int64_t NumberOf(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kInteger:
      return expression.number;
    case Kind::kWord:
      if (const auto value = SymbolValue(expression.text)) return *value;
      NotSupported(expression.where, "the name " + Shortened(CleanLine(expression.text), 60));
    case Kind::kOr: {
      std::int64_t all = 0;
      for (const Expression& element : expression.elements) all |= NumberOf(element);
      return all;
    }
    case Kind::kCall:
      if (expression.text == "htons" && expression.elements.size() == 1) {
        return htons(static_cast<std::uint16_t>(NumberOf(expression.elements[0])));
      }
      if (expression.text == "inet_addr" && expression.elements.size() == 1) {
        return inet_addr(expression.elements[0].text.c_str());
      }
      break;
    default:
      break;
  }
  NotSupported(expression.where, Describe(expression) + " as a number");
}

SystemCall MakeSystemCall(const CallEvent& event, Position where, const CallSurroundings& around) {
  const auto call = AllCalls().find(event.name);
  if (call == AllCalls().end()) NotSupported(where, event.name + "()");
  return call->second(event, where, around);
}

json ReadOption(std::int64_t live, int level, int name, std::size_t size) {
  const auto length = static_cast<std::uint32_t>(size);
  const Bytes octets = BytesOf(length);
  return {{"name", "getsockopt"},
          {"arguments", json::array({live, level, name, {{"memory", 0}}, {{"memory", 1}}})},
          {"memory",
           json::array({{{"length", size}, {"returned", true}},
                        {{"data", agent_protocol::Base64Encode(
                                      {reinterpret_cast<const char*>(octets.data()),
                                       octets.size()})},
                         {"returned", true}}})}};
}

SystemCall::Pieces PiecesOf(const json& value) {
  SystemCall::Pieces pieces;
  for (const json& entry : value.at("memory")) {
    Bytes& piece = pieces.emplace_back();
    if (!entry.is_string()) continue;
    const auto octets = agent_protocol::Base64Decode(entry.get<std::string>());
    if (octets) piece.assign(octets->begin(), octets->end());
  }
  return pieces;
}

}  // namespace sockproof::packetdrill
