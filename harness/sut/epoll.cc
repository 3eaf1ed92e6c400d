#include "harness/sut/epoll.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "harness/sut/agent_reply.h"
#include "harness/sut/known_names.h"

namespace sockproof {
namespace {

Outcome<int> CallForNumber(Stack& stack, const std::string& method, nlohmann::json params,
                           const std::string& text) {
  const AgentReply reply = stack.agent().Call(method, std::move(params), text);
  return reply.error != 0 ? Outcome<int>::Failed(text, reply.error)
                          : Outcome<int>::Succeeded(text, reply.value.get<int>());
}

Events SortedEvents(const nlohmann::json& value) {
  auto events = value.at("events").get<Events>();
  std::sort(events.begin(), events.end());
  return events;
}

}  // namespace

Epoll::Epoll(Stack& stack, SourceLocation where)
    : stack_(&stack),
      fd_(CallForNumber(stack, "epoll_create1", nlohmann::json::object(), "epoll_create1(0)")
              .value(where)) {}

Epoll::Epoll(const Socket& watched, const std::vector<std::string>& events, SourceLocation where)
    : Epoll(watched.stack(), where) {
  Add(watched, events).value(where);
}

Outcome<int> Epoll::Control(const std::string& operation, int fd,
                            const std::vector<std::string>& events) {
  CheckKnown("event", agent_protocol::EpollEvents(), events);
  nlohmann::json params = {{"epfd", fd_}, {"op", "EPOLL_CTL_" + operation}, {"fd", fd}};
  std::string text = fmt::format("epoll_ctl({}, {}, {}", fd_, operation, fd);
  if (operation != "DEL") {
    params["events"] = events;
    text += fmt::format(", {}", fmt::join(events, "|"));
  }
  return CallForNumber(*stack_, "epoll_ctl", std::move(params), text + ")");
}

template <typename T>
Pending<T> Epoll::StartWait(int most, std::chrono::milliseconds timeout,
                            typename Pending<T>::Reader read) {
  const std::string text = fmt::format("epoll_wait({}, {} ms)", fd_, timeout.count());
  const Agent::CallId call = stack_->agent().Start(
      "epoll_wait", {{"epfd", fd_}, {"maxevents", most}, {"timeout_ms", timeout.count()}}, text);
  return Pending<T>(*stack_, call, text, std::move(read));
}

Pending<Events> Epoll::StartWait(std::chrono::milliseconds timeout) {
  return StartWait<Events>(1, timeout, [](const nlohmann::json& value) {
    return value.empty() ? Events() : SortedEvents(value.at(0));
  });
}

Outcome<std::map<int, Events>> Epoll::WaitForAll(int most, std::chrono::milliseconds timeout,
                                                 SourceLocation where) {
  return StartWait<std::map<int, Events>>(most, timeout,
                                          [](const nlohmann::json& value) {
                                            std::map<int, Events> ready;
                                            for (const nlohmann::json& entry : value) {
                                              ready[entry.at("fd").get<int>()] =
                                                  SortedEvents(entry);
                                            }
                                            return ready;
                                          })
      .Await(Within(kPatience), where);
}

}  // namespace sockproof
