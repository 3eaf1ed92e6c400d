#include "src/judge/calls.h"

#include <algorithm>
#include <cstdlib>

#include "harness/trace/call_text.h"

namespace sockproof {
namespace {

std::string PortOf(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  return colon == std::string::npos ? "" : endpoint.substr(colon + 1);
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::uint64_t NumberOf(const std::string& text) {
  return IsNumber(text) ? std::strtoull(text.c_str(), nullptr, 10) : 0;
}

// The length that send(), sendto() or write() was given.
std::uint64_t LengthIn(const CallText& call) {
  return call.arguments.size() > 2 ? NumberOf(call.arguments[2]) : 0;
}

// The data in quotes that a call or its result shows, at most 32 octets; of these others than plain
// ASCII are shown otherwise.
std::string_view DataIn(const std::string& text, std::uint64_t length) {
  constexpr std::uint64_t kShown = 32;
  const std::size_t begin = text.find('"');
  if (begin == std::string::npos) return {};
  return std::string_view(text).substr(begin + 1, std::min(length, kShown));
}

// MUST-17, MUST-24, MUST-48 and MUST-49: what an application must be able to set.
const char* ClaimOfOption(const std::string& option, bool is_ipv6) {
  if (option == "TCP_NODELAY") return "rfc9293:MUST-17";
  if (option == "SO_KEEPALIVE") return "rfc9293:MUST-24";
  if (option == (is_ipv6 ? "IPV6_TCLASS" : "IP_TOS")) return "rfc9293:MUST-48";
  if (option == (is_ipv6 ? "IPV6_UNICAST_HOPS" : "IP_TTL")) return "rfc9293:MUST-49";
  return nullptr;
}

bool IsSend(const std::string& name) {
  return name == "send" || name == "sendto" || name == "write";
}

// The descriptor that a call is of: "3", also in "poll(3: POLLPRI, 0 ms)".
std::string DescriptorOf(const CallText& call) {
  return call.arguments[0].substr(0, call.arguments[0].find(':'));
}

// Calls that send octets, how many is not counted here.
bool SendsOtherwise(const std::string& name) {
  return name == "sendmsg" || name == "sendmmsg" || name == "writev" || name == "sendfile";
}

void MayWriteAnything(oracle::Application* user) {
  constexpr std::uint64_t kAny = std::uint64_t{1} << 40;
  if (user == nullptr) return;
  user->written += kAny;
  user->holds_back = true;
}

// Calls that receive octets of a stream in a way that is not counted here.
bool ReceivesOtherwise(const std::string& name) {
  return name == "recvmsg" || name == "recvmmsg" || name == "readv" || name == "recvfrom" ||
         name == "splice";
}

// The same of calls that tell something: of one descriptor, and one thing.
std::optional<oracle::Returned> ToldBy(const CallText& call, const std::string& result) {
  using Call = oracle::Returned::Call;
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  if (call.arguments.size() != 2) return std::nullopt;
  const bool is_poll = call.name == "poll" && has(call.arguments[0], ": ");
  if (is_poll && has(call.arguments[0], "POLLPRI") && result[0] != 'E') {
    return oracle::Returned{Call::kPollUrgent, "", has(result, "POLLPRI") ? 1U : 0U};
  }
  if (call.name == "ioctl" && call.arguments[1] == "SIOCATMARK" && IsNumber(result)) {
    return oracle::Returned{Call::kAtMark, "", NumberOf(result)};
  }
  if (call.name == "getsockopt" && call.arguments[1] == "SO_ERROR") {
    return oracle::Returned{Call::kTakeError, "", result == "0" ? 0U : 1U};
  }
  return std::nullopt;
}

// What it has returned, where that can be judged.
std::optional<oracle::Returned> ReturnedOf(const CallText& call, const std::string& result) {
  using Call = oracle::Returned::Call;
  static const std::map<std::string, Call> kCalls = {
      {"connect", Call::kConnect},   {"accept", Call::kAccept}, {"send", Call::kSend},
      {"write", Call::kSend},        {"recv", Call::kReceive},  {"read", Call::kReceive},
      {"shutdown", Call::kShutdown}, {"close", Call::kClose}};
  const auto found = kCalls.find(call.name);
  if (result.empty()) return std::nullopt;
  if (found == kCalls.end()) return ToldBy(call, result);
  oracle::Returned returned{found->second, "", 0};
  const std::string word = result.substr(0, result.find_first_of(": "));  // "5: "hello""
  if (word[0] == 'E') {
    returned.error = word;
  } else if (IsNumber(word)) {
    returned.octets = NumberOf(word);
  } else {
    return std::nullopt;
  }
  if (returned.call != Call::kReceive) return returned;
  // Nothing was asked for, or what is no part of the stream.
  const bool asks = call.arguments.size() > 1 && NumberOf(call.arguments[1]) > 0;
  const std::string flags = call.arguments.size() > 2 ? call.arguments[2] : "";
  const bool is_apart = flags.find("MSG_OOB") != std::string::npos ||
                        flags.find("MSG_ERRQUEUE") != std::string::npos ||
                        flags.find("MSG_PEEK") != std::string::npos;
  return asks && !is_apart ? std::optional(returned) : std::nullopt;
}

// Whether a socket bound to `bound` takes what is addressed to `local`.
bool Covers(const std::string& bound, const std::string& local) {
  if (bound == local) return true;
  return PortOf(bound) == PortOf(local) &&
         (bound.starts_with("0.0.0.0:") || bound.starts_with("[::]:"));
}

}  // namespace

Calls::SocketRef Calls::Find(const std::string& descriptor) const {
  const auto found = sockets_.find(descriptor);
  return found == sockets_.end() ? nullptr : found->second;
}

oracle::Application* Calls::UserOf(const SocketRef& socket) const {
  if (!socket || socket->connection == nullptr) return nullptr;
  return &socket->connection->oracle->application();
}

bool Calls::Knows(const Connection& connection) const { return owners_.contains(&connection); }

void Calls::LookForRoom(const Socket& listener) {
  for (Connection* waiting : listener.waiting) {
    oracle::Application& user = waiting->oracle->application();
    user.may_be_full = static_cast<int>(listener.waiting.size()) >= listener.backlog;
    user.defers = listener.defers;
  }
}

void Calls::Opens(Connection& connection, bool is_active) {
  oracle::Application& user = connection.oracle->application();
  const auto owner = owners_.find(&connection);
  const bool is_there = owner != owners_.end() && owner->second && !user.is_gone;
  if (is_there && !connection.oracle->MayBeClosed()) return;
  const auto now_of = [&](const SocketRef& socket) {
    const int opens = user.opens;
    user = oracle::Application();
    user.is_known = true;
    user.opens = opens;
    user.has_keepalive = socket && socket->has_keepalive;
    user.waits_for_more = socket && socket->waits_for_more;
    user.polls_errors = socket && socket->polls_errors;
    user.holds_back = socket && socket->holds_back;
    owners_[&connection] = socket;
  };
  if (is_active) {
    for (const auto& [descriptor, socket] : sockets_) {
      if (!socket->is_connecting || socket->connection != nullptr) continue;
      if (socket->remote != connection.remote) continue;
      if (!socket->local.empty() && PortOf(socket->local) != "0" &&
          PortOf(socket->local) != PortOf(connection.local)) {
        continue;
      }
      now_of(socket);
      socket->connection = &connection;
      connection.set = socket->set;
      ++user.opens;
      return;
    }
    if (owner == owners_.end()) user = oracle::Application();  // nothing is known
    return;
  }
  now_of(nullptr);
  // With SO_REUSEPORT it may be any of several.
  for (const SocketRef& listener : listeners_) {
    if (!Covers(listener->local, connection.local)) continue;
    owners_[&connection] = listener;
    user.is_listening = true;
    user.has_keepalive |= listener->has_keepalive;
    if (std::find(listener->waiting.begin(), listener->waiting.end(), &connection) ==
        listener->waiting.end()) {
      listener->waiting.push_back(&connection);
    }
    LookForRoom(*listener);
  }
}

// What nobody has accepted may end with its listener, in any way.
void Calls::StopListening(const SocketRef& socket) {
  if (std::erase(listeners_, socket) == 0) return;
  for (Connection* waiting : socket->waiting) {
    waiting->oracle->application() = oracle::Application();
    waiting->oracle->MayHaveEnded();
  }
  socket->waiting.clear();
}

void Calls::Close(const SocketRef& socket, Time now) {
  if (--socket->references > 0) return;
  StopListening(socket);
  oracle::Application* user = UserOf(socket);
  if (user == nullptr) return;
  if (!user->finished) user->finished = now;
  user->is_gone = user->may_abort = user->has_given_up = true;
  if (socket->may_linger) socket->connection->oracle->MayHaveAborted();
}

void Calls::Begins(const CallSpan& span) {
  const CallText call = ParseCall(span.call().text);
  if (call.arguments.empty()) return;
  const std::string second = call.arguments.size() > 1 ? call.arguments[1] : "";
  if (call.name == "splice")
    MayWriteAnything(UserOf(Find(second)));  // from the first to the second
  const SocketRef socket = Find(call.arguments[0]);
  if (!socket) return;
  oracle::Application* user = UserOf(socket);
  if (call.name == "bind") {
    socket->local = second;
  } else if (call.name == "connect") {
    socket->remote = second;
    socket->is_connecting = true;
    if (socket->connection != nullptr && user->has_given_up) socket->connection = nullptr;
  } else if (call.name == "listen") {
    socket->backlog = static_cast<int>(NumberOf(second));
    if (std::find(listeners_.begin(), listeners_.end(), socket) == listeners_.end()) {
      listeners_.push_back(socket);
    }
    socket->is_listening = true;
  } else if (IsSend(call.name) && user != nullptr) {
    const std::string_view data = DataIn(span.call().text, LengthIn(call));
    const auto* const end = std::find_if_not(data.begin(), data.end(), Octets::IsPlain);
    socket->connection->written.Put(user->written, {data.begin(), end});
    user->written += LengthIn(call);
    user->called = span.begin;
    const std::string& flags = call.arguments.back();
    if (flags.find("MSG_MORE") != std::string::npos) user->holds_back = true;
    if (flags.find("MSG_OOB") != std::string::npos) user->urgent_ends.push_back(user->written);
  } else if (SendsOtherwise(call.name)) {
    MayWriteAnything(user);
  } else if (call.name == "shutdown" && socket->is_listening) {
    if (second == "SHUT_WR") return;
    StopListening(socket);
  } else if (call.name == "shutdown" && user != nullptr) {
    if (second != "SHUT_RD") ++socket->finishes;
    if (second != "SHUT_RD" && !user->finished) user->finished = span.begin;
    // What then becomes of data is open: POSIX does not say, RFC 9293 section 3.6.1 allows RST.
    if (second != "SHUT_WR") {
      user->is_gone = user->may_abort = user->has_stopped_reading = true;
    }
  } else if (call.name == "setsockopt") {
    if (second == "TCP_DEFER_ACCEPT") socket->defers = true;
    if (second == "SO_KEEPALIVE") socket->has_keepalive = true;
    if (second == "SO_RCVLOWAT") socket->waits_for_more = true;
    if (second == "SO_LINGER") socket->may_linger = true;
    if (second == "SO_SELECT_ERR_QUEUE") socket->polls_errors = true;
    if (second == "TCP_CORK") socket->holds_back = true;
    if (user != nullptr) {
      if (second == "TCP_CORK") user->holds_back = true;
      if (second == "SO_KEEPALIVE") user->has_keepalive = true;
      if (second == "SO_RCVLOWAT") user->waits_for_more = true;
      if (second == "SO_SELECT_ERR_QUEUE") user->polls_errors = true;
      if (second == "TCP_USER_TIMEOUT") user->may_abort = true;
    }
  } else if (ReceivesOtherwise(call.name) && user != nullptr) {
    user->has_stopped_reading = true;
  } else if ((call.name == "recv" || call.name == "read") && user != nullptr) {
    user->has_received = true;
    if (call.arguments.back().find("MSG_OOB") != std::string::npos) user->has_taken_urgent = true;
  } else if (call.name == "close") {
    closing_[call.arguments[0]] = socket;
    sockets_.erase(call.arguments[0]);
    Close(socket, span.begin);
  }
}

void Calls::Accepted(const SocketRef& listener, const std::string& result) {
  // "4 from 192.0.2.2:40000", or "4": then it is the only one that waits.
  const std::size_t space = result.find(' ');
  const std::string descriptor = result.substr(0, space);
  const bool is_named = space != std::string::npos;
  if (!IsNumber(descriptor) || (!is_named && listener->waiting.size() != 1)) return;
  const std::string remote = result.substr(result.rfind(' ') + 1);
  auto socket = std::make_shared<Socket>();
  socket->is_ipv6 = listener->is_ipv6;
  socket->has_keepalive = listener->has_keepalive;
  socket->waits_for_more = listener->waits_for_more;
  sockets_[descriptor] = socket;
  for (Connection* waiting : listener->waiting) {
    if (is_named && waiting->remote != remote) continue;
    socket->connection = waiting;
    owners_[waiting] = socket;
    waiting->oracle->application().may_be_full = false;
    for (const SocketRef& other : listeners_) std::erase(other->waiting, socket->connection);
    break;
  }
  LookForRoom(*listener);
}

// Of a socket of TCP that has never had a connection (sections 3.10.2 and 3.10.3, CLOSED; 3.10.1).
std::optional<Calls::Objected> Calls::ReturnsWithoutConnection(const Socket& socket,
                                                               const std::string& name,
                                                               const std::string& result) {
  const bool has_none = socket.is_stream && socket.connection == nullptr && !socket.is_connecting &&
                        !socket.is_listening;
  const bool succeeds = IsNumber(result.substr(0, result.find(':')));
  if (has_none && name == "send" && succeeds) {
    return Objected{nullptr,
                    {"ENOTCONN or EPIPE", "3.10.2", "rfc9293:3.10.2-send-closed",
                     "a send without a connection fails"}};
  }
  if (has_none && name == "recv" && succeeds) {
    return Objected{nullptr,
                    {"ENOTCONN", "3.10.3", "rfc9293:3.10.3-receive-closed",
                     "a receive without a connection fails"}};
  }
  if (socket.is_stream && name == "listen" && result == "EOPNOTSUPP") {
    return Objected{nullptr, {"0", "3.10.1", "", "a socket of TCP can be opened passively"}};
  }
  return std::nullopt;
}

std::optional<Calls::Objected> Calls::Waits(const CallSpan& span, Time end) {
  const CallText call = ParseCall(span.call().text);
  if (call.name != "recv" || call.arguments.empty() || !span.was_awaited) return std::nullopt;
  if (call.arguments.back().find("MSG_WAITALL") != std::string::npos) return std::nullopt;
  const SocketRef socket = Find(call.arguments[0]);
  const oracle::Application* user = UserOf(socket);
  const std::optional<oracle::Returned> waits = ReturnedOf(call, "EAGAIN");
  if (user == nullptr || !waits || !owners_.contains(socket->connection)) return std::nullopt;
  auto departure = socket->connection->oracle->Returns(*waits, end);
  if (!departure) return std::nullopt;
  return Objected{socket->connection, *std::move(departure)};
}

std::optional<Calls::Objected> Calls::Returns(const CallSpan& span) {
  if (span.return_event == nullptr) return std::nullopt;
  const CallText call = ParseCall(span.call().text);
  const std::string& result = std::get<ReturnEvent>(span.return_event->what).text;
  if (call.name == "socket" && IsNumber(result) && !call.arguments.empty()) {
    sockets_[result] = std::make_shared<Socket>();
    sockets_[result]->made = span.end;
    sockets_[result]->is_ipv6 = call.arguments[0] == "AF_INET6";
    sockets_[result]->is_stream = call.arguments.size() == 2 &&
                                  call.arguments[0].starts_with("AF_INET") &&
                                  call.arguments[1].starts_with("SOCK_STREAM");
    return std::nullopt;
  }
  if (call.arguments.empty()) return std::nullopt;
  SocketRef socket = Find(DescriptorOf(call));
  if (call.name == "close") {
    const auto closing = closing_.find(call.arguments[0]);
    if (closing == closing_.end()) return std::nullopt;
    socket = closing->second;
    closing_.erase(closing);
  }
  if (!socket) return std::nullopt;
  oracle::Application* user = UserOf(socket);
  if (span.begin >= socket->made) {
    if (auto objected = ReturnsWithoutConnection(*socket, call.name, result)) return objected;
  }
  std::optional<oracle::Returned> returned = ReturnedOf(call, result);
  if (returned && call.name == "shutdown") {
    const bool is_read = call.arguments.size() > 1 && call.arguments[1] == "SHUT_RD";
    returned->is_repeated = socket->finishes > (is_read ? 0 : 1);
  }
  if (returned) {
    returned->begin = span.begin;
    returned->end = span.end;
  }
  if (user != nullptr && returned && returned->call == oracle::Returned::Call::kTakeError) {
    std::optional<oracle::Departure> departure;
    if (owners_.contains(socket->connection)) {
      departure = socket->connection->oracle->Returns(*returned, span.end);
    }
    user->was_told = true;
    if (departure) return Objected{socket->connection, *std::move(departure)};
    return std::nullopt;
  }
  if (user != nullptr && !result.empty() && result[0] == 'E' && result != "EAGAIN")
    user->was_told = true;
  if (user != nullptr && call.name == "getsockopt") user->was_told = true;  // TCP_INFO
  if (call.name == "accept") {
    Accepted(socket, result);
  } else if (call.name == "dup" && IsNumber(result)) {
    ++socket->references;
    sockets_[result] = socket;
  } else if (call.name == "getsockname") {
    socket->local = result;
  } else if (call.name == "listen" && result != "0") {
    StopListening(socket);
  } else if (call.name == "connect" && user != nullptr) {
    if (result == "0") socket->connection->oracle->IsKnownToBeOpen();
    const bool goes_on = result == "0" || result == "EINPROGRESS" || result == "EALREADY" ||
                         result == "EISCONN" || result == "EINTR";
    if (!goes_on) user->has_given_up = true;
  } else if (IsSend(call.name) && user != nullptr) {
    const std::uint64_t asked = LengthIn(call);
    const std::uint64_t taken = NumberOf(result);
    if (taken < asked) user->written -= std::min(user->written, asked - taken);
  }
  if (call.name == "setsockopt" && call.arguments.size() > 2) {
    const char* const claim = ClaimOfOption(call.arguments[1], socket->is_ipv6);
    if (claim != nullptr && result == "ENOPROTOOPT" && user != nullptr) {
      return Objected{socket->connection,
                      {"0", "3.9.1, 3.9.2", claim, "an application can set it for a connection"}};
    }
    if (claim != nullptr && result == "0") {
      IpFields& set = user == nullptr ? socket->set : socket->connection->set;
      // -1 gives the system's own back (RFC 3493 section 5.1, RFC 3542 section 6.5).
      std::optional<int> value;
      if (IsNumber(call.arguments[2])) value = std::atoi(call.arguments[2].c_str());
      if (std::string_view(claim).ends_with("48")) set.traffic_class = value;
      if (std::string_view(claim).ends_with("49")) set.hop_limit = value;
    }
  }
  if (call.name == "accept" && result == "ECONNABORTED") {
    for (Connection* waiting : socket->waiting) {
      if (auto departure = waiting->oracle->Returns(*returned, span.end)) {
        return Objected{waiting, *std::move(departure)};
      }
    }
    return std::nullopt;
  }
  // Of the connection that accept() has just given, too.
  const SocketRef of = call.name == "accept" ? Find(result.substr(0, result.find(' '))) : socket;
  const bool is_judged =
      returned && of && of->connection != nullptr && owners_.contains(of->connection);
  if (!is_judged) return std::nullopt;
  std::optional<oracle::Departure> departure = of->connection->oracle->Returns(*returned, span.end);
  if (returned->call == oracle::Returned::Call::kReceive) {
    const bool is_counted = !user->has_stopped_reading && returned->error.empty() &&
                            call.arguments.back().find("MSG_TRUNC") == std::string::npos;
    if (!departure && is_counted &&
        of->connection->arrived.Contradict(user->read, DataIn(result, returned->octets))) {
      departure = {"what has arrived", "3.10.7.4, seventh check", "rfc9293:3.10.7.4-segment-text",
                   "what is received is the text of the segments"};
    }
    user->read += returned->octets;
  }
  if (!departure) return std::nullopt;
  return Objected{of->connection, *std::move(departure)};
}

}  // namespace sockproof
