// One probe for each capability of src/agent/README.md.
#include "harness/agent_protocol/capabilities.h"

#include <optional>

#include "harness/agent_protocol/base64.h"

namespace sockproof::agent_protocol {
namespace {

using nlohmann::json;

// Why this call did not succeed; nothing if it did.
std::string WhyFailed(const std::string& method, const json& result) {
  if (result.contains("error")) {
    return method + " is refused: " + result["error"].value("message", "no message");
  }
  if (result.contains("errno")) return method + " fails with " + result["errno"].dump();
  return result.contains("value") ? "" : method + " gives no value";
}

// A descriptor of the agent, closed at the end.
class Descriptor {
 public:
  Descriptor(const Ask& ask, const std::string& method, const json& parameters)
      : ask_(ask), result_(ask(method, parameters)), why_not_(WhyFailed(method, result_)) {}
  ~Descriptor() {
    if (why_not_.empty()) ask_("close", {{"fd", fd()}});
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  const std::string& why_not() const { return why_not_; }
  const json& fd() const { return result_["value"]; }

 private:
  const Ask& ask_;
  json result_;
  std::string why_not_;
};

std::string Sockets(const Ask& ask, const char* family) {
  return Descriptor(ask, "socket", {{"domain", family}, {"type", "SOCK_STREAM"}}).why_not();
}
std::string Ipv4(const Ask& ask) { return Sockets(ask, "AF_INET"); }
std::string Ipv6(const Ask& ask) { return Sockets(ask, "AF_INET6"); }
std::string Unix(const Ask& ask) { return Sockets(ask, "AF_UNIX"); }

// A pair of AF_UNIX, both ends closed at the end.
class Pair {
 public:
  explicit Pair(const Ask& ask)
      : ask_(ask),
        result_(ask("socketpair", {{"domain", "AF_UNIX"}, {"type", "SOCK_STREAM"}})),
        why_not_(WhyFailed("socketpair", result_)) {}
  ~Pair() {
    if (!why_not_.empty()) return;
    for (const json& fd : result_["value"]) ask_("close", {{"fd", fd}});
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  const std::string& why_not() const { return why_not_; }
  const json& fd(std::size_t index) const { return result_["value"][index]; }

 private:
  const Ask& ask_;
  json result_;
  std::string why_not_;
};

// Of UDP, because a stack may have nothing else.
std::string Messages(const Ask& ask) {
  const Descriptor socket(ask, "socket", {{"domain", "AF_INET"}, {"type", "SOCK_DGRAM"}});
  if (!socket.why_not().empty()) return socket.why_not();
  const json name = {{"family", "AF_INET"}, {"address", "127.0.0.1"}, {"port", 0}};
  std::string why_not = WhyFailed("bind", ask("bind", {{"fd", socket.fd()}, {"address", name}}));
  if (!why_not.empty()) return why_not;
  const json own = ask("getsockname", {{"fd", socket.fd()}}).value("value", json());
  why_not = WhyFailed("sendmsg",
                      ask("sendmsg", {{"fd", socket.fd()}, {"data", "eA=="}, {"address", own}}));
  if (!why_not.empty()) return why_not;
  return WhyFailed("recvmsg", ask("recvmsg", {{"fd", socket.fd()}, {"length", 1}}));
}

std::string PassesRights(const Ask& ask) {
  const Pair pair(ask);
  if (!pair.why_not().empty()) return pair.why_not();
  const json control = json::array(
      {{{"level", "SOL_SOCKET"}, {"type", "SCM_RIGHTS"}, {"fds", json::array({pair.fd(0)})}}});
  std::string why_not = WhyFailed(
      "sendmsg", ask("sendmsg", {{"fd", pair.fd(0)}, {"data", "eA=="}, {"control", control}}));
  if (!why_not.empty()) return why_not;
  const json result =
      ask("recvmsg", {{"fd", pair.fd(1)}, {"length", 1}, {"control_room", json::array({4})}});
  why_not = WhyFailed("recvmsg", result);
  if (!why_not.empty()) return why_not;
  for (const json& item : result["value"].value("control", json::array())) {
    for (const json& fd : item.value("fds", json::array())) {
      ask("close", {{"fd", fd}});
      return "";
    }
  }
  return "no descriptor has arrived";
}

std::string AbstractNames(const Ask& ask) {
  const Descriptor socket(ask, "socket", {{"domain", "AF_UNIX"}, {"type", "SOCK_DGRAM"}});
  if (!socket.why_not().empty()) return socket.why_not();
  const std::string name = std::string(1, '\0') + "sockproof-capability";
  const json address = {{"family", "AF_UNIX"}, {"name", Base64Encode(name)}};
  const std::string why_not =
      WhyFailed("bind", ask("bind", {{"fd", socket.fd()}, {"address", address}}));
  if (!why_not.empty()) return why_not;
  const json told = ask("getsockname", {{"fd", socket.fd()}}).value("value", json::object());
  return told.value("name", "") == address["name"] ? "" : "getsockname tells another name";
}

std::string PrivateDirectory(const Ask& ask) {
  const json result = ask("directory", json::object());
  const std::string why_not = WhyFailed("directory", result);
  if (!why_not.empty()) return why_not;
  const std::string path = result["value"].get<std::string>() + "/capability";
  const Descriptor file(ask, "open", {{"path", path}, {"flags", {"O_CREAT", "O_RDWR"}}});
  if (!file.why_not().empty()) return file.why_not();
  return WhyFailed("unlink", ask("unlink", {{"path", path}}));
}

std::string Processes(const Ask& ask) {
  const json forked = ask("fork", json::object());
  std::string why_not = WhyFailed("fork", forked);
  if (!why_not.empty()) return why_not;
  const json& pid = forked["value"];
  why_not = WhyFailed("ping of a child", ask("ping", {{"process", pid}}));
  if (why_not.empty()) {
    why_not = WhyFailed("exit", ask("exit", {{"process", pid}, {"status", 0}}));
  }
  if (why_not.empty()) why_not = WhyFailed("waitpid", ask("waitpid", {{"pid", pid}}));
  return why_not;
}

std::string Epoll(const Ask& ask) {
  return Descriptor(ask, "epoll_create1", json::object()).why_not();
}

std::string TcpInfo(const Ask& ask) {
  const Descriptor socket(ask, "socket", {{"domain", "AF_INET"}, {"type", "SOCK_STREAM"}});
  if (!socket.why_not().empty()) return socket.why_not();
  const json result =
      ask("getsockopt", {{"fd", socket.fd()}, {"level", "IPPROTO_TCP"}, {"name", "TCP_INFO"}});
  const std::string failed = WhyFailed("getsockopt(TCP_INFO)", result);
  if (!failed.empty()) return failed;
  const json& value = result["value"];
  return value.is_object() && value.contains("state") ? "" : "TCP_INFO has no member state";
}

std::string Counters(const Ask& ask) {
  const json result = ask("counters", json::object());
  const std::string failed = WhyFailed("counters", result);
  if (!failed.empty()) return failed;
  const json& value = result["value"];
  return value.is_object() && !value.empty() ? "" : "counters has no counter";
}

// Not every system has all of them, but one that speaks of sysctls has one.
constexpr const char* kSysctls[] = {"net.ipv4.ip_local_port_range", "net.ipv4.tcp_sack",
                                    "net.ipv4.tcp_fin_timeout", "net.core.somaxconn"};

// The result of the first sysctl that can be read; else that of the last.
json ReadSysctl(const Ask& ask, std::string& name) {
  json result;
  for (const char* candidate : kSysctls) {
    name = candidate;
    result = ask("sysctl_get", {{"name", name}});
    if (result.contains("value")) break;
  }
  return result;
}

std::string Sysctl(const Ask& ask) {
  std::string name;
  const json result = ReadSysctl(ask, name);
  return WhyFailed("sysctl_get(" + name + ")", result);
}

// Sets one to what it is.
std::string SysctlSet(const Ask& ask) {
  std::string name;
  const json result = ReadSysctl(ask, name);
  const std::string unreadable = WhyFailed("sysctl_get(" + name + ")", result);
  if (!unreadable.empty()) return unreadable;
  return WhyFailed("sysctl_set(" + name + ")",
                   ask("sysctl_set", {{"name", name}, {"value", result["value"]}}));
}

// A connection over loopback whose client has been closed: it is in FIN-WAIT-2, with no descriptor,
// and must be shown all the same. Nothing of it is left after the reset.
std::string TcpSockets(const Ask& ask) {
  const json loopback = {{"family", "AF_INET"}, {"address", "127.0.0.1"}, {"port", 0}};
  const json stream = {{"domain", "AF_INET"}, {"type", "SOCK_STREAM"}};
  const Descriptor listener(ask, "socket", stream);
  if (!listener.why_not().empty()) return listener.why_not();
  json client = ask("socket", stream);
  std::string why_not = WhyFailed("socket", client);
  const auto must = [&](const std::string& method, const json& parameters) {
    if (!why_not.empty()) return json();
    const json result = ask(method, parameters);
    why_not = WhyFailed(method, result);
    return result.value("value", json());
  };
  must("bind", {{"fd", listener.fd()}, {"address", loopback}});
  must("listen", {{"fd", listener.fd()}, {"backlog", 1}});
  const json address = must("getsockname", {{"fd", listener.fd()}});
  must("connect", {{"fd", client["value"]}, {"address", address}});
  if (!why_not.empty()) {  // a loopback that is down: it cannot be told
    ask("close", {{"fd", client["value"]}});
    return "";
  }
  const json own = must("getsockname", {{"fd", client["value"]}});
  const json accepted = must("accept", {{"fd", listener.fd()}});
  must("setsockopt", {{"fd", accepted.value("fd", -1)},
                      {"level", "SOL_SOCKET"},
                      {"name", "SO_LINGER"},
                      {"value", {{"onoff", 1}, {"linger", 0}}}});
  must("close", {{"fd", client["value"]}});
  const json sockets = must("tcp_sockets", {{"family", "AF_INET"}});
  must("close", {{"fd", accepted.value("fd", -1)}});
  if (!why_not.empty()) return why_not;
  for (const json& socket : sockets) {
    if (socket.value("local", json()) == own) return "";
  }
  return "tcp_sockets does not show a connection that was closed by its process";
}

constexpr Capability kCapabilities[] = {
    {"ipv4", Ipv4},
    {"ipv6", Ipv6},
    {"unix", Unix},
    {"messages", Messages},
    {"rights", PassesRights},
    {"abstract_names", AbstractNames},
    {"directory", PrivateDirectory},
    {"processes", Processes},
    {"epoll", Epoll},
    {"tcp_info", TcpInfo},
    {"counters", Counters},
    {"sysctl", Sysctl},
    {"sysctl_set", SysctlSet},
    {"tcp_sockets", TcpSockets},
};

}  // namespace

std::span<const Capability> Capabilities() { return kCapabilities; }

}  // namespace sockproof::agent_protocol
