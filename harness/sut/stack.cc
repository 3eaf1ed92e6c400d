#include "harness/sut/stack.h"

#include <errno.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/agent_protocol/capabilities.h"
#include "harness/agent_protocol/names.h"
#include "harness/base/errors.h"
#include "harness/claims/known.h"
#include "harness/claims/missing.h"
#include "harness/sut/agent_reply.h"
#include "harness/sut/endpoint_json.h"
#include "harness/sut/known_names.h"
#include "harness/sut/process.h"
#include "harness/sut/socket.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

// The sysctls from which documented values are computed (harness/claims/documented.h), and those
// that a reader of a result wants to see beside it.
constexpr const char* kSysctlsOfFacts[] = {
    "net.core.somaxconn",
    "net.ipv4.neigh.default.mcast_solicit",
    "net.ipv4.neigh.default.retrans_time_ms",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_orphan_retries",
    "net.ipv4.tcp_retries1",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_rto_max_ms",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_syn_linear_timeouts",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_tw_reuse_delay",
    "net.ipv4.tcp_window_scaling",
};

// Those that Stack::Can() adds to what agents declare.
constexpr const char* kOwnCapabilities[] = {"diag",           "fresh",  "own-machine",
                                            "second-address", "states", "virtual-time"};

TcpState TcpStateNamed(const std::string& name) {
  for (const TcpState state :
       {TcpState::kListen, TcpState::kSynSent, TcpState::kSynReceived, TcpState::kEstablished,
        TcpState::kFinWait1, TcpState::kFinWait2, TcpState::kCloseWait, TcpState::kClosing,
        TcpState::kLastAck, TcpState::kTimeWait}) {
    if (TcpStateName(state) == name) return state;
  }
  return TcpState::kClosed;
}

// As the agent tells it: where no inet_diag can be asked.
std::vector<TcpSocketInfo> TcpSocketsTold(Agent& agent, IpVersion version) {
  const char* family = version == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6";
  const AgentReply reply = agent.Call("tcp_sockets", {{"family", family}}, "");
  if (reply.error != 0) throw HarnessError("tcp_sockets fails with " + ErrnoName(reply.error));
  std::vector<TcpSocketInfo> sockets;
  for (const nlohmann::json& told : reply.value) {
    TcpSocketInfo& socket = sockets.emplace_back();
    socket.state = TcpStateNamed(told.at("state").get<std::string>());
    socket.local = EndpointFromJson(told.at("local"));
    if (!told.at("remote").is_null()) socket.remote = EndpointFromJson(told.at("remote"));
    socket.receive_queue = told.at("receive_queue").get<std::uint32_t>();
    socket.send_queue = told.at("send_queue").get<std::uint32_t>();
  }
  return sockets;
}

}  // namespace

bool IsCapability(const std::string& name) {
  const auto declared = agent_protocol::Capabilities();
  return std::any_of(declared.begin(), declared.end(),
                     [&name](const auto& capability) { return capability.name == name; }) ||
         std::find(std::begin(kOwnCapabilities), std::end(kOwnCapabilities), name) !=
             std::end(kOwnCapabilities);
}

Stack::Stack(EventLoop& loop, EventLog& log, Parts parts)
    : loop_(loop), log_(log), parts_(std::move(parts)) {}

Stack::~Stack() {
  if (!parts_.lives_on) return;
  try {
    for (auto entry = sysctls_before_.rbegin(); entry != sysctls_before_.rend(); ++entry) {
      agent().Call("sysctl_set", {{"name", entry->first}, {"value", entry->second}}, "");
    }
    if (parts_.farewell) parts_.farewell(*this);
  } catch (const std::exception& error) {
    log_.Now(NoteEvent{fmt::format("{} could not be left as it was: {}", actor(), error.what())});
  }
}

MacAddress Stack::Mac() const { return parts_.mac.value_or(WireMac(host())); }

WirePort& Stack::wire() {
  if (!has_wire()) throw HarnessError(actor() + " has no wire");
  return *parts_.wire;
}

int Stack::Stranger() const {
  return parts_.stranger != 0 ? parts_.stranger : parts_.plan.default_gateway_index;
}

IpAddress Stack::Address(IpVersion version) const { return WireAddress(version, host()); }

const Facts& Stack::facts() {
  if (!facts_) {
    ReadFacts();
    if (misreading_.facts) misreading_.facts(*facts_);
  }
  return *facts_;
}

void Stack::ReadFacts() {
  facts_.emplace();
  for (const char* name : {"os", "release"}) {
    facts_->Set(name, agent().hello().value(name, ""));
  }
  const nlohmann::json told = agent().hello().value("facts", nlohmann::json::object());
  for (const auto& [name, value] : told.items()) facts_->Set(name, value.get<std::string>());
  for (const auto& [name, value] : parts_.facts.values()) {
    if (const auto agents = facts_->Find(name)) facts_->Set("agent." + name, *agents);
    facts_->Set(name, value);
  }
  for (const auto& name : agent().hello().value("capabilities", nlohmann::json::array())) {
    facts_->Set("capability." + name.get<std::string>(), "yes");
  }
  for (const char* capability : {"diag", "states"}) {
    if (Can(capability)) facts_->Set(std::string("capability.") + capability, "yes");
  }
  if (agent().has_own_clock()) facts_->Set("clock", "other");
  if (!Can("sysctl")) return;
  for (const char* name : kSysctlsOfFacts) {
    facts_->SetUnread(fmt::format("sysctl.{}", name), [this, name]() -> std::optional<std::string> {
      const AgentReply reply = agent().Call("sysctl_get", {{"name", name}}, "");
      if (reply.error != 0) return std::nullopt;
      return reply.value.get<std::string>();
    });
  }
}

bool Stack::Can(const std::string& capability) const {
  if (capability == "diag") return parts_.diag.has_value();
  if (capability == "states") return Can("diag") || parts_.agent->Can("tcp_sockets");
  // Made for this test: counters at zero, no memory of peers, nobody else's connections.
  if (capability == "fresh") return !parts_.lives_on;
  if (capability == "second-address") return parts_.add_second_addresses != nullptr;
  const auto& vouched = parts_.capabilities;
  return std::find(vouched.begin(), vouched.end(), capability) != vouched.end() ||
         parts_.agent->Can(capability);
}

IpAddress Stack::SecondAddress(IpVersion version) {
  if (!Can("second-address")) throw Skip(WhyNoCapability("second-address", facts()));
  if (!std::exchange(has_second_addresses_, true)) parts_.add_second_addresses();
  return sockproof::SecondAddress(version, host());
}

void Stack::SetSysctl(const std::string& name, const std::string& value) {
  if (!IsKnownSysctl(name)) throw HarnessError("no table knows the sysctl " + name);
  if (parts_.lives_on) {
    const AgentReply before = agent().Call("sysctl_get", {{"name", name}}, "");
    if (before.error == 0) sysctls_before_.emplace_back(name, before.value.get<std::string>());
  }
  const AgentReply reply = agent().Call("sysctl_set", {{"name", name}, {"value", value}}, "");
  log_.Now(NoteEvent{fmt::format("{}: sysctl {} = {}", actor(), name, value)});
  if (reply.error == ENOENT) throw Skip(WhyNoSysctl(name, facts()));
  if (reply.error != 0) {
    throw Skip(WhyNoSysctlValue(name, value, ErrnoName(reply.error), facts()));
  }
  facts_.reset();
}

std::int64_t Stack::Counter(const std::string& name) {
  if (!IsKnownCounter(name)) throw HarnessError("no table knows the counter " + name);
  const AgentReply reply = agent().Call("counters", nlohmann::json::object(), "");
  if (reply.error != 0 || !reply.value.contains(name))
    throw Skip("the system under test has no counter " + name);
  auto counter = reply.value.at(name).get<std::int64_t>();
  if (misreading_.counter) misreading_.counter(counter);
  return counter;
}

Socket Stack::NewSocket(IpVersion version, const std::string& type,
                        const std::vector<std::string>& flags, SourceLocation where) {
  return NewSocket(version == IpVersion::kIpv4 ? "AF_INET" : "AF_INET6", type, flags, where);
}

Socket Stack::NewSocket(const std::string& domain, const std::string& type,
                        const std::vector<std::string>& flags, SourceLocation where) {
  std::vector<std::string> remaining = flags;
  // fcntl() does the same on systems older than this flag of POSIX.1-2024, too.
  const bool nonblocking = std::erase(remaining, "SOCK_NONBLOCK") > 0;
  const Socket socket = process().OpenSocket(domain, type, remaining).value(where);
  if (nonblocking) {
    const std::string text = fmt::format("fcntl({}, F_SETFL, O_NONBLOCK)", socket.fd());
    const AgentReply reply = agent().Call(
        "fcntl", {{"fd", socket.fd()}, {"command", "F_SETFL"}, {"flags", {"O_NONBLOCK"}}}, text);
    if (reply.error != 0) Outcome<int>::Failed(text, reply.error).value(where);
  }
  return socket;
}

Process Stack::process() { return Process(*this); }

Outcome<Socket> Stack::OpenSocket(const std::string& domain, const std::string& type,
                                  const std::vector<std::string>& flags,
                                  const std::string& protocol) {
  return process().OpenSocket(domain, type, flags, protocol);
}

Outcome<std::pair<Socket, Socket>> Stack::OpenSocketPair(const std::string& type,
                                                         const std::vector<std::string>& flags,
                                                         const std::string& domain,
                                                         const std::string& protocol) {
  return process().OpenSocketPair(type, flags, domain, protocol);
}

std::pair<Socket, Socket> Stack::SocketPair(const std::string& type,
                                            const std::vector<std::string>& flags,
                                            SourceLocation where) {
  return process().OpenSocketPair(type, flags).value(where);
}

std::vector<TcpSocketInfo> Stack::TcpSockets(IpVersion version) {
  if (!Can("states")) throw Skip(WhyNoCapability("states", facts()));
  std::vector<TcpSocketInfo> sockets =
      parts_.diag ? parts_.diag->TcpSockets(version) : TcpSocketsTold(agent(), version);
  if (misreading_.sockets) misreading_.sockets(sockets);
  return sockets;
}

std::optional<TcpSocketInfo> Stack::Find(const Endpoint& local, const Endpoint& remote) {
  if (parts_.diag && remote.port != 0) {
    if (const auto found = parts_.diag->Find(local, remote)) {
      std::vector<TcpSocketInfo> alone = {*found};
      if (misreading_.sockets) misreading_.sockets(alone);
      return alone.empty() ? std::nullopt : std::optional(alone.front());
    }
  }
  // Also where it is bound to an interface, which the look-up would have to know.
  for (const TcpSocketInfo& socket : TcpSockets(local.address.version())) {
    const bool listener = socket.state == TcpState::kListen && remote.port == 0;
    if (socket.local.port == local.port && (listener || socket.remote == remote)) return socket;
  }
  return std::nullopt;
}

TcpState Stack::StateOf(const Endpoint& local, const Endpoint& remote) {
  const std::optional<TcpSocketInfo> found = Find(local, remote);
  return found ? found->state : TcpState::kClosed;
}

}  // namespace sockproof
