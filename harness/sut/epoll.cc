#include "harness/sut/epoll.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/errors.h"
#include "harness/sut/agent_reply.h"
#include "harness/sut/known_names.h"

namespace sockproof {
namespace {

int CallOrDepart(Stack& stack, const std::string& method, nlohmann::json params,
                 const std::string& text, SourceLocation where) {
  const AgentReply reply = stack.agent().Call(method, std::move(params), text);
  if (reply.error == 0) return reply.value.get<int>();
  throw Departure(
      "  Expected: " + text + " succeeds\n  Observed: it fails with " + ErrnoName(reply.error),
      where);
}

}  // namespace

Epoll::Epoll(const Socket& watched, const std::vector<std::string>& events, SourceLocation where)
    : stack_(&watched.stack()),
      fd_(CallOrDepart(*stack_, "epoll_create1", nlohmann::json::object(), "epoll_create1(0)",
                       where)) {
  CheckKnown("event", agent_protocol::EpollEvents(), events);
  CallOrDepart(*stack_, "epoll_ctl",
               {{"epfd", fd_}, {"op", "EPOLL_CTL_ADD"}, {"fd", watched.fd()}, {"events", events}},
               fmt::format("epoll_ctl({}, ADD, {}, {})", fd_, watched.fd(), fmt::join(events, "|")),
               where);
}

Pending<Events> Epoll::StartWait(std::chrono::milliseconds timeout) {
  const std::string text = fmt::format("epoll_wait({}, {} ms)", fd_, timeout.count());
  const Agent::CallId call = stack_->agent().Start(
      "epoll_wait", {{"epfd", fd_}, {"maxevents", 1}, {"timeout_ms", timeout.count()}}, text);
  return Pending<Events>(*stack_, call, text, [](const nlohmann::json& value) {
    Events ready;
    if (!value.empty()) ready = value.at(0).at("events").get<Events>();
    std::sort(ready.begin(), ready.end());
    return ready;
  });
}

}  // namespace sockproof
