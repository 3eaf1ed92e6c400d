#include "harness/sut/ring_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"
#include "harness/sut/call_at_once.h"
#include "harness/sut/known_names.h"
#include "harness/sut/message_json.h"
#include "harness/sut/name_json.h"
#include "harness/sut/stack.h"

namespace sockproof {
namespace {

using nlohmann::json;

constexpr std::size_t kShownByRing = 32;

int ReadNumber(const json& value) { return value.get<int>(); }

}  // namespace

template <typename T>
Pending<T> RingCalls::Start(const std::string& method, json params, const std::string& what,
                            typename Pending<T>::Reader read) const {
  params["fd"] = socket_.fd();
  params["through"] = "io_uring";
  std::string text = fmt::format("{}({}{}, io_uring)", method, socket_.fd(), what);
  Stack& stack = socket_.stack();
  const Agent::CallId call = stack.agent().Start(method, std::move(params), text);
  return {stack, call, std::move(text), std::move(read)};
}

Pending<Accepted> RingCalls::StartAccept() const {
  return Start<Accepted>("accept", json::object(), "", [accepting = socket_](const json& value) {
    return Accepted{accepting.WithDescriptor(value.at("fd").get<int>()),
                    NameFromJson(value.at("address"))};
  });
}

Pending<int> RingCalls::StartConnect(const Name& remote) const {
  json params = json::object();
  PutName(params, remote);
  return Start<int>("connect", std::move(params), ", " + remote.ToString(), ReadNumber);
}

Pending<int> RingCalls::StartSend(const std::string& data,
                                  const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  return Start<int>("send", {{"data", agent_protocol::Base64Encode(data)}, {"flags", flags}},
                    fmt::format(", \"{}\", {}", data.substr(0, kShownByRing), data.size()),
                    ReadNumber);
}

Pending<std::string> RingCalls::StartReceive(std::size_t length,
                                             const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  return Start<std::string>("recv", {{"length", length}, {"flags", flags}},
                            fmt::format(", {}", length), [](const json& value) {
                              const auto data =
                                  agent_protocol::Base64Decode(value.at("data").get<std::string>());
                              if (!data)
                                throw HarnessError("the agent gives data that is no base64");
                              return *data;
                            });
}

Outcome<int> RingCalls::SendMessage(const Message& message) const {
  json params = json::object();
  PutMessage(params, message);
  return Start<int>("sendmsg", std::move(params), ", " + message.ToString(), ReadNumber).Await();
}

Outcome<Received> RingCalls::ReceiveMessage(std::size_t length, const ControlRoom& room) const {
  json params = json::object();
  PutRoom(params, {length}, room);
  return Start<Received>("recvmsg", std::move(params), fmt::format(", {}", length),
                         [by = socket_](const json& value) { return ReceivedFromJson(by, value); })
      .Await();
}

Pending<Events> RingCalls::StartPoll(const std::vector<std::string>& events) const {
  CheckKnown("event", agent_protocol::PollEvents(), events);
  const json entry = {{"fd", socket_.fd()}, {"events", events}};
  json params = {{"fds", json::array({entry})}, {"timeout_ms", -1}, {"through", "io_uring"}};
  std::string text = fmt::format("poll({}, io_uring)", socket_.fd());
  Stack& stack = socket_.stack();
  const Agent::CallId call = stack.agent().Start("poll", std::move(params), text);
  return {stack, call, std::move(text), [](const json& value) {
            auto told = value.at(0).get<Events>();
            std::sort(told.begin(), told.end());
            return told;
          }};
}

Outcome<int> RingCalls::Shutdown(const std::string& how) const {
  return Start<int>("shutdown", {{"how", how}}, ", " + how, ReadNumber).Await();
}

Outcome<int> RingCalls::Close() const {
  return Start<int>("close", json::object(), "", ReadNumber).Await();
}

Multishot RingCalls::StartAgainAndAgain(json params, const std::string& what) const {
  const std::string text = fmt::format(
      "{}({}{}, io_uring)", params.at("operation").get<std::string>(), socket_.fd(), what);
  params["fd"] = socket_.fd();
  return {socket_, CallAtOnce<int>(socket_.stack(), "multishot", std::move(params),
                                   text + " again and again", ReadNumber)
                       .value()};
}

Multishot RingCalls::AcceptAgainAndAgain() const {
  return StartAgainAndAgain({{"operation", "accept"}}, "");
}

Multishot RingCalls::ReceiveAgainAndAgain(int buffers, int length) const {
  return StartAgainAndAgain({{"operation", "recv"}, {"buffers", buffers}, {"length", length}},
                            fmt::format(", {}", length));
}

Multishot RingCalls::PollAgainAndAgain(const std::vector<std::string>& events) const {
  CheckKnown("event", agent_protocol::PollEvents(), events);
  return StartAgainAndAgain({{"operation", "poll"}, {"events", events}}, "");
}

Pending<Completion> Multishot::StartNext() const {
  std::string text = fmt::format("completion({}, io_uring)", number_);
  Stack& stack = by_.stack();
  const Agent::CallId call = stack.agent().Start("completion", {{"multishot", number_}}, text);
  return {stack, call, std::move(text), [by = by_](const json& value) {
            Completion completion;
            completion.more = value.at("more").get<bool>();
            if (value.contains("errno")) {
              completion.error = ErrnoFromName(value.at("errno").get<std::string>());
            }
            if (value.contains("fd")) {
              completion.accepted = by.WithDescriptor(value.at("fd").get<int>());
            }
            const auto data = agent_protocol::Base64Decode(value.value("data", ""));
            if (!data) throw HarnessError("the agent gives data that is no base64");
            completion.data = *data;
            completion.events = value.value("events", Events());
            std::sort(completion.events.begin(), completion.events.end());
            return completion;
          }};
}

Outcome<int> RingCalls::Cancel() const {
  return CallAtOnce<int>(socket_.stack(), "cancel", {{"fd", socket_.fd()}},
                         fmt::format("cancel({})", socket_.fd()), ReadNumber);
}

}  // namespace sockproof
