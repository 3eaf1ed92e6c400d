// One function a method: reads the parameters, makes the call, gives the value. README.md has the
// table of them.
#include "src/agent/methods.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "harness/agent_protocol/base64.h"
#include "harness/agent_protocol/names.h"
#include "harness/agent_protocol/options.h"
#include "harness/agent_protocol/protocol.h"
#include "harness/base/unique_fd.h"
#include "src/agent/address.h"
#include "src/agent/socket_options.h"

namespace sockproof::agent {
namespace {

using namespace agent_protocol;  // NOLINT: the tables of names are on every other line

// In base64 and with its envelope this still fits a line.
constexpr int kLongestData = 8 << 20;

// ---- files under /proc ----

// The text of a file; nothing, and errno, when it cannot be read.
std::optional<std::string> ReadFile(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16384> chunk;
  while (true) {
    const ssize_t count = read(file.get(), chunk.data(), chunk.size());
    if (count < 0) return std::nullopt;
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

bool WriteFile(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), text.data(), text.size()) >= 0;
}

// "net.ipv4.tcp_fin_timeout" as a path. In an interface's name, '/' stands for '.', as for
// sysctl(8).
std::string SysctlPath(Parameters& parameters) {
  std::string name = parameters.Text("name");
  if (name.empty() || name.find("//") != std::string::npos || name.find('\0') != name.npos) {
    parameters.Refuse("name", "the name of a sysctl");
  }
  for (char& character : name) {
    if (character == '.') {
      character = '/';
    } else if (character == '/') {
      character = '.';
    }
  }
  return "/proc/sys/" + name;
}

// /proc/net/snmp and /proc/net/netstat: for each protocol a line of names, then one of numbers.
void AddCounters(const std::string& text, json& counters) {
  std::istringstream lines(text);
  std::string names_line;
  std::string numbers_line;
  while (std::getline(lines, names_line) && std::getline(lines, numbers_line)) {
    std::istringstream names(names_line);
    std::istringstream numbers(numbers_line);
    std::string protocol;
    names >> protocol;
    numbers >> protocol;
    if (!protocol.ends_with(':')) return;
    protocol.back() = '.';
    std::string name;
    std::int64_t number = 0;
    while (names >> name && numbers >> number) counters[protocol + name] = number;
  }
}

// ---- what the agent is ----

std::vector<std::string> Capabilities() {
  std::vector<std::string> capabilities;
  const auto add = [&](const char* name, bool present) {
    if (present) capabilities.emplace_back(name);
  };
  const UniqueFd ipv4(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd ipv6(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd local(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd poller(epoll_create1(EPOLL_CLOEXEC));
  add("ipv4", static_cast<bool>(ipv4));
  add("ipv6", static_cast<bool>(ipv6));
  add("unix", static_cast<bool>(local));
  add("epoll", static_cast<bool>(poller));
  add("counters", access("/proc/net/snmp", R_OK) == 0 && access("/proc/net/netstat", R_OK) == 0);
  add("sysctl", access("/proc/sys/net/ipv4", R_OK | X_OK) == 0);
  // Read-only in most containers, writable to the owner of a network namespace.
  add("sysctl_set", access("/proc/sys/net/ipv4/ip_local_port_range", W_OK) == 0);

  const SocketOption* tcp_info = FindOption("TCP_INFO");
  std::array<char, 512> info;
  socklen_t length = info.size();
  add("tcp_info", ipv4 && getsockopt(ipv4.get(), tcp_info->level_number, tcp_info->number,
                                     info.data(), &length) == 0);
  return capabilities;
}

json Hello(Parameters& parameters, Call& call) {
  const int asked = parameters.Integer("protocol");
  if (asked != kVersion) {
    parameters.Unsupported("protocol " + std::to_string(asked) + " (this agent speaks " +
                           std::to_string(kVersion) + ")");
  }
  utsname system{};
  call.Run([&] { return uname(&system); });
  return {
      {"protocol", kVersion},           {"name", "sockproof-agent"}, {"version", SOCKPROOF_VERSION},
      {"os", system.sysname},           {"release", system.release}, {"machine", system.machine},
      {"capabilities", Capabilities()}, {"clock", "CLOCK_REALTIME"}, {"pid", getpid()}};
}

json Ping(Parameters&, Call& call) {
  call.Run([] { return 0; });
  return "pong";
}

// ---- sockets ----

json Socket(Parameters& parameters, Call& call) {
  const int domain = parameters.Constant("domain", AddressFamilies());
  const int type =
      parameters.Constant("type", SocketTypes()) | parameters.Flags("flags", SocketFlags());
  const int protocol =
      parameters.Has("protocol") ? parameters.Constant("protocol", Protocols()) : 0;
  return call.Run([&] { return socket(domain, type, protocol); });
}

json SocketPair(Parameters& parameters, Call& call) {
  const int domain = parameters.Constant("domain", AddressFamilies());
  const int type =
      parameters.Constant("type", SocketTypes()) | parameters.Flags("flags", SocketFlags());
  std::array<int, 2> fds{};
  call.Run([&] { return socketpair(domain, type, 0, fds.data()); });
  return fds;
}

json Bind(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const SocketAddress address = ReadAddress(parameters);
  return call.Run([&] { return bind(fd, address.get(), address.length); });
}

json Connect(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const SocketAddress address = ReadAddress(parameters);
  return call.Run([&] { return connect(fd, address.get(), address.length); });
}

json Listen(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int backlog = parameters.Integer("backlog");
  return call.Run([&] { return listen(fd, backlog); });
}

json Accept(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int flags = parameters.Flags("flags", SocketFlags());
  SocketAddress address;
  const int accepted = call.Run([&] { return accept4(fd, address.get(), &address.length, flags); });
  if (accepted < 0) return nullptr;
  return {{"fd", accepted}, {"address", AddressToJson(address)}};
}

json GetSocketName(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  SocketAddress address;
  if (call.Run([&] { return getsockname(fd, address.get(), &address.length); }) < 0) return nullptr;
  return AddressToJson(address);
}

json GetPeerName(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  SocketAddress address;
  if (call.Run([&] { return getpeername(fd, address.get(), &address.length); }) < 0) return nullptr;
  return AddressToJson(address);
}

json Shutdown(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int how = parameters.Constant("how", ShutdownDirections());
  return call.Run([&] { return shutdown(fd, how); });
}

json Close(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  return call.Run([&] { return close(fd); });
}

json Duplicate(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  return call.Run([&] { return dup(fd); });
}

// ---- data ----

json Send(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const std::string data = parameters.Bytes("data");
  const int flags = parameters.Flags("flags", MessageFlags());
  return call.Run([&] { return send(fd, data.data(), data.size(), flags); });
}

json SendTo(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const std::string data = parameters.Bytes("data");
  const int flags = parameters.Flags("flags", MessageFlags());
  const SocketAddress address = ReadAddress(parameters);
  return call.Run(
      [&] { return sendto(fd, data.data(), data.size(), flags, address.get(), address.length); });
}

json Write(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const std::string data = parameters.Bytes("data");
  return call.Run([&] { return write(fd, data.data(), data.size()); });
}

// Runs `receive`, which fills a buffer of the size that the request names.
template <typename Receive>
json ReceiveInto(Parameters& parameters, Call& call, const Receive& receive) {
  std::string data(static_cast<std::size_t>(parameters.Integer("length", 0, kLongestData)), '\0');
  const ssize_t count = call.Run([&] { return receive(data); });
  if (count < 0) return nullptr;
  // With MSG_TRUNC the count may be larger than the buffer.
  data.resize(std::min(data.size(), static_cast<std::size_t>(count)));
  return {{"length", count}, {"data", Base64Encode(data)}};
}

json Receive(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int flags = parameters.Flags("flags", MessageFlags());
  return ReceiveInto(parameters, call,
                     [&](std::string& data) { return recv(fd, data.data(), data.size(), flags); });
}

json ReceiveFrom(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int flags = parameters.Flags("flags", MessageFlags());
  SocketAddress address;
  json value = ReceiveInto(parameters, call, [&](std::string& data) {
    return recvfrom(fd, data.data(), data.size(), flags, address.get(), &address.length);
  });
  if (value.is_object()) value["address"] = AddressToJson(address);
  return value;
}

json Read(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  return ReceiveInto(parameters, call,
                     [&](std::string& data) { return read(fd, data.data(), data.size()); });
}

// ---- descriptors ----

json FileControl(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const int command = parameters.Constant("command", ControlCommands());
  const bool of_descriptor = command == F_GETFD || command == F_SETFD;
  const Constants names = of_descriptor ? FileDescriptorFlags() : FileStatusFlags();
  if (command == F_SETFL || command == F_SETFD) {
    const int flags = parameters.Flags("flags", names);
    return call.Run([&] { return fcntl(fd, command, flags); });
  }
  const int flags = call.Run([&] { return fcntl(fd, command); });
  if (flags < 0) return nullptr;
  return NamesOfFlags(names, flags);
}

json DeviceControl(Parameters& parameters, Call& call) {
  const int fd = parameters.Integer("fd");
  const auto request =
      static_cast<unsigned long>(parameters.Constant("request", ControlRequests()));
  int value = 0;
  call.Run([&] { return ioctl(fd, request, &value); });
  return value;
}

// ---- readiness ----

json Poll(Parameters& parameters, Call& call) {
  const int timeout = parameters.Integer("timeout_ms");
  const json& list = parameters.Any("fds");
  if (!list.is_array()) parameters.Refuse("fds", "a list");
  std::vector<pollfd> fds;
  for (const json& element : list) {
    Parameters fields("fds", element);
    pollfd entry{};
    entry.fd = fields.Integer("fd");
    entry.events = static_cast<short>(fields.Flags("events", PollEvents()));
    fields.CheckAllRead();
    fds.push_back(entry);
  }
  if (call.Run([&] { return poll(fds.data(), fds.size(), timeout); }) < 0) return nullptr;
  json value = json::array();
  for (const pollfd& entry : fds) value.push_back(NamesOfFlags(PollEvents(), entry.revents));
  return value;
}

json EpollCreate(Parameters& parameters, Call& call) {
  const int flags = parameters.Flags("flags", EpollFlags());
  return call.Run([&] { return epoll_create1(flags); });
}

json EpollControl(Parameters& parameters, Call& call) {
  const int epfd = parameters.Integer("epfd");
  const int operation = parameters.Constant("op", EpollOperations());
  epoll_event event{};
  event.data.fd = parameters.Integer("fd");
  event.events = static_cast<std::uint32_t>(parameters.Flags("events", EpollEvents()));
  const int fd = event.data.fd;
  return call.Run([&] { return epoll_ctl(epfd, operation, fd, &event); });
}

json EpollWait(Parameters& parameters, Call& call) {
  constexpr int kMostEvents = 4096;
  const int epfd = parameters.Integer("epfd");
  const int room = parameters.Integer("maxevents", std::numeric_limits<int>::min(), kMostEvents);
  const int timeout = parameters.Integer("timeout_ms");
  std::vector<epoll_event> events(static_cast<std::size_t>(std::max(room, 0)));
  const int ready = call.Run([&] { return epoll_wait(epfd, events.data(), room, timeout); });
  json value = json::array();
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int fd = event.data.fd;
    value.push_back({{"fd", fd}, {"events", NamesOfFlags(EpollEvents(), event.events)}});
  }
  return value;
}

// ---- the system's settings and counters ----

json GetSysctl(Parameters& parameters, Call& call) {
  const std::string path = SysctlPath(parameters);
  std::optional<std::string> text;
  call.Run([&] { return (text = ReadFile(path.c_str())) ? 0 : -1; });
  if (!text) return nullptr;
  if (text->ends_with('\n')) text->pop_back();
  return *text;
}

json SetSysctl(Parameters& parameters, Call& call) {
  const std::string path = SysctlPath(parameters);
  const std::string text = parameters.Text("value");
  return call.Run([&] { return WriteFile(path.c_str(), text) ? 0 : -1; });
}

json Counters(Parameters&, Call& call) {
  std::optional<std::string> snmp;
  std::optional<std::string> netstat;
  call.Run([&] {
    return (snmp = ReadFile("/proc/net/snmp")) && (netstat = ReadFile("/proc/net/netstat")) ? 0
                                                                                            : -1;
  });
  if (!netstat) return nullptr;
  json counters = json::object();
  AddCounters(*snmp, counters);
  AddCounters(*netstat, counters);
  return counters;
}

constexpr bool kReturnsAtOnce = false;
constexpr bool kMayBlock = true;

constexpr Method kMethods[] = {
    {"hello", Hello, kReturnsAtOnce},
    {"ping", Ping, kReturnsAtOnce},
    {"socket", Socket, kReturnsAtOnce},
    {"socketpair", SocketPair, kReturnsAtOnce},
    {"bind", Bind, kReturnsAtOnce},
    {"connect", Connect, kMayBlock},
    {"listen", Listen, kReturnsAtOnce},
    {"accept", Accept, kMayBlock},
    {"getsockname", GetSocketName, kReturnsAtOnce},
    {"getpeername", GetPeerName, kReturnsAtOnce},
    {"send", Send, kMayBlock},
    {"sendto", SendTo, kMayBlock},
    {"write", Write, kMayBlock},
    {"recv", Receive, kMayBlock},
    {"recvfrom", ReceiveFrom, kMayBlock},
    {"read", Read, kMayBlock},
    {"shutdown", Shutdown, kReturnsAtOnce},
    {"close", Close, kMayBlock},
    {"dup", Duplicate, kReturnsAtOnce},
    {"getsockopt", GetSocketOption, kReturnsAtOnce},
    {"setsockopt", SetSocketOption, kReturnsAtOnce},
    {"fcntl", FileControl, kReturnsAtOnce},
    {"ioctl", DeviceControl, kReturnsAtOnce},
    {"poll", Poll, kMayBlock},
    {"epoll_create1", EpollCreate, kReturnsAtOnce},
    {"epoll_ctl", EpollControl, kReturnsAtOnce},
    {"epoll_wait", EpollWait, kMayBlock},
    {"sysctl_get", GetSysctl, kReturnsAtOnce},
    {"sysctl_set", SetSysctl, kReturnsAtOnce},
    {"counters", Counters, kReturnsAtOnce},
};

}  // namespace

const Method* FindMethod(std::string_view name) {
  for (const Method& method : kMethods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

}  // namespace sockproof::agent
