#include "harness/sut/pending.h"

#include <nlohmann/json.hpp>

#include "harness/sut/agent_reply.h"
#include "harness/sut/stack.h"

namespace sockproof {

void PendingCall::ExpectStillBlocked(SourceLocation where) {
  if (stack_->agent().StillBlocks(call_)) return;
  throw Departure("  Expected: " + text_ + " still blocks\n  Observed: it has returned", where);
}

void PendingCall::Signal(bool restart, SourceLocation where) {
  if (stack_->agent().Interrupt(call_, restart)) return;
  throw Departure("  Expected: " + text_ + " still blocks\n  Observed: it has returned", where);
}

bool PendingCall::BlocksFor(Duration duration) {
  return !stack_->agent().Wait(call_, Clock::now() + duration);
}

PendingCall::End PendingCall::AwaitEnd(Within within, SourceLocation where,
                                       const std::function<void(const nlohmann::json&)>& read) {
  if (!stack_->agent().Wait(call_, Clock::now() + within.value)) {
    throw Departure("  Expected: " + text_ + " returns within " + FormatDuration(within.value) +
                        "\n  Observed: it is still blocked",
                    where, ThatExplainsAbsence(within.value));
  }
  AgentReply reply = stack_->agent().Take(call_);
  if (reply.error == 0) read(reply.value);
  return {reply.error, reply.begin, reply.end, std::move(reply.signals)};
}

}  // namespace sockproof
