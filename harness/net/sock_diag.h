// The state of TCP sockets as the kernel reports it (sock_diag(7), inet_diag), by libnl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/base/time.h"
#include "harness/net/ip.h"

struct inet_diag_req_v2;
struct nl_sock;

namespace sockproof {

// The eleven states of RFC 9293 section 3.3.2.
enum class TcpState {
  kListen,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
  kClosed,
};
// As the RFC spells it: "SYN-SENT", "FIN-WAIT-1", ...
std::string_view TcpStateName(TcpState state);

// One TCP socket, request socket or TIME-WAIT record.
struct TcpSocketInfo {
  TcpState state = TcpState::kClosed;
  Endpoint local;
  Endpoint remote;
  // In LISTEN: connections in the accept queue now, and its limit. Else: bytes not yet read by the
  // application, and bytes not yet acknowledged by the peer.
  std::uint32_t receive_queue = 0;
  std::uint32_t send_queue = 0;
  // What is left of its timer that expires next; 0: none runs.
  Duration timer{0};
};

// A sock_diag socket of the namespace in which it was made. Move-only, not thread-safe.
class SockDiag {
 public:
  // Throws Skip when the kernel has no inet_diag.
  SockDiag();
  ~SockDiag();
  SockDiag(SockDiag&&) noexcept;
  SockDiag& operator=(SockDiag&&) noexcept;

  // Every TCP socket of that version, in all states. Throws HarnessError. The kernel walks through
  // the connections of all namespaces for it.
  std::vector<TcpSocketInfo> TcpSockets(IpVersion version);

  // The connection between the endpoints, found at once. None: there is none, or it is bound to an
  // interface. Throws HarnessError.
  std::optional<TcpSocketInfo> Find(const Endpoint& local, const Endpoint& remote);

 private:
  std::vector<TcpSocketInfo> Ask(const inet_diag_req_v2& request, int flags);

  std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket_;
};

}  // namespace sockproof
