#include "src/agent_lwip/tcp_table.h"

#include <array>

#include "src/agent_lwip/core_lock.h"
// Not beside lwip/sockets.h, which brings in the system's TCP_MSS.
#include <lwip/priv/tcp_priv.h>

namespace sockproof::agent_lwip {
namespace {

using nlohmann::json;

const char* NameOf(tcp_state state) {
  switch (state) {
    case CLOSED:
      return "CLOSED";
    case LISTEN:
      return "LISTEN";
    case SYN_SENT:
      return "SYN-SENT";
    case SYN_RCVD:
      return "SYN-RECEIVED";
    case ESTABLISHED:
      return "ESTABLISHED";
    case FIN_WAIT_1:
      return "FIN-WAIT-1";
    case FIN_WAIT_2:
      return "FIN-WAIT-2";
    case CLOSE_WAIT:
      return "CLOSE-WAIT";
    case CLOSING:
      return "CLOSING";
    case LAST_ACK:
      return "LAST-ACK";
    case TIME_WAIT:
      return "TIME-WAIT";
  }
  return "CLOSED";
}

json EndpointToJson(const ip_addr_t& address, u16_t port, bool ipv6) {
  std::array<char, IPADDR_STRLEN_MAX> text{};
  // A listener for both versions has an address of neither.
  if (IP_IS_ANY_TYPE_VAL(address)) {
    text = ipv6 ? std::array<char, IPADDR_STRLEN_MAX>{"::"} : decltype(text){"0.0.0.0"};
  } else {
    ipaddr_ntoa_r(&address, text.data(), static_cast<int>(text.size()));
  }
  return {{"family", ipv6 ? "AF_INET6" : "AF_INET"}, {"address", text.data()}, {"port", port}};
}

bool IsOf(const ip_addr_t& address, bool ipv6) {
  return IP_IS_ANY_TYPE_VAL(address) || (IP_IS_V6_VAL(address) != 0) == ipv6;
}

json Entry(const tcp_pcb_listen& pcb, bool ipv6) {
#if TCP_LISTEN_BACKLOG
  const int accepts_pending = pcb.accepts_pending;
#else
  const int accepts_pending = 0;  // nobody counts them
#endif
  return {{"state", NameOf(pcb.state)},
          {"local", EndpointToJson(pcb.local_ip, pcb.local_port, ipv6)},
          {"remote", nullptr},
          {"receive_queue", accepts_pending},
          {"send_queue", 0}};
}

json Entry(const tcp_pcb& pcb, bool ipv6) {
  return {{"state", NameOf(pcb.state)},
          {"local", EndpointToJson(pcb.local_ip, pcb.local_port, ipv6)},
          {"remote", EndpointToJson(pcb.remote_ip, pcb.remote_port, ipv6)},
          {"receive_queue", TCP_WND_MAX(&pcb) - pcb.rcv_wnd},
          {"send_queue", pcb.snd_lbb - pcb.lastack}};
}

}  // namespace

json TcpSocketsOf(bool ipv6) {
  const CoreLock lock;
  json sockets = json::array();
  const auto add = [&](const auto* first) {
    for (const auto* pcb = first; pcb != nullptr; pcb = pcb->next) {
      if (IsOf(pcb->local_ip, ipv6)) sockets.push_back(Entry(*pcb, ipv6));
    }
  };
  add(static_cast<const tcp_pcb_listen*>(tcp_listen_pcbs.listen_pcbs));
  add(static_cast<const tcp_pcb*>(tcp_active_pcbs));
  add(static_cast<const tcp_pcb*>(tcp_tw_pcbs));
  return sockets;
}

}  // namespace sockproof::agent_lwip
