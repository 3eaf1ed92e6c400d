#include "harness/sut/process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"
#include "harness/sut/call_at_once.h"
#include "harness/sut/known_names.h"
#include "harness/sut/stack.h"

namespace sockproof {
namespace {

using nlohmann::json;

int NumberIn(const json& value) { return value.get<int>(); }

std::vector<int> DescriptorsOf(const std::vector<Socket>& sockets) {
  std::vector<int> descriptors;
  for (const Socket& socket : sockets) descriptors.push_back(socket.fd());
  return descriptors;
}

std::optional<IpVersion> VersionOf(const std::string& domain) {
  if (domain == "AF_INET") return IpVersion::kIpv4;
  if (domain == "AF_INET6") return IpVersion::kIpv6;
  return std::nullopt;
}

// The form in ladders of a call that makes sockets, and its parameters.
std::string SocketCall(const std::string& method, const std::string& domain,
                       const std::string& type, const std::vector<std::string>& flags,
                       const std::string& protocol, json& params) {
  CheckKnown("address family", agent_protocol::AddressFamilies(), {domain});
  CheckKnown("socket type", agent_protocol::SocketTypes(), {type});
  CheckKnown("flag of socket()", agent_protocol::SocketFlags(), flags);
  params["domain"] = domain;
  params["type"] = type;
  params["flags"] = flags;
  std::string text = fmt::format("{}({}, {}", method, domain, type);
  for (const std::string& flag : flags) text += "|" + flag;
  if (!protocol.empty()) {
    CheckKnown("protocol", agent_protocol::Protocols(), {protocol});
    params["protocol"] = protocol;
    text += ", " + protocol;
  }
  return text + ")";
}

}  // namespace

int Process::pid() const { return pid_ ? *pid_ : stack_->agent().hello().value("pid", 0); }

json Process::Params() const {
  json params = json::object();
  if (pid_) params["process"] = *pid_;
  return params;
}

Outcome<Socket> Process::OpenSocket(const std::string& domain, const std::string& type,
                                    const std::vector<std::string>& flags,
                                    const std::string& protocol) {
  json params = Params();
  const std::string text = SocketCall("socket", domain, type, flags, protocol, params);
  return CallAtOnce<Socket>(*stack_, "socket", std::move(params), text, [&](const json& value) {
    return Of(Socket(*stack_, value.get<int>(), VersionOf(domain)));
  });
}

Outcome<std::pair<Socket, Socket>> Process::OpenSocketPair(const std::string& type,
                                                           const std::vector<std::string>& flags,
                                                           const std::string& domain,
                                                           const std::string& protocol) {
  json params = Params();
  const std::string text = SocketCall("socketpair", domain, type, flags, protocol, params);
  return CallAtOnce<std::pair<Socket, Socket>>(
      *stack_, "socketpair", std::move(params), text, [&](const json& value) {
        const auto version = VersionOf(domain);
        return std::pair(Of(Socket(*stack_, value.at(0).get<int>(), version)),
                         Of(Socket(*stack_, value.at(1).get<int>(), version)));
      });
}

Outcome<std::pair<Socket, Socket>> Process::Pipe() {
  return CallAtOnce<std::pair<Socket, Socket>>(
      *stack_, "pipe", Params(), "pipe()", [&](const json& value) {
        return std::pair(Of(Socket(*stack_, value.at(0).get<int>())),
                         Of(Socket(*stack_, value.at(1).get<int>())));
      });
}

std::string Process::Directory() {
  return CallAtOnce<std::string>(*stack_, "directory", json::object(), "",
                                 [](const json& value) { return value.get<std::string>(); })
      .value();
}

std::string Process::ReadOnlyDirectory() {
  return CallAtOnce<std::string>(*stack_, "directory", {{"read_only", true}}, "",
                                 [](const json& value) { return value.get<std::string>(); })
      .value();
}

Outcome<Socket> Process::OpenFile(const std::string& path, const std::vector<std::string>& flags,
                                  int mode) {
  CheckKnown("flag of open()", agent_protocol::OpenFlags(), flags);
  json params = Params();
  params["path"] = path;
  params["flags"] = flags;
  params["mode"] = mode;
  return CallAtOnce<Socket>(
      *stack_, "open", std::move(params), fmt::format("open({}, {})", path, fmt::join(flags, "|")),
      [&](const json& value) { return Of(Socket(*stack_, value.get<int>())); });
}

Outcome<int> Process::Unlink(const std::string& path) {
  json params = Params();
  params["path"] = path;
  return CallAtOnce<int>(*stack_, "unlink", std::move(params), "unlink(" + path + ")", NumberIn);
}

Outcome<int> Process::LinkTo(const std::string& target, const std::string& path) {
  json params = Params();
  params["target"] = target;
  params["path"] = path;
  return CallAtOnce<int>(*stack_, "symlink", std::move(params),
                         fmt::format("symlink({}, {})", target, path), NumberIn);
}

Outcome<int> Process::ChangeMode(const std::string& path, int mode) {
  json params = Params();
  params["path"] = path;
  params["mode"] = mode;
  return CallAtOnce<int>(*stack_, "chmod", std::move(params),
                         fmt::format("chmod({}, {:04o})", path, mode), NumberIn);
}

Outcome<FileStatus> Process::StatusOf(const std::string& path) {
  json params = Params();
  params["path"] = path;
  return CallAtOnce<FileStatus>(
      *stack_, "stat", std::move(params), "stat(" + path + ")", [](const json& value) {
        return FileStatus{value.at("type").get<std::string>(), value.at("mode").get<int>(),
                          value.at("uid").get<std::int64_t>(), value.at("gid").get<std::int64_t>(),
                          value.at("size").get<std::int64_t>()};
      });
}

Pending<std::vector<Events>> Process::StartPoll(
    const std::vector<std::pair<Socket, Events>>& entries, std::chrono::milliseconds timeout) {
  json params = Params();
  params["timeout_ms"] = timeout.count();
  params["fds"] = json::array();
  std::string text;
  for (const auto& [socket, events] : entries) {
    CheckKnown("event", agent_protocol::PollEvents(), events);
    params["fds"].push_back({{"fd", socket.fd()}, {"events", events}});
    text += fmt::format("{}: {}, ", socket.fd(),
                        events.empty() ? "0" : fmt::format("{}", fmt::join(events, "|")));
  }
  text = fmt::format("poll({}{} ms)", text, timeout.count());
  const Agent::CallId call = stack_->agent().Start("poll", std::move(params), text);
  return Pending<std::vector<Events>>(*stack_, call, text, [](const json& value) {
    auto all = value.get<std::vector<Events>>();
    for (Events& events : all) std::sort(events.begin(), events.end());
    return all;
  });
}

Outcome<std::string> Process::TakeSignal(const std::vector<std::string>& signals,
                                         std::chrono::milliseconds timeout, SourceLocation where) {
  CheckKnown("signal", agent_protocol::Signals(), signals);
  json params = Params();
  params["signals"] = signals;
  params["timeout_ms"] = timeout.count();
  const std::string text =
      fmt::format("sigtimedwait({}, {} ms)", fmt::join(signals, "|"), timeout.count());
  const Agent::CallId call = stack_->agent().Start("sigtimedwait", std::move(params), text);
  return Pending<std::string>(*stack_, call, text,
                              [](const json& value) { return value.get<std::string>(); })
      .Await(Within(kPatience), where);
}

Pending<Selected> Process::StartSelect(const Selection& selection,
                                       std::optional<std::chrono::microseconds> timeout) {
  constexpr int kMicrosecondsPerSecond = 1'000'000;
  json params = Params();
  params["read"] = DescriptorsOf(selection.read);
  params["write"] = DescriptorsOf(selection.write);
  params["except"] = DescriptorsOf(selection.except);
  if (selection.nfds) params["nfds"] = *selection.nfds;
  if (timeout) {
    params["timeout"] = {{"sec", timeout->count() / kMicrosecondsPerSecond},
                         {"usec", timeout->count() % kMicrosecondsPerSecond}};
  }
  const std::string text = fmt::format(
      "select({}{}; {}; {}; {})", selection.nfds ? fmt::format("{}; ", *selection.nfds) : "",
      fmt::join(DescriptorsOf(selection.read), ", "),
      fmt::join(DescriptorsOf(selection.write), ", "),
      fmt::join(DescriptorsOf(selection.except), ", "),
      timeout ? fmt::format("{} us", timeout->count()) : "no timeout");
  const Agent::CallId call = stack_->agent().Start("select", std::move(params), text);
  return Pending<Selected>(*stack_, call, text, [](const json& value) {
    Selected selected{value.at("ready").get<int>(), value.at("read").get<std::vector<int>>(),
                      value.at("write").get<std::vector<int>>(),
                      value.at("except").get<std::vector<int>>(), std::nullopt};
    if (value.contains("timeout")) {
      const json& left = value["timeout"];
      selected.timeout = std::chrono::seconds(left.at("sec").get<std::int64_t>()) +
                         std::chrono::microseconds(left.at("usec").get<std::int64_t>());
    }
    return selected;
  });
}

Outcome<Process> Process::Fork(const ForkPlan& plan) {
  CheckKnown("capability of a process", agent_protocol::Privileges(), plan.without_capabilities);
  json params = Params();
  if (plan.uid) params["uid"] = *plan.uid;
  if (plan.gid) params["gid"] = *plan.gid;
  if (!plan.without_capabilities.empty()) {
    params["without_capabilities"] = plan.without_capabilities;
  }
  for (const auto& [limit, value] : plan.limits) {
    CheckKnown("limit", agent_protocol::ResourceLimits(), {limit});
    params["limits"][limit] = value;
  }
  if (plan.umask) params["umask"] = *plan.umask;
  return CallAtOnce<Process>(*stack_, "fork", std::move(params), "fork()",
                             [&](const json& value) { return Process(*stack_, value.get<int>()); });
}

Outcome<int> Process::Exit(int status) {
  json params = Params();
  params["status"] = status;
  Outcome<int> outcome = CallAtOnce<int>(*stack_, "exit", std::move(params),
                                         fmt::format("exit({})", status), NumberIn);
  if (outcome.ok()) stack_->agent().Call("waitpid", {{"pid", pid_.value()}}, "");
  return outcome;
}

Outcome<int> Process::Kill(const std::string& signal) {
  CheckKnown("signal", agent_protocol::Signals(), {signal});
  Outcome<int> outcome =
      CallAtOnce<int>(*stack_, "kill", {{"pid", pid_.value()}, {"signal", signal}},
                      fmt::format("kill({}, {})", pid_.value(), signal), NumberIn);
  if (outcome.ok()) stack_->agent().Call("waitpid", {{"pid", pid_.value()}}, "");
  return outcome;
}

Outcome<int> Process::Execute() {
  return CallAtOnce<int>(*stack_, "exec", Params(), "execve()", NumberIn);
}

}  // namespace sockproof
