// Calls that a system answers at once: they need no announcement that they have begun, which costs
// time.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "harness/sut/agent_reply.h"
#include "harness/sut/outcome.h"
#include "harness/sut/stack.h"

namespace sockproof {

// `read` makes a T of the value in the answer.
template <typename T, typename Reader>
Outcome<T> CallAtOnce(Stack& stack, const std::string& method, nlohmann::json params,
                      const std::string& text, const Reader& read) {
  AgentReply reply = stack.agent().Call(method, std::move(params), text);
  Outcome<T> outcome = reply.error != 0 ? Outcome<T>::Failed(text, reply.error)
                                        : Outcome<T>::Succeeded(text, read(reply.value));
  outcome.begin = reply.begin;
  outcome.end = reply.end;
  outcome.signals = std::move(reply.signals);
  return outcome;
}

}  // namespace sockproof
