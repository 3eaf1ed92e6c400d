#include "src/agent_lwip/constants.h"

#include <lwip/sockets.h>

#include <algorithm>

namespace sockproof::agent_lwip {
namespace {

using agent_protocol::Constant;

#define CONSTANT(name) \
  Constant { #name, name }

constexpr Constant kAddressFamilies[] = {CONSTANT(AF_INET), CONSTANT(AF_INET6),
                                         CONSTANT(AF_UNSPEC)};

constexpr Constant kSocketTypes[] = {CONSTANT(SOCK_STREAM), CONSTANT(SOCK_DGRAM),
                                     CONSTANT(SOCK_RAW)};

constexpr Constant kProtocols[] = {
    CONSTANT(IPPROTO_IP),  CONSTANT(IPPROTO_ICMP),   CONSTANT(IPPROTO_TCP),
    CONSTANT(IPPROTO_UDP), CONSTANT(IPPROTO_ICMPV6), CONSTANT(IPPROTO_UDPLITE),
    CONSTANT(IPPROTO_RAW),
};

// MSG_NOSIGNAL asks for what lwIP always does.
constexpr Constant kMessageFlags[] = {CONSTANT(MSG_PEEK), CONSTANT(MSG_DONTWAIT),
                                      CONSTANT(MSG_MORE), CONSTANT(MSG_NOSIGNAL)};

constexpr Constant kPollEvents[] = {CONSTANT(POLLIN), CONSTANT(POLLOUT), CONSTANT(POLLERR),
                                    CONSTANT(POLLNVAL)};

constexpr Constant kControlCommands[] = {CONSTANT(F_GETFL), CONSTANT(F_SETFL)};

constexpr Constant kFileStatusFlags[] = {CONSTANT(O_WRONLY), CONSTANT(O_RDWR),
                                         CONSTANT(O_NONBLOCK)};

constexpr Constant kControlRequests[] = {CONSTANT(FIONREAD)};

#undef CONSTANT

constexpr std::string_view kOptions[] = {
    "SO_ACCEPTCONN", "SO_BROADCAST", "SO_ERROR",     "SO_KEEPALIVE",  "SO_LINGER",   "SO_RCVBUF",
    "SO_RCVTIMEO",   "SO_REUSEADDR", "SO_SNDTIMEO",  "SO_TYPE",       "IP_TOS",      "IP_TTL",
    "IPV6_V6ONLY",   "TCP_KEEPCNT",  "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_NODELAY",
};

}  // namespace

Constants AddressFamilies() { return kAddressFamilies; }
Constants SocketTypes() { return kSocketTypes; }
Constants Protocols() { return kProtocols; }
Constants MessageFlags() { return kMessageFlags; }
Constants PollEvents() { return kPollEvents; }
Constants ControlCommands() { return kControlCommands; }
Constants FileStatusFlags() { return kFileStatusFlags; }
Constants ControlRequests() { return kControlRequests; }
Constants None() { return {}; }

bool HasOption(std::string_view name) {
  return std::find(std::begin(kOptions), std::end(kOptions), name) != std::end(kOptions);
}

}  // namespace sockproof::agent_lwip
