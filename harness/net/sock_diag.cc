#include "harness/net/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#include <string>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

TcpState StateFromKernel(int state) {
  switch (state) {
    case TCP_ESTABLISHED:
      return TcpState::kEstablished;
    case TCP_SYN_SENT:
      return TcpState::kSynSent;
    case TCP_SYN_RECV:
      return TcpState::kSynReceived;
    case TCP_FIN_WAIT1:
      return TcpState::kFinWait1;
    case TCP_FIN_WAIT2:
      return TcpState::kFinWait2;
    case TCP_TIME_WAIT:
      return TcpState::kTimeWait;
    case TCP_CLOSE:
      return TcpState::kClosed;
    case TCP_CLOSE_WAIT:
      return TcpState::kCloseWait;
    case TCP_LAST_ACK:
      return TcpState::kLastAck;
    case TCP_LISTEN:
      return TcpState::kListen;
    case TCP_CLOSING:
      return TcpState::kClosing;
    // Request sockets live in a state of their own since Linux 4.4: TCP_NEW_SYN_RECV.
    case 12:
      return TcpState::kSynReceived;
    default:
      throw HarnessError("inet_diag reports unknown TCP state " + std::to_string(state));
  }
}

struct Answer {
  IpVersion version;
  std::vector<TcpSocketInfo> sockets;
  std::string problem;
};

int TakeOne(nl_msg* message, void* argument) {
  Answer& answer = *static_cast<Answer*>(argument);
  const nlmsghdr* header = nlmsg_hdr(message);
  if (nlmsg_datalen(header) < static_cast<int>(sizeof(inet_diag_msg))) {
    answer.problem = "inet_diag message too short";
    return NL_STOP;
  }
  const auto& found = *static_cast<const inet_diag_msg*>(nlmsg_data(header));
  const auto address = [&](const __be32* words) {
    return IpAddress(answer.version, reinterpret_cast<const std::uint8_t*>(words));
  };
  try {
    answer.sockets.push_back(
        {StateFromKernel(found.idiag_state),
         {address(found.id.idiag_src), ntohs(found.id.idiag_sport)},
         {address(found.id.idiag_dst), ntohs(found.id.idiag_dport)},
         found.idiag_rqueue,
         found.idiag_wqueue,
         std::chrono::milliseconds(found.idiag_timer != 0 ? found.idiag_expires : 0)});
  } catch (const HarnessError& error) {  // must not pass through libnl, which is C
    answer.problem = error.what();
    return NL_STOP;
  }
  return NL_OK;
}

}  // namespace

std::string_view TcpStateName(TcpState state) {
  switch (state) {
    case TcpState::kListen:
      return "LISTEN";
    case TcpState::kSynSent:
      return "SYN-SENT";
    case TcpState::kSynReceived:
      return "SYN-RECEIVED";
    case TcpState::kEstablished:
      return "ESTABLISHED";
    case TcpState::kFinWait1:
      return "FIN-WAIT-1";
    case TcpState::kFinWait2:
      return "FIN-WAIT-2";
    case TcpState::kCloseWait:
      return "CLOSE-WAIT";
    case TcpState::kClosing:
      return "CLOSING";
    case TcpState::kLastAck:
      return "LAST-ACK";
    case TcpState::kTimeWait:
      return "TIME-WAIT";
    case TcpState::kClosed:
      return "CLOSED";
  }
  return "?";
}

SockDiag::SockDiag() : socket_(nl_socket_alloc(), nl_socket_free) {
  nl_socket_disable_auto_ack(socket_.get());  // what answers a question is enough
  const int result = nl_connect(socket_.get(), NETLINK_SOCK_DIAG);
  if (result < 0)
    throw Skip(std::string("no sock_diag (CONFIG_INET_DIAG): ") + nl_geterror(result));
}
SockDiag::~SockDiag() = default;
SockDiag::SockDiag(SockDiag&&) noexcept = default;
SockDiag& SockDiag::operator=(SockDiag&&) noexcept = default;

std::vector<TcpSocketInfo> SockDiag::Ask(const inet_diag_req_v2& request, int flags) {
  inet_diag_req_v2 asked = request;
  int result = nl_send_simple(socket_.get(), SOCK_DIAG_BY_FAMILY, flags, &asked, sizeof asked);
  Answer answer{request.sdiag_family == AF_INET ? IpVersion::kIpv4 : IpVersion::kIpv6, {}, ""};
  if (result >= 0) {
    nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, TakeOne, &answer);
    result = nl_recvmsgs_default(socket_.get());
  }
  if (result == -NLE_OBJ_NOTFOUND) return {};
  if (result < 0) throw HarnessError(std::string("inet_diag: ") + nl_geterror(result));
  if (!answer.problem.empty()) throw HarnessError(answer.problem);
  return answer.sockets;
}

std::vector<TcpSocketInfo> SockDiag::TcpSockets(IpVersion version) {
  inet_diag_req_v2 request{};
  request.sdiag_family = version == IpVersion::kIpv4 ? AF_INET : AF_INET6;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = ~0U;
  return Ask(request, NLM_F_DUMP);
}

std::optional<TcpSocketInfo> SockDiag::Find(const Endpoint& local, const Endpoint& remote) {
  inet_diag_req_v2 request{};
  request.sdiag_family = local.address.version() == IpVersion::kIpv4 ? AF_INET : AF_INET6;
  request.sdiag_protocol = IPPROTO_TCP;
  request.id.idiag_sport = htons(local.port);
  request.id.idiag_dport = htons(remote.port);
  memcpy(request.id.idiag_src, local.address.bytes(), local.address.size());
  memcpy(request.id.idiag_dst, remote.address.bytes(), remote.address.size());
  for (auto& half : request.id.idiag_cookie) half = INET_DIAG_NOCOOKIE;
  for (const TcpSocketInfo& found : Ask(request, 0)) {
    // Else the listener that a segment of this connection would go to.
    if (found.local.port == local.port && found.remote == remote) return found;
  }
  return std::nullopt;
}

}  // namespace sockproof
