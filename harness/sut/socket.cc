#include "harness/sut/socket.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/options.h"
#include "harness/base/errors.h"
#include "harness/sut/call_at_once.h"
#include "harness/sut/known_names.h"
#include "harness/sut/message_json.h"
#include "harness/sut/name_json.h"

namespace sockproof {
namespace {

using nlohmann::json;

constexpr size_t kShownData = 32;

int ReadInteger(const json& value) { return value.is_number() ? value.get<int>() : 0; }

std::string InQuotes(const std::string& data) {
  return fmt::format("\"{}\"{}", data.substr(0, kShownData), data.size() > kShownData ? "..." : "");
}

std::string OrZero(const std::vector<std::string>& flags) {
  return flags.empty() ? "0" : fmt::format("{}", fmt::join(flags, "|"));
}

std::string DataOf(const json& value) {
  const auto data = agent_protocol::Base64Decode(value.at("data").get<std::string>());
  if (!data) throw HarnessError("the agent's data is not base64");
  return *data;
}

ReceivedFrom ReadReceivedFrom(const json& value) {
  ReceivedFrom received(DataOf(value), NameFromJson(value.at("address")));
  received.length = value.at("length").get<std::size_t>();
  return received;
}

// The parameters of a call about an option: "TCP_NODELAY" at its own level, or, after a level and a
// slash, at that one: "IPPROTO_UDP/TCP_NODELAY", "SOL_SOCKET/0x7fff".
json OptionAt(int fd, const std::string& name) {
  const std::size_t slash = name.find('/');
  const std::string option = slash == std::string::npos ? name : name.substr(slash + 1);
  const agent_protocol::SocketOption* known = agent_protocol::FindOption(option);
  const bool unnamed = slash != std::string::npos && agent_protocol::ValueOf({}, option);
  if (known == nullptr && !unnamed) throw HarnessError("no table knows the option " + option);
  std::string level;
  if (slash == std::string::npos) {
    level = known->level;
  } else {
    level = name.substr(0, slash);
    CheckKnown("level", agent_protocol::OptionLevels(), {level});
  }
  return {{"fd", fd}, {"level", level}, {"name", option}};
}

json With(json params, const char* name, json value) {
  params[name] = std::move(value);
  return params;
}

const Endpoint& EndpointOf(const Name& name) {
  if (name.endpoint() == nullptr) {
    throw HarnessError("the agent gave no IP address where one is due, but " + name.ToString());
  }
  return *name.endpoint();
}

}  // namespace

Socket Socket::In(std::optional<int> process) const {
  Socket socket = *this;
  socket.process_ = process;
  return socket;
}

Socket Socket::WithDescriptor(int fd) const {
  Socket socket = *this;
  socket.fd_ = fd;
  socket.bad_pointers_.clear();
  return socket;
}

Socket Socket::WithBadPointer(const std::string& argument, const std::string& kind) const {
  Socket socket = *this;
  socket.bad_pointers_.emplace_back(argument, BadPointer{kind, std::nullopt});
  return socket;
}

Socket Socket::WithPointerTo(int octets, const std::string& argument) const {
  Socket socket = *this;
  socket.bad_pointers_.emplace_back(argument, BadPointer{"", octets});
  return socket;
}

void Socket::Complete(json& params) const {
  if (process_) params["process"] = *process_;
  for (const auto& [argument, pointer] : bad_pointers_) {
    json& bad = params["bad_pointers"][argument];
    if (pointer.octets) {
      bad = *pointer.octets;
    } else {
      bad = pointer.kind;
    }
  }
}

template <typename T>
Outcome<T> Socket::AtOnce(const std::string& method, json params, const std::string& text,
                          const typename Pending<T>::Reader& read) const {
  Complete(params);
  return CallAtOnce<T>(*stack_, method, std::move(params), text, read);
}

template <typename T>
Pending<T> Socket::Start(const std::string& method, json params, std::string text,
                         typename Pending<T>::Reader read) const {
  Complete(params);
  const Agent::CallId call = stack_->agent().Start(method, std::move(params), text);
  return Pending<T>(*stack_, call, std::move(text), std::move(read));
}

Outcome<int> Socket::Bind(const Name& local) const {
  json params = {{"fd", fd_}};
  PutName(params, local);
  return AtOnce<int>("bind", std::move(params), fmt::format("bind({}, {})", fd_, local.ToString()),
                     ReadInteger);
}

Outcome<int> Socket::Listen(int backlog) const {
  return AtOnce<int>("listen", {{"fd", fd_}, {"backlog", backlog}},
                     fmt::format("listen({}, {})", fd_, backlog), ReadInteger);
}

Pending<int> Socket::StartConnect(const Name& remote) const {
  json params = {{"fd", fd_}};
  PutName(params, remote);
  return Start<int>("connect", std::move(params),
                    fmt::format("connect({}, {})", fd_, remote.ToString()), ReadInteger);
}

Pending<Accepted> Socket::StartAccept(const std::vector<std::string>& flags) const {
  json params = {{"fd", fd_}};
  if (!flags.empty()) params["flags"] = flags;
  const std::string text = flags.empty() ? fmt::format("accept({})", fd_)
                                         : fmt::format("accept4({}, {})", fd_, OrZero(flags));
  return Start<Accepted>("accept", std::move(params), text,
                         [accepting = Plain()](const json& value) {
                           return Accepted{accepting.WithDescriptor(value.at("fd").get<int>()),
                                           NameFromJson(value.at("address"))};
                         });
}

Outcome<Accepted> Socket::Accept(const std::vector<std::string>& flags,
                                 SourceLocation where) const {
  return StartAccept(flags).Await(Within(kPatience), where);
}

Pending<int> Socket::StartSend(const std::string& data,
                               const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  return Start<int>(
      "send", {{"fd", fd_}, {"data", agent_protocol::Base64Encode(data)}, {"flags", flags}},
      fmt::format("send({}, {}, {}, {})", fd_, InQuotes(data), data.size(), OrZero(flags)),
      ReadInteger);
}

Pending<std::string> Socket::StartReceive(size_t length,
                                          const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  return Start<std::string>("recv", {{"fd", fd_}, {"length", length}, {"flags", flags}},
                            fmt::format("recv({}, {}, {})", fd_, length, OrZero(flags)), DataOf);
}

Pending<int> Socket::StartSendTo(const Name& remote, const std::string& data,
                                 const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  json params = {{"fd", fd_}, {"data", agent_protocol::Base64Encode(data)}, {"flags", flags}};
  PutName(params, remote);
  return Start<int>("sendto", std::move(params),
                    fmt::format("sendto({}, {}, {}, {}, {})", fd_, InQuotes(data), data.size(),
                                OrZero(flags), remote.ToString()),
                    ReadInteger);
}

Pending<ReceivedFrom> Socket::StartReceiveFrom(size_t length,
                                               const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  return Start<ReceivedFrom>("recvfrom", {{"fd", fd_}, {"length", length}, {"flags", flags}},
                             fmt::format("recvfrom({}, {}, {})", fd_, length, OrZero(flags)),
                             ReadReceivedFrom);
}

Pending<int> Socket::StartSendMessage(const Message& message,
                                      const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  json params = {{"fd", fd_}, {"flags", flags}};
  PutMessage(params, message);
  return Start<int>("sendmsg", std::move(params),
                    fmt::format("sendmsg({}, {}, {})", fd_, message.ToString(), OrZero(flags)),
                    ReadInteger);
}

Pending<Received> Socket::StartReceiveMessage(const std::vector<std::size_t>& lengths,
                                              const ControlRoom& room,
                                              const std::vector<std::string>& flags) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  json params = {{"fd", fd_}, {"flags", flags}};
  PutRoom(params, lengths, room);
  return Start<Received>(
      "recvmsg", std::move(params),
      fmt::format("recvmsg({}, {}{}, {})", fd_, fmt::join(lengths, " + "),
                  room.none() ? "" : ", room for " + room.text(), OrZero(flags)),
      [socket = Plain()](const json& value) { return ReceivedFromJson(socket, value); });
}

Outcome<std::vector<int>> Socket::SendMessages(const std::vector<Message>& messages,
                                               const std::vector<std::string>& flags,
                                               SourceLocation where) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  json params = {{"fd", fd_}, {"flags", flags}, {"messages", json::array()}};
  for (const Message& message : messages) {
    json object = json::object();
    PutMessage(object, message);
    params["messages"].push_back(std::move(object));
  }
  return Start<std::vector<int>>(
             "sendmmsg", std::move(params),
             fmt::format("sendmmsg({}, {} messages, {})", fd_, messages.size(), OrZero(flags)),
             [](const json& value) { return value.get<std::vector<int>>(); })
      .Await(Within(kPatience), where);
}

Pending<std::vector<Received>> Socket::StartReceiveMessages(
    int most, std::size_t length, const ControlRoom& room, const std::vector<std::string>& flags,
    std::optional<std::chrono::milliseconds> timeout) const {
  CheckKnown("flag", agent_protocol::MessageFlags(), flags);
  json object = json::object();
  PutRoom(object, {length}, room);
  json params = {{"fd", fd_}, {"flags", flags}};
  params["messages"] = json::array_t(static_cast<std::size_t>(most), object);
  if (timeout) params["timeout_ms"] = timeout->count();
  return Start<std::vector<Received>>(
      "recvmmsg", std::move(params),
      fmt::format("recvmmsg({}, {} of {}, {}{})", fd_, most, length, OrZero(flags),
                  timeout ? fmt::format(", {} ms", timeout->count()) : ""),
      [socket = Plain()](const json& value) {
        std::vector<Received> received;
        for (const json& one : value) received.push_back(ReceivedFromJson(socket, one));
        return received;
      });
}

Outcome<int> Socket::WriteVector(const std::vector<std::string>& parts,
                                 SourceLocation where) const {
  json vector = json::array();
  for (const std::string& part : parts) vector.push_back(agent_protocol::Base64Encode(part));
  return Start<int>("writev", {{"fd", fd_}, {"vector", std::move(vector)}},
                    fmt::format("writev({}, {} parts)", fd_, parts.size()), ReadInteger)
      .Await(Within(kPatience), where);
}

Outcome<std::string> Socket::ReadVector(const std::vector<std::size_t>& lengths,
                                        SourceLocation where) const {
  return Start<std::string>("readv", {{"fd", fd_}, {"lengths", lengths}},
                            fmt::format("readv({}, {})", fd_, fmt::join(lengths, " + ")), DataOf)
      .Await(Within(kPatience), where);
}

Outcome<int> Socket::Seek(int offset, const std::string& whence) const {
  CheckKnown("origin", agent_protocol::SeekOrigins(), {whence});
  return AtOnce<int>("lseek", {{"fd", fd_}, {"offset", offset}, {"whence", whence}},
                     fmt::format("lseek({}, {}, {})", fd_, offset, whence), ReadInteger);
}

Pending<int> Socket::StartSendFile(const Socket& file, int count, std::optional<int> offset) const {
  json params = {{"out", fd_}, {"in", file.fd()}, {"count", count}};
  if (offset) params["offset"] = *offset;
  return Start<int>("sendfile", std::move(params),
                    fmt::format("sendfile({}, {}, {})", fd_, file.fd(), count), ReadInteger);
}

Pending<int> Socket::StartSplice(const Socket& from, int count,
                                 const std::vector<std::string>& flags) const {
  CheckKnown("flag of splice()", agent_protocol::SpliceFlags(), flags);
  return Start<int>("splice", {{"in", from.fd()}, {"out", fd_}, {"count", count}, {"flags", flags}},
                    fmt::format("splice({}, {}, {}, {})", from.fd(), fd_, count, OrZero(flags)),
                    ReadInteger);
}

Pending<int> Socket::StartWrite(const std::string& data) const {
  return Start<int>("write", {{"fd", fd_}, {"data", agent_protocol::Base64Encode(data)}},
                    fmt::format("write({}, {}, {})", fd_, InQuotes(data), data.size()), ReadInteger);
}

Pending<std::string> Socket::StartRead(size_t length) const {
  return Start<std::string>("read", {{"fd", fd_}, {"length", length}},
                            fmt::format("read({}, {})", fd_, length), DataOf);
}

Outcome<Socket> Socket::Dup() const {
  return AtOnce<Socket>(
      "dup", {{"fd", fd_}}, fmt::format("dup({})", fd_),
      [socket = Plain()](const json& value) { return socket.WithDescriptor(value.get<int>()); });
}

Outcome<int> Socket::Shutdown(const std::string& how, SourceLocation where) const {
  CheckKnown("direction", agent_protocol::ShutdownDirections(), {how});
  // A stack may make it wait for a call that another thread is in.
  return Start<int>("shutdown", {{"fd", fd_}, {"how", how}},
                    fmt::format("shutdown({}, {})", fd_, how), ReadInteger)
      .Await(Within(kPatience), where);
}

Pending<int> Socket::StartClose() const {
  return Start<int>("close", {{"fd", fd_}}, fmt::format("close({})", fd_), ReadInteger);
}

Outcome<int> Socket::SetOption(const std::string& name, int value) const {
  return AtOnce<int>("setsockopt", With(OptionAt(fd_, name), "value", value),
                     fmt::format("setsockopt({}, {}, {})", fd_, name, value), ReadInteger);
}

Outcome<int> Socket::SetOption(const std::string& name, const Bytes& value) const {
  const std::string bytes(value.begin(), value.end());
  const json octets = {{"bytes", agent_protocol::Base64Encode(bytes)}};
  return AtOnce<int>("setsockopt", With(OptionAt(fd_, name), "value", octets),
                     fmt::format("setsockopt({}, {}, {} octets)", fd_, name, value.size()),
                     ReadInteger);
}

Outcome<int> Socket::Inquire(const std::string& request) const {
  return AtOnce<int>("ioctl", {{"fd", fd_}, {"request", request}},
                     fmt::format("ioctl({}, {})", fd_, request), ReadInteger);
}

Outcome<int> Socket::Control(const std::string& request, int value) const {
  return AtOnce<int>("ioctl", {{"fd", fd_}, {"request", request}, {"value", value}},
                     fmt::format("ioctl({}, {}, {})", fd_, request, value), ReadInteger);
}

Outcome<int> Socket::IsAsynchronous() const { return HasFlag("F_GETFL", "O_ASYNC"); }

Outcome<int> Socket::IsNonblocking() const { return HasFlag("F_GETFL", "O_NONBLOCK"); }

Outcome<int> Socket::IsClosedOnExec() const { return HasFlag("F_GETFD", "FD_CLOEXEC"); }

Outcome<int> Socket::HasFlag(const std::string& command, const std::string& flag) const {
  return AtOnce<int>("fcntl", {{"fd", fd_}, {"command", command}},
                     fmt::format("fcntl({}, {})", fd_, command), [&](const json& value) {
                       const auto flags = value.get<std::vector<std::string>>();
                       return std::find(flags.begin(), flags.end(), flag) != flags.end() ? 1 : 0;
                     });
}

Outcome<int> Socket::GetOption(const std::string& name) const {
  return AtOnce<int>("getsockopt", OptionAt(fd_, name),
                     fmt::format("getsockopt({}, {})", fd_, name), ReadInteger);
}

Outcome<std::string> Socket::GetText(const std::string& name) const {
  return AtOnce<std::string>("getsockopt", OptionAt(fd_, name),
                             fmt::format("getsockopt({}, {})", fd_, name),
                             [](const json& value) { return value.get<std::string>(); });
}

Outcome<std::string> Socket::GetOctets(const std::string& name, int room) const {
  return AtOnce<std::string>(
      "getsockopt", With(OptionAt(fd_, name), "length", room),
      fmt::format("getsockopt({}, {}, {} octets)", fd_, name, room), [](const json& value) {
        const auto octets = agent_protocol::Base64Decode(value.at("bytes").get<std::string>());
        if (!octets) throw HarnessError("the agent's data is not base64");
        return *octets;
      });
}

Outcome<Credentials> Socket::PeerCredentials() const {
  return AtOnce<Credentials>(
      "getsockopt", {{"fd", fd_}, {"level", "SOL_SOCKET"}, {"name", "SO_PEERCRED"}},
      fmt::format("getsockopt({}, SO_PEERCRED)", fd_), [](const json& value) {
        return Credentials{value.at("pid").get<int>(), value.at("uid").get<std::int64_t>(),
                           value.at("gid").get<std::int64_t>()};
      });
}

std::int64_t Socket::Info(const std::string& field) const {
  if (!agent_protocol::IsTcpInfoField(field)) {
    throw HarnessError("no table knows the field " + field + " of TCP_INFO");
  }
  const Outcome<json> info = AtOnce<json>(
      "getsockopt", {{"fd", fd_}, {"level", "IPPROTO_TCP"}, {"name", "TCP_INFO"}},
      fmt::format("getsockopt({}, TCP_INFO)", fd_), [](const json& value) { return value; });
  if (!info.ok() || !info.value().contains(field)) throw Skip("TCP_INFO does not tell " + field);
  return info.value().at(field).get<std::int64_t>();
}

Outcome<int> Socket::SetLinger(int seconds) const {
  return AtOnce<int>("setsockopt",
                     {{"fd", fd_},
                      {"level", "SOL_SOCKET"},
                      {"name", "SO_LINGER"},
                      {"value", {{"onoff", 1}, {"linger", seconds}}}},
                     fmt::format("setsockopt({}, SO_LINGER, {{1, {}}})", fd_, seconds),
                     ReadInteger);
}

int Socket::TakeError(SourceLocation where) const { return GetOption("SO_ERROR").value(where); }

Outcome<Name> Socket::AskName(const std::string& method, std::optional<int> room) const {
  json params = {{"fd", fd_}};
  if (room) params["address_length"] = *room;
  return AtOnce<Name>(method, std::move(params),
                      room ? fmt::format("{}({}, {} octets)", method, fd_, *room)
                           : fmt::format("{}({})", method, fd_),
                      NameFromJson);
}

Endpoint Socket::LocalEndpoint(SourceLocation where) const {
  return EndpointOf(LocalName().value(where));
}

Endpoint Socket::RemoteEndpoint(SourceLocation where) const {
  return EndpointOf(PeerName().value(where));
}

Pending<std::vector<std::string>> Socket::StartPoll(const std::vector<std::string>& events,
                                                    std::chrono::milliseconds timeout) const {
  CheckKnown("event", agent_protocol::PollEvents(), events);
  return Start<std::vector<std::string>>(
      "poll",
      {{"fds", json::array({{{"fd", fd_}, {"events", events}}})}, {"timeout_ms", timeout.count()}},
      fmt::format("poll({}: {}, {} ms)", fd_, OrZero(events), timeout.count()),
      [](const json& value) {
        auto ready = value.at(0).get<std::vector<std::string>>();
        std::sort(ready.begin(), ready.end());
        return ready;
      });
}

void PrintTo(const ReceivedFrom& received, std::ostream* out) {
  *out << InQuotes(received.data) << " (" << received.length << ") from " << received.from.ToString();
}

}  // namespace sockproof
