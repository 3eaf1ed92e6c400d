#include "harness/sut/tee.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/agent_protocol/names.h"
#include "harness/sut/known_names.h"
#include "harness/sut/stack.h"

namespace sockproof {

using nlohmann::json;

Pending<int> StartTee(const Socket& from, const Socket& to, int count,
                      const std::vector<std::string>& flags) {
  CheckKnown("flag of tee()", agent_protocol::SpliceFlags(), flags);
  json params = {{"in", from.fd()}, {"out", to.fd()}, {"count", count}, {"flags", flags}};
  std::string text = fmt::format("tee({}, {}, {})", from.fd(), to.fd(), count);
  const Agent::CallId call = to.stack().agent().Start("tee", std::move(params), text);
  return {to.stack(), call, std::move(text), [](const json& value) { return value.get<int>(); }};
}

Outcome<int> Tee(const Socket& from, const Socket& to, int count,
                 const std::vector<std::string>& flags, SourceLocation where) {
  return StartTee(from, to, count, flags).Await(Within(kPatience), where);
}

}  // namespace sockproof
