// The constants of this system under their names.
#include "harness/agent_protocol/names.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace sockproof::agent_protocol {
namespace {

#define CONSTANT(name) \
  Constant { #name, name }

constexpr Constant kAddressFamilies[] = {
    CONSTANT(AF_INET),   CONSTANT(AF_INET6),  CONSTANT(AF_UNIX),
    CONSTANT(AF_UNSPEC), CONSTANT(AF_PACKET), CONSTANT(AF_NETLINK),
};

constexpr Constant kSocketTypes[] = {
    CONSTANT(SOCK_STREAM),    CONSTANT(SOCK_DGRAM), CONSTANT(SOCK_RAW),
    CONSTANT(SOCK_SEQPACKET), CONSTANT(SOCK_RDM),
};

constexpr Constant kSocketFlags[] = {CONSTANT(SOCK_NONBLOCK), CONSTANT(SOCK_CLOEXEC)};

constexpr Constant kProtocols[] = {
    CONSTANT(IPPROTO_IP),   CONSTANT(IPPROTO_TCP),    CONSTANT(IPPROTO_UDP),
    CONSTANT(IPPROTO_ICMP), CONSTANT(IPPROTO_ICMPV6), CONSTANT(IPPROTO_SCTP),
    CONSTANT(IPPROTO_RAW),  CONSTANT(IPPROTO_MPTCP),  CONSTANT(IPPROTO_UDPLITE),
};

constexpr Constant kMessageFlags[] = {
    CONSTANT(MSG_DONTWAIT), CONSTANT(MSG_NOSIGNAL), CONSTANT(MSG_OOB),      CONSTANT(MSG_PEEK),
    CONSTANT(MSG_WAITALL),  CONSTANT(MSG_MORE),     CONSTANT(MSG_TRUNC),    CONSTANT(MSG_EOR),
    CONSTANT(MSG_CONFIRM),  CONSTANT(MSG_FASTOPEN), CONSTANT(MSG_ERRQUEUE), CONSTANT(MSG_DONTROUTE),
    CONSTANT(MSG_ZEROCOPY),
};

constexpr Constant kShutdownDirections[] = {
    CONSTANT(SHUT_RD),
    CONSTANT(SHUT_WR),
    CONSTANT(SHUT_RDWR),
};

constexpr Constant kPollEvents[] = {
    CONSTANT(POLLIN),     CONSTANT(POLLOUT),    CONSTANT(POLLPRI),    CONSTANT(POLLRDHUP),
    CONSTANT(POLLERR),    CONSTANT(POLLHUP),    CONSTANT(POLLNVAL),   CONSTANT(POLLRDNORM),
    CONSTANT(POLLRDBAND), CONSTANT(POLLWRNORM), CONSTANT(POLLWRBAND),
};

constexpr Constant kEpollEvents[] = {
    CONSTANT(EPOLLIN),        CONSTANT(EPOLLOUT),    CONSTANT(EPOLLPRI),    CONSTANT(EPOLLRDHUP),
    CONSTANT(EPOLLERR),       CONSTANT(EPOLLHUP),    CONSTANT(EPOLLRDNORM), CONSTANT(EPOLLRDBAND),
    CONSTANT(EPOLLWRNORM),    CONSTANT(EPOLLWRBAND), CONSTANT(EPOLLET),     CONSTANT(EPOLLONESHOT),
    CONSTANT(EPOLLEXCLUSIVE), CONSTANT(EPOLLWAKEUP),
};

constexpr Constant kEpollFlags[] = {CONSTANT(EPOLL_CLOEXEC)};

constexpr Constant kEpollOperations[] = {
    CONSTANT(EPOLL_CTL_ADD),
    CONSTANT(EPOLL_CTL_MOD),
    CONSTANT(EPOLL_CTL_DEL),
};

constexpr Constant kControlCommands[] = {
    CONSTANT(F_GETFL),
    CONSTANT(F_SETFL),
    CONSTANT(F_GETFD),
    CONSTANT(F_SETFD),
};

constexpr Constant kFileStatusFlags[] = {
    CONSTANT(O_WRONLY), CONSTANT(O_RDWR),  CONSTANT(O_NONBLOCK),
    CONSTANT(O_APPEND), CONSTANT(O_ASYNC),
};

constexpr Constant kFileDescriptorFlags[] = {CONSTANT(FD_CLOEXEC)};

constexpr Constant kControlRequests[] = {
    CONSTANT(SIOCINQ),  CONSTANT(SIOCOUTQ), CONSTANT(SIOCOUTQNSD),
    CONSTANT(FIONREAD), CONSTANT(TIOCOUTQ), CONSTANT(SIOCATMARK),
};

constexpr Constant kOptionLevels[] = {
    CONSTANT(SOL_SOCKET),   CONSTANT(IPPROTO_TCP), CONSTANT(IPPROTO_IP),
    CONSTANT(IPPROTO_IPV6), CONSTANT(IPPROTO_UDP), CONSTANT(IPPROTO_ICMP),
};

#undef CONSTANT

constexpr std::string_view kMethods[] = {
    "hello",    "ping",          "blocked",    "socket",      "socketpair",  "bind",
    "connect",  "listen",        "accept",     "getsockname", "getpeername", "send",
    "sendto",   "write",         "recv",       "recvfrom",    "read",        "shutdown",
    "close",    "dup",           "getsockopt", "setsockopt",  "fcntl",       "ioctl",
    "poll",     "epoll_create1", "epoll_ctl",  "epoll_wait",  "sysctl_get",  "sysctl_set",
    "counters", "tcp_sockets"};

std::string Hexadecimal(std::int64_t value) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Constants AddressFamilies() { return kAddressFamilies; }
Constants SocketTypes() { return kSocketTypes; }
Constants SocketFlags() { return kSocketFlags; }
Constants Protocols() { return kProtocols; }
Constants MessageFlags() { return kMessageFlags; }
Constants ShutdownDirections() { return kShutdownDirections; }
Constants PollEvents() { return kPollEvents; }
Constants EpollEvents() { return kEpollEvents; }
Constants EpollFlags() { return kEpollFlags; }
Constants EpollOperations() { return kEpollOperations; }
Constants ControlCommands() { return kControlCommands; }
Constants FileStatusFlags() { return kFileStatusFlags; }
Constants FileDescriptorFlags() { return kFileDescriptorFlags; }
Constants ControlRequests() { return kControlRequests; }
Constants OptionLevels() { return kOptionLevels; }

bool IsMethod(std::string_view name) {
  return std::find(std::begin(kMethods), std::end(kMethods), name) != std::end(kMethods);
}

std::optional<std::int64_t> ValueOf(Constants constants, std::string_view name) {
  for (const Constant& constant : constants) {
    if (constant.name == name) return constant.value;
  }
  return std::nullopt;
}

std::string NameOf(Constants constants, std::int64_t value) {
  for (const Constant& constant : constants) {
    if (constant.value == value) return std::string(constant.name);
  }
  return Hexadecimal(value);
}

std::vector<std::string> NamesOfFlags(Constants constants, std::int64_t flags) {
  std::vector<std::string> names;
  std::int64_t unnamed = flags;
  for (const Constant& constant : constants) {
    if ((flags & constant.value) != constant.value) continue;
    names.emplace_back(constant.name);
    unnamed &= ~constant.value;
  }
  if (unnamed != 0) names.push_back(Hexadecimal(unnamed));
  return names;
}

std::string TcpStateName(int state) {
  // In the order of the kernel's numbers, from 1; the twelfth is its request socket.
  constexpr std::array<std::string_view, 12> kStates = {
      "ESTABLISHED", "SYN-SENT",   "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
      "CLOSED",      "CLOSE-WAIT", "LAST-ACK",     "LISTEN",     "CLOSING",    "SYN-RECEIVED"};
  if (state < 1 || state > static_cast<int>(kStates.size())) return Hexadecimal(state);
  return std::string(kStates[static_cast<std::size_t>(state) - 1]);
}

}  // namespace sockproof::agent_protocol
